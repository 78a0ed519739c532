"""Tables of numbers in files: heading, index, units and rows that cannot be used; nothing is left out in silence."""

import csv
import io
import itertools
import math
import os
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sparring import opening
from sparring.arguments import is_number
from sparring.data.in_memory import MAX_VALUES
from sparring.data.readers.cells import INDEX_NAMES, is_missing
from sparring.data.readers.numpy_files import read_numpy, shape_of
from sparring.data.readers.text_tables import SEPARATOR, marked_encoding
from sparring.errors import SparringError
from sparring.text import printable

MAX_TEXT_BYTES = 512 * 2**20
MAX_LINE = 2**23
"""Characters of a line."""
MAX_LEFT_OUT = 0.5
"""Share of the rows above which unusable ones mean that the file is no table of numbers."""
HEAD_LINES = 64
"""Lines in which comments above the table and its separator are looked for."""
LINES_AT_ONCE = 8192


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
    values = np.asarray(read_numpy(path).samples)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"values of type {values.dtype}, which are no real numbers")
    return Table(values.astype(np.float64))


def _from_text(path: Path) -> Table:
    # A first pass finds the encoding and the number of rows; a later one reads again, so that no text is kept.
    encoding, count = _measured(path)
    remarks = ["The file is not UTF-8: names of columns are read as Latin-1."] if encoding == "latin-1" else []
    head = list(islice(_numbered(path, encoding), HEAD_LINES))
    told = int(bool(head) and head[0][1].startswith(SEPARATOR))
    head = head[told:]
    comments = list(takewhile(lambda line: line[1].lstrip().startswith("#"), head))
    body = [line for _, line in head[len(comments) :]]
    if not body:
        raise ValueError("it has no rows")
    delimiter = next((one for one in "\t;" if one in body[0]), ",")
    width = body[0].count(delimiter) + 1
    _require_size(count * width)

    def with_points(line: str) -> str:
        return line.replace(",", ".") if delimiter == ";" else line

    # A first row of other words than numbers is a heading, and so is a comment of as many words right above the rows.
    first = _cells(with_points(body[0]), delimiter)
    names = _cells(body[0], delimiter) if _is_heading(first) else []
    above = _cells(comments[-1][1].lstrip("# \t"), delimiter) if comments and not names else [""]
    if len(above) == width and _is_heading(above):
        names, skipped = above, told + len(comments)
        comments.pop()
        remarks.append(f"Took the comment above the first row, {_quoted(names)}, for names of columns.")
    else:
        skipped = told + len(comments) + bool(names)
        if names and names[0] and any(map(_is_number, names)):
            remarks.append(f"Took the first row, {_quoted(names)}, for names of columns, although it has numbers.")
    remarks += ["Left out the comments above the table."] if comments else []

    # Read the numbers, with decimal commas between semicolons.
    cells = (cell.strip() for line in body for cell in line.split(delimiter)) if delimiter == ";" else ()
    if thousand := next(filter(_is_thousands, cells), ""):
        remarks.append(f"Read the comma in {thousand} as a decimal comma, as semicolons separate the columns.")
    rows = ((number, with_points(line)) for number, line in islice(_numbered(path, encoding), skipped, None))
    values, left_out = _numbers(rows, delimiter, len(first))
    if names:
        return _without_index(Table(values, tuple(names), (*remarks, *left_out)))

    # Whether a first row of whole numbers is a heading depends on the rows below.
    if _is_whole(first) and len(values) > 1 and len(body) > 1:
        if _is_unlike(first, _cells(with_points(body[1]), delimiter), values[1:]):
            remark = (
                f"Took the first row, {_quoted(first)}, for names of columns; write 0.0 in place of 0 if it is a point."
            )
            return Table(values[1:], tuple(first), (*remarks, remark, *left_out))
        if _is_counted(first) and len(first) > 1:
            remarks.append(f"Read the first row, {_quoted(first)}, as a point; add a letter if it names the columns.")
    return Table(values, (), (*remarks, *left_out))


def _measured(path: Path) -> tuple[str, int]:
    """Return the encoding, UTF-8, UTF-16 or UTF-32 with a byte order mark, or else Latin-1, and the filled lines."""
    with opening.reading(path.resolve()) as file:
        if os.fstat(file.fileno()).st_size > MAX_TEXT_BYTES:
            raise ValueError(f"over {MAX_TEXT_BYTES >> 20} MiB of text")
        marked = marked_encoding(file.read(4))
    if marked:
        return marked, sum(1 for _ in _numbered(path, marked))
    try:
        return "utf-8-sig", sum(1 for _ in _numbered(path, "utf-8-sig"))
    except UnicodeDecodeError:
        return "latin-1", sum(1 for _ in _numbered(path, "latin-1"))


def _numbered(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    file = io.BufferedReader(opening.reading(path.resolve()))
    with io.TextIOWrapper(file, encoding) as text:
        for number in itertools.count(1):
            line = text.readline(MAX_LINE)
            if len(line) == MAX_LINE:
                raise ValueError(f"line {number} has over {MAX_LINE:,} characters")
            if not line:
                return
            if line.strip():
                yield number, line.rstrip("\n")


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_heading(first: Sequence[str]) -> bool:
    """Return whether some cell is a word; an index of pandas has an empty cell above it, and numbers may follow."""
    if first[0] == "" and len(first) > 1 and _is_counted(first[1:]):
        return True
    return any(not is_missing(cell) and not _is_number(cell) for cell in first)


def _is_unlike(first: Sequence[str], second: Sequence[str], below: NDArray[np.float64]) -> bool:
    """Return whether whole numbers in the first row are names: unlike the values below them.

    A number is unlike its column if that holds fractions or is written with them, as in 5.0, or if it lies farther
    outside the column's range than the range is wide. 0, 1, 2, …, as pandas numbers columns, need one such column, and
    others, such as years, need all.

    Args:
        first: cells of the first row.
        second: cells of the row below.
        below: values of all rows below.
    """
    written = [not _is_plain(cell.removeprefix("-")) and _is_number(cell) for cell in second[: len(first)]]
    unlike = (below != np.floor(below)).any(axis=0)
    unlike[: len(written)] |= written
    if len(below) > 1:
        low, high = np.nanmin(below, axis=0), np.nanmax(below, axis=0)
        names = np.array([float(cell) for cell in first])
        unlike |= (names < low - (high - low)) | (names > high + (high - low))
    return bool(unlike.any() if _is_counted(first) else unlike.all())


def _without_index(table: Table) -> Table:
    """Leave out a first column without a name that numbers the rows, and name others without one."""
    values, columns, remarks = table
    numbers = values[:, 0]
    unique = np.array_equal(numbers, np.floor(numbers)) and len(np.unique(numbers)) == len(numbers)
    if columns[0] in INDEX_NAMES and len(columns) > 1 and unique:
        values, columns = values[:, 1:], columns[1:]
        remarks = (*remarks, "Left out the first column, an index without a name.")
    if all(map(is_missing, columns)):
        columns = ("",) * len(columns)
    named = [f"column {at}" if name in INDEX_NAMES else printable(name) for at, name in enumerate(columns, 1)]
    return Table(values, tuple(named), remarks)


def _numbers(
    lines: Iterator[tuple[int, str]], delimiter: str, width: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the rows of ``width`` numbers, and remarks on those that are left out.

    Raises:
        ValueError: there are no rows, or most of them cannot be used.
    """
    values, count, reasons = array("d"), 0, dict[str, list[int]]()
    while part := list(islice(lines, LINES_AT_ONCE)):
        count += len(part)
        fast = _parsed([line for _, line in part], delimiter, width)
        if fast is not None:
            values.frombytes(fast.tobytes())
            continue

        # Line by line: what is wrong, how often, and where it is first.
        for number, line in part:
            fault = _fault(line, delimiter, width)
            if fault:
                reasons.setdefault(fault, [0, number])[0] += 1
            else:
                values.extend(float(cell) for cell in _cells(line, delimiter))
    left_out = ", ".join(f"{many:,} with {reason} (first in line {line})" for reason, (many, line) in reasons.items())
    if len(values) <= count * width * MAX_LEFT_OUT:
        raise ValueError(f"of {count:,} rows: {left_out}" if count else "it has no rows")
    return np.frombuffer(values).reshape(-1, width), (f"Left out rows: {left_out}.",) if left_out else ()


def _parsed(lines: Sequence[str], delimiter: str, width: int) -> NDArray[np.float64] | None:
    """Return the numbers of the lines; None if some line is no row of ``width`` numbers."""
    try:
        found = np.loadtxt(lines, delimiter=delimiter, ndmin=2, dtype=np.float64, comments=None, quotechar='"')
    except ValueError:
        return None
    return found if found.shape == (len(lines), width) else None


def _fault(line: str, delimiter: str, width: int) -> str:
    """Return what keeps a line from being a row of numbers; empty if nothing does."""
    if line.count(delimiter) + 1 != width:
        return f"{line.count(delimiter) + 1} values in place of {width}"
    wrong = next((cell for cell in _cells(line, delimiter) if not _is_number(cell)), None)
    if wrong is None:
        return ""
    return "text in place of a number" if not is_missing(wrong) else "an empty cell" if not wrong else "a missing value"


def _require_size(values: int) -> None:
    if values > MAX_VALUES:
        raise SparringError(
            found=f"{values:,} numbers", expected=f"at most {MAX_VALUES:,}", remedy="give a part of the rows"
        )


def _quoted(cells: Sequence[str]) -> str:
    return f"'{printable(','.join(cells))}'"


def _is_whole(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) and all(map(_is_plain, cells))


def _is_counted(cells: Sequence[str]) -> bool:
    """Return whether the cells are 0, 1, 2, …"""
    return all(map(_is_plain, cells)) and [int(cell) for cell in cells] == list(range(len(cells)))


def _is_thousands(cell: str) -> bool:
    whole, comma, rest = cell.partition(",")
    return bool(comma) and whole.lstrip("-").isdigit() and rest.isdigit() and len(rest) == 3


def _is_plain(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 10


def _is_number(cell: str) -> bool:
    return is_number(cell) and "_" not in cell
