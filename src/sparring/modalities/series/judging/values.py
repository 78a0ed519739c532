"""Values of series as arrays, and the checks that all metrics of series share."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.metrics.comparable import require_comparable
from sparring.modalities.series.coding import Channel, Series
from sparring.samples import take

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

MAX_STEPS = 100
"""Steps of a series that learners see; of longer ones, a random part."""
MAX_DEVIATIONS = 100.0
"""Standard deviations beyond which values are clipped, so that no square overflows."""


def values_of(series: Series) -> Floats:
    """Return the values, (count, steps, channels), with NaN where they are missing and after the end of a series."""
    values: Floats = np.where(missing_of(series), np.nan, series.values.detach().cpu().double().numpy())
    return values


def missing_of(series: Series) -> Mask:
    """Return which values are missing, (count, steps, channels); all are after the end of a series."""
    within = np.arange(series.values.shape[1]) < lengths_of(series)[:, None]
    missing: Mask = series.missing.detach().cpu().numpy().astype(bool) | ~within[..., None]
    return missing


def lengths_of(series: Series) -> Integers:
    """Return the number of steps of each series, (count,)."""
    lengths: Integers = series.length.detach().cpu().numpy().astype(np.int64)
    return lengths


def standardised(series: Series, channels: Sequence[Channel]) -> Floats:
    """Return values in deviations of their channel from its mean, within ±100, with NaN where they are missing."""
    mean, deviation = (np.array([getattr(one, name) for one in channels]) for name in ("mean", "deviation"))
    # Numbers of any size: their difference may overflow, and is then clipped.
    with np.errstate(over="ignore", invalid="ignore"):
        found: Floats = np.clip(values_of(series) / deviation - mean / deviation, -MAX_DEVIATIONS, MAX_DEVIATIONS)
    return found


def scaled(series: Series, channels: Sequence[Channel]) -> Floats:
    """Return values from 0 for the lowest to 1 for the highest one of their channel, within [-10, 11]."""
    low, high = (np.array([one.quantiles[at] for one in channels]) for at in (0, -1))
    # Halves, since the difference of huge numbers would overflow.
    half = np.where(high / 2 > low / 2, high / 2 - low / 2, 0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        found: Floats = np.clip((values_of(series) / 2 - low / 2) / half, -10, 11)
    return found


def differences(values: Floats) -> Floats:
    """Return the changes from step to step, (count, steps − 1, channels), NaN where either value is missing."""
    found: Floats = np.diff(values, axis=1)
    return found


def some_series(series: Series, count: int, seed: int) -> Series:
    """Return ``count`` of the series, in random order, or all of them where there are fewer."""
    return take(series, np.random.default_rng(seed).permutation(len(series.values))[:count])


def cropped(series: Series, most: int, seed: int) -> Series:
    """Return the series, or ``most`` consecutive steps of each longer one, which begin at a random step."""
    steps = series.values.shape[1]
    if steps <= most:
        return series
    random = np.random.default_rng(seed).random(len(series.values))
    free = (lengths_of(series) - most).clip(0)
    places = torch.from_numpy((random * (free + 1)).astype(np.int64)[:, None] + np.arange(most))
    index = places[..., None].expand(-1, -1, series.values.shape[2])
    return Series(
        series.values.gather(1, index),
        series.missing.gather(1, index),
        series.length.clamp(max=most),
        series.attributes,
    )


def check(channels: Sequence[Channel], *sides: Series, at_least: int = 1) -> None:
    """Refuse series that cannot be compared.

    Args:
        channels: of the series.
        sides: real series and others.
        at_least: number of series that every side needs.

    Raises:
        SparringError: other channels, too few series, or values that are neither finite nor missing.
    """
    for series in sides:
        parts = (("step", None), ("channel", len(channels)))
        require_comparable("series", series.values, series.missing, parts, at_least)
