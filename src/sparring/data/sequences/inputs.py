"""Texts that users give a model to make others from: sentences, files of lines, and columns of tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sparring.data.documents import CODE, PROSE, decoded
from sparring.data.readers.files import reason
from sparring.data.text_pairs import RAW, SUFFIXES, column_of
from sparring.errors import SparringError, shown

FILES = (*PROSE, *CODE, *SUFFIXES, *RAW)
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
        inputs: a sentence each, or a file: with a text on each line, or a table.
        column: of tables; the first where there is none of this name.

    Raises:
        SparringError: an input is no text, or a file cannot be read.
    """
    found = [_given(one, column) for one in inputs]
    if not any(line.strip() for one in found for line in one.lines):
        raise SparringError(found="inputs without any text", expected="a sentence or more", remedy="check the inputs")
    return found


def _given(one: Any, column: str) -> GivenTexts:
    if not isinstance(one, str | Path):
        raise SparringError(
            found=f"an input of type {type(one).__name__}",
            expected="a sentence, or a file of sentences",
            remedy="give text",
        )
    path = Path(one)
    try:
        # Nothing, as a text, is no path: that of the present folder is the same.
        is_file, is_folder = path.is_file(), path.is_dir() and path.name != ""
    except (OSError, ValueError):  # A sentence that is too long for a path.
        is_file = is_folder = False
    if not is_file:
        if is_folder or isinstance(one, Path) or path.suffix.lower() in FILES:
            raise SparringError(
                found=f"the folder {path}" if is_folder else f"no file {shown(str(one))}",
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
