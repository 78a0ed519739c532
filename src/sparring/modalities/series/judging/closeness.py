"""Closeness of generated series to those that were trained on: copies, and nearest series.

The distance of two series is the root mean square difference of their standardised values, over all steps of the
longest series; a value that is missing counts as the mean of its channel, and one deviation more where it is missing on
one side alone. Give other real series in place of the generated ones for the value of a perfect generator, unless they
are windows of one long series: a window is nearer to those beside it than any independent one.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sparring.metrics.closeness import LOW_SHARE, equal_share, near_share, nearer_share
from sparring.metrics.distances import nearest
from sparring.modalities.series.coding import Channel, Series
from sparring.modalities.series.judging.values import Integers, check, lengths_of, missing_of, standardised, values_of
from sparring.samples import take

CHUNK = 10_000
"""Training series whose content is compared at once."""
MAX_PAIRS = 200
"""Neighbouring series by which overlapping windows are found."""
MIN_COMMON = 3
"""Common steps that count as an overlap: fewer agree by chance where values are whole numbers."""


def exact_copies(train: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the share of generated series that are equal to a training series in every value, in [0, 1]."""
    check(channels, train, fake)
    starts = range(0, len(train.values), CHUNK)
    return equal_share(_keys(fake), (_keys(take(train, slice(start, start + CHUNK))) for start in starts))


def near_copies(train: Series, held_out: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the share of generated series as close to a training series as the closest 1 % of held-out ones.

    In [0, 1]; lower is better; about .01 for other real series.

    Args:
        train: training series.
        held_out: real series that were not trained on.
        fake: generated series.
        channels: of the series.
    """
    check(channels, train, held_out, fake)
    held, ours = (_closest(rows, train, channels) for rows in (held_out, fake))
    return near_share(held, ours)


def closest_series(train: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the 5th percentile of the distances from generated series to their closest training series, at least 0.

    In standard deviations of the channels. As high as that of other real series is right.
    """
    check(channels, train, fake)
    return float(_closest(fake, train, channels).quantile(LOW_SHARE))


def closer_to_train(train: Series, held_out: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the share of generated series that are closer to a training series than to any held-out one, in [0, 1].

    ½ for a generator that knows the distribution and not its training series, 1 for one that copies them; ties count
    half. The nearest of n training and m held-out series is a training one in q = n / (n + m) of the cases by chance.
    So a share p counts as p / 2q below q, and as ½ + (p − q) / 2(1 − q) above; for equal numbers this is p. Dropping
    training series to make the numbers equal would hide copies of those that are dropped.

    Args:
        train: training series.
        held_out: real series that were not trained on.
        fake: generated series.
        channels: of the series.
    """
    check(channels, train, held_out, fake)
    ours, theirs = (_closest(fake, side, channels) for side in (train, held_out))
    share = nearer_share(ours, theirs)
    chance = len(train.values) / (len(train.values) + len(held_out.values))
    return share / (2 * chance) if share < chance else 0.5 + (share - chance) / (2 * (1 - chance))


def overlap(series: Series) -> int:
    """Return how many steps neighbouring series have in common, as windows of one long series in order do; else 0."""
    values, full = values_of(series), lengths_of(series) == series.values.shape[1]
    steps = values.shape[1]
    # Whole series that vary: constant ones agree at every shift.
    usable = full[:-1] & full[1:] & (values[1:] != values[1:, :1]).any((1, 2))
    places = np.flatnonzero(usable)
    places = places[:: max(1, len(places) // MAX_PAIRS)]
    for common in range(steps - 1, MIN_COMMON - 1, -1) if len(places) else ():
        ends, starts = values[places, steps - common :], values[places + 1, :common]
        same = (ends == starts) | (np.isnan(ends) & np.isnan(starts))
        if same.all((1, 2)).mean() > 0.5:
            return common
    return 0


def alternating(series: Series, seed: int) -> tuple[Series, Series]:
    """Return halves of series in order: random ones, or every other stretch of windows of one long series."""
    common = overlap(series)
    order = np.random.default_rng(seed).permutation(len(series.values))
    parts = _stretches(series, common) if common else [order[::2], order[1::2]]
    if len(parts) == 1:
        parts = np.array_split(parts[0], 2)
    return take(series, np.concatenate(parts[::2])), take(series, np.concatenate(parts[1::2]))


def _stretches(series: Series, common: int) -> list[Integers]:
    """Return the numbers of the series of each stretch in which neighbours have ``common`` steps in common."""
    values = values_of(series)
    ends, starts = values[:-1, values.shape[1] - common :], values[1:, :common]
    joined = ((ends == starts) | (np.isnan(ends) & np.isnan(starts))).all((1, 2))
    return np.split(np.arange(len(values)), 1 + np.flatnonzero(~joined))


def _closest(series: Series, others: Series, channels: Sequence[Channel]) -> Tensor:
    """Return the distance from each series to the closest of the others, (count,)."""
    return nearest(_place(series, channels), _place(others, channels))[0]


def _place(series: Series, channels: Sequence[Channel]) -> Tensor:
    """Return points whose Euclidean distances are those of the series, (count, coordinates)."""
    values, missing = standardised(series, channels), missing_of(series)
    parts = np.concatenate([np.nan_to_num(values), missing], 2).reshape(len(values), -1)
    return torch.from_numpy(parts / math.sqrt(values[0].size))


def _keys(series: Series) -> list[bytes]:
    """Return the content of each series as bytes."""
    missing = missing_of(series)
    values = np.nan_to_num(values_of(series)) + 0.0  # −0 is 0.
    return [row.tobytes() for row in np.concatenate([values, missing], 2)]
