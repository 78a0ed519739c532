"""Schedules: functions of the spent share of the budget."""

import math
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

Schedule: TypeAlias = Callable[[float], float]
"""Spent share of the budget, in [0, 1] → value."""

Item = TypeVar("Item")


def constant(value: float) -> Schedule:
    """Return the same number throughout."""
    return lambda fraction: value


def cosine(start: float, end: float, *, until: float = 1.0) -> Schedule:
    """Anneal from ``start`` to ``end`` along half a cosine until ``until`` (Loshchilov & Hutter 2017, eq. 5).

    >>> rate = cosine(1.0, 0.0)
    >>> [round(rate(fraction), 3) for fraction in (0.0, 0.25, 0.5, 1.0)]
    [1.0, 0.854, 0.5, 0.0]
    """

    def value(fraction: float) -> float:
        done = min(fraction / until, 1.0)
        return end + (start - end) * (1 + math.cos(math.pi * done)) / 2

    return value


def held_then_linear(value: float, *, until: float = 0.5) -> Schedule:
    """Hold ``value`` until a fraction of the budget, then fall to 0 on a straight line (Zhu et al. 2017, section 7.1).

    >>> rate = held_then_linear(1.0)
    >>> [rate(fraction) for fraction in (0.0, 0.5, 0.75, 1.0)]
    [1.0, 1.0, 0.5, 0.0]
    """
    return lambda fraction: value * min(1.0, (1 - fraction) / (1 - until))


def stepped(before: float, after: float, *, at: float) -> Schedule:
    """Return one number until a fraction of the budget, and another from there on.

    >>> rate = stepped(0.01, 0.0001, at=0.5)
    >>> [rate(fraction) for fraction in (0.0, 0.49, 0.5, 1.0)]
    [0.01, 0.01, 0.0001, 0.0001]
    """
    return lambda fraction: before if fraction < at else after


def geometric(start: float, end: float, *, since: float = 0.0) -> Schedule:
    """Hold ``start`` until a fraction of the budget, then interpolate geometrically to ``end``; both are positive.

    >>> weight = geometric(1.0, 0.01)
    >>> [round(weight(fraction), 3) for fraction in (0.0, 0.5, 1.0)]
    [1.0, 0.1, 0.01]
    """
    return lambda fraction: start * (end / start) ** max(0.0, (fraction - since) / (1 - since))


def geometric_cosine(start: float, end: float, *, until: float = 1.0) -> Schedule:
    """Anneal the logarithm from ``start`` to ``end``, both positive, along half a cosine until fraction ``until``.

    >>> weight = geometric_cosine(1.0, 0.01, until=0.5)
    >>> [round(weight(fraction), 3) for fraction in (0.0, 0.25, 0.5, 1.0)]
    [1.0, 0.1, 0.01, 0.01]
    """
    exponent = cosine(math.log(start), math.log(end), until=until)
    return lambda fraction: math.exp(exponent(fraction))


class Weighted(NamedTuple, Generic[Item]):
    """A term or penalty with its weight over the run."""

    item: Item
    weight: Schedule
