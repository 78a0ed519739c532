"""Normalisation of points, whatever the units of their columns."""

from typing import final

import torch
from torch import Tensor

from sparring.data.facts import Facts
from sparring.modalities.points.coding import coding_of
from sparring.randomness import RandomStream


@final
class ColumnNormalizer:
    """Normalises each coordinate by its centre and scale, so that all are near one; see ``sparring.flow.Normalizer``.

    Args:
        facts: their coding has ``center`` and ``scale``; see ``PointCoding``.

    Raises:
        SparringError: their coding is not that of points.
    """

    def __init__(self, facts: Facts) -> None:
        coding = coding_of(facts)
        self.center = torch.as_tensor(coding.center, dtype=torch.float32)
        self.scale = torch.as_tensor(coding.scale, dtype=torch.float32)

    def normalize(self, points: Tensor, random: RandomStream | None = None) -> Tensor:
        """Map points, (…, coordinates), from the units of the data to the scale of the networks."""
        return (points - self.center.to(points)) / self.scale.to(points)

    def denormalize(self, points: Tensor, condition: None = None) -> Tensor:
        """Map points back to the units of the data."""
        return points * self.scale.to(points) + self.center.to(points)
