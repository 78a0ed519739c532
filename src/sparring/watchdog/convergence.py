"""Improvement of a run: a comparison of its latest distances with all earlier ones."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, variance
from typing import final

from pydantic import BaseModel, ConfigDict

from sparring.watchdog.signals import Observation, of_last_phase

MIN_OBSERVATIONS = 12
"""Observations of the distance that a comparison takes."""
CHANCE_DISTANCE = 0.01
"""Distance between two sets of 64 samples of the same data: a smaller loss is not called worse."""


@final
class Improvement(BaseModel):
    """Result of the comparison, for the last phase that was observed.

    The mean distance of the last quarter of the observations is compared with that of every earlier window of as many.
    If the best of these is not farther from the data by more than two standard errors of the difference, no further
    improvement is detectable. If it is closer by more than that, and more than chance, the run was better earlier.

    Args:
        stopped: whether no further improvement is detectable; None with fewer than twelve observations.
        since: samples seen at the end of the first window from which on this holds, or None.
        now: mean distance of the last quarter, or None.
        best: mean distance of the best earlier window, or None.
        plus_minus: two standard errors of their difference, or None.
        sentence: the result in plain words.
    """

    model_config = ConfigDict(frozen=True)

    stopped: bool | None = None
    since: int | None = None
    now: float | None = None
    best: float | None = None
    plus_minus: float | None = None
    sentence: str


def improvement_of(observations: Sequence[Observation], total: int) -> Improvement:
    """Compare the latest distances of a run of ``total`` samples with all earlier ones."""
    seen = [(one.samples, one.values["distance"]) for one in of_last_phase(observations) if "distance" in one.values]
    if len(seen) < MIN_OBSERVATIONS:
        few = f"{len(seen)} observations of the distance, at least {MIN_OBSERVATIONS} are needed"
        return Improvement(sentence=f"Too early to say whether the run still improves: {few}.")

    # Compare windows of a quarter of the observations; the earlier ones do not reach into the last.
    size = len(seen) // 4
    windows = [[distance for _, distance in seen[start : start + size]] for start in range(len(seen) - size + 1)]
    last, earlier = windows[-1], windows[: len(seen) - 2 * size + 1]
    best = min(earlier, key=fmean)
    bound, gain = _two_errors(best, last), fmean(best) - fmean(last)

    # Find the first window from which on none is significantly worse than the last.
    worse = [start for start, one in enumerate(earlier) if fmean(one) - fmean(last) > _two_errors(one, last)]
    since = seen[min(max(worse, default=-1) + 1, len(earlier) - 1) + size - 1][0]

    result = f"No further improvement is detectable since {percent(since, total)} of the run"
    if gain > bound:
        result = "It was still improving at the end"
    elif -gain > max(bound, CHANCE_DISTANCE):
        result = "It was better earlier"
    means = f"{fmean(last):.3g} in the last quarter of the observations, {fmean(best):.3g} in the best window before"
    return Improvement(
        stopped=gain <= bound,
        since=None if gain > bound else since,
        now=fmean(last),
        best=fmean(best),
        plus_minus=bound,
        sentence=f"{result}: distance to held-out samples {means}, ± {bound:.2g}.",
    )


def percent(samples: int, total: int) -> str:
    """Return the share of a run in words: "40 %"."""
    share = 100 * samples / max(total, 1)
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"


def _two_errors(one: Sequence[float], other: Sequence[float]) -> float:
    """Return two standard errors of the difference of the means."""
    return 2 * sqrt(variance(one) / len(one) + variance(other) / len(other))
