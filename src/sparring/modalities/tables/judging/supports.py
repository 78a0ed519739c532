"""Supports of real and of generated rows: α-precision and β-recall."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.metrics.distances import nearest, squared_distances
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import check
from sparring.modalities.tables.judging.space import Space

LEVELS = 30
"""Levels α and β over which the integrals are taken."""
ROUNDING = 1e-9
"""Difference of distances that only rounding explains."""


def alpha_precision(real: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return 1 − 2 ∫ |P(α) − α| dα, the integrated α-precision of Alaa et al. 2022, section 3, in [0, 1].

    P(α) is the share of generated rows in the α-support of the real ones. This is the variant without a trained
    one-class embedding that tables are usually judged by: supports are balls around the mean of the features that hold
    a share α of the rows. Higher is better, 1 for equal distributions. A generator of typical rows alone falls below.
    """
    space = Space(real, columns)
    ours, theirs = space.features(real), space.features(fake)
    centre = ours.mean(0)
    radii, distances = ((side - centre).norm(dim=1) for side in (ours, theirs))
    alphas = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
    shares = (distances[:, None] <= radii.quantile(alphas) + ROUNDING).double().mean(0)
    return _integrated(shares, alphas)


def beta_recall(real: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return 1 − 2 ∫ |R(β) − β| dβ, the integrated β-recall of Alaa et al. 2022, section 3, in [0, 1].

    R(β) is the share of real rows whose closest generated row is in the β-support of the generated ones, and closer
    than their closest other real row. The variant of ``alpha_precision``. About ½ for other real rows, since either is
    closer equally often; copies of the training rows have more, so that higher is better only up to the floor.
    """
    check(columns, real, fake, at_least=2)
    space = Space(real, columns)
    ours, theirs = space.features(real), space.features(fake)
    radii = (theirs - theirs.mean(0)).norm(dim=1)
    distances, closest = nearest(ours, theirs)
    covered = distances <= _to_others(ours) + ROUNDING  # (reals,)
    alphas = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
    inside = radii[closest][:, None] <= radii.quantile(alphas) + ROUNDING  # (reals, levels)
    return _integrated((covered[:, None] & inside).double().mean(0), alphas)


def _to_others(features: Tensor) -> Tensor:
    """Return the distance from each row to the closest other row, (count,)."""
    found = []
    for rows, squared in squared_distances(features, features):
        places = torch.arange(rows.start, rows.stop)
        squared[torch.arange(len(places)), places] = torch.inf  # No row is its own neighbour.
        found.append(squared.amin(1))
    return torch.cat(found).sqrt()


def _integrated(shares: Tensor, levels: Tensor) -> float:
    """Return 1 − 2 ∫ |share − level| over the levels of [0, 1]."""
    return float(1 - (shares - levels).abs().sum() / levels.sum())
