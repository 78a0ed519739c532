"""Rows as text, in the form of the table that they were read from, as files and as exhibits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.columns import dates, numbers
from sparring.data.columns.writing import csv_bytes
from sparring.data.facts import Facts
from sparring.modalities.tables import keys
from sparring.modalities.tables.coding import NOT_LEARNED, Column, Rows, as_written, coding_of
from sparring.rendering.exhibits import Table
from sparring.storage import write_bytes

MAX_SHOWN = 16
"""Rows of an exhibit."""


@final
@dataclass(frozen=True)
class TextRows:
    """Rows of a table as text.

    Args:
        header: names of the columns.
        columns: for each column the cells of all rows.
        missing: text of a missing cell, by column.
    """

    header: tuple[str, ...]
    columns: tuple[list[str], ...]
    missing: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @property
    def rows(self) -> list[list[str]]:
        """Cells, row by row."""
        return [list(row) for row in zip(*self.columns, strict=True)]

    def as_columns(self) -> Mapping[str, list[str | None]]:
        """Return the cells by name of the column, None where they are missing, as data frames take them."""
        return {
            name: [None if cell == blank else cell for cell in cells]
            for name, cells, blank in zip(self.header, self.columns, self.missing, strict=True)
        }


def decoded(samples: Rows, facts: Facts, *, first: int = 0) -> TextRows:
    """Return rows as text: header, order, digits, patterns of dates and blanks are those of the data.

    Numbers are rounded to the digits of the data, and kept where they are outside its range. Identifiers are made anew.

    Args:
        samples: the rows.
        facts: of the data.
        first: number of the first row, from which identifiers follow.
    """
    coding = coding_of(facts)
    values, missing = (part.detach().cpu().numpy() for part in samples)
    columns, place = list[list[str]](), 0
    for column in coding.columns:
        if column.kind in NOT_LEARNED:
            columns.append(keys.new_keys(column.example, column.form, len(values), first=first))
            continue
        cells = texts(column, values[:, place].astype(np.float64))
        for row in np.flatnonzero(missing[:, place]).tolist():
            cells[row] = column.blank
        columns.append(cells)
        place += 1
    return TextRows(
        tuple(column.name for column in coding.columns),
        tuple(columns),
        tuple(column.blank for column in coding.columns),
    )


def columns(samples: Rows, facts: Facts) -> Mapping[str, Sequence[Any]]:
    """Return the cells by name of the column, in the order of the table: numbers as numbers, None where missing.

    They have the values that ``decoded`` puts into words.
    """
    text, coding = decoded(samples, facts).as_columns(), coding_of(facts)
    learned = {column.name: place for place, column in enumerate(coding.learned)}
    found: dict[str, Sequence[Any]] = {}
    for column in coding.columns:
        cells: Sequence[Any] = text[column.name]
        if column.kind in ("integer", "continuous"):
            values = as_written(samples.values[:, learned[column.name]].detach().cpu().nan_to_num(), column).tolist()
            number = int if column.kind == "integer" else float
            cells = [None if cell is None else number(value) for cell, value in zip(cells, values, strict=True)]
        found[column.name] = cells
    return found


def save(samples: Rows, folder: Path, facts: Facts, *, first: int = 0) -> list[Path]:
    """Write rows as ``rows-NNNNNN.csv``, named by the number of the first one; it reads back as the same values.

    Columns are separated by semicolons where numbers of the data have a decimal comma, by commas elsewhere.
    """
    table = decoded(samples, facts, first=first)
    comma = any(column.is_numeric and numbers.has_decimal_comma(column.form) for column in coding_of(facts).columns)
    content = csv_bytes(table.header, table.columns, decimal_comma=comma)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rows-{first:06d}.csv"
    write_bytes(path, content)
    return [path]


def shown(samples: Rows, facts: Facts) -> Table:
    """Return the first rows as an exhibit, without columns that are not learned, which would be made up."""
    head = Rows(samples.values[:MAX_SHOWN], samples.missing[:MAX_SHOWN])
    table, learned = decoded(head, facts), {column.name for column in coding_of(facts).learned}
    columns = [cells for name, cells in zip(table.header, table.columns, strict=True) if name in learned]
    header = tuple(name for name in table.header if name in learned)
    return Table(header, tuple(zip(*columns, strict=True)), words="Rows of a table.")


def texts(column: Column, values: NDArray[Any]) -> list[str]:
    """Return the values of a column as text."""
    values = np.nan_to_num(values, posinf=numbers.MAX_NUMBER, neginf=-numbers.MAX_NUMBER)
    if column.kind == "date":
        return dates.written(values, column.form, column.decimals)
    if column.kind == "integer":
        return numbers.written(np.rint(values), column.form, column.decimals or 0)
    if column.is_numeric:
        return numbers.written(values, column.form, column.decimals)
    places = np.clip(np.rint(values), 0, len(column.categories) - 1).astype(np.int64)
    return [column.categories[place] for place in places.tolist()]
