"""Controls: numbers that change while a run goes on, by a rule of their own after each step or by the watchdog.

A control multiplies what a schedule says. Its position is part of a checkpoint, and its rule sees nothing but the
figures of the step, which all ranks share: a resumed run moves it exactly as the uninterrupted run would have.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias, final

from sparring.flow import Figures

Rule: TypeAlias = Callable[[float, Figures], float]
"""(value, figures of a step or of an observation) → next value."""
Reading: TypeAlias = Callable[[Figures], float | None]
"""Picks one figure; None where there is none."""


@final
class Control:
    """One adjustable number.

    Args:
        value: the position at the start.
        lowest: lower bound of the position.
        highest: upper bound of the position.
        rule: moves the control after each step.
        enabled: whether the rule applies from the start, or only once the watchdog enables it.
    """

    def __init__(
        self,
        value: float = 1.0,
        *,
        lowest: float = 0.0,
        highest: float = math.inf,
        rule: Rule = lambda value, figures: value,
        enabled: bool = True,
    ) -> None:
        self.lowest, self.highest, self.rule, self.enabled = lowest, highest, rule, enabled
        self.value = value

    def set(self, value: float) -> None:
        """Move to ``value``, clamped to the bounds; a value that is not finite is ignored."""
        if math.isfinite(value):
            self.value = min(max(value, self.lowest), self.highest)

    def update(self, figures: Figures) -> None:
        """Apply the rule, if it is enabled."""
        if self.enabled:
            self.set(self.rule(self.value, figures))


def positions(controls: Mapping[str, Control]) -> dict[str, tuple[float, bool]]:
    """Return the value of each control and whether its rule is enabled."""
    return {name: (control.value, control.enabled) for name, control in controls.items()}


def restore_positions(controls: Mapping[str, Control], where: Mapping[str, tuple[float, bool]]) -> None:
    """Set the controls named in ``where`` to these positions."""
    for name, (value, enabled) in where.items():
        controls[name].value, controls[name].enabled = value, enabled


def note(turn: str, name: str) -> Reading:
    """Read a note of a turn."""
    return lambda figures: figures.notes.get(turn, {}).get(name)


def signal(name: str) -> Reading:
    """Read a signal of the watchdog."""
    return lambda figures: figures.signals.get(name)


def hold(
    reading: Reading,
    at: float,
    rate: float,
    *,
    rise: float = 1.0,
    floor: Callable[[float], float] = lambda fraction: 0.0,
) -> Rule:
    """Hold a figure y at ``at`` by a control c that lowers it: log c ← log c + rate · (rise if y > at else -1).

    Only the sign of the difference counts, so one step in which a loss jumps moves the control no more than any other.
    In equilibrium ``at`` is therefore the median of the figure over steps; with ``rise`` below 1 it is the quantile of
    level rise / (1 + rise), because a share 1 / (1 + rise) of the steps lies above.

    Args:
        reading: the figure.
        at: its set point.
        rate: relative change of the control per step, downwards.
        rise: upward rate as a share of ``rate``, in (0, 1].
        floor: lower bound of the control, by the spent share of the budget.
    """

    def rule(value: float, figures: Figures) -> float:
        now = reading(figures)
        if now is None or math.isnan(now):
            return value
        return max(value * math.exp(rise * rate if now > at else -rate), floor(figures.fraction))

    return rule


def climb(reading: Reading, at: float, whole: float) -> Rule:
    """Raise the control while a figure is above ``at`` and lower it below, by 1 per ``whole`` real samples seen."""

    def rule(value: float, figures: Figures) -> float:
        now = reading(figures)
        if now is None or math.isnan(now):
            return value
        step = figures.samples / whole
        return value + (step if now > at else -step)

    return rule


def recover(rate: float) -> Rule:
    """Raise a lowered control back to 1, by the relative ``rate`` per step, as loss scaling of mixed precision does."""

    def rule(value: float, figures: Figures) -> float:
        observation = bool(figures.signals)
        return value if observation or value >= 1 else min(1.0, value * math.exp(rate))

    return rule


def running_mean(reading: Reading, decay: float) -> Rule:
    """Follow a figure: value ← decay · value + (1 - decay) · figure."""

    def rule(value: float, figures: Figures) -> float:
        now = reading(figures)
        return value if now is None else decay * value + (1 - decay) * now

    return rule
