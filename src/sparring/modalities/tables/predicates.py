"""Predicates: the cells of single columns that --where asks for, such as "sex=Female", "age>=65" and "city!=Paris"."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.columns.where import Condition, conditions_of
from sparring.errors import SparringError, nearest
from sparring.modalities.tables import render
from sparring.modalities.tables.coding import Column, Rows, as_written
from sparring.modalities.tables.levels import DISTINCT
from sparring.modalities.tables.rules import value_of
from sparring.randomness import RandomStream


@final
@dataclass(frozen=True)
class Predicate:
    """Cells of a column that are wanted.

    Args:
        place: number of the column among those that are learned.
        column: the column.
        text: as the user wrote it.
        low: least number.
        high: largest number.
        among: numbers, or numbers of categories, of which the cell is one; None for any.
        excluded: numbers that the cell is none of.
        missing: whether a missing cell is wanted, too.
    """

    place: int
    column: Column
    text: str
    low: float = -math.inf
    high: float = math.inf
    among: tuple[float, ...] | None = None
    excluded: tuple[float, ...] = ()
    missing: bool = False

    @property
    def is_point(self) -> bool:
        """Return whether a single cell is wanted: one value, or a missing one."""
        return self.among is not None and len(self.among) + self.missing == 1

    @property
    def can_be_drawn(self) -> bool:
        """Return whether the cell can be drawn from its distribution in the training data."""
        return not (self.column.is_numeric and self.missing)

    def holds(self, rows: Rows) -> Tensor:
        """Return which rows have such a cell, as it is written, (count,) bool."""
        values = as_written(rows.values[:, self.place], self.column)
        found = (values >= self.low) & (values <= self.high)
        if self.among is not None:
            among = as_written(values.new_tensor(self.among), self.column)
            found &= torch.isin(values, among)
        found &= ~torch.isin(values, as_written(values.new_tensor(self.excluded), self.column))
        missing = rows.missing[:, self.place]
        return torch.where(missing, torch.full_like(missing, self.missing), found)

    def drawn(self, random: RandomStream) -> tuple[Tensor, Tensor]:
        """Draw cells from their distribution in the training data: values and which are missing, (rows,) each."""
        uniform = random.uniform(f"cell {self.column.name}").double()
        if self.among is not None:
            values = uniform.new_tensor([*self.among, *([0.0] * self.missing)])
            until = self._shares().to(values).cumsum(0)
            chosen = torch.searchsorted(until / until[-1], uniform).clamp(max=len(values) - 1)
            return values[chosen], (chosen == len(self.among)) & self.missing
        quantiles = np.array(self.column.quantiles)
        first, last = (int(np.searchsorted(quantiles, *end)) for end in ((self.low, "left"), (self.high, "right")))
        knots = torch.from_numpy(quantiles).to(uniform)
        if len(np.unique(quantiles)) <= DISTINCT * len(quantiles) and first < last:
            # A column of few values has only those that its quantiles show.
            return knots[first + (uniform * (last - first)).long()], torch.zeros_like(uniform, dtype=torch.bool)

        # Positions of the ends of the range in the quantile function; of equal quantiles all count.
        positions = np.arange(len(quantiles))
        begin = first if self.low in quantiles else np.interp(self.low, quantiles, positions)
        end = np.interp(self.high, quantiles, positions)
        place = begin + uniform * (end - begin)
        below = place.floor().long().clamp(max=len(quantiles) - 1)
        values = torch.lerp(knots[below], knots[(below + 1).clamp(max=len(quantiles) - 1)], place - below)
        return as_written(values.clamp(self.low, self.high), self.column), torch.zeros_like(uniform, dtype=torch.bool)

    def _shares(self) -> Tensor:
        """Return the share of each value in ``among`` in the training data, and of missing cells if they are wanted."""
        assert self.among is not None
        if self.column.is_numeric:
            counts = torch.tensor([sum(one == value for one in self.column.quantiles) for value in self.among])
            return counts.double() if counts.any() else torch.ones(len(self.among), dtype=torch.float64)
        shares = [self.column.shares[int(value)] * (1 - self.column.missing) for value in self.among]
        return torch.tensor([*shares, *([self.column.missing] * self.missing)], dtype=torch.float64)


def predicates_of(given: Any, columns: Sequence[Column], others: Sequence[Column] = ()) -> list[Predicate]:
    """Return the predicates of --where, one for each of its columns, in their order.

    Args:
        given: "sex=Female,age>=65" or a mapping from columns to values, or to lists of values; None for no condition.
        columns: those that are learned.
        others: those that are not, or all columns.

    Raises:
        SparringError: there is no such column or value, or no cell meets all conditions of its column.
    """
    places = {column.name: place for place, column in enumerate(columns)}
    found = dict[int, Predicate]()
    for condition in conditions_of(given, (*places, *(column.name for column in others))):
        if condition.name not in places and any(condition.name == column.name for column in others):
            raise SparringError(
                found=f"the column {condition.name!r} of identifiers in {option('where')}",
                expected="a column that is learned: identifiers are made anew for each row",
                remedy=f"leave it out, or choose one of {', '.join([*places][:20])}",
            )
        if condition.name not in places:
            raise SparringError(
                found=f"the column {condition.name!r} in {option('where')}",
                expected=f"one of {', '.join([*places][:20])}{', …' if len(places) > 20 else ''}",
                remedy=f"check the spelling{nearest(condition.name, list(places))}",
            )
        place = places[condition.name]
        one = _predicate(condition, place, columns[place])
        if columns[place].missing == 1 and not one.missing:
            raise SparringError(
                found=f"{condition.text} in {option('where')}",
                expected=f"a missing cell, since {condition.name!r} has no value in the training data",
                remedy="leave it out",
            )
        found[place] = _both(found[place], one) if place in found else one
    return list(found.values())


def _predicate(condition: Condition, place: int, column: Column) -> Predicate:
    """Return the predicate of one condition.

    Raises:
        SparringError: the column has no such value, or no order.
    """
    if condition.operator not in ("=", "!="):
        return _range(condition, place, column)

    # One value or several; "|" separates them, unless it belongs to a category.
    texts, several = condition.values, condition.values[0].split("|") if len(condition.values) == 1 else []
    if len(several) > 1 and texts[0] not in column.categories:
        texts = tuple(text.strip() for text in several)
    values, missing = list[float](), False
    for text in texts:
        if text == column.blank and column.missing:
            missing = True
        else:
            values.append(_value(text, column))
    plain = Predicate(place, column, condition.text)
    if condition.operator == "=":
        return _required(replace(plain, among=tuple(dict.fromkeys(values)), missing=missing), values or missing)

    # A missing cell differs from every value.
    kept = not missing and column.missing > 0
    if column.is_numeric:
        return replace(plain, excluded=tuple(values), missing=kept)
    others = tuple(float(at) for at in range(len(column.categories)) if at not in values)
    found = replace(plain, among=others, missing=kept)
    return _required(found, others or kept)


def _range(condition: Condition, place: int, column: Column) -> Predicate:
    """Return the predicate of one of <, <=, > and >=.

    Raises:
        SparringError: the column is one of categories, or no number of the training data is in the range.
    """
    text, name = condition.text, column.name
    if not column.is_numeric:
        raise SparringError(
            found=f"{text} in {option('where')}",
            expected=f"= or != for {name!r}, a column of kind {column.kind}",
            remedy=f"list what is wanted: {name}={'|'.join(column.categories[:2])}",
        )
    value = _value(condition.values[0], column, in_range=True)
    low, high = -math.inf, math.inf
    if condition.operator[0] == ">":
        low = value if "=" in condition.operator else math.nextafter(value, math.inf)
    else:
        high = value if "=" in condition.operator else math.nextafter(value, -math.inf)
    found = Predicate(place, column, text, low, high)
    lowest, highest = (
        float(one) for one in as_written(torch.tensor(column.quantiles[:: len(column.quantiles) - 1]), column)
    )
    if low > highest or high < lowest:
        ends = " to ".join(render.texts(column, np.array([lowest, highest])))
        raise SparringError(
            found=f"{text} in {option('where')}",
            expected=f"a range that meets the training data, where {name!r} is {ends}",
            remedy="choose another range",
        )
    return found


def _value(text: str, column: Column, *, in_range: bool = False) -> float:
    """Return the value of a cell, or of the end of a range, which need not be a whole number.

    Raises:
        SparringError: the column has no such value.
    """
    if column.is_numeric:
        value = value_of(text, column)
        if value is not None and (in_range or column.kind != "integer" or value == round(value)):
            return value
        kind = {"date": "date", "integer": "whole number"}.get(column.kind, "number")
        expected = f"a {kind} such as {render.texts(column, np.array(column.quantiles[:1]))[0]}"
        remedy = "check the value; ranges are written as >=, >, <= and <"
        raise SparringError(
            found=f"{text!r} for {column.name!r} in {option('where')}", expected=expected, remedy=remedy
        )
    if text in column.categories:
        return float(column.categories.index(text))
    some = ", ".join(column.categories[:8]) + (", …" if len(column.categories) > 8 else "")
    raise SparringError(
        found=f"{text!r} for {column.name!r} in {option('where')}",
        expected=f"one of {some}",
        remedy=f"check the spelling{nearest(text, list(column.categories))}",
    )


def _both(one: Predicate, other: Predicate) -> Predicate:
    """Return the predicate of cells that two predicates of one column want.

    Raises:
        SparringError: there are none.
    """
    among = one.among if other.among is None else other.among
    if one.among is not None and other.among is not None:
        among = tuple(value for value in one.among if value in other.among)
    found = replace(
        one,
        text=f"{one.text},{other.text}",
        low=max(one.low, other.low),
        high=min(one.high, other.high),
        among=among,
        excluded=one.excluded + other.excluded,
        missing=one.missing and other.missing,
    )
    if among is not None:
        wanted = tuple(value for value in among if found.low <= value <= found.high and value not in found.excluded)
        found = replace(found, low=-math.inf, high=math.inf, among=wanted, excluded=())
        return _required(found, wanted or found.missing)
    whole = found.column.kind == "integer" and math.isfinite(found.high - found.low)
    meets = math.ceil(found.low) <= math.floor(found.high) if whole else found.low <= found.high
    return _required(found, meets or found.missing)


def _required(predicate: Predicate, wanted: object) -> Predicate:
    """Return a predicate.

    Raises:
        SparringError: no cell is ``wanted``.
    """
    if not wanted:
        raise SparringError(
            found=f"{predicate.text} in {option('where')}",
            expected="conditions that a cell can meet at once",
            remedy="change or leave out one of them",
        )
    return predicate
