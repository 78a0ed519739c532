"""Tables whose missing cells were filled in, as files: every other cell stays as it was written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.columns import numbers
from sparring.data.columns.writing import csv_bytes
from sparring.data.facts import Facts
from sparring.data.in_memory import source_of
from sparring.data.readers.cells import is_missing
from sparring.data.readers.table_files import open_table
from sparring.errors import reading_file
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.data import form_and_values
from sparring.modalities.tables.render import texts
from sparring.storage import write_bytes

DEFAULT_NAME = "rows"
"""Name of the file for a table that has none, such as a data frame."""


def save_completed(
    samples: Rows, rows: NDArray[np.int64], facts: Facts, folder: Path, inputs: Sequence[Any]
) -> list[Path]:
    """Write each table of the inputs under its name, as CSV, with generated values in its empty cells.

    All other cells, and columns that the model does not know, are those of the table, letter for letter.

    Args:
        samples: completed rows.
        rows: number of the row of each sample, counted through all inputs, rising, (count,).
        facts: of the training data.
        folder: of the files.
        inputs: the tables, as they were read.
    """
    coding = coding_of(facts)
    values, missing = samples.values.detach().cpu().double().numpy(), samples.missing.detach().cpu().numpy()
    places = {column.name: place for place, column in enumerate(coding.learned)}
    folder.mkdir(parents=True, exist_ok=True)
    written, begin = list[Path](), 0
    for given, name in zip(inputs, _names(inputs), strict=True):
        header, columns, decimal_comma = _read(source_of(given), tuple(places))
        end = begin + len(columns[0])
        chosen = np.flatnonzero((rows >= begin) & (rows < end))
        of_input, forms = (rows[chosen] - begin).tolist(), list[str]()
        for at, heading in enumerate(header):
            cells = columns[at]
            columns[at] = [cells[row] for row in of_input]
            if heading in places:
                place = places[heading]
                column = _as_in(coding.learned[place], cells)
                empty = [one for one, cell in enumerate(columns[at]) if is_missing(cell)]
                empty = [one for one in empty if not missing[chosen[one], place]]
                made = texts(column, values[chosen[empty], place])
                for one, text in zip(empty, made, strict=True):
                    columns[at][one] = text
                forms.append(column.form if column.is_numeric else "")
        begin = end
        comma = decimal_comma or any(map(numbers.has_decimal_comma, forms))
        path = folder / f"{name}.csv"
        write_bytes(path, csv_bytes(header, columns, decimal_comma=comma))
        written.append(path)
    return written


def _read(source: str, known: tuple[str, ...]) -> tuple[list[str], list[list[str]], bool]:
    """Return the heading, the cells of each column as they are, and whether semicolons separate them."""
    cells = open_table(Path(source), known)
    columns: list[list[str]] = [[] for _ in cells.names]
    with reading_file(source, "a table"):
        for chunk in cells.chunks:
            for column, part in zip(columns, chunk, strict=True):
                column.extend(part)
    return (
        ["" if cells.index and at == 0 else name for at, name in enumerate(cells.names)],
        columns,
        cells.decimal_comma,
    )


def _as_in(column: Column, cells: Sequence[str]) -> Column:
    """Return a column in the form in which a table writes it, where that is another one than that of the training."""
    if not column.is_numeric:
        return column
    counts = Counter(cell.strip() for cell in cells if not is_missing(cell))
    form, _ = form_and_values(column, list(counts), list(counts.values()))
    return replace(column, form=form)


def _names(inputs: Sequence[Any]) -> list[str]:
    """Return names of files without suffix, all different: those of the inputs."""
    plain = [Path(one).stem if isinstance(one, str | Path) else DEFAULT_NAME for one in inputs]
    taken, found = Counter[str](), list[str]()
    for name in plain:
        taken[name] += 1
        found.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
    return found
