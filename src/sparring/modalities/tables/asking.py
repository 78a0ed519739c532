"""Options by which users ask for rows: --where, --balance, and tables whose missing cells are filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.conditions import INPUT, ConditionSpec
from sparring.data.facts import Facts
from sparring.data.in_memory import source_of
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.flow import Sample
from sparring.modalities.tables import data
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.conditions import CATEGORY, KNOWN, Known, nothing_known
from sparring.modalities.tables.predicates import Predicate, predicates_of
from sparring.modalities.tables.rules import RowRule, Sum, rules_of
from sparring.randomness import RandomStream
from sparring.samples import concatenate

WHERE, BALANCE = "where", "balance"
MAX_ROWS = 10_000_000
"""Rows that are generated in one call."""


def conditioned_on(places: Sequence[int], view: View, columns: Sequence[Column]) -> list[int]:
    """Return those of some columns, the most important first, on whose cells a network of this view can be conditioned.

    Cells of the other columns are left to rejection.
    """
    if view.condition == CATEGORY:
        return [place for place in places if columns[place].is_choice][:1]
    return list(places) if view.condition == KNOWN else []


def known_cells(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Known:
    """Return rows of which the cells of the options are known, as far as the network can be conditioned on them.

    Cells of inputs that are not missing are known, too.

    Raises:
        SparringError: there is no such column, category or number, the inputs cannot be read, or what is known of a row
            contradicts a rule or --where.
    """
    coding = coding_of(facts)
    if INPUT in options:
        if not options[INPUT]:
            raise SparringError(found="no inputs", expected="a table", remedy="give a file, or a data frame")
        rows = concatenate([data.read(source_of(one), view, facts).batch(slice(None)).real for one in options[INPUT]])
        condition = Known(rows.values, rows.missing, ~rows.missing)
    else:
        size = min(count or 1, MAX_ROWS), view.shape[0]
        empty = Rows(torch.zeros(size, dtype=torch.float64), torch.zeros(size, dtype=torch.bool))
        condition = nothing_known(empty)

    # Cells of inputs stay as they are, so they must meet --where; together with its cells they must keep the rules.
    predicates, inputs = predicates_of(options.get(WHERE), coding.learned, coding.columns), INPUT in options
    given = Rows(condition.values, condition.missing)
    for one in predicates:
        _require_all(one.holds(given) | ~condition.known[:, one.place], option("where", one.text), inputs=inputs)
    for place, cells in fixed_cells(options, view, coding.learned, predicates).items():
        condition.missing[:, place], condition.known[:, place] = not cells, True
        values = torch.tensor(cells or (0.0,), dtype=torch.float64)
        condition.values[:, place] = values[torch.arange(len(condition.values)) % len(values)]
    for rule in rules_of(coding.rules, coding.columns):
        _require_all(rule.possible(given, condition.known), f"the rule {rule.text}", inputs=inputs)
    return condition


def fixed_cells(
    options: Mapping[str, Any], view: View, columns: Sequence[Column], predicates: Sequence[Predicate]
) -> dict[int, tuple[float, ...]]:
    """Return the cells on which the network is conditioned, by their column: values in turn; none for a missing one.

    These are the categories to be balanced, and cells of which one alone is wanted.

    Raises:
        SparringError: the categories of --balance cannot be balanced.
    """
    cells = {one.place: one.among or () for one in predicates if one.is_point}
    if options.get(BALANCE) is not None:
        place, categories = _balanced(options, columns, predicates)
        cells = {place: categories, **{one: cells[one] for one in cells if one != place}}
    return {place: cells[place] for place in conditioned_on(list(cells), view, columns)}


def _balanced(
    options: Mapping[str, Any], columns: Sequence[Column], predicates: Sequence[Predicate]
) -> tuple[int, tuple[float, ...]]:
    """Return the number of the column of --balance, and those of its categories that --where allows.

    Raises:
        SparringError: there is no such column, it has no categories, or each row belongs to an input.
    """
    name = str(options[BALANCE])
    places = {column.name: place for place, column in enumerate(columns) if not column.is_numeric}
    if name not in places:
        kinds = {column.name: column.kind for column in columns}
        raise SparringError(
            found=f"the column {name!r}{f' of kind {kinds[name]}' if name in kinds else ''} in {option('balance')}",
            expected=f"a column of categories: {', '.join(places) or 'this table has none'}",
            remedy=f"choose another column{nearest(name, list(places))}",
        )
    if INPUT in options:
        raise SparringError(
            found=f"{option('balance')} for rows that are filled in",
            expected="new rows",
            remedy="leave it out, or sample new rows",
        )
    wanted = next((one.among for one in predicates if one.place == places[name]), None)
    every = tuple(float(category) for category in range(len(columns[places[name]].categories)))
    return places[name], every if wanted is None else wanted


def _require_all(possible: Tensor, text: str, *, inputs: bool) -> None:
    """Refuse known cells with which no completed row could be accepted.

    Args:
        possible: which rows can be, (count,) bool.
        text: the condition, or the rule.
        inputs: whether the known cells are those of inputs.

    Raises:
        SparringError: some rows cannot be.
    """
    if not possible.all():
        row = int((~possible).nonzero()[0, 0]) + 1
        raise SparringError(
            found=f"input {row}, whose cells contradict {text}" if inputs else f"cells that contradict {text}",
            expected="rows that can meet it",
            remedy="correct that row, or leave it out" if inputs else "ask for other cells",
        )


@final
@dataclass(frozen=True)
class RowSelection:
    """Acceptance of rows: those that meet every predicate and keep every rule. Implements ``Selection``.

    Args:
        predicates: of --where.
        rules: of the model.
        drawn: predicate of the cell that is drawn from its distribution in the training data, if there is one.
    """

    predicates: Sequence[Predicate]
    rules: Sequence[RowRule]
    drawn: Predicate | None = None

    def condition(self, condition: Sample, random: RandomStream) -> Sample:
        """Return conditions with the drawn cell known; see ``Selection``."""
        if self.drawn is None:
            return condition
        assert isinstance(condition, Known)
        place, (values, missing) = self.drawn.place, self.drawn.drawn(random.substream("drawn"))
        found = Known(condition.values.clone(), condition.missing.clone(), condition.known.clone())
        found.values[:, place], found.missing[:, place], found.known[:, place] = values.cpu(), missing.cpu(), True
        return found

    def select(self, samples: Rows, condition: Sample) -> tuple[Rows, Tensor]:
        """Return rows whose sums are computed, and which are accepted, (count,) bool; see ``Selection``."""
        rows, accepted = samples, torch.ones(len(samples.values), dtype=torch.bool)
        known = condition.known if isinstance(condition, Known) else torch.zeros_like(samples.missing)

        # A sum may be a part of another one, whichever comes first.
        sums = [rule for rule in self.rules if isinstance(rule, Sum)]
        for _ in sums:
            accepted.fill_(True)
            for one in sums:
                rows, in_range = one.completed(rows, known)
                accepted &= in_range
        for check in (*(one.kept for one in self.rules), *(one.holds for one in self.predicates)):
            accepted &= check(rows)
        return rows, accepted


def selection(options: Mapping[str, Any], view: View, facts: Facts) -> RowSelection | None:
    """Return the acceptance of rows; None if every row is accepted. See ``SelectsSamples``.

    A single condition of a range, or of several categories, needs no rejection: its cell is drawn from its distribution
    in the training data, and known to the network.
    """
    coding = coding_of(facts)
    predicates = predicates_of(options.get(WHERE), coding.learned, coding.columns)
    fixed = fixed_cells(options, view, coding.learned, predicates)
    if not coding.rules and all(one.place in fixed for one in predicates):
        return None
    drawn = None
    if len(predicates) == 1 and not fixed and options.get(INPUT) is None:
        (only,) = predicates
        drawn = only if only.can_be_drawn and conditioned_on([only.place], view, coding.learned) else None
    return RowSelection(predicates, rules_of(coding.rules, coding.columns), drawn)


CELLS = {WHERE: "cells of new rows, such as sex=Female,age>=65"}
NEW_ROWS = {
    **CELLS,
    BALANCE: "a column of categories, each of which has equally many new rows",
}
CONDITIONS: Mapping[str, ConditionSpec] = {
    KNOWN: ConditionSpec({**NEW_ROWS, INPUT: "a table whose missing cells are filled in"}, known_cells),
    CATEGORY: ConditionSpec(NEW_ROWS, known_cells),
    "": ConditionSpec(CELLS, known_cells),
}
"""Conditions of tables, by their name in ``View.condition``; under the empty one what rejection alone can meet."""
