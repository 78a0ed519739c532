"""Attributes that --where asks for, such as "kind=a,age>=65"."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from sparring.arguments import option
from sparring.data.columns import numbers
from sparring.data.columns.where import Condition, conditions_of
from sparring.errors import SparringError, nearest
from sparring.modalities.series.coding import Attribute

Check: TypeAlias = Callable[[float | None], bool]
"""Whether the value of an attribute, None where it is missing, meets a condition."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def accepts(given: Any, attributes: Sequence[Attribute]) -> Callable[[Sequence[float | None]], bool]:
    """Return a function that says whether attributes, None where they are missing, meet all conditions.

    Args:
        given: "kind=a,age>=65", or a mapping from attributes to values or lists of them; None for no condition.
        attributes: those of the series.

    Raises:
        SparringError: there is no such attribute or category, a category is asked for by its order, or no value meets
            all conditions of its attribute.
    """
    places = {attribute.name: place for place, attribute in enumerate(attributes)}
    checks = dict[int, list[_Part]]()
    for condition in conditions_of(given, tuple(places)):
        if condition.name not in places:
            raise SparringError(
                found=f"{condition.name!r} in {option('where')}",
                expected=f"an attribute of the series: {', '.join(places) or 'these have none'}",
                remedy=f"check the spelling, or leave it out{nearest(condition.name, list(places))}",
            )
        place = places[condition.name]
        checks.setdefault(place, []).append(_part(condition, attributes[place]))
    for place, parts in checks.items():
        _require_possible(parts, attributes[place])
    return lambda values: all(part.check(values[place]) for place, parts in checks.items() for part in parts)


class _Part(NamedTuple):
    """A condition, as text, as a check, and the values that it names."""

    text: str
    check: Check
    values: tuple[float | None, ...]


def _require_possible(parts: Sequence[_Part], attribute: Attribute) -> None:
    """Refuse conditions of an attribute that no value meets at once.

    Raises:
        SparringError: they are such.
    """
    # Where some value meets all conditions, one of those that they name does, or the next one to it.
    named = [value for part in parts for value in part.values]
    candidates: list[float | None] = [*named, 0.0, *map(float, range(len(attribute.categories)))]
    for value in (value for value in named if value is not None and not attribute.categories):
        whole = (math.floor(value) + 1.0, math.ceil(value) - 1.0)
        candidates += (
            whole if attribute.decimals == 0 else [math.nextafter(value, end) for end in (math.inf, -math.inf)]
        )
    if not any(all(part.check(value) for part in parts) for value in candidates):
        raise SparringError(
            found=f"{','.join(part.text for part in parts)} in {option('where')}",
            expected="conditions that a value can meet at once",
            remedy="change or leave out one of them",
        )


def _part(condition: Condition, attribute: Attribute) -> _Part:
    """Return a condition with its check.

    Raises:
        SparringError: it names no value of the attribute, or an order of categories.
    """
    if condition.operator in COMPARISONS:
        if attribute.categories:
            raise SparringError(
                found=f"{condition.text} in {option('where')}",
                expected=f"= or != for {attribute.name!r}, which has categories",
                remedy=f"list what is wanted: {attribute.name}={'|'.join(attribute.categories[:2])}",
            )
        compare, bound = COMPARISONS[condition.operator], _value(condition.values[0], attribute)
        return _Part(
            condition.text,
            lambda value: value is not None and bound is not None and compare(value, bound),
            (bound,),
        )
    texts = condition.values
    if len(texts) == 1 and texts[0] not in attribute.categories:
        texts = tuple(text.strip() for text in texts[0].split("|"))
    among = frozenset(_value(text, attribute) for text in texts)
    wanted = condition.operator == "="
    return _Part(condition.text, lambda value: (value in among) == wanted, tuple(among))


def _value(text: str, attribute: Attribute) -> float | None:
    """Return the number of a text, or that of its category; None for a missing value.

    Raises:
        SparringError: it is neither.
    """
    if text in ("", attribute.blank):
        return None
    if attribute.categories:
        if text in attribute.categories:
            return float(attribute.categories.index(text))
        shown = attribute.categories[:20]
        raise SparringError(
            found=f"the category {text!r} of {attribute.name!r} in {option('where')}",
            expected=f"one of {', '.join(shown)}{', …' if len(shown) < len(attribute.categories) else ''}",
            remedy=f"check the spelling{nearest(text, list(attribute.categories))}",
        )
    value = numbers.number(text)
    if value is None or math.isinf(value):
        raise SparringError(
            found=f"{text!r} for {attribute.name!r} in {option('where')}",
            expected="a number with a decimal point",
            remedy="correct it",
        )
    return value
