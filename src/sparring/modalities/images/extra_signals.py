"""What the watchdog sees of images."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

GRID = 8
"""Sides of the grid that images are averaged over."""


def cheap_features(samples: Tensor) -> Tensor:
    """Images averaged over a grid of at most 8 × 8: (count, channels · rows · columns)."""
    height, width = samples.shape[2:]
    return adaptive_avg_pool2d(samples, (min(height, GRID), min(width, GRID))).flatten(1)


def extra_signals(real: Tensor, fake: Tensor) -> dict[str, float]:
    """How generated images, (count, channels, height, width), differ from real ones in fine detail.

    Returns:
        ``checkerboard``, the power of patterns that alternate from pixel to pixel, in decades over that of reals;
        ``detail``, the same of all that changes between neighbouring pixels.
    """
    return {
        "checkerboard": _decades(_alternating(fake), _alternating(real)),
        "detail": _decades(_rough(fake), _rough(real)),
    }


def _alternating(samples: Tensor) -> float:
    """The mean square of what remains of each block of 2 × 2 by the signs + - - +, and in stripes along both ways."""
    height, width = (side // 2 * 2 for side in samples.shape[2:])
    blocks = samples[:, :, :height, :width].unflatten(2, (-1, 2)).unflatten(4, (-1, 2))
    first, second, third, fourth = (blocks[:, :, :, row, :, column] for row in (0, 1) for column in (0, 1))
    patterns = (first - second - third + fourth, first - second + third - fourth, first + second - third - fourth)
    return float(torch.stack([pattern.mean(0).square().mean() for pattern in patterns]).sum())


def _rough(samples: Tensor) -> float:
    steps = samples.diff(dim=2).square().mean(), samples.diff(dim=3).square().mean()
    return float(steps[0] + steps[1])


def _decades(value: float, unit: float) -> float:
    # Below a quarter of the step of 8 bits nothing is to be seen.
    floor = (0.5 / 255) ** 2
    return float(torch.log10(torch.tensor((value + floor) / (unit + floor))))
