"""Features and signals of images for the watchdog."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from sparring.modalities.images.spectrum import narrow_peak

GRID_SIDE = 8
"""Longest side of the grid that images are averaged to."""
POWER_FLOOR = (0.5 / 255) ** 2
"""Power of a quarter of an 8-bit step in [-1, 1], below which differences are invisible."""


def cheap_features(samples: Tensor) -> Tensor:
    """Average images, (count, channels, height, width), over a grid of at most 8 × 8: (count, values)."""
    height, width = samples.shape[2:]
    return adaptive_avg_pool2d(samples, (min(height, GRID_SIDE), min(width, GRID_SIDE))).flatten(1)


def extra_signals(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Compare generated with real images, (count, channels, height, width) each, in fine detail.

    Returns:
        ``checkerboard``: power of patterns that alternate from pixel to pixel, relative to real images in decades;
        ``detail``: the same for all differences between neighbouring pixels;
        ``peak``, ``peak power``: see ``narrow_peak``.
    """
    peak, peak_power = narrow_peak(real, fake)
    return {
        "checkerboard": _decades(_checkerboard_power(fake), _checkerboard_power(real)),
        "detail": _decades(_detail_power(fake), _detail_power(real)),
        "peak": peak,
        "peak power": peak_power,
    }


def _checkerboard_power(samples: Tensor) -> float:
    """Return the power of 2 × 2 blocks in three sign patterns, averaged over images before it is squared.

    The patterns are the checkerboard + - - + and the stripes + - + - and + + - -. A fixed pattern survives the average
    over images; what varies from image to image cancels.
    """
    height, width = (side // 2 * 2 for side in samples.shape[2:])
    # (count, channels, height, width) → (count, channels, rows, 2, columns, 2)
    blocks = samples[:, :, :height, :width].unflatten(2, (-1, 2)).unflatten(4, (-1, 2))
    first, second, third, fourth = (blocks[:, :, :, row, :, column] for row in (0, 1) for column in (0, 1))
    patterns = (first - second - third + fourth, first - second + third - fourth, first + second - third - fourth)
    return float(torch.stack([pattern.mean(0).square().mean() for pattern in patterns]).sum())


def _detail_power(samples: Tensor) -> float:
    """Return the mean squared difference of neighbouring pixels, summed over both directions."""
    vertical, horizontal = samples.diff(dim=2).square().mean(), samples.diff(dim=3).square().mean()
    return float(vertical + horizontal)


def _decades(power: float, reference: float) -> float:
    return float(torch.log10(torch.tensor((power + POWER_FLOOR) / (reference + POWER_FLOOR))))
