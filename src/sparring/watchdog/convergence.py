"""Whether a run still improves."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import final

from sparring.watchdog.signals import Observation, of_one_phase

FEWEST = 12
"""Looks with a distance from which on it can be told whether it still falls."""
CHANCE = 0.01
"""What two sets of 64 samples of the same data differ by in distance: less is not called worse."""


@final
@dataclass(frozen=True)
class Improvement:
    """Whether samples still came nearer to held-out ones in the last phase that was looked at.

    The mean distance over the last quarter of the looks is set against that of every earlier stretch of as many looks.
    Where the best of them is not farther off by more than two standard errors of the difference, no gain can be told.
    Where it is nearer by more than that, and by more than chance gives, the run was better before.

    Args:
        stopped: whether no gain can be told; None where there are fewer than twelve looks.
        since: real samples seen at the end of the first stretch from which on none can be told, or None.
        now: mean distance over the last quarter of the looks, or None.
        best: that of the best earlier stretch, or None.
        plus_minus: two standard errors of their difference, or None.
        sentence: all of this in plain words.
    """

    stopped: bool | None
    since: int | None
    now: float | None
    best: float | None
    plus_minus: float | None
    sentence: str


def improvement_of(observations: Sequence[Observation], total: int) -> Improvement:
    """The rule of ``Improvement``."""
    seen = [
        (observation.samples, observation.values["distance"])
        for observation in of_one_phase(observations)
        if "distance" in observation.values
    ]
    if len(seen) < FEWEST:
        few = f"Whether it still improved cannot be told: {len(seen)} looks at the distance, {FEWEST} are needed."
        return Improvement(None, None, None, None, None, few)
    size = len(seen) // 4
    stretches = [[value for _, value in seen[place : place + size]] for place in range(len(seen) - size + 1)]
    *_, last = stretches
    earlier = stretches[: len(seen) - 2 * size + 1]
    best = min(earlier, key=fmean)
    bound, gain = _two_errors(best, last), fmean(best) - fmean(last)
    figures = f"{fmean(last):.3g} in the last quarter of the looks, {fmean(best):.3g} in the best stretch before"
    words = f"distance to held-out samples {figures}, ± {bound:.2g}"
    values = {"now": fmean(last), "best": fmean(best), "plus_minus": bound}
    if gain > bound:
        return Improvement(False, None, **values, sentence=f"It still improved at the end: {words}.")
    told = [fmean(one) - fmean(last) > _two_errors(one, last) for one in earlier]
    first = max((place for place, better in enumerate(told) if better), default=-1) + 1
    since = seen[min(first, len(earlier) - 1) + size - 1][0]
    if -gain > max(bound, CHANCE):
        sentence = f"It was better before: {words}."
    else:
        sentence = f"No gain can be told since {percent(since, total)} of the run: {words}."
    return Improvement(True, since, **values, sentence=sentence)


def _two_errors(one: Sequence[float], other: Sequence[float]) -> float:
    """Two standard errors of the difference of the means."""
    return 2 * float((stdev(one) ** 2 / len(one) + stdev(other) ** 2 / len(other)) ** 0.5)


def percent(samples: int, total: int) -> str:
    """The share of a run."""
    share = 100 * samples / max(total, 1)
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"
