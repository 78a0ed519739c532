"""Tables in files of any format: text, Parquet, Excel, or a folder of several of the same columns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sparring.data.labels import listed
from sparring.data.readers.cells import Cells, Chunk, rows_at_once, unique_names
from sparring.data.readers.headings import heading_of
from sparring.data.readers.text_tables import HEAD_LINES, open_text
from sparring.errors import SparringError, missing_extra, reading_file
from sparring.text import printable

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".psv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".xlsx", ".xlsm")
"""Suffixes of files that hold tables."""
EXPECTED = f"a table ({', '.join(SUFFIXES)}), or a folder of tables with the same columns"


def open_table(path: Path, known: Sequence[str] = ()) -> Cells:
    """Open a table.

    Args:
        path: a file, or a folder of files with the same columns in any order.
        known: names of the columns where they are known.

    Raises:
        SparringError: there is no table; this may also be found while the rows are read.
    """
    files = table_files(path)
    if not files:
        raise SparringError(
            found=f"no table in the folder {path}" if path.is_dir() else f"the file {path}",
            expected=EXPECTED,
            remedy="check the path, or convert the file",
        )
    missing = next((file for file in files if not file.exists()), None)
    if missing is not None:
        raise SparringError(found=f"no file {missing}", expected=EXPECTED, remedy="check the path")
    first = _opened(files[0], known)
    return first if len(files) == 1 else _joined(files, first)


def table_files(path: Path) -> list[Path]:
    """Return the tables at a path: a file, or those of one format in a folder, in the order of their names."""
    if not path.is_dir():
        return [path] if path.suffix.lower() in SUFFIXES else []
    inside = sorted(file for file in path.iterdir() if not file.name.startswith((".", "~$")) and file.is_file())
    for suffix in SUFFIXES:
        if found := [file for file in inside if file.suffix.lower() == suffix]:
            return found
    return []


def _opened(path: Path, known: Sequence[str]) -> Cells:
    readers: dict[str, Callable[[Path, Sequence[str]], Cells]] = {
        ".parquet": _open_parquet,
        ".xlsx": _open_excel,
        ".xlsm": _open_excel,
    }
    with reading_file(path, "a table"):
        return readers.get(path.suffix.lower(), open_text)(path, known)


def _joined(files: Sequence[Path], first: Cells) -> Cells:
    """Return the rows of several files, one file after the other, each in the order of the first one's columns."""
    joined = Cells(first.names, iter(()), first.remarks, first.index, first.decimal_comma)
    joined.remarks.insert(0, f"Read {len(files):,} files of the same columns.")

    def chunks() -> Iterator[Chunk]:
        yield from first.chunks
        for file in files[1:]:
            cells = _opened(file, first.names)
            if set(cells.names) != set(first.names):
                raise SparringError(
                    found=f"other columns in {file.name} than in {files[0].name}, in the folder {file.parent}",
                    expected=f"tables of the same columns (here without {_other(cells.names, first.names)})",
                    remedy="give one of the files, or move the others to another folder",
                )
            order = [cells.names.index(name) for name in first.names]
            for chunk in cells.chunks:
                yield [chunk[at] for at in order]
            joined.remarks += [one for one in cells.remarks if one not in joined.remarks]

    joined.chunks = chunks()
    return joined


def _other(names: Sequence[str], expected: Sequence[str]) -> str:
    lacking = listed(set(expected) - set(names))
    return lacking or f"others: {listed(set(names) - set(expected))}"


def _open_parquet(path: Path, known: Sequence[str]) -> Cells:
    """Open a Parquet file, whose values become text: missing ones become empty cells."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise missing_extra("pyarrow", "parquet", "to read Parquet files") from None
    file = parquet.ParquetFile(path)
    schema = file.schema_arrow
    kept = [at for at, name in enumerate(schema.names) if not name.startswith("__index_level_")]
    for at in kept:
        _require_plain(schema.field(at), path)
    names, remarks = unique_names([schema.names[at] for at in kept])

    def chunks() -> Iterator[Chunk]:
        with closing(file):
            for batch in file.iter_batches(rows_at_once(len(names)), use_threads=False):
                yield [_texts(batch.column(at)) for at in kept]

    return Cells(names, chunks(), remarks)


def _require_plain(column: Any, path: Path) -> None:
    import pyarrow as arrow

    kind = column.type.value_type if arrow.types.is_dictionary(column.type) else column.type
    if arrow.types.is_nested(kind) or "binary" in str(kind):
        raise SparringError(
            found=f"the column {printable(column.name)!r} of type {kind} in {path}",
            expected="numbers, text, dates or truth values in each column",
            remedy="write the table without this column",
        )


def _texts(column: Any) -> list[str]:
    """Return the values of an array of pyarrow as text."""
    import pyarrow as arrow

    if arrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if arrow.types.is_timestamp(column.type):
        try:
            column = column.cast(arrow.timestamp("s", column.type.tz))
        except arrow.ArrowInvalid:
            column = column.cast(arrow.timestamp("us", column.type.tz), safe=False)
    texts: list[str] = column.cast(arrow.string()).fill_null("").to_pylist()
    return texts


def _open_excel(path: Path, known: Sequence[str]) -> Cells:
    """Open the first sheet of an Excel file that has cells."""
    try:
        import openpyxl
    except ImportError:
        raise missing_extra("openpyxl", "xlsx", "to read Excel files") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except AttributeError:
        # So openpyxl fails at sheets of charts that have none.
        raise _charts(path, "a sheet that is a chart, and empty,") from None
    sheets = [sheet for sheet in book.worksheets if next(_excel_rows(sheet), None) is not None]
    if not sheets and book.chartsheets:
        raise _charts(path, "sheets that are charts, and no others with cells,")
    if not sheets:
        raise SparringError(found=f"no rows in {path}", expected="a sheet with a table", remedy="check the file")
    sheet, rows = sheets[0], _excel_rows(sheets[0])
    head = [row for row, _ in zip(rows, range(HEAD_LINES), strict=False)]
    heading = heading_of([row + [""] * (max(map(len, head)) - len(row)) for row in head], known)
    remarks = list(heading.remarks)
    if len(book.worksheets) > 1:
        others = ", ".join(printable(one.title) for one in book.worksheets if one is not sheet)
        remarks.append(f"Read the sheet {printable(sheet.title)!r}, and not {others}.")
    width = len(heading.names)

    def chunks() -> Iterator[Chunk]:
        part = list[list[str]]()
        with closing(book):
            for number, row in enumerate(_excel_rows(sheet)):
                if number < heading.rows:
                    continue
                part.append((row + [""] * (width - len(row)))[:width])
                if len(part) == rows_at_once(width):
                    yield list(zip(*part, strict=True))
                    part = []
            if part:
                yield list(zip(*part, strict=True))

    return Cells(heading.names, chunks(), remarks, heading.unnamed_first)


def _charts(path: Path, found: str) -> SparringError:
    return SparringError(
        found=f"{found} in {path}",
        expected="a sheet with a table",
        remedy="delete the charts, or save the table as CSV",
    )


def _excel_rows(sheet: Any) -> Iterator[list[str]]:
    """Yield the rows of a sheet that have a value, as text, without empty cells at their ends."""
    for row in sheet.iter_rows(values_only=True):
        cells = ["" if value is None else _excel_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _excel_text(value: Any) -> str:
    """Return a value of a sheet as text: a day without time as a date alone."""
    import datetime

    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)
