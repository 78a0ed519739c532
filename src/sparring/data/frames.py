"""Data frames of pandas and Polars, written as CSV: numbers, text, dates, truth values and missing values."""

import csv
import datetime
import io
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, Protocol, runtime_checkable

from sparring.arguments import is_number
from sparring.data.readers.cells import MAX_CELLS
from sparring.errors import SparringError, SparringWarning
from sparring.text import printable

MISSING = frozenset({"NoneType", "NAType", "NaTType"})
"""Types of missing values, of Python and of pandas."""
MIDNIGHT = " 00:00:00"
"""End of a moment that is a date."""
ROWS_AT_ONCE = 4096


@runtime_checkable
class PandasFrame(Protocol):
    """A data frame of pandas, as far as it tells one."""

    columns: Any
    shape: Any
    iloc: Any
    index: Any

    def reset_index(self, level: Any = None) -> Any:
        """Return the rows with levels of the index as columns."""

    def to_csv(self, path: Any = None, *, index: bool = True) -> Any:
        """Return the rows as CSV."""


@runtime_checkable
class PolarsFrame(Protocol):
    """A data frame of Polars, as far as it tells one."""

    columns: Any
    shape: Any

    def write_csv(self, file: Any = None) -> Any:
        """Return the rows as CSV."""

    def get_columns(self) -> Any:
        """Return the columns."""


def frame_writer(data: PandasFrame | PolarsFrame) -> Callable[[IO[bytes]], None]:
    """Return what writes a data frame as CSV, with the named levels of its index; missing values become empty cells.

    Raises:
        SparringError: it is too large or empty.

    Warns:
        SparringWarning: the index has no name, but holds more than numbers of rows.
    """
    if isinstance(data, PandasFrame):
        data = _with_index(data)
    rows, width = data.shape
    if rows * width > MAX_CELLS:
        raise SparringError(
            found=f"a data frame of {rows * width:,} cells",
            expected=f"at most {MAX_CELLS:,}",
            remedy="give a part of the rows, or leave columns out",
        )
    if not rows * width:
        raise SparringError(
            found="an empty data frame as the data", expected="rows and columns", remedy="check where it is made"
        )
    names = [str(name) for name in data.columns]
    # A heading without a word would be taken for a row of numbers, and one with a semicolon for another format.
    if all(name == "" or is_number(name) for name in names):
        names = [f"column {name}".strip() for name in names]
    heading = [printable(name).replace(";", ",") for name in names]
    return lambda file: _write(file, heading, data)


def _with_index(data: PandasFrame) -> PandasFrame:
    """Return a data frame with the named levels of its index as columns."""
    names = list(data.index.names)
    kept = [at for at, name in enumerate(names) if name is not None and name not in data.columns]
    if any(name is None for name in names) and (len(names) > 1 or data.index.dtype.kind not in "iu"):
        warnings.warn(
            f"The index of the data frame has no name, such as {str(data.index[:1].tolist())[1:-1][:40]} in its first "
            "row, and is left out: frame.rename_axis(NAME) makes it a column.",
            SparringWarning,
            stacklevel=2,
        )
    indexed: PandasFrame = data.reset_index(level=kept) if kept else data
    return indexed


def _write(file: IO[bytes], heading: Sequence[str], data: PandasFrame | PolarsFrame) -> None:
    """Write rows, some at a time, since Python's values take much more memory than those of a frame.

    Raises:
        SparringError: a value is neither a number, text, a date nor a truth value.
    """
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(heading)
    columns = data.get_columns() if isinstance(data, PolarsFrame) else None
    for start in range(0, data.shape[0], ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        cells = [
            [_text(value, name) for value in (columns[at][part] if columns is not None else data.iloc[part, at])]  # type: ignore[union-attr]
            for at, name in enumerate(heading)
        ]
        # A carriage return would be taken for the end of a row.
        returns = any("\r" in cell for column in cells for cell in column)
        (quoted if returns else writer).writerows(zip(*cells, strict=True))
    text.detach()


def _text(value: Any, name: str) -> str:
    """Return a value as text: 1 and 0 for truth values, and ISO dates."""
    if isinstance(value, str):
        return value
    if type(value).__name__ in MISSING or (is_number(value) and math.isnan(value)):
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ").removesuffix(MIDNIGHT)
    if type(value).__name__ in ("bool", "bool_"):
        return str(int(value))
    if isinstance(value, Iterable | complex):
        raise SparringError(
            found=f"the column {name!r} of a data frame, with values such as {str(value)[:40]!r}",
            expected="numbers, text, dates or truth values in each column",
            remedy="leave the column out, or convert it",
        )
    text = str(value)
    # Moments of NumPy that are dates.
    return text.partition("T")[0] if type(value).__name__ == "datetime64" and "T00:00:00" in text else text
