"""Tables in files: which are read, and reading others as the training data was read."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.ranges import about_range
from sparring.data.columns.reader import ColumnReader, Tally, filled
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.labels import listed
from sparring.data.readers.table_files import SUFFIXES, open_table, table_files
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.source import Numbered
from sparring.data.text_pairs import are_pairs
from sparring.data.view import View
from sparring.errors import SparringError, SparringWarning, nearest
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.survey import TableSurvey, require_shape, survey_table, table_facts
from sparring.modality import Listing
from sparring.text import printable

MAX_UNREADABLE = 0.5
"""Share of the cells of a column above which unreadable ones mean that it is another column."""


def claims(source: str) -> int:
    """Return 2 for a table or a folder of Parquet, 1 for other folders of tables, text and pairs of texts, else 0."""
    path = Path(source)
    suffix = path.suffix.lower()
    if path.is_dir():
        files = table_files(path)
        if files and files[0].suffix.lower() == ".parquet":
            return 0 if _holds_pictures(files[0]) else 2
        return int(bool(files))
    if suffix == ".parquet":
        return 0 if _holds_pictures(path) else 2
    return 0 if suffix not in SUFFIXES else 1 if suffix == ".txt" or are_pairs(path) else 2


def survey(source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> TableSurvey:
    """Read a table: a .csv, .tsv, .txt, .parquet or .xlsx file, or a folder of files with the same columns.

    ``facts.coding`` is a ``TableCoding``, and ``facts.details["columns"]`` says the kind of each column and its reason.

    Args:
        source: the file or the folder.
        reading: choices of the user.
        like: facts of another table, such as the training data, whose coding this one gets. Categories that it lacks
            count as missing, further columns are left out; both are said.

    Raises:
        SparringError: there is no table, a column cannot be used, or one of ``like`` is absent.
    """
    if like is None:
        return survey_table(source, reading)
    found, _ = _survey_like(source, like)
    return replace(found, facts=replace(found.facts, reading=reading.as_json()))


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all rows of ``source`` in order, coded as the table of ``facts``: columns by name, categories by text.

    A number outside the range of the training data is kept. A category that this lacks counts as missing.

    Raises:
        SparringError: there is no table, or a column is absent or holds something else.

    Warns:
        SparringWarning: cells count as missing, or columns are left out.
    """
    found, told = _survey_like(source, facts)
    require_shape(found.facts, view)
    for remark in told:
        warnings.warn(remark, SparringWarning, stacklevel=2)
    return Dataset(found.rows)


def listing(source: str, labels: str | None = None) -> Listing:
    """Return the numbers of the rows of a table, from 1, and the classes in its column ``labels``.

    Raises:
        SparringError: there is no such column.
    """
    cells = open_table(Path(source), () if labels is None else (labels,))
    names = cells.names if labels is None else (labels,)
    if not set(names) <= set(cells.names):
        raise SparringError(
            found=f"no column {labels!r} in {source}",
            expected=f"one of {listed(cells.names, 20)}",
            remedy=f"check the name in {option('labels')}{nearest(labels, list(cells.names))}",
        )
    reader = ColumnReader(names[0], as_text=True, expected="", form="", decimal_comma=cells.decimal_comma)
    count = filled(source, cells, {names[0]: reader})
    numbers = Numbered("row", count + 1)[1:]
    if labels is None:
        return Listing(numbers)
    tally = reader.tally()
    codes = np.full(count, -1) if tally.codes is None else tally.codes
    return Listing(numbers, codes.astype(np.int64), tuple(tally.texts))


def _survey_like(source: str, like: Facts) -> tuple[TableSurvey, Sequence[str]]:
    """Read a table in the coding of another one; and return remarks on what this cannot hold."""
    coding = coding_of(like)
    columns = {column.name: column for column in coding.learned}
    cells = open_table(Path(source), tuple(columns))
    absent = [name for name in columns if name not in cells.names]
    if absent:
        raise SparringError(
            found=f"no column {listed(absent)} in {source}",
            expected=f"the columns of {like.source}, in any order",
            remedy="add the columns, or give another table",
        )
    readers = {
        name: ColumnReader(
            name,
            as_text=not column.is_numeric,
            expected="date" if column.kind == "date" else "number" if column.is_numeric else "",
            form=column.form,
            decimal_comma=cells.decimal_comma,
        )
        for name, column in columns.items()
    }
    count = filled(source, cells, readers)
    rows: Any = Rows(np.zeros((count, len(columns))), np.zeros((count, len(columns)), dtype=bool))  # type: ignore[arg-type]
    told = list[str]()
    for at, (name, column) in enumerate(columns.items()):
        tally = readers.pop(name).tally()
        values, odd = _numbers(tally, column) if column.is_numeric else _categories(tally, column)
        told += [*_about_odd(column, odd, tally.rows, source), *_about_range(column, values)]
        rows.missing[:, at] = np.isnan(values)
        rows.values[:, at] = np.where(rows.missing[:, at], 0.0, values)
    known = {column.name for column in coding.columns}
    more = [name for name in cells.names[int(cells.index) :] if name not in known]
    if more:
        told.append(f"Left out columns that the training data does not have: {listed(more)}.")
    return TableSurvey(table_facts(source, rows, like.coding, {}, (*cells.remarks, *told)), rows), told


def form_and_values(column: Column, texts: Sequence[str], counts: Sequence[int]) -> tuple[str, NDArray[np.float64]]:
    """Return the form in which a table writes a column that is known, its own or another one, and the numbers.

    Args:
        column: of numbers or dates.
        texts: distinct cells that are not missing, without spaces around them.
        counts: how often each occurs.
    """
    convert = dates.parsed if column.kind == "date" else numbers.parsed
    parsed = convert(texts, column.form)
    if np.isnan(parsed).any():
        # Other programs may write the same values in another form.
        form = dates.form_of(texts, counts).form if column.kind == "date" else numbers.form_of(texts, counts)
        other = convert(texts, form)
        if np.isnan(other).sum() < np.isnan(parsed).sum():
            return form, other
    return column.form, parsed


def _numbers(tally: Tally, column: Column) -> tuple[NDArray[np.float64], Counter[str]]:
    """Return the numbers of a column that is known, NaN where they are missing, and cells that are none."""
    if tally.numbers is not None:
        values, odd = tally.numbers, tally.odd
    else:
        assert tally.codes is not None
        _, parsed = form_and_values(column, tally.texts, tally.counts.tolist())
        wrong = np.flatnonzero(np.isnan(parsed)).tolist()
        odd = Counter({tally.texts[place]: int(tally.counts[place]) for place in wrong})
        values = np.append(parsed, np.nan)[tally.codes]
    return np.where(np.abs(values) > numbers.MAX_NUMBER, np.nan, values), odd


def _categories(tally: Tally, column: Column) -> tuple[NDArray[np.float64], Counter[str]]:
    """Return the numbers of the categories of a column, NaN where they are missing, and texts that are none."""
    places = {text: float(place) for place, text in enumerate(column.categories)}
    found = [places.get(text) for text in tally.texts]
    if None in found:
        # Whole numbers may be written with a decimal point by other programs.
        by_number = {value: place for text, place in places.items() if (value := numbers.number(text)) is not None}
        found = [_of_number(by_number, text) if at is None else at for at, text in zip(found, tally.texts, strict=True)]
    odd = Counter[str]()
    for text, count, place in zip(tally.texts, tally.counts.tolist(), found, strict=True):
        if place is None:
            odd[text] = count
    values = np.array([np.nan if place is None else place for place in (*found, None)])
    return values[tally.codes] if tally.codes is not None else np.full(tally.rows, np.nan), odd


def _of_number(places: Mapping[float, float], text: str) -> float | None:
    value = numbers.number(text)
    return None if value is None else places.get(value)


def _about_odd(column: Column, odd: Counter[str], count: int, source: str) -> Sequence[str]:
    """Return a remark on cells that a column of the training data cannot hold.

    Raises:
        SparringError: these are most of its cells.
    """
    if not odd:
        return ()
    kinds = {"integer": "an integer", "continuous": "a number", "date": "a date"}
    expected = kinds.get(column.kind, "a category of the training data")
    example = printable(odd.most_common(1)[0][0][:40])
    if odd.total() > MAX_UNREADABLE * count:
        raise SparringError(
            found=f"{odd.total():,} of {count:,} cells of the column {column.name!r} of {source}, such as {example!r}",
            expected=f"{expected} in each cell",
            remedy="give a table of the same columns as the training data",
        )
    one = odd.total() == 1
    which = "1 cell is" if one else f"{odd.total():,} cells are"
    missing = "counts as missing" if one else "count as missing"
    return (f"Column {printable(column.name)!r}: {which} not {expected}, such as {example!r}, and {missing}.",)


def _about_range(column: Column, values: NDArray[np.float64]) -> Sequence[str]:
    """Return a remark on a column of numbers most of which are outside of the range of the training data."""
    if not column.is_numeric:
        return ()
    ends, is_date = np.array([column.quantiles[0], column.quantiles[-1]]), column.kind == "date"
    if is_date:
        low, high = dates.written(ends, column.form, column.decimals)
    else:
        low, high = numbers.written(ends, numbers.with_decimal_point(column.form), column.decimals)
    question = "other times?" if is_date else "other units?"
    return about_range(column.name, values, (ends[0], ends[1]), f"{low} to {high}", question)


def _holds_pictures(path: Path) -> bool:
    """Return whether a Parquet file has a column of bytes, as of encoded images, or cannot be looked at."""
    try:
        import pyarrow.parquet as parquet

        schema = parquet.read_schema(path)
    except Exception:
        return True
    return any("binary" in str(field.type) for field in schema)
