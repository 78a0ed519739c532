"""Tables that were read once: the kinds of their columns, and their rows as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.reader import ColumnReader, Tally, filled
from sparring.data.dataset import Dataset, Split, split_rows
from sparring.data.facts import Facts
from sparring.data.readers.cells import Cells
from sparring.data.readers.table_files import open_table
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.tables import keys
from sparring.modalities.tables.category_sampling import sampled_by_category
from sparring.modalities.tables.coding import NOT_LEARNED, Column, Rows, TableCoding, coding_of
from sparring.modalities.tables.conditions import CATEGORY, KNOWN, with_known
from sparring.modalities.tables.kinds import CHOICES, Found, kind_of, listed_problems
from sparring.modalities.tables.rules import checked_rules
from sparring.text import printable

MAX_KNOTS, MIN_KNOTS, ALL_KNOTS = 1001, 17, 200_000
"""Quantiles of a column at most and at least, and of all columns together."""
MIN_STEPS, MIN_REGULAR, STEP_TOLERANCE = 48, 0.95, 0.15
"""Rows from which, and share of equal steps with which, dates look like those of a time series; months differ a bit."""


@final
@dataclass(frozen=True)
class TableSurvey:
    """A table that was read once.

    Args:
        facts: facts about it; their coding is a ``TableCoding``.
        rows: arrays in the form of ``Rows``.
    """

    facts: Facts
    rows: Any

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the rows, without labels.

        Raises:
            SparringError: the view is of other columns, or there are fewer than two rows.
        """
        require_shape(self.facts, view)
        if self.facts.count < 2:
            raise SparringError(
                found=f"one row in {self.facts.source}", expected="at least two", remedy="give more rows"
            )
        split, columns = split_rows(Dataset(self.rows), self.facts, seed), coding_of(self.facts).learned
        train, held_out = (conditioned(side, view.condition, columns) for side in (split.train, split.held_out))
        return replace(split, train=train, held_out=held_out)


def conditioned(data: Dataset, condition: str, columns: Sequence[Column]) -> Dataset:
    """Return rows that are read with a condition, of its name in ``View.condition``; "" for none."""
    if condition == CATEGORY:
        return sampled_by_category(data, columns)
    return replace(data, read=with_known(data.read)) if condition == KNOWN else data


def require_shape(facts: Facts, view: View) -> None:
    """Refuse a view of another number of columns.

    Raises:
        SparringError: it is one.
    """
    if view.shape != facts.shape:
        raise SparringError(
            found=f"{facts.shape[0]:,} columns in {facts.source}",
            expected=f"{' × '.join(map(str, view.shape))} columns",
            remedy="give a table of the same columns as the training data",
        )


def survey_table(source: str, reading: Reading) -> TableSurvey:
    """Read a table and find the kinds of its columns.

    Args:
        source: a file, or a folder of files with the same columns.
        reading: choices of the user; of them ``columns`` and ``keep`` matter here.

    Raises:
        SparringError: it holds no table, a column cannot be used, or a rule is about other columns or broken.
    """
    cells = open_table(Path(source))
    chosen = _checked_choices(reading.columns or {}, cells.names, source)
    tallies = _tallies(source, cells, chosen)

    # The kind of each column, with its reason.
    found = [kind_of(one, chosen.get(one.name, ""), decimal_comma=cells.decimal_comma) for one in tallies]
    remarks = list(cells.remarks)
    if cells.index and len(tallies) > 1 and _is_index(tallies[0], found[0]) and tallies[0].name not in chosen:
        del tallies[0], found[0]
        remarks.append("Left out the first column, an index without a name.")
    problems = [(one.name, kind.problem) for one, kind in zip(tallies, found, strict=True) if kind.problem]
    if problems:
        raise listed_problems(problems, source)
    if all(kind.kind in NOT_LEARNED for kind in found):
        raise _nothing_learned(tallies, source)

    # Their coding, and their rows as numbers; each column is released after it.
    numeric = sum(kind.values is not None for kind in found)
    knots = min(MAX_KNOTS, max(MIN_KNOTS, ALL_KNOTS // max(1, numeric)))
    learned = sum(kind.kind not in NOT_LEARNED for kind in found)
    count, columns, details = tallies[0].rows, list[Column](), list[dict[str, Any]]()
    times = {tally.name: kind.values for tally, kind in zip(tallies, found, strict=True) if kind.kind == "date"}
    rows = Rows(*_empty(count, learned))
    place = 0
    for at, (tally, kind) in enumerate(zip(tallies, found, strict=True)):
        column, values = _coded(tally, kind, knots)
        if kind.kind not in NOT_LEARNED:
            _place(rows, place, values)
            column = replace(column, missing=float(np.isnan(values).mean()))
            place += 1
        columns.append(column)
        details.append(_detail(column, kind, values))
        remarks += [f"Column {printable(tally.name)!r}: {remark}" for remark in kind.remarks]
        tallies[at], found[at] = replace(tally, codes=None, numbers=None), replace(kind, values=None)
    learned_rows = Rows(torch.from_numpy(rows.values), torch.from_numpy(rows.missing))
    rules, told = checked_rules(reading.keep or (), columns, learned_rows)
    coding = TableCoding(tuple(columns), rules).as_json()
    remarks += _about_series(times, columns)
    facts = table_facts(source, rows, coding, {"columns": details}, (*remarks, *told))
    return TableSurvey(replace(facts, reading=reading.as_json()), rows)


def _about_series(times: Mapping[str, NDArray[np.float64] | None], columns: Sequence[Column]) -> list[str]:
    """Return a hint for rows that look like the log of one time series: numbers at equal steps of the only date."""
    values = next(iter(times.values())) if len(times) == 1 else None
    numbers = [column for column in columns if column.kind in ("continuous", "integer")]
    if values is None or not numbers or len(values) < MIN_STEPS or np.isnan(values).any():
        return []
    steps = np.diff(values)
    usual = float(np.median(steps))
    if usual <= 0 or (steps <= 0).any() or (np.abs(steps - usual) <= STEP_TOLERANCE * usual).mean() < MIN_REGULAR:
        return []
    return [
        f"The rows follow each other at equal steps of {printable(next(iter(times)))!r}, as those of a time series do. "
        "As rows of a table each is learned by itself; to learn how they follow each other, give --window 24."
    ]


def table_facts(
    source: str, rows: Any, coding: dict[str, Any], details: dict[str, Any], remarks: tuple[str, ...]
) -> Facts:
    """Return the facts of rows, whose fingerprint is that of what is learned of them."""
    fingerprint = sha256(repr(rows.values.shape).encode())
    for column in coding["columns"]:
        if column["kind"] not in NOT_LEARNED:
            fingerprint.update(repr((column["name"], column["kind"], column.get("categories", []))).encode())
    fingerprint.update(np.ascontiguousarray(rows.values).data)
    fingerprint.update(np.ascontiguousarray(rows.missing).data)
    facts = Facts(
        source=source,
        modality="tables",
        count=len(rows.values),
        shape=(rows.values.shape[1],),
        fingerprint=fingerprint.hexdigest(),
        coding=coding,
        details=details,
        remarks=remarks,
    )
    has_choice = any(column.is_choice for column in coding_of(facts).learned)
    return replace(facts, offers=(KNOWN, CATEGORY) if has_choice else (KNOWN,))


def _empty(count: int, columns: int) -> tuple[Any, Any]:
    return np.zeros((count, columns)), np.zeros((count, columns), dtype=bool)


def _place(rows: Any, at: int, values: NDArray[np.float64]) -> None:
    """Store the numbers of a column, NaN where they are missing."""
    missing = np.isnan(values)
    rows.values[:, at], rows.missing[:, at] = np.where(missing, 0.0, values), missing


def _checked_choices(columns: Mapping[str, str], names: Sequence[str], source: str) -> dict[str, str]:
    """Return the kinds that a user chose, by names of columns.

    Raises:
        SparringError: there is no such column or no such kind.
    """
    for name, kind in columns.items():
        if name not in names:
            raise SparringError(
                found=f"no column {name!r} in {source}",
                expected=f"one of {', '.join(names[:20])}{', …' if len(names) > 20 else ''}",
                remedy=f"check the name in {option('columns')}{nearest(name, list(names))}",
            )
        if kind not in CHOICES and not dates.is_form(kind):
            raise SparringError(
                found=f"the kind {kind!r} of the column {name!r}",
                expected=f"one of {', '.join(CHOICES)}, or a pattern of dates such as %d.%m.%Y",
                remedy=f"check {option('columns')}{nearest(kind, list(CHOICES))}",
            )
    return dict(columns)


def _tallies(source: str, cells: Cells, chosen: Mapping[str, str]) -> list[Tally]:
    """Read the cells of all columns but those that are left out."""
    readers = dict[str, ColumnReader]()
    for name in cells.names:
        kind = chosen.get(name, "")
        if kind != "drop":
            readers[name] = ColumnReader(
                name,
                as_text=kind in ("category", "boolean", "identifier"),
                expected="date" if "%" in kind else "",
                form=kind if "%" in kind else "",
                decimal_comma=cells.decimal_comma,
            )
    if not readers:
        raise SparringError(
            found="no column that is not left out", expected="at least one", remedy="leave fewer columns out"
        )
    filled(source, cells, readers)
    return [readers.pop(name).tally() for name in list(readers)]


def _is_index(tally: Tally, found: Found) -> bool:
    """Return whether a column without a name numbers the rows."""
    if found.kind == "identifier":
        return True
    values = found.values
    return found.kind == "integer" and values is not None and len(np.unique(values)) == tally.rows


def _nothing_learned(tallies: Sequence[Tally], source: str) -> SparringError:
    return SparringError(
        found=f"only identifiers in {source}, such as {tallies[0].name!r}",
        expected="at least one column of numbers, dates or categories",
        remedy=f"choose a kind for a column, such as {option('columns', 'NAME=category')}",
    )


def _coded(tally: Tally, found: Found, knots: int) -> tuple[Column, NDArray[np.float64]]:
    """Return the coding of a column, and its numbers, NaN where they are missing."""
    plain = Column(tally.name, found.kind, blank=tally.blank, form=found.form)
    if found.kind in NOT_LEARNED:
        return replace(plain, missing=tally.blanks.total() / tally.rows, example=_example(tally)), np.zeros(0)
    if found.values is not None:
        present = found.values[~np.isnan(found.values)]
        probabilities = np.linspace(0, 1, max(2, min(knots, len(present))))
        method = "inverted_cdf" if found.kind == "integer" else "linear"
        quantiles = np.quantile(present, probabilities, method=method)  # type: ignore[call-overload]
        quantiles = np.maximum.accumulate(quantiles).tolist()
        return replace(plain, quantiles=tuple(quantiles), decimals=found.decimals), found.values

    # Categories: the most frequent first, then by their text.
    codes = tally.codes
    if found.kind == "constant" or codes is None:
        missing = np.full(tally.rows, not tally.present or not tally.texts) if codes is None else codes < 0
        text = tally.texts[0] if tally.texts else ""
        infinite = bool(found.remarks)
        values = np.where(missing | infinite, np.nan, 0.0)
        return replace(plain, categories=(text,), shares=(1.0,)), values
    counts = tally.counts.tolist()
    order = sorted(range(len(tally.texts)), key=lambda place: (-counts[place], tally.texts[place]))
    ranks = np.empty(len(order) + 1)
    ranks[order], ranks[-1] = np.arange(len(order)), np.nan
    shares = tuple(counts[place] / tally.present for place in order)
    return replace(plain, categories=tuple(tally.texts[place] for place in order), shares=shares), ranks[codes]


def _example(tally: Tally) -> str:
    """Return the last identifier of a column."""
    if tally.numbers is not None:
        return str(int(np.nanmax(tally.numbers))) if not np.isnan(tally.numbers).all() else ""
    if any("." in text for text in tally.texts[:1]) and not np.isnan(found := numbers.parsed(tally.texts, "")).any():
        return str(int(found.max()))  # Whole numbers that were written as 1.0.
    return keys.example_of(tally.texts)


def _detail(column: Column, found: Found, values: NDArray[np.float64]) -> dict[str, Any]:
    """Return a column as `sparring inspect` prints it."""
    if column.is_numeric:
        ends = np.array([column.quantiles[0], column.quantiles[-1]])
        if column.kind == "date":
            content = " to ".join(dates.written(ends, column.form, column.decimals))
        else:
            content = " to ".join(numbers.written(ends, numbers.with_decimal_point(column.form), column.decimals))
    elif column.kind in NOT_LEARNED:
        content = f"not learned; new ones are made like {printable(column.example)}"
    else:
        shown = ", ".join(printable(one[:20]) for one in column.categories[:3])
        content = f"{len(column.categories):,} categories: {shown}" + (", …" if len(column.categories) > 3 else "")
        content = shown if len(column.categories) == 1 else content
    return {
        "name": printable(column.name),
        "kind": column.kind,
        "reason": found.reason,
        "missing": column.missing,
        "values": content,
    }
