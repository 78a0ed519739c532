"""Behaviour over time: autocorrelations, cross-correlations and spectra.

All are computed over the values that are not missing, so that missing values do not change what they estimate. An
array of a side has NaN where a channel is constant; errors are means over what the real side has.
"""

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np

from sparring.modalities.series.coding import Channel, Series
from sparring.modalities.series.judging.values import Floats, Mask, check, differences, standardised

_Statistic: TypeAlias = Callable[[Floats], Floats]

LAGS = 12
"""Largest lag of the autocorrelations."""
MIN_PAIRS = 3
"""Pairs of values without which a series has no autocorrelation at a lag."""
MAX_FREQUENCIES = 64
CHUNK = 4_000_000
"""Values that are transformed at once."""
MIN_POWER = 1e-6
"""Least power that is told from none, as a share of the mean power of the real channel."""
MAX_PAIRS = 2000
"""Pairs of channels that are compared; of more, every n-th."""


def autocorrelations(values: Floats, lags: int = LAGS) -> Floats:
    """Return mean autocorrelations of series about their own means, (lags, channels), NaN where there are none.

    Σ z_t z_{t+k} / (pairs) over Σ z_t² / (values), for each series that is not constant and has at least three pairs,
    then the mean over the series. About its own mean, a series of T steps has an autocorrelation that is lower than
    that of the process, by about 1 / T and more where it is high; so have both sides, if their lengths are alike.

    Args:
        values: (count, steps, channels), NaN where they are missing.
        lags: the largest one; only lags below the number of steps are returned.
    """
    centred, present = _centred(values)
    numbers = present.sum(1)
    variance = np.square(centred).sum(1) / numbers.clip(1)
    found = np.full((max(min(lags, values.shape[1] - 1), 0), values.shape[2]), np.nan)
    for lag in range(1, len(found) + 1):
        pairs = (present[:, lag:] & present[:, :-lag]).sum(1)
        products = (centred[:, lag:] * centred[:, :-lag]).sum(1) / pairs.clip(1)
        usable = (pairs >= MIN_PAIRS) & (variance > 1e-18)
        ratios = np.where(usable, products / np.where(usable, variance, 1.0), 0.0)
        found[lag - 1] = np.where(usable.any(0), ratios.sum(0) / usable.sum(0).clip(1), np.nan)
    return found


def autocorrelation_error(real: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the mean difference of the autocorrelations at lags 1 to 12, of values and changes, at least 0.

    Lower is better. NaN where series are too short for any.
    """
    return _both(real, fake, channels, autocorrelations)


def cross_correlations(values: Floats) -> Floats:
    """Return correlations of channels over all steps at which both have a value, (channels, channels), NaN for none."""
    count = values.shape[2]
    found = np.full((count, count), np.nan)
    flat = values.reshape(-1, count)
    pairs = list(combinations(range(count), 2))
    for one, other in pairs[:: max(1, -(-len(pairs) // MAX_PAIRS))]:
        both = ~np.isnan(flat[:, one]) & ~np.isnan(flat[:, other])
        if both.sum() > 1:
            sides = [flat[both, at] - flat[both, at].mean() for at in (one, other)]
            length = math.sqrt(float(sides[0] @ sides[0])) * math.sqrt(float(sides[1] @ sides[1]))
            if length > 1e-18:
                found[one, other] = found[other, one] = np.clip(float(sides[0] @ sides[1]) / length, -1, 1)
    return found


def cross_correlation_error(real: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the mean difference of the correlations of two channels, of values and changes, in [0, 2].

    Lower is better. NaN where there is a single channel.
    """
    return _both(real, fake, channels, cross_correlations)


def spectra(values: Floats) -> Floats:
    """Return mean periodograms of series about their own means, (frequencies, channels), at least 0.

    γ_0 + 2 Σ (1 − k / T) γ_k cos(2πfk) over lags k, with γ_k the mean of z_t z_{t+k} over all series and pairs of steps
    that have a value (Blackman & Tukey 1958, with the window of Bartlett). Of whole series of T steps, this is the mean
    of |Σ z_t exp(−2πift)|² / T; missing values do not spread their power as they would there. At most 64 of the
    frequencies f = 1/T, 2/T, …, ½ per step, with T the number of steps of the longest series.
    """
    steps, size = values.shape[1], 2 * values.shape[1]
    products, pairs = np.zeros((2, steps, values.shape[2]))
    for part in np.array_split(values, max(1, values.size // CHUNK)):
        # Sums over all pairs at all lags are the transform of the power of series that zeros follow.
        for side, total in zip(_centred(part), (products, pairs), strict=True):
            power = np.square(np.abs(np.fft.rfft(side, size, axis=1))).sum(0)
            total += np.fft.irfft(power, size, axis=0)[:steps]
    numbers = np.rint(pairs)
    covariances = np.where(numbers > 0, products / numbers.clip(1), 0.0)
    weights = np.where(np.arange(steps) > 0, 2.0, 1.0) * (1 - np.arange(steps) / max(steps, 1))
    waves = np.cos(2 * np.pi * np.outer(frequencies(steps), np.arange(steps)))
    powers: Floats = np.maximum((waves * weights) @ covariances, 0.0)
    return powers


def frequencies(steps: int) -> Floats:
    """Return the frequencies of ``spectra`` in cycles per step, (frequencies,)."""
    every = max(1, -(-(steps // 2) // MAX_FREQUENCIES))
    numbers: Floats = np.arange(1, steps // 2 + 1, every) / steps
    return numbers


def spectrum_error(real: Series, fake: Series, channels: Sequence[Channel]) -> float:
    """Return the mean |Δ log₁₀| of the periodograms over frequencies and channels that vary; lower is better.

    In decades: .3 is a power that is twice as high or half as high. NaN where no channel varies within a series.
    """
    check(channels, real, fake)
    ours, theirs = (spectra(standardised(side, channels)) for side in (real, fake))
    total = ours.mean(0) if len(ours) else np.zeros(len(channels))
    varied = total > 1e-18
    if not varied.any():
        return math.nan
    logs = [np.log10(np.maximum(side[:, varied], MIN_POWER * total[varied])) for side in (ours, theirs)]
    return float(np.abs(logs[0] - logs[1]).mean())


def _both(real: Series, fake: Series, channels: Sequence[Channel], statistic: _Statistic) -> float:
    """Return the mean difference of a statistic of values and of changes; a generated one that is NaN counts as 0."""
    check(channels, real, fake)
    ours, theirs = (standardised(side, channels) for side in (real, fake))
    errors = []
    for first, second in ((ours, theirs), (differences(ours), differences(theirs))):
        wanted, found = statistic(first), np.nan_to_num(statistic(second))
        errors.append(np.abs(wanted - found)[~np.isnan(wanted)])
    joined = np.concatenate(errors)
    return float(joined.mean()) if len(joined) else math.nan


def _centred(values: Floats) -> tuple[Floats, Mask]:
    """Return values about the mean of their series, 0 where they are missing, and which are there."""
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    means = filled.sum(1) / present.sum(1).clip(1)
    return np.where(present, values - means[:, None], 0.0), present
