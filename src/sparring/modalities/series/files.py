"""Tables that hold time series, read column by column: one series in each file, or one for each entity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from sparring.arguments import option
from sparring.data.columns.reader import ColumnReader, Tally, filled
from sparring.data.readers.cells import MAX_CELLS, Cells
from sparring.data.readers.table_files import open_table, table_files
from sparring.errors import SparringError, nearest
from sparring.modalities.series.sequences import Integers


@final
@dataclass(frozen=True)
class Expected:
    """Knowledge of a column before it is read.

    Args:
        kind: "number", "date" or "text"; "" if nothing is known.
        form: of its numbers or dates.
    """

    kind: str = ""
    form: str = ""


@final
@dataclass(frozen=True)
class RawTable:
    """All rows of a source, in its order.

    Args:
        tallies: column → its cells.
        series: number of the series of each row.
        names: of the series, in the order in which they occur.
        index: heading of a first column that has no name in the file; "" if it has one.
        decimal_comma: whether the file suggests that a comma is a decimal one.
        remarks: full sentences about what was repaired.
    """

    tallies: dict[str, Tally]
    series: Integers
    names: tuple[str, ...]
    index: str = ""
    decimal_comma: bool = False
    remarks: tuple[str, ...] = ()


def headings(source: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the headings of a table, or of the first one of a folder.

    Raises:
        SparringError: there is no table.
    """
    return _first(source, known)[1].names


def read_table(
    source: str,
    entity: str,
    dropped: Sequence[str] = (),
    expected: Mapping[str, Expected] | None = None,
    known: Sequence[str] = (),
) -> RawTable:
    """Read a table, or a folder of tables of the same columns.

    Args:
        source: the file or the folder.
        entity: column that names the series; "" if each file is one.
        dropped: columns that are left out.
        expected: column → what is known of it.
        known: names of columns that are expected.

    Raises:
        SparringError: there is no table, it is too large, files have other columns, or a row has no entity.
    """
    files, first = _first(source, known)
    readers = {
        name: _reader(name, name == entity, (expected or {}).get(name, Expected()), first)
        for name in first.names
        if name not in dropped
    }
    sizes, remarks = list[int](), list[str]()
    for file in files:
        cells = first if file is files[0] else open_table(file, first.names)
        _require_same(cells, first, file, files[0])
        sizes.append(filled(str(file), cells, readers))
        remarks += [one for one in cells.remarks if one not in remarks]
        if sum(sizes) * len(readers) > MAX_CELLS:
            raise SparringError(
                found=f"over {MAX_CELLS:,} cells in {source}",
                expected="fewer, so that they fit into memory",
                remedy=f"give a part of the rows, or leave columns out by {option('columns', 'NAME=drop')}",
            )
    tallies = {name: readers.pop(name).tally() for name in list(readers)}
    series, names = np.repeat(np.arange(len(files)), sizes), tuple(file.stem for file in files)
    if entity:
        series, names = _entities(tallies.pop(entity), source)
    index = first.names[0] if first.index and first.names[0] in tallies else ""
    return RawTable(tallies, series, names, index, first.decimal_comma, tuple(remarks))


def _first(source: str, known: Sequence[str]) -> tuple[list[Path], Cells]:
    """Return the files of a source, and the first one opened."""
    path = Path(source)
    files = table_files(path) or [path]
    return files, open_table(files[0], known)


def _reader(name: str, is_entity: bool, expected: Expected, cells: Cells) -> ColumnReader:
    return ColumnReader(
        name,
        as_text=is_entity or expected.kind == "text",
        expected="" if expected.kind == "text" else expected.kind,
        form=expected.form,
        decimal_comma=cells.decimal_comma,
    )


def _require_same(cells: Cells, first: Cells, file: Path, first_file: Path) -> None:
    if set(cells.names) != set(first.names):
        other = sorted(set(first.names) ^ set(cells.names))
        raise SparringError(
            found=f"other columns in {file.name} than in {first_file.name}, in the folder {file.parent}",
            expected="one series in each file, all of the same columns",
            remedy=f"correct the column {other[0]!r}, or move the file to another folder{nearest(other[0], other[1:])}",
        )


def _entities(tally: Tally, source: str) -> tuple[Integers, tuple[str, ...]]:
    """Return the number of the entity of each row, and the names of the entities.

    Raises:
        SparringError: a row has none.
    """
    codes = tally.codes
    if codes is None or (codes < 0).any():
        row = 0 if codes is None else int(np.flatnonzero(codes < 0)[0]) + 1
        raise SparringError(
            found=f"no entity in row {row:,} of {source}, in the column {tally.name!r}"
            if row
            else f"long texts in the column {tally.name!r} of {source}",
            expected="the name of its series in each row",
            remedy="fill the cell in, or leave the row out",
        )
    return codes.astype(np.int64), tuple(tally.texts)
