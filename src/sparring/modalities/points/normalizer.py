"""The units in which points are compared, whatever those of their columns are."""

from typing import Any, final

import torch
from torch import Tensor

from sparring.data.facts import Facts


@final
class ColumnNormalizer:
    """See ``sparring.flow.Normalizer``: by centre and spread of each coordinate, so that all are near one.

    Args:
        facts: with ``center`` and ``scale`` in its coding, a number for each coordinate or one for all.
    """

    def __init__(self, facts: Facts) -> None:
        self.center = _numbers(facts.coding.get("center", 0.0))
        self.scale = _numbers(facts.coding.get("scale", 1.0))

    def normalize(self, points: Tensor) -> Tensor:
        """From the data's own units: (…, coordinates)."""
        return (points - self.center.to(points)) / self.scale.to(points)

    def denormalize(self, points: Tensor) -> Tensor:
        """Back to the data's own units."""
        return points * self.scale.to(points) + self.center.to(points)


def _numbers(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
