"""Attributes that --where asks for, such as "kind=a,age>=65"."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from sparring.data.columns import numbers
from sparring.data.columns.where import Condition, conditions_of
from sparring.errors import SparringError, nearest
from sparring.modalities.series.coding import Attribute

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
        SparringError: there is no such attribute or category, or a category is asked for by its order.
    """
    places = {attribute.name: place for place, attribute in enumerate(attributes)}
    checks = list[tuple[int, Callable[[float | None], bool]]]()
    for condition in conditions_of(given, tuple(places)):
        if condition.name not in places:
            raise SparringError(
                found=f"{condition.name!r} in --where",
                expected=f"an attribute of the series: {', '.join(places) or 'these have none'}",
                remedy=f"check the spelling, or leave it out{nearest(condition.name, list(places))}",
            )
        place = places[condition.name]
        checks.append((place, _check(condition, attributes[place])))
    return lambda values: all(check(values[place]) for place, check in checks)


def _check(condition: Condition, attribute: Attribute) -> Callable[[float | None], bool]:
    """Return a function that says whether a value meets a condition."""
    if condition.operator in COMPARISONS:
        if attribute.categories:
            raise SparringError(
                found=f"{condition.text} in --where",
                expected=f"= or != for {attribute.name!r}, which has categories",
                remedy=f"list what is wanted: {attribute.name}={'|'.join(attribute.categories[:2])}",
            )
        compare, bound = COMPARISONS[condition.operator], _value(condition.values[0], attribute)
        return lambda value: value is not None and bound is not None and compare(value, bound)
    texts = condition.values
    if len(texts) == 1 and texts[0] not in attribute.categories:
        texts = tuple(text.strip() for text in texts[0].split("|"))
    among = {_value(text, attribute) for text in texts}
    if condition.operator == "=":
        return lambda value: value in among
    return lambda value: value not in among


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
            found=f"the category {text!r} of {attribute.name!r} in --where",
            expected=f"one of {', '.join(shown)}{', …' if len(shown) < len(attribute.categories) else ''}",
            remedy=f"check the spelling{nearest(text, list(attribute.categories))}",
        )
    value = numbers.number(text)
    if value is None:
        raise SparringError(
            found=f"{text!r} for {attribute.name!r} in --where",
            expected="a number with a decimal point",
            remedy="correct it",
        )
    return value
