"""Rules that every row keeps: "start<=end", "age>=18", "total=net+tax", and "city,country" for combinations.

A row with a missing cell among those of a rule keeps it. Cells are compared as they are written, after rounding.
"""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.where import OPERATORS, parts_of
from sparring.errors import SparringError, nearest
from sparring.modalities.tables.coding import NOT_LEARNED, Column, Rows, Rule, as_written
from sparring.text import printable

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
TOLERANCE = 1e-9
"""Relative difference of numbers without a fixed number of digits up to which they are equal."""
MAX_SEEN = 100_000
"""Combinations that are stored with a model."""
MAX_BROKEN = 0.01
"""Share of training rows that may break a rule: a few are errors of the data, more are one of the rule."""


@dataclass(frozen=True)
class RowRule(ABC):
    """A rule about rows.

    Args:
        text: as the user wrote it.
        places: numbers of its columns among those that are learned.
        columns: these columns.
    """

    text: str
    places: tuple[int, ...]
    columns: tuple[Column, ...]

    def kept(self, rows: Rows) -> Tensor:
        """Return which rows keep the rule, (count,) bool."""
        return self.holds(self.cells(rows)) | rows.missing[:, self.places].any(1)

    def cells(self, rows: Rows) -> Tensor:
        """Return the cells of the columns, rounded as they are written, (count, columns)."""
        cells = zip(self.places, self.columns, strict=True)
        return torch.stack([as_written(rows.values[:, place], column) for place, column in cells], 1)

    def possible(self, rows: Rows, known: Tensor) -> Tensor:
        """Return which rows may keep the rule, (count,) bool, if the cells that are not ``known`` are open."""
        return self.kept(rows) | ~known[:, self.places].all(1)

    @abstractmethod
    def holds(self, cells: Tensor) -> Tensor:
        """Return which rows keep the rule, (count,) bool, for cells (count, columns) that are not missing."""


@final
@dataclass(frozen=True)
class Order(RowRule):
    """The order of two columns, or of a column and a number.

    Args:
        comparison: one of ``COMPARISONS``.
        bound: the number, if there is one column.
    """

    comparison: str
    bound: float = 0.0

    def holds(self, cells: Tensor) -> Tensor:
        """Return which rows are in order; see ``RowRule``."""
        other: Any = cells[:, 1] if len(self.places) > 1 else self.bound
        found: Tensor = COMPARISONS[self.comparison](cells[:, 0], other)
        return found


@final
@dataclass(frozen=True)
class Sum(RowRule):
    """The first column is the sum of the others, up to its rounding."""

    def holds(self, cells: Tensor) -> Tensor:
        """Return which sums are right; see ``RowRule``."""
        decimals, largest = self.columns[0].decimals, cells.abs().amax(1).clamp(min=1e-300)
        allowed = TOLERANCE * largest if decimals is None else 0.5 * 10.0**-decimals + 1e-14 * largest
        return (cells[:, 0] - cells[:, 1:].sum(1)).abs() <= allowed

    def completed(self, rows: Rows, known: Tensor) -> tuple[Rows, Tensor]:
        """Return rows in which one cell is computed from the others, and which results are in range, (count,) bool.

        It is the sum, or the last part, if the sum is known. Results must lie in the range of the training data, unless
        a known cell does not.

        Args:
            rows: generated rows.
            known: cells that must stay as they are, (count, columns) bool.
        """
        cells, fixed, values = self.cells(rows), known[:, self.places], rows.values.clone()
        present, done = ~rows.missing[:, self.places].any(1), torch.zeros(len(cells), dtype=torch.bool)
        in_range = torch.stack([self._in_range(cells[:, at], at) for at in range(len(self.places))], 1)
        valid = torch.ones_like(done)
        for at in (0, *range(len(self.places) - 1, 0, -1)):
            rest = cells[:, 1:].sum(1) if at == 0 else cells[:, 0] - cells[:, 1:].sum(1) + cells[:, at]
            result = as_written(rest, self.columns[at])
            chosen = present & ~done & ~fixed[:, at]
            values[:, self.places[at]] = torch.where(chosen, result, values[:, self.places[at]])
            valid &= ~chosen | self._in_range(result, at) | (fixed & ~in_range).any(1)
            done |= chosen
        return Rows(values, rows.missing), valid

    def _in_range(self, values: Tensor, at: int) -> Tensor:
        quantiles = self.columns[at].quantiles
        return (values >= quantiles[0]) & (values <= quantiles[-1])


@final
@dataclass(frozen=True)
class Combination(RowRule):
    """Categories, or whole numbers, that occur together in the data.

    Args:
        seen: the combinations, (combinations, columns) float64.
    """

    seen: Tensor

    def holds(self, cells: Tensor) -> Tensor:
        """Return which combinations were seen; see ``RowRule``."""
        return self._occur(cells, range(len(self.places)))

    def possible(self, rows: Rows, known: Tensor) -> Tensor:
        """Return which known cells occur together in a combination; see ``RowRule``."""
        cells, fixed = self.cells(rows), known[:, self.places]
        found = (rows.missing & known)[:, self.places].any(1)
        for pattern in fixed.unique(dim=0):
            found |= (fixed == pattern).all(1) & self._occur(cells, pattern.nonzero()[:, 0].tolist())
        return found

    def _occur(self, cells: Tensor, some: Sequence[int]) -> Tensor:
        """Return which cells of some of the columns occur together, (count,) bool."""
        codes, seen = (
            cells.new_zeros(len(cells), dtype=torch.int64),
            self.seen.new_zeros(len(self.seen), dtype=torch.int64),
        )
        for at in some:
            # The number of a value among those of its column; 0 for any other.
            values, places = self.seen[:, at].unique(return_inverse=True)
            place = torch.searchsorted(values, cells[:, at].contiguous()).clamp(max=len(values) - 1)
            codes = codes * (len(values) + 1) + torch.where(values[place] == cells[:, at], place + 1, 0)
            seen = seen * (len(values) + 1) + places + 1
        return torch.isin(codes, seen)


def rules_of(rules: Sequence[Rule], columns: Sequence[Column]) -> list[RowRule]:
    """Return rules of a coding; errors as for ``parsed``.

    Args:
        rules: the rules.
        columns: all columns of the table.
    """
    found = [parsed(rule.text, columns) for rule in rules]
    return [
        replace(one, seen=torch.tensor(rule.seen, dtype=torch.float64).view(-1, len(one.places)))
        if isinstance(one, Combination)
        else one
        for one, rule in zip(found, rules, strict=True)
    ]


def checked_rules(texts: Sequence[str], columns: Sequence[Column], rows: Rows) -> tuple[tuple[Rule, ...], list[str]]:
    """Return rules as they are stored with a model, and a sentence about each.

    Args:
        texts: as the user wrote them.
        columns: all columns of the table.
        rows: training rows.

    Raises:
        SparringError: a text is no rule about columns that are learned, or over 1 % of the rows break one.
    """
    rules, told = list[Rule](), list[str]()
    for text in texts:
        rule = parsed(text, columns)
        if isinstance(rule, Combination):
            present = ~rows.missing[:, rule.places].any(1)
            seen = rule.cells(rows)[present].long().unique(dim=0)
            if not 0 < len(seen) <= MAX_SEEN or math.prod(len(one.unique()) + 1 for one in seen.unbind(1)) >= 2**62:
                raise _refused(f"{len(seen):,} combinations", text, f"1 to {MAX_SEEN:,}", "leave columns out of it")
            rules.append(Rule(text, tuple(tuple(one) for one in seen.tolist())))
            told.append(f"Rule {printable(text)!r}: {len(seen):,} combinations occur in the data.")
            continue
        broken = (~rule.kept(rows)).nonzero()[:, 0].tolist()
        if broken:
            cells = ", ".join(
                f"{one.name} = {_written(rows, rule, broken[0], at)}" for at, one in enumerate(rule.columns)
            )
            example = (
                f"{len(broken):,} of {len(rows.values):,} rows that break it, such as row {broken[0] + 1} ({cells})"
            )
            if len(broken) > MAX_BROKEN * len(rows.values):
                expected = f"a rule that at least {1 - MAX_BROKEN:.0%} of the rows keep"
                raise _refused(example, text, expected, "correct the rows or the rule, or leave it out")
            told.append(f"Rule {printable(text)!r} has {printable(example)}; no generated row will.")
        else:
            told.append(f"Rule {printable(text)!r}: all rows keep it.")
        rules.append(Rule(text))
    return tuple(rules), told


def parsed(text: str, columns: Sequence[Column]) -> RowRule:
    """Return the rule that a text describes; a combination without those that were seen.

    Args:
        text: of one of the forms "start<=end", "age>=18", "total=net+tax" and "city,country".
        columns: all columns of the table.

    Raises:
        SparringError: it has none of these forms, or a column is absent, is not learned or holds something else.
    """
    names = [column.name for column in columns]
    parts = [part.strip() for part in parts_of(text, "keep")]
    if len(parts) > 1 and (not OPERATORS.search(text) or all(part in names for part in parts)):
        return _combination(text, parts, columns)
    found = list(OPERATORS.finditer(text))
    split = next((one for one in found if text[: one.start()].strip() in names), found[0] if found else None)
    if split is None or split[0] == "!=":
        expected = "START<=END, AMOUNT>=0, TOTAL=NET+TAX or CITY,COUNTRY, with <, <=, > or >= for an order"
        raise _refused("no rule", text, expected, "write it in one of these forms")
    left, right = text[: split.start()].strip(), text[split.end() :].strip()
    if split[0] in COMPARISONS:
        return _order(text, split[0], left, right, columns)
    others = [right] if right in names else [part.strip() for part in right.split("+")]
    _require_different(text, [left, *others])
    return Sum(text, *_placed(text, [left, *others], columns, ("continuous", "integer"), "numbers"))


def _order(text: str, comparison: str, left: str, right: str, columns: Sequence[Column]) -> Order:
    numeric = ("continuous", "integer", "date")
    places, ordered = _placed(text, [left], columns, numeric, "numbers or dates")
    _require_different(text, [left, right])
    if any(column.name == right for column in columns):
        kinds = ("date",) if ordered[0].kind == "date" else ("continuous", "integer")
        more, others = _placed(text, [right], columns, kinds, f"{'dates' if kinds == ('date',) else 'numbers'}, too")
        return Order(text, places + more, ordered + others, comparison)
    bound = value_of(right, ordered[0])
    if bound is None:
        expected = (
            f"a column, or a {ordered[0].kind if ordered[0].kind == 'date' else 'number'} such as those of {left!r}"
        )
        remedy = f"check the spelling{nearest(right, [column.name for column in columns])}"
        raise _refused(f"{right!r}", text, expected, remedy)
    return Order(text, places, ordered, comparison, bound)


def _combination(text: str, names: Sequence[str], columns: Sequence[Column]) -> Combination:
    _require_different(text, names)
    kinds = ("category", "boolean", "constant", "integer")
    places, found = _placed(text, names, columns, kinds, "categories or whole numbers")
    return Combination(text, places, found, torch.zeros(0, len(places), dtype=torch.float64))


def value_of(text: str, column: Column) -> float | None:
    """Return the number of a cell of a column of numbers or dates, also of ISO dates; None if the text is no such."""
    if column.kind == "date":
        found = (float(dates.parsed([text], form)[0]) for form in (column.form, dates.ISO))
        return next((one for one in found if not math.isnan(one)), None)
    # A number may have the unit of its column, and is then written as there.
    before, marks, after = numbers.unit_of(column.form)
    bare = text.strip().removeprefix(before.strip()).removesuffix(after.strip()).strip()
    found_number = numbers.number(bare)
    if found_number is None and bare != text.strip():
        found_number = numbers.number(bare, marks)
    return None if found_number is None or math.isinf(found_number) else found_number


def _placed(
    text: str, names: Sequence[str], columns: Sequence[Column], kinds: Sequence[str], expected: str
) -> tuple[tuple[int, ...], tuple[Column, ...]]:
    """Return columns by their names, with their numbers among those that are learned.

    Raises:
        SparringError: one is absent, or of none of the ``kinds``.
    """
    learned = [column for column in columns if column.kind not in NOT_LEARNED]
    by_name, places = {column.name: column for column in columns}, {one.name: at for at, one in enumerate(learned)}
    for name in names:
        if name not in places:
            what = f"the column {name!r}" + (f" of kind {by_name[name].kind}" if name in by_name else "")
            known = list(places)
            some = f"{', '.join(known[:20])}{', …' if len(known) > 20 else ''}"
            remedy = f"check the name, and that the column is not dropped{nearest(name, known)}"
            raise _refused(what, text, f"one that is learned: {some}", remedy)
        if by_name[name].kind not in kinds:
            remedy = f"leave the rule out, or choose another kind of column by {option('columns')}"
            raise _refused(f"the column {name!r} of kind {by_name[name].kind}", text, expected, remedy)
    return tuple(places[name] for name in names), tuple(by_name[name] for name in names)


def _require_different(text: str, names: Sequence[str]) -> None:
    """Refuse a rule that names a column twice.

    Raises:
        SparringError: it does.
    """
    if len(set(names)) < len(names):
        raise _refused("a column twice", text, "each column once", "correct it")


def _refused(found: str, text: str, expected: str, remedy: str) -> SparringError:
    return SparringError(found=f"{found} in {option('keep', text)}", expected=expected, remedy=remedy)


def _written(rows: Rows, rule: RowRule, row: int, at: int) -> str:
    """Return a cell as text."""
    column, value = rule.columns[at], rows.values[row, rule.places[at]].double().numpy().reshape(1)
    write = dates.written if column.kind == "date" else numbers.written
    return write(value, column.form, column.decimals)[0]
