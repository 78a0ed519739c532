"""Simple models of series that any network has to be better than: a mixture, a block bootstrap, and noisy copies.

``fit`` takes series, their channels and a seed, and returns ``sample``, from a number of series and a seed to series;
equal seeds give equal series. Lengths, attributes and missing values of each generated series are those of a training
series.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import torch

from sparring.data.dataset import Split
from sparring.modalities.series.coding import Channel, Series, coding_of
from sparring.modalities.series.judging.values import Floats, Integers, check, lengths_of, standardised, values_of
from sparring.randomness import derive

Sample: TypeAlias = Callable[[int, int], Series]
"""(count, seed) → series."""
Fit: TypeAlias = Callable[[Series, Sequence[Channel], int], Sample]
"""(series, channels, seed) → ``Sample``."""

COMPONENTS, PRINCIPAL = 40, 20
"""Gaussians of the mixture, and principal components that they are fitted to."""
SERIES_PER_COMPONENT = 30
"""Series per Gaussian at least: of fewer series there are fewer Gaussians."""
ITERATIONS = 30
"""Of the fit of the mixture."""
BLOCK = 6
"""Steps of a block of the bootstrap."""
NOISE = 0.01
"""Standard deviation of the noise of copies, as a share of the range of a channel."""
MAX_SERIES = 20_000
"""Training series that the comparators of an evaluation are fitted to."""


def mixture(series: Series, channels: Sequence[Channel], seed: int = 0, components: int = COMPONENTS) -> Sample:
    """Fit a mixture of up to ``components`` Gaussians to 20 principal components of whole series.

    What these leave out is added from a random training series, whose length and missing values the generated series
    gets, too. Gaps of a training series are filled by straight lines, and steps after its end by its last values. With
    fewer than 1,200 series there are fewer Gaussians, one for 30 series.
    """
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    check(channels, series)
    deviations = np.array([one.deviation for one in channels])
    means = np.array([one.mean for one in channels])
    filled = _filled(standardised(series, channels))
    flat = filled.reshape(len(filled), -1)
    # One series has no covariance: it is repeated, and then moved by the regularisation alone.
    flat = flat if len(flat) > 1 else np.repeat(flat, 2, 0)
    size = min(PRINCIPAL, *flat.shape, max(len(flat) // SERIES_PER_COMPONENT, 1))
    components = max(1, min(components, len(flat) // SERIES_PER_COMPONENT))
    with threadpool_limits(1):
        with np.errstate(invalid="ignore"):  # Equal series have no share of variance to explain.
            principal = PCA(size, random_state=seed % 2**32).fit(flat)
        places = principal.transform(flat)
        rest = flat - principal.inverse_transform(places)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It has not converged: the number of iterations is part of the model.
            gaussians = GaussianMixture(components, max_iter=ITERATIONS, random_state=seed % 2**32).fit(places)
    roots = np.linalg.cholesky(gaussians.covariances_)

    def sample(count: int, seed: int) -> Series:
        random = np.random.default_rng(seed)
        which = random.choice(components, count, p=gaussians.weights_ / gaussians.weights_.sum())
        noise = random.standard_normal((count, size))
        drawn = gaussians.means_[which] + np.einsum("nij,nj->ni", roots[which], noise)
        rows = random.integers(len(filled), size=count)
        found = principal.inverse_transform(drawn) + rest[rows]
        return _like(series, rows, found.reshape(count, *filled.shape[1:]) * deviations + means, channels)

    return sample


def block_bootstrap(series: Series, channels: Sequence[Channel], seed: int = 0) -> Sample:
    """Resample blocks of six changes, of all channels together, from random places of random series.

    A circular block bootstrap (Politis & Romano 1992) of the changes: each block ends where it began in its series once
    this is over. A generated series starts at the first step of a training series.
    """
    check(channels, series)
    filled, lengths = _filled(values_of(series)), lengths_of(series)
    steps = filled.shape[1]
    # Halves, since the difference of huge numbers would overflow.
    changes = np.diff(filled / 2, axis=1)
    long = np.flatnonzero(lengths > 1)

    def sample(count: int, seed: int) -> Series:
        random = np.random.default_rng(seed)
        rows = random.integers(len(filled), size=count)
        if not len(long):
            return _like(series, rows, filled[rows], channels)
        blocks = -(-(steps - 1) // BLOCK)
        chosen = long[random.integers(len(long), size=(count, blocks))]
        starts = (random.random((count, blocks)) * (lengths[chosen] - 1)).astype(np.int64)
        places = (starts[..., None] + np.arange(BLOCK)) % (lengths[chosen] - 1)[..., None]  # (count, blocks, BLOCK)
        drawn = changes[chosen[..., None], places].reshape(count, blocks * BLOCK, -1)[:, : steps - 1]
        first = filled[rows, :1] / 2
        halves = np.concatenate([first, first + np.cumsum(drawn, axis=1)], 1)
        return _like(series, rows, _doubled(halves), channels)

    return sample


def noisy_copies(series: Series, channels: Sequence[Channel], seed: int = 0) -> Sample:
    """Copy training series, and add noise with a deviation of 1 % of the range of each channel."""
    check(channels, series)
    filled = _filled(values_of(series))
    spread = np.array([NOISE * (one.quantiles[-1] - one.quantiles[0]) for one in channels])
    spread = np.where(np.isfinite(spread), spread, 0.0)

    def sample(count: int, seed: int) -> Series:
        random = np.random.default_rng(seed)
        rows = random.integers(len(filled), size=count)
        noise = spread * random.standard_normal((count, *filled.shape[1:]))
        return _like(series, rows, filled[rows] + noise, channels)

    return sample


def samples(split: Split, count: int, seed: int) -> Mapping[str, Series]:
    """Return ``count`` series of each comparator, by name, fitted to at most 20,000 training series."""
    rows = np.random.default_rng(derive(seed, "fitted")).permutation(len(split.train))[:MAX_SERIES]
    train: Series = split.train.batch(np.sort(rows)).real
    channels = coding_of(split.facts).channels
    return {
        name: fit(train, channels, derive(seed, name))(count, derive(seed, f"{name} series"))
        for name, fit in COMPARATORS.items()
    }


COMPARATORS: Mapping[str, Fit] = MappingProxyType(
    {"mixture": mixture, "block bootstrap": block_bootstrap, "noisy copies": noisy_copies}
)
"""Name in reports → fit."""


def _filled(values: Floats) -> Floats:
    """Return values with straight lines in gaps, the nearest value before and after these, and 0 without any."""
    found = values.copy()
    steps = np.arange(values.shape[1])
    for row, channel in np.argwhere(np.isnan(values).any(1)):
        one = values[row, :, channel]
        there = ~np.isnan(one)
        found[row, :, channel] = np.interp(steps, steps[there], one[there]) if there.any() else 0.0
    return found


def _like(series: Series, rows: Integers, values: Floats, channels: Sequence[Channel]) -> Series:
    """Return generated values, (count, steps, channels), with everything else of some training series."""
    index = torch.from_numpy(rows)
    missing = series.missing[index]
    for place, channel in enumerate(channels):
        if channel.kind == "integer":
            values[..., place] = np.rint(values[..., place])
        elif channel.kind == "gap":
            values[..., place] = values[..., place].clip(channel.quantiles[0])
    shown = torch.from_numpy(np.ascontiguousarray(values)).masked_fill(missing, 0.0)
    return Series(shown, missing, series.length[index], series.attributes[index])


def _doubled(halves: Floats) -> Floats:
    """Return twice the values, or the largest number where that would overflow."""
    largest = np.finfo(np.float64).max / 2
    return 2 * np.clip(halves, -largest, largest)
