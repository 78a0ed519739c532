"""Advice on training longer, by what a run and its evaluation show; it says so where they show too little.

Three things count: how often the run has seen each sample, whether its distance to held-out samples still fell, and
whether anything is left to gain. A flat distance at the end proves little by itself: annealed learning rates flatten it
in any run, and at zero it cannot fall. benchmarks/advice.py compares the advice with measured continuations.
"""

from typing import Literal, NamedTuple, TypeAlias

from sparring.evaluation.verdict import Level
from sparring.watchdog.convergence import CHANCE_DISTANCE, Improvement

Prospect: TypeAlias = Literal["longer", "enough", "unknown"]
"""Training longer will help, will hardly help, or not known."""
MANY_PASSES = 100
"""Passes over the data up to which schedules that are laid anew over a longer run nearly always improve samples that
are distinguishable from real ones, and from which a run without detectable improvement hardly improves any more."""


class Advice(NamedTuple):
    """Advice with its reason in one sentence."""

    prospect: Prospect
    sentence: str


def advise(passes: float, improvement: Improvement, *, level: Level | None, annealed: bool | None) -> Advice:
    """Return the advice on training longer.

    Args:
        passes: over the training data.
        improvement: of the distance to held-out samples.
        level: likeness of the samples to real ones; None where it is not known.
        annealed: whether learning rates had fallen at the end; None where it is not known.
    """
    seen = f"each sample was seen {_times(passes)}"
    if level == Level.SAME:
        return Advice("enough", "A longer run can hardly show a gain: no difference from real samples is detectable.")
    if _got_worse(improvement):
        return Advice("unknown", f"Whether a longer run helps is not known: it was better earlier ({seen}).")
    at_zero, stopped = _at_zero(improvement), improvement.stopped
    if stopped is False and not at_zero:
        return Advice("longer", f"Train longer: the run was still improving at its end ({seen}).")
    if passes <= MANY_PASSES and (stopped is None or (level is not None and level < Level.CLOSE)):
        return Advice("longer", f"Train longer: {seen}; up to {MANY_PASSES} times, more nearly always helps.")
    reason = "no further improvement is detectable"
    if stopped is None:
        reason = "the watchdog made too few observations"
    elif at_zero:
        reason = "the watchdog's distance, already that of real samples, can show no more"
    if passes > MANY_PASSES and stopped is not None:
        remedy = "Try a wider network, another recipe, or more data."
        return Advice("enough", f"A longer run will hardly help: {seen}, and {reason}. {remedy}")
    if annealed and stopped and not at_zero:
        reason += ", which falling learning rates alone explain"
    return Advice("unknown", f"Whether a longer run helps is not known yet: {seen}, and {reason}.")


def _got_worse(improvement: Improvement) -> bool:
    """Return whether the run was significantly better earlier, and by more than chance."""
    if improvement.now is None or improvement.best is None or improvement.plus_minus is None:
        return False
    return improvement.now - improvement.best > max(improvement.plus_minus, CHANCE_DISTANCE)


def _at_zero(improvement: Improvement) -> bool:
    """Return whether the distance is that of real samples, within its error, so that it cannot fall further."""
    if improvement.now is None or improvement.plus_minus is None:
        return False
    return improvement.now <= improvement.plus_minus


def _times(passes: float) -> str:
    """Return a number of passes in words."""
    number = f"{passes:.0f}" if passes >= 10 else f"{passes:.1f}" if passes >= 0.1 else f"{passes:.1g}"
    return "once" if number == "1.0" else f"{number.removesuffix('.0')} times"
