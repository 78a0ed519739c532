"""The error for input that cannot be used, and phrases that several messages share."""

from collections.abc import Iterator
from contextlib import contextmanager

from sparring.text import printable


class SparringError(ValueError):
    """Input that cannot be used, as one line: "Found …, but expected …. <Remedy>."

    Every command prints this line and exits with code 2; Python callers catch it as a ``ValueError``. The three parts
    begin in lower case and end without a full stop; they are kept as attributes. Control characters in them, such as
    those of a hostile file name, are shown as escapes.

    Args:
        found: noun phrase: the input, or what was there in its place.
        expected: noun phrase: what would have been accepted.
        remedy: imperative: what to do about it.
    """

    def __init__(self, *, found: str, expected: str, remedy: str) -> None:
        stop = "" if remedy.endswith("?") else "."
        message = f"Found {found}, but expected {expected}. {remedy[:1].upper()}{remedy[1:]}{stop}"
        super().__init__(printable(message))
        self.found = found
        self.expected = expected
        self.remedy = remedy


class SparringWarning(UserWarning):
    """Something that whoever loads a model should know, as a full sentence; commands print it to standard error."""


@contextmanager
def reading_file(place: object, expected: str) -> Iterator[None]:
    """Turn any failure of the block, which decodes a file, into one sentence that names the file.

    Decoders of damaged files fail in many ways (zlib, struct, memory, recursion, …), all of which mean the same here.

    Args:
        place: the file.
        expected: noun phrase: what it should hold.

    Raises:
        SparringError: the block failed.
    """
    try:
        yield
    except SparringError:
        raise
    except Exception as error:
        message = " ".join(str(getattr(error, "strerror", None) or error).split())[:160].rstrip(".")
        raise damaged(place, f"a file that cannot be read ({message or type(error).__name__})", expected) from None


@contextmanager
def writing(place: object) -> Iterator[None]:
    """Turn a failure of the file system in the block, which writes to a place, into one sentence that names it.

    Raises:
        SparringError: the block failed.
    """
    try:
        yield
    except OSError as error:
        raise SparringError(
            found=f"{place}, where nothing can be written ({error.strerror or error})",
            expected="a place that can be written",
            remedy="give another path, or change the permissions",
        ) from None


def damaged(place: object, found: str, expected: str, remedy: str = "copy or download the file again") -> SparringError:
    """Return the error for a file whose content is not what its format announces.

    Args:
        place: the file.
        found: noun phrase: what is in it.
        expected: noun phrase: what should be.
        remedy: what to do.
    """
    return SparringError(found=f"{found} in {place}", expected=expected, remedy=remedy)


def nearest(word: object, known: list[str], *, likeness: float = 0.5) -> str:
    """Return ``"; did you mean 'x'?"`` with the known word closest to ``word``, or "" if none is as like it."""
    from difflib import get_close_matches

    close = get_close_matches(str(word), known, n=1, cutoff=likeness)
    return f"; did you mean {close[0]!r}?" if close else ""


def shown(value: object) -> str:
    """Return a value as messages show it, in at most 100 characters."""
    # Python refuses to write out integers of thousands of digits.
    if isinstance(value, int) and abs(value).bit_length() > 1000:
        return "a number of hundreds of digits"
    return " ".join((repr(value) if isinstance(value, str | bytes) else str(value)).split())[:100]


def missing_extra(package: str, extra: str, purpose: str) -> SparringError:
    """Return the error for an optional package that is not installed.

    Args:
        package: name of the package.
        extra: extra of sparring that installs it.
        purpose: what it is needed for, as "to read Parquet files".
    """
    return SparringError(
        found=f"no package {package!r}",
        expected=f"it to be installed, {purpose}",
        remedy=f'run `pip install "sparring[{extra}]"`',
    )
