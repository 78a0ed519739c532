"""Texts that users give a model to make others from: sentences, files of lines, and columns of tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sparring.data.documents import PROSE, decoded
from sparring.data.readers.files import reason
from sparring.data.text_pairs import SUFFIXES, column_of
from sparring.errors import SparringError, shown

FILES = (*PROSE, *SUFFIXES)
"""Suffixes by which a text is taken for the name of a file that is missing, and not for a sentence."""


class GivenTexts(NamedTuple):
    """Texts of one input, in order.

    Args:
        name: of the file; "" for a sentence.
        lines: the texts; empty ones stay, so that lines of inputs and results correspond.
    """

    name: str
    lines: list[str]


def given_texts(inputs: Sequence[Any], column: str) -> list[GivenTexts]:
    """Return the texts of inputs.

    Args:
        inputs: a sentence each; or a file, with a text on each line or a table; or a folder of such files.
        column: of tables; the first where there is none of this name.

    Raises:
        SparringError: an input is no text, or a file cannot be read.
    """
    found = [_given(one, column) for given in inputs for one in _files_of(given)]
    if not any(line.strip() for one in found for line in one.lines):
        raise SparringError(found="inputs without any text", expected="a sentence or more", remedy="check the inputs")
    return found


def _files_of(given: Any) -> Sequence[Any]:
    """Return the files of text and the tables in a folder, by name; anything else as it is.

    Raises:
        SparringError: there are none in it.
    """
    # Nothing, as a text, is the path of the present folder, too.
    if not isinstance(given, str | Path) or not str(given).strip() or not _exists(Path(given), Path.is_dir):
        return [given]
    inside = sorted(one for one in Path(given).iterdir() if one.suffix.lower() in (*PROSE, *SUFFIXES))
    if not inside:
        raise SparringError(
            found=f"no text in the folder {given}", expected="files with a text on each line", remedy="check the path"
        )
    return inside


def _exists(path: Path, kind: Callable[[Path], bool]) -> bool:
    """Return whether a file or a folder is at a path, which may be a sentence that is too long for one."""
    try:
        return kind(path)
    except (OSError, ValueError):
        return False


def _given(one: Any, column: str) -> GivenTexts:
    if not isinstance(one, str | Path):
        raise SparringError(
            found=f"an input of type {type(one).__name__}",
            expected="a sentence, or a file of sentences",
            remedy="give text",
        )
    path = Path(one)
    if not _exists(path, Path.is_file):
        if isinstance(one, Path) or path.suffix.lower() in FILES:
            raise SparringError(
                found=f"no file {shown(str(one))}",
                expected="a file with a text on each line, or a text itself",
                remedy="check the path",
            )
        return GivenTexts("", one.split("\n"))
    if path.suffix.lower() in SUFFIXES:
        return GivenTexts(path.name, column_of(path, column))
    try:
        lines = decoded(path.read_bytes(), str(path)).split("\n")
    except OSError as error:
        raise SparringError(
            found=f"no file that can be read at {path} ({reason(error)})",
            expected="a file with a text on each line",
            remedy="check the path",
        ) from None
    # The last line ends with a line break.
    lines = lines[:-1] if not lines[-1] else lines
    return GivenTexts(path.name, [line.removesuffix("\r") for line in lines])
