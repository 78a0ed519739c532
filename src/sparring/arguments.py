"""Options as the caller writes them, in a shell or in Python, and checks of the numbers and paths in them."""

import math
import operator
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sparring.errors import SparringError, shown
from sparring.text import command

MAX_WHOLE = 2**63 - 1
"""Largest whole number: what 64 bits with a sign hold."""
FILE_ENDINGS = frozenset(
    {".bmp", ".csv", ".gif", ".gz", ".html", ".jpeg", ".jpg", ".json", ".jsonl", ".npy", ".npz", ".parquet", ".pdf"}
    | {".png", ".pt", ".safetensors", ".tar", ".tif", ".tiff", ".txt", ".wav", ".webp", ".zip"}
)
"""Endings by which a path is taken for that of a file."""

IN_PYTHON = {"continue": "continued", "extractor": "extractors"}
"""Options whose parameter in Python has another name."""
_callers = ["Python"]
"""Who reads the messages: the last one. Of a whole process, since threads that read data raise errors, too."""


@contextmanager
def called_from_shell() -> Iterator[None]:
    """Write options as a shell has them while the block runs; see ``option``."""
    _callers.append("shell")
    try:
        yield
    finally:
        _callers.pop()


def option(name: str, *values: object) -> str:
    """Return an option as the caller writes it: ``--batch-size 8`` in a shell, ``batch_size=8`` in Python.

    Messages name options by this function alone.

    Args:
        name: with dashes or underscores.
        values: its value, or the values of an option that takes several; none to name the option alone. True stands
            for a flag, such as ``--all``.
    """
    if _callers[-1] == "shell":
        words = (
            [] if len(values) == 1 and values[0] is True else ["false" if value is False else value for value in values]
        )
        shortened = [word if isinstance(word, str | Path) else shown(word) for word in words]
        return command(f"--{name.replace('_', '-')}", *shortened)
    # Paths are shown whole, whatever their length.
    plain = [repr(str(value)) if isinstance(value, Path) else shown(value) for value in values]
    value = plain[0] if len(plain) == 1 else f"({', '.join(plain)})" if plain else ""
    return f"{IN_PYTHON.get(name, name.replace('-', '_'))}={value}"


def whole_number(name: str, value: Any, *, least: int = 1, most: int = MAX_WHOLE) -> int:
    """Return an integer of any type, such as NumPy's, as an ``int``.

    Args:
        name: of the option, without dashes before it.
        value: as given; neither a fraction nor text nor a truth value is a whole number.
        least: smallest valid number.
        most: largest valid number.

    Raises:
        SparringError: it is no whole number, or outside the bounds.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        highest = "2⁶³ - 1" if most == MAX_WHOLE else f"{most:,}"
        words = f"of at least {least:,}" if most == MAX_WHOLE and least else f"from {least:,} to {highest}"
        raise _refused(name, value, f"a whole number {words}")
    return number


def real_number(name: str, value: Any, *, most: float, positive: bool = False) -> float:
    """Return a number of any type, from 0 to ``most``, as a ``float``.

    Args:
        name: of the option, without dashes before it.
        value: as given; text and truth values are no numbers.
        most: largest valid number.
        positive: whether 0 is not valid.

    Raises:
        SparringError: it is no number, not finite, or outside the bounds.
    """
    number = float(value) if not isinstance(value, str | bytes | bool) and is_number(value) else math.nan
    if not 0 <= number <= most or (positive and number == 0):
        raise _refused(name, value, f"a number {'above zero, at most' if positive else 'from 0 to'} {most:,.0f}")
    return number


def checked_path(name: str, value: Any) -> Path:
    """Return a path of any type as a ``Path``.

    Raises:
        SparringError: it is no path.
    """
    if not isinstance(value, str | os.PathLike) or "\0" in str(value):
        raise SparringError(
            found=f"{value!r} for {name}", expected="the path of a file or folder", remedy="give a string or a Path"
        )
    return Path(value)


def checked_folder(name: str, value: Any) -> Path:
    """Return the path of a folder to write; see ``checked_path``.

    Raises:
        SparringError: it is no path, or an empty one, or ends as files do and is not a folder already.
    """
    if value == "":
        raise SparringError(
            found=f"an empty path for {name}", expected="the path of a folder", remedy="give one, or leave it out"
        )
    path = checked_path(name, value)
    if path.suffix.lower() in FILE_ENDINGS and not path.is_dir():
        raise SparringError(
            found=f"the name of a file, {path}, for {name}",
            expected="the name of a folder, in which the files are written",
            remedy=f"give a name without {path.suffix}, such as {path.with_suffix('')}",
        )
    return path


def checked_names(name: str, value: Any) -> tuple[str, ...]:
    """Return several words, or a single one, as a tuple; none for None.

    Raises:
        SparringError: it is something else.
    """
    words = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise SparringError(
            found=f"{shown(value)} for {name}", expected="names, as text", remedy="give a list of names"
        )
    return tuple(words)


def separated(names: Sequence[str], known: Collection[str] = ()) -> tuple[str, ...]:
    """Return names of which several may stand in one word, with commas between; a known one may have a comma itself."""
    parts = [[name] if name in known else [part.strip() for part in name.split(",")] for name in names]
    return tuple(part for several in parts for part in several if part)


def is_number(value: Any) -> bool:
    """Return whether Python converts a value, or the text of one, to a floating-point number."""
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _refused(name: str, value: Any, expected: str) -> SparringError:
    return SparringError(found=option(name, value), expected=expected, remedy="give another number")
