"""Normalisation of points, whatever the units of their columns."""

from typing import Any, final

import torch
from torch import Tensor

from sparring.data.facts import Facts


@final
class ColumnNormalizer:
    """Normalises each coordinate by its centre and scale, so that all are near one; see ``sparring.flow.Normalizer``.

    Args:
        facts: their coding has ``center`` and ``scale``, a number per coordinate or one for all.
    """

    def __init__(self, facts: Facts) -> None:
        self.center = _numbers(facts.coding.get("center", 0.0))
        self.scale = _numbers(facts.coding.get("scale", 1.0))

    def normalize(self, points: Tensor) -> Tensor:
        """Map points, (…, coordinates), from the units of the data to the scale of the networks."""
        return (points - self.center.to(points)) / self.scale.to(points)

    def denormalize(self, points: Tensor) -> Tensor:
        """Map points back to the units of the data."""
        return points * self.scale.to(points) + self.center.to(points)


def _numbers(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
