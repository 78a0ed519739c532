"""Distributions of values regardless of time, of missing values and of lengths."""

import math
from collections.abc import Sequence

import numpy as np

from sparring.modalities.series.coding import Channel, Series
from sparring.modalities.series.judging.values import (
    Floats,
    check,
    differences,
    lengths_of,
    missing_of,
    standardised,
    values_of,
)

TAILS = (0.01, 0.99)
"""Probabilities of the quantiles that stand for the tails."""


def channel_marginals(real: Series, fake: Series, channels: Sequence[Channel]) -> Floats:
    """Return 1 − D for each channel, (channels,) in [0, 1]; higher is better.

    D is the Kolmogorov–Smirnov statistic, sup |F − G|, of all values that are not missing. NaN for a channel without
    real values, and 0 for one that has real values and no generated ones.
    """
    check(channels, real, fake)
    found = np.full(len(channels), np.nan)
    for place in range(len(channels)):
        first, second = (_present(values_of(side)[..., place]) for side in (real, fake))
        if len(first):
            found[place] = 1 - kolmogorov_smirnov(first, second) if len(second) else 0.0
    return found


def tail_error(real: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the mean difference of the quantiles at .01 and .99, at least 0; lower is better.

    Of the values and of their changes from step to step, each in standard deviations of the real ones; means over the
    channels that vary. NaN where none does.
    """
    check(channels, real, fake)
    levels = [standardised(side, channels) for side in (real, fake)]
    errors = list[float]()
    for ours, theirs in (levels, [differences(side) for side in levels]):
        for place in range(len(channels)):
            first, second = (_present(side[..., place]) for side in (ours, theirs))
            if len(first) and len(second) and first.std() > 0:
                gaps = np.abs(np.quantile(first, TAILS) - np.quantile(second, TAILS))
                errors.append(float(gaps.mean() / first.std()))
    return float(np.mean(errors)) if errors else math.nan


def missing_error(real: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the largest difference of the share of missing values before the end, |p − q| in [0, 1]; lower is better.

    NaN where nothing is missing on either side.
    """
    check(channels, real, fake)
    shares = [_missing_shares(side) for side in (real, fake)]
    return float(np.abs(shares[0] - shares[1]).max()) if any(side.any() for side in shares) else math.nan


def length_error(real: Series, fake: Series) -> float:
    """Return the Kolmogorov–Smirnov statistic of the lengths, in [0, 1]; lower is better. NaN where all are equal."""
    ours, theirs = (lengths_of(side).astype(np.float64) for side in (real, fake))
    if np.ptp(np.concatenate([ours, theirs])) == 0:
        return math.nan
    return kolmogorov_smirnov(ours, theirs)


def kolmogorov_smirnov(first: Floats, second: Floats) -> float:
    """Return sup |F − G| of two samples of numbers, (count,) each, both not empty.

    >>> kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    places = np.concatenate([first, second])
    below, other = (np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (first, second))
    return float(np.abs(below - other).max())


def _missing_shares(series: Series) -> Floats:
    """Return the share of missing values of each channel before the ends, (channels,)."""
    steps = lengths_of(series)
    after = (series.values.shape[1] - steps).sum()
    shares: Floats = (missing_of(series).sum((0, 1)) - after) / max(steps.sum(), 1)
    return shares


def _present(values: Floats) -> Floats:
    return values[~np.isnan(values)]
