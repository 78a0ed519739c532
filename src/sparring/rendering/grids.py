"""Images as one grid, and as 8-bit pixels."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

SMALLEST_CELL = 32
"""Sides in pixels below which samples are enlarged by a whole factor, so that 8 × 8 digits can be read."""
GAP = 2
PAPER = 255


def picture(samples: Tensor, *, columns: int) -> Image.Image:
    """A grid of images on white, row by row.

    Args:
        samples: (count, channels, height, width) in [-1, 1], 1 or 3 channels; what lies outside is clamped.
        columns: images in a row.

    Returns:
        An image of mode L for one channel, RGB for three.
    """
    grid = pixels(samples)
    factor = max(1, math.ceil(SMALLEST_CELL / min(grid.shape[1:3]))) if len(grid) else 1
    grid = grid.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = grid.shape[1] + GAP, grid.shape[2] + GAP
    columns = max(1, min(columns, len(grid)))
    rows = max(1, -(-len(grid) // columns))
    sheet = np.full((rows * height + GAP, columns * width + GAP, *grid.shape[3:]), PAPER, dtype=np.uint8)
    for place, one in enumerate(grid):
        top, left = place // columns * height + GAP, place % columns * width + GAP
        sheet[top : top + len(one), left : left + one.shape[1]] = one
    return Image.fromarray(sheet)


def beside(one: Tensor, other: Tensor) -> Tensor:
    """Pairs of images side by side, both (count, channels, height, width), in the size and channels of ``other``."""
    channels, height, width = other.shape[1:]
    one = interpolate(one, (height, width), mode="nearest") if one.shape[2:] != other.shape[2:] else one
    one = one[:, :channels] if one.shape[1] >= channels else one[:, :1].expand(-1, channels, -1, -1)
    return torch.cat([one.to(other), other], 3)


def pixels(samples: Tensor) -> NDArray[np.uint8]:
    """(count, height, width) or (count, height, width, 3); -1 is black, 1 is white; what is no number is black."""
    numbers = samples.detach().float().cpu().nan_to_num(-1.0, 1.0, -1.0)
    found: NDArray[np.uint8] = numbers.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(found[..., 0] if found.shape[3] == 1 else found)
