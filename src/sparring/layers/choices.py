"""Choices drawn by a network whose latent holds the noise: normal numbers as uniform and as Gumbel ones."""

import torch
from torch import Tensor


def normal_to_gumbel(values: Tensor) -> Tensor:
    """Map standard normal numbers to numbers of the standard Gumbel distribution."""
    return -(-normal_to_uniform(values).log()).log()


def normal_to_uniform(values: Tensor) -> Tensor:
    """Map standard normal numbers to uniform ones in (0, 1)."""
    uniform: Tensor = torch.special.ndtr(values.float()).clamp(1e-7, 1 - 1e-7)
    return uniform
