"""Numbers that are turned while a run goes on: by a rule of their own after each step, or by the watchdog.

A dial multiplies what a schedule says. Its value is part of a checkpoint, and its rule sees nothing but the figures of
the step, which all processes share: a resumed run turns it as the run would have.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias, final

Rule: TypeAlias = Callable[[float, Mapping[str, float]], float]
"""(value, the figures of a step by "player/figure", and "fraction", what is spent of the budget) → the next value."""


@final
class Dial:
    """One number that can be turned.

    Args:
        value: where it stands at the start.
        lowest: it is never turned below.
        highest: it is never turned above.
        rule: how it turns itself after each step.
        obeys: whether it follows its rule from the start, or only when it is told to.
    """

    def __init__(
        self,
        value: float = 1.0,
        *,
        lowest: float = 0.0,
        highest: float = math.inf,
        rule: Rule = lambda value, figures: value,
        obeys: bool = True,
    ) -> None:
        self.lowest, self.highest, self.rule, self.obeys = lowest, highest, rule, obeys
        self.value = value

    def set(self, value: float) -> None:
        """Turn it to ``value``, or as far as it goes; what is not finite is ignored."""
        if math.isfinite(value):
            self.value = min(max(value, self.lowest), self.highest)

    def follow(self, figures: Mapping[str, float]) -> None:
        """Obey the rule."""
        if self.obeys:
            self.set(self.rule(self.value, figures))


def standing(dials: Mapping[str, Dial]) -> dict[str, tuple[float, bool]]:
    """Where dials stand, and whether they obey their rules."""
    return {name: (dial.value, dial.obeys) for name, dial in dials.items()}


def put_back(dials: Mapping[str, Dial], where: Mapping[str, tuple[float, bool]]) -> None:
    """Put the dials of ``where`` to where they stood."""
    for name, (value, obeys) in where.items():
        dials[name].value, dials[name].obeys = value, obeys


def hold(
    figure: str,
    at: float,
    rate: float,
    *,
    rise: float = 1.0,
    floor: Callable[[float], float] = lambda fraction: 0.0,
) -> Rule:
    """Keep ``figure`` at ``at`` by a dial that lowers it: up where it is above, down where it is below.

    Only the side counts, not how far: one step in which a loss jumps moves the dial no more than any other. So it is
    the median of the figure over steps that comes to ``at``, or with ``rise`` its quantile 1 / (1 + rise).

    Args:
        figure: its name.
        at: where it is held.
        rate: the share by which the dial falls in a step.
        rise: how much slower it rises, in (0, 1].
        floor: the least value, by what is spent of the budget.
    """

    def rule(value: float, figures: Mapping[str, float]) -> float:
        if figure not in figures or math.isnan(figures[figure]):
            return value
        moved = value * math.exp(rise * rate if figures[figure] > at else -rate)
        return max(moved, floor(figures["fraction"]))

    return rule


def climb(figure: str, at: float, passed: str, whole: float) -> Rule:
    """Up where ``figure`` is above ``at``, down where it is below: by 1 for every ``whole`` of what has ``passed``."""

    def rule(value: float, figures: Mapping[str, float]) -> float:
        if figure not in figures or math.isnan(figures[figure]):
            return value
        step = figures[passed] / whole
        return value + (step if figures[figure] > at else -step)

    return rule


def recover(rate: float) -> Rule:
    """Up to 1 where it is below, by the share ``rate`` with every step, as loss scales of mixed precision do."""
    return lambda value, figures: min(1.0, value * math.exp(rate)) if value < 1 and "fraction" in figures else value


def running_mean(figure: str, decay: float) -> Rule:
    """value ← decay · value + (1 - decay) · figure."""
    return lambda value, figures: decay * value + (1 - decay) * figures[figure] if figure in figures else value
