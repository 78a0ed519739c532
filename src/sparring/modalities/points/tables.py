"""Tables of numbers in files: heading, index, units and rows that cannot be used; nothing is left out in silence."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sparring import opening
from sparring.data.readers.numpy_files import read_numpy, shape_of
from sparring.errors import SparringError
from sparring.text import printable

MAX_TEXT_BYTES = 128 * 1024 * 1024
MAX_VALUES = 64_000_000
MAX_LEFT_OUT = 0.5
"""Share of the rows above which unusable ones mean that the file is no table of numbers."""
INDEX_NAMES = ("", "Unnamed: 0")
"""Headings that pandas gives the column of an index."""


@final
class Table(NamedTuple):
    """Numbers of a file.

    Args:
        values: (rows, columns), float64; some may not be finite.
        columns: names of the columns; empty if the file has none.
        remarks: full sentences about what was left out or could be read in another way.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a .npy file, or text with commas, semicolons (and decimal commas) or tabs.

    Raises:
        SparringError: it is missing, too large, damaged, or holds no table of numbers.
    """
    expected = f"a table of numbers, (points, coordinates), in {path}"
    if not path.exists():
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path")
    try:
        table = _from_array(path) if path.suffix.lower() == ".npy" else _from_text(path)
    except SparringError:
        raise
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise SparringError(
            found=f"an unreadable file ({str(error).rstrip('.')})", expected=expected, remedy="check the file"
        ) from None
    if table.values.ndim != 2 or table.values.shape[1] == 0:
        raise SparringError(
            found=f"an array of shape {table.values.shape}",
            expected=expected,
            remedy="save it with one point per row",
        )
    return table


def _from_array(path: Path) -> Table:
    _require_size(math.prod(shape_of(path) or ()))
    return Table(np.asarray(read_numpy(path).samples).astype(np.float64))


def _from_text(path: Path) -> Table:
    # Text, whatever its encoding, as lines that are not blank, numbered from 1.
    text, remarks = _decoded(bytes(opening.file_bytes(path.resolve(), MAX_TEXT_BYTES)))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ValueError("it has no rows")
    delimiter = next((one for one in "\t;" if one in lines[0][1]), ",")
    if delimiter == ";":
        lines = [(number, line.replace(",", ".")) for number, line in lines]
    first = _cells(lines[0][1], delimiter)
    _require_size(len(lines) * len(first))

    # A first row of other words than numbers is a heading; whether one of numbers is depends on the rows below.
    if _is_heading(first):
        values, left_out = _numbers(lines[1:], delimiter, len(first))
        return _without_index(Table(values, tuple(first), (*remarks, *left_out)))
    values, left_out = _numbers(lines, delimiter, len(first))
    if len(values) > 2 and _looks_like_heading(first, values[1:]):
        names = f"'{printable(','.join(first))}'"
        remark = f"Took the first row, {names}, for names of columns; write 0.0 in place of 0 if it is a point."
        return Table(values[1:], tuple(first), (*remarks, remark, *left_out))
    return Table(values, (), (*remarks, *left_out))


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode UTF-8, UTF-16 with a byte order mark, or else Latin-1, which is remarked on."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16"), ()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return content.decode("latin-1"), ("The file is not UTF-8: names of columns are read as Latin-1.",)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_heading(first: Sequence[str]) -> bool:
    """Return whether some cell is a word; an index of pandas has an empty cell above it, and numbers may follow."""
    if first[0] == "" and len(first) > 1 and all(_is_plain(cell) for cell in first[1:]):
        return [int(cell) for cell in first[1:]] == list(range(len(first) - 1))
    return any(cell and not _is_number(cell) for cell in first)


def _looks_like_heading(first: Sequence[str], below: NDArray[np.float64]) -> bool:
    """Return whether whole numbers in the first row are names: unlike the values below them.

    A number is unlike its column if that holds fractions, or if it lies farther outside the column's range than the
    range is wide. 0, 1, 2, …, as pandas numbers columns, need one such column, and others, such as years, need all.
    """
    if len(set(first)) < len(first) or not all(_is_plain(cell) for cell in first):
        return False
    low, high = np.nanmin(below, axis=0), np.nanmax(below, axis=0)
    names = np.array([float(cell) for cell in first])
    fractions = (below != np.floor(below)).any(axis=0)
    unlike = fractions | (names < low - (high - low)) | (names > high + (high - low))
    counted = [int(cell) for cell in first] == list(range(len(first)))
    return bool(unlike.any() if counted else unlike.all())


def _without_index(table: Table) -> Table:
    """Leave out a first column without a name that numbers the rows."""
    values, columns, remarks = table
    if columns[0] not in INDEX_NAMES or len(columns) < 2 or not len(values):
        return table
    numbers = values[:, 0]
    if np.array_equal(numbers, np.floor(numbers)) and len(np.unique(numbers)) == len(numbers):
        return Table(values[:, 1:], columns[1:], (*remarks, "Left out the first column, an index without a name."))
    return table


def _numbers(
    lines: Sequence[tuple[int, str]], delimiter: str, width: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the rows of ``width`` numbers, and remarks on those that are left out.

    Raises:
        ValueError: there are no rows, or most of them cannot be used.
    """
    if not lines:
        raise ValueError("it has no rows")
    text = [line for _, line in lines]
    try:
        found = np.loadtxt(text, delimiter=delimiter, ndmin=2, dtype=np.float64, comments=None, quotechar='"')
        if found.shape[1] == width:
            return found, ()
    except ValueError:
        pass  # Find out which rows cannot be used.

    # Row by row: what is wrong, and where it is first.
    rows, reasons = list[list[float]](), dict[str, list[int]]()
    for number, line in lines:
        cells = _cells(line, delimiter)
        wrong = next((cell for cell in cells if not _is_number(cell)), None)
        if len(cells) == width and wrong is None:
            rows.append([float(cell) for cell in cells])
            continue
        reason = (
            f"{len(cells)} values in place of {width}"
            if len(cells) != width
            else "an empty cell"
            if wrong == ""
            else "text in place of a number"
        )
        reasons.setdefault(reason, []).append(number)
    left_out = [f"{len(where):,} with {reason} (first in line {where[0]})" for reason, where in reasons.items()]
    if len(rows) <= len(lines) * MAX_LEFT_OUT:
        raise ValueError(f"of {len(lines):,} rows: {', '.join(left_out)}")
    return np.array(rows, dtype=np.float64), (f"Left out rows: {', '.join(left_out)}.",)


def _require_size(values: int) -> None:
    if values > MAX_VALUES:
        raise SparringError(
            found=f"{values:,} numbers", expected=f"at most {MAX_VALUES:,}", remedy="give a part of the rows"
        )


def _is_plain(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 10


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
