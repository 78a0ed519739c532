"""Modes of a numeric column: a Gaussian mixture fitted to its quantiles by variational inference."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, softmax

Floats = NDArray[np.float64]

MAX_MODES = 10
"""Components of a mixture before those of low weight are dropped."""
MIN_WEIGHT = 0.005
"""Weight below which a component is dropped."""
ITERATIONS = 100
"""Updates of the posterior. Their number is fixed, so that rounding cannot change the number of modes."""
CONCENTRATION = 1e-3
"""Concentration α₀ of the Dirichlet prior on the weights, which empties components that are not needed."""
VARIANCE = 0.01
"""Prior of the variance of a component, in variances of the column, with the strength of one quantile."""
MIN_DEVIATION = 1e-6
"""Standard deviation, in those of the column, below which a mode is a single value."""


class Modes(NamedTuple):
    """A Gaussian mixture in the unit of its column, from its lowest mode to its highest one.

    Args:
        weights: (modes,), which sum to one.
        means: (modes,).
        deviations: standard deviations, (modes,); 0 for a mode that is a single value.
    """

    weights: Floats
    means: Floats
    deviations: Floats


def fitted_modes(quantiles: Sequence[float]) -> Modes:
    """Fit a mixture of at most 10 normal distributions to equally likely values (Xu et al. 2019, section 4.2).

    The posterior of weights, means and variances is that of Bishop (2006, section 10.2) in one dimension; components
    begin with equally many distinct values. The same quantiles give the same modes.
    """
    knots = np.asarray(quantiles, dtype=np.float64)
    unit = float(np.abs(knots).max()) or 1.0  # Squares of large numbers would be infinite.
    centre, scale = float((knots / unit).mean()), float((knots / unit).std())
    if scale == 0 or knots[0] == knots[-1]:
        return Modes(np.ones(1), knots[:1], np.zeros(1))
    values, counts = np.unique((knots / unit - centre) / scale, return_counts=True)
    share = _shares(values, counts.astype(np.float64))

    # Weights, means and variances by likelihood: those of the posterior are drawn to their priors.
    sizes = share.sum(0)
    share = share[:, sizes / sizes.sum() >= MIN_WEIGHT]
    sizes = share.sum(0)
    means = values @ share / sizes
    deviations = np.sqrt((share * np.square(values[:, None] - means)).sum(0) / sizes)

    # A mode that is a single value has exactly this value.
    single = deviations < MIN_DEVIATION
    nearest = np.abs(knots[:, None] - unit * (centre + scale * means)).argmin(0)
    means = np.where(single, knots[nearest], unit * (centre + scale * means))
    order = np.argsort(means, kind="stable")
    return Modes((sizes / sizes.sum())[order], means[order], np.where(single, 0, unit * scale * deviations)[order])


def _shares(values: Floats, counts: Floats) -> Floats:
    """Return how much of each distinct value belongs to each component, times its count, (values, components).

    Args:
        values: sorted, with mean 0 and variance 1.
        counts: quantiles that have each value.
    """
    components = min(MAX_MODES, len(values))
    share = np.zeros((len(values), components))
    for component, places in enumerate(np.array_split(np.arange(len(values)), components)):
        share[places, component] = counts[places]
    for _ in range(ITERATIONS):
        # Statistics, and the posterior with the prior m₀ = 0, β₀ = ν₀ = 1 (eqs. 10.51 to 10.53, 10.58 to 10.63).
        sizes = share.sum(0)
        means = values @ share / np.maximum(sizes, 1e-300)
        scatter = (share * np.square(values[:, None] - means)).sum(0)
        precision = 1 + sizes  # β and ν.
        variances = (VARIANCE + scatter + sizes / precision * np.square(means)) / precision
        centres = sizes * means / precision
        weights = digamma(CONCENTRATION + sizes)

        # Responsibilities (eqs. 10.46, 10.64 to 10.66).
        spread = digamma(precision / 2) - np.log(precision * variances)
        distance = np.square(values[:, None] - centres) / variances + 1 / precision
        share = counts[:, None] * softmax(weights + (spread - distance) / 2, axis=1)
    return share
