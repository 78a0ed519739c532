"""Numbers that change over a run: functions of the fraction of the budget that is spent."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, final

Schedule: TypeAlias = Callable[[float], float]
"""fraction in [0, 1] → value."""

Item = TypeVar("Item", covariant=True)


def constant(value: float) -> Schedule:
    """The same number throughout."""
    return lambda fraction: value


def cosine(start: float, end: float, *, until: float = 1.0) -> Schedule:
    """From ``start`` to ``end`` along half a cosine, there at fraction ``until`` (Loshchilov & Hutter 2017, eq. 5)."""

    def value(fraction: float) -> float:
        done = min(fraction / until, 1.0)
        return end + (start - end) * (1 + math.cos(math.pi * done)) / 2

    return value


def geometric(start: float, end: float) -> Schedule:
    """From ``start`` to ``end``, both positive, by equal factors."""
    return lambda fraction: start * (end / start) ** fraction


def geometric_cosine(start: float, end: float, *, until: float = 1.0) -> Schedule:
    """From ``start`` to ``end``, both positive, along half a cosine of the logarithm."""
    exponent = cosine(math.log(start), math.log(end), until=until)
    return lambda fraction: math.exp(exponent(fraction))


@final
@dataclass(frozen=True)
class Weighted(Generic[Item]):
    """A term or penalty with its weight."""

    item: Item
    weight: Schedule
