"""Tables in text files, separated by commas, semicolons, tabs or bars, read some rows at a time."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import final

from sparring import opening
from sparring.data.readers.cells import MAX_COLUMNS, Cells, Chunk, rows_at_once, unique_names
from sparring.data.readers.headings import Heading, heading_of
from sparring.errors import SparringError
from sparring.text import printable

SEPARATOR = "sep="
"""Start of a line with which spreadsheets tell the separator."""
DELIMITERS = ("\t", ";", "|", ",")
"""Characters between cells, the preferred first: a comma may be a decimal one."""
HEAD_LINES = 128
"""Lines in which comments, the separator and the heading are looked for."""
MAX_CELL, MAX_LINE = 2**20, 2**24
"""Characters of a cell and of a line."""
MAX_LEFT_OUT = 0.1
"""Share of rows of another length above which a file is no table."""
BYTES_AT_ONCE = 2**20
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"} | dict.fromkeys(
    (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"
)
"""Byte order mark → encoding; those of UTF-32 come first, since one begins as one of UTF-16."""


def open_text(path: Path, known: Sequence[str] = ()) -> Cells:
    """Open a table in a text file.

    Args:
        path: of the file.
        known: names of the columns where they are known; others are found in the first rows.

    Raises:
        SparringError: the file is no table; this may also be found while the rows are read.
    """
    encoding = encoding_of(path)
    remarks = ["The file is not UTF-8: it is read as Latin-1."] if encoding == "latin-1" else []
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))

    # Find what stands above the rows, and how cells are separated.
    head = list(islice(_lines(path, encoding), HEAD_LINES))
    told = next((line.strip("\r\n")[len(SEPARATOR) :] for line in head[:1] if line.startswith(SEPARATOR)), "")
    skipped = int(bool(told))
    while skipped < len(head) and (not head[skipped].strip() or head[skipped].lstrip().startswith("#")):
        skipped += 1
    comments = [line for line in head[:skipped] if line.lstrip().startswith("#")]
    body = head[skipped:]
    if not body:
        raise _no_table(path, "no rows")
    delimiter = told[:1] or _delimiter(body, known)
    rows = [row for row in _parsed(path, body, delimiter, whole=len(head) < HEAD_LINES) if any(row)]
    if not rows:
        raise _no_table(path, "no rows")
    heading = heading_of(rows, known)
    if comments and heading.rows == 0:
        heading = _in_comment(comments[-1], delimiter, heading)
    if comments and heading.rows != -1:
        remarks.append("Left out the comments above the table.")
    remarks += heading.remarks
    if len(heading.names) > MAX_COLUMNS:
        raise _no_table(path, f"{len(heading.names):,} columns", f"at most {MAX_COLUMNS:,} columns")

    cells = Cells(heading.names, iter(()), remarks, heading.unnamed_first, decimal_comma=delimiter == ";")
    above = max(0, heading.rows)
    cells.chunks = _chunks(path, islice(_lines(path, encoding), skipped, None), delimiter, above, cells)
    return cells


def encoding_of(path: Path) -> str:
    """Return the encoding of a text: UTF-8, UTF-16, UTF-32 with a byte order mark, or else Latin-1."""
    with opening.reading(path.resolve()) as file:
        start = file.read(BYTES_AT_ONCE)
        if marked := marked_encoding(start):
            return marked
        # Without a mark, every second byte of most texts is zero.
        for encoding, zeros in (("utf-16-le", start[1:2000:2]), ("utf-16-be", start[:2000:2])):
            if zeros.count(0) * 2 > len(zeros) > 1:
                return encoding
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while start:
                decoder.decode(start)
                start = file.read(BYTES_AT_ONCE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def marked_encoding(start: bytes) -> str:
    """Return UTF-16 or UTF-32 if a text begins with its byte order mark, else ""."""
    return next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), "")


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text, with their ends; a longer one than ``MAX_LINE`` is refused."""
    file = io.BufferedReader(opening.reading(path.resolve()), BYTES_AT_ONCE)
    with io.TextIOWrapper(file, encoding, newline="") as text:
        for number in itertools.count(1):
            line = text.readline(MAX_LINE)
            if len(line) == MAX_LINE:
                raise _too_large(path, f"a line of over {MAX_LINE >> 20} MiB, line {number}")
            if not line:
                return
            yield line


def _delimiter(lines: Sequence[str], known: Sequence[str]) -> str:
    """Return the character that separates the first lines into rows of one length, the comma if none does."""
    headings = {one: next(csv.reader(lines, delimiter=one, skipinitialspace=True), []) for one in DELIMITERS if known}
    fitting = [one for one, heading in headings.items() if set(known) <= set(unique_names(heading)[0])]
    if fitting:
        # A heading of one column has none, and its cells may hold any.
        return fitting[0] if len(fitting) < len(DELIMITERS) else ","
    best, found, below = 0.0, ",", ","
    for one in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=one, skipinitialspace=one != "\t") if row]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        share = widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0
        if share > best + 1e-9:
            best, found = share, one
        # A title, or a heading without one for row names, has no separator although the rows below have some.
        if len(widths) > 2 and widths[0] == 1 < widths[1] and widths[1:].count(widths[1]) >= 0.9 * len(widths[1:]):
            below = one
    return found if best else below


def _parsed(path: Path, lines: Sequence[str], delimiter: str, *, whole: bool) -> list[list[str]]:
    """Return the cells of the first lines; the last row of a part may end within a quotation."""
    rows = list[list[str]]()
    try:
        rows.extend(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise _unreadable(path, error, len(rows)) from None
    return rows if whole or len(rows) < 2 else rows[:-1]


def _in_comment(comment: str, delimiter: str, heading: Heading) -> Heading:
    """Return the heading that the last comment above the rows holds, if it has a word for each column."""
    above = next(csv.reader([comment.lstrip("# \t").rstrip("\r\n")], delimiter=delimiter, skipinitialspace=True), [])
    if len(above) != len(heading.names) or heading_of([above]).rows == 0:
        return heading
    names, remarks = unique_names(above)
    remark = f"Took the comment above the first row, '{printable(','.join(above))[:80]}', for names of columns."
    return Heading(names, -1, False, (remark, *remarks))


def _chunks(path: Path, lines: Iterator[str], delimiter: str, above: int, cells: Cells) -> Iterator[Chunk]:
    """Yield the rows below ``above`` others, and complete the remarks."""
    width, size, seen = len(cells.names), rows_at_once(len(cells.names)), _Seen()
    reader = csv.reader(_filled(lines, delimiter * (width - 1), seen), delimiter=delimiter, skipinitialspace=True)
    rows = filter(None, reader)
    count = repeated = 0
    ragged, last = dict[int, list[int]](), list[str]()
    try:
        heading = [list(next(rows)) for _ in range(above)]
        while part := list(islice(rows, size)):
            first, count, last = count + 1, count + len(part), part[-1]
            if set(map(len, part)) != {width}:
                part = _fitting(part, width, first, ragged)
            if heading and width > 1 and heading[0] in part:
                kept = [row for row in part if row != heading[0]]
                repeated, part = repeated + len(part) - len(kept), kept
            if part:
                yield list(zip(*part, strict=True))
    except csv.Error as error:
        raise _unreadable(path, error, count + 1) from None
    # The line at which a cell of several lines ends has its second quotation mark.
    if any("\n" in cell or "\r" in cell for cell in last) and seen.last.count('"') % 2 == 0:
        raise _too_large(path, f"a quotation mark that is never closed, in row {count:,}")
    lost = sum(many for many, _ in ragged.values())
    if lost > count * MAX_LEFT_OUT:
        raise _ragged(path, ragged, width, count)
    for length, (many, row) in ragged.items():
        words = "row" if many == 1 else "rows"
        cells.remarks.append(f"Left out {many:,} {words} of {length} cells in place of {width} (first: row {row:,}).")
    cells.empty = seen.empty
    if seen.empty:
        words = "row" if seen.empty == 1 else "rows"
        cells.remarks.append(f"Left out {seen.empty:,} {words} without any value.")
    if repeated:
        words = "row that repeats" if repeated == 1 else "rows that repeat"
        cells.remarks.append(f"Left out {repeated:,} {words} the heading.")


@final
@dataclass
class _Seen:
    """Lines of separators alone, and the latest other line."""

    empty: int = 0
    last: str = ""


def _filled(lines: Iterator[str], nothing: str, seen: _Seen) -> Iterator[str]:
    """Yield lines but those of separators alone, which spreadsheets leave below a table."""
    for line in lines:
        if nothing and line[0] in nothing and line.strip() == nothing.strip() and line.strip("\r\n ") == nothing:
            seen.empty += 1
        else:
            seen.last = line
            yield line


def _fitting(part: list[list[str]], width: int, first: int, ragged: dict[int, list[int]]) -> list[list[str]]:
    """Return the rows of ``width`` cells; longer ones are cut where they end with empty cells, others counted."""
    kept = list[list[str]]()
    for number, row in enumerate(part, first):
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            row = row[:width]
        if len(row) == width:
            kept.append(row)
        else:
            ragged.setdefault(len(row), [0, number])[0] += 1
    return kept


def _ragged(path: Path, ragged: dict[int, list[int]], width: int, count: int) -> SparringError:
    length, (many, row) = max(ragged.items(), key=lambda item: item[1][0])
    return SparringError(
        found=f"{many:,} of {count:,} rows with {length} cells (first: row {row:,}) in {path}",
        expected=f"{width} cells in every row, as in the heading",
        remedy="write a cell for every column, and quotation marks around cells that hold the separator",
    )


def _unreadable(path: Path, error: csv.Error, row: int) -> SparringError:
    """Return the error for a row that cannot be separated into cells; rows are read some at a time."""
    if "field limit" in str(error):
        return _too_large(path, f"a cell of over {MAX_CELL >> 20} MiB near row {row:,}")
    return _too_large(path, f"a row that cannot be read ({error}), near row {row:,}")


def _too_large(path: Path, found: str) -> SparringError:
    return SparringError(
        found=f"{found} in {path}",
        expected=f"cells of at most {MAX_CELL >> 20} MiB, and a second quotation mark after each first one",
        remedy="check the quotation marks, or shorten the cell",
    )


def _no_table(
    path: Path, found: str, expected: str = "a table, with a row of names and rows of values"
) -> SparringError:
    return SparringError(found=f"{found} in {path}", expected=expected, remedy="check the file")
