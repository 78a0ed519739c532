"""Images as one grid, and as 8-bit pixels."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

MIN_CELL_SIDE = 32
"""Sides in pixels below which samples are enlarged by a whole factor, so that 8 × 8 digits can be read."""
GAP = 2
"""Pixels between images, and around the grid."""
BACKGROUND = 255
"""Grey level of the gaps."""


def image_grid(samples: Tensor, *, columns: int) -> Image.Image:
    """Arrange images on a white background, row by row.

    Args:
        samples: (count, channels, height, width) in [-1, 1], 1 or 3 channels; values outside are clamped.
        columns: images in a row.

    Returns:
        An image of mode L for one channel, RGB for three.
    """
    # Enlarge small images by repeating pixels.
    pixels = to_uint8(samples)
    factor = max(1, math.ceil(MIN_CELL_SIDE / min(pixels.shape[1:3]))) if len(pixels) else 1
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)

    # Paste them onto the background.
    height, width = pixels.shape[1] + GAP, pixels.shape[2] + GAP
    columns = max(1, min(columns, len(pixels)))
    rows = max(1, -(-len(pixels) // columns))
    sheet = np.full((rows * height + GAP, columns * width + GAP, *pixels.shape[3:]), BACKGROUND, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * height + GAP, index % columns * width + GAP
        sheet[top : top + len(image), left : left + image.shape[1]] = image
    return Image.fromarray(sheet)


def side_by_side(left: Tensor, right: Tensor) -> Tensor:
    """Join pairs of images, (count, channels, height, width) each, in the size and channels of ``right``."""
    channels, height, width = right.shape[1:]
    left = interpolate(left, (height, width), mode="nearest") if left.shape[2:] != right.shape[2:] else left
    left = left[:, :channels] if left.shape[1] >= channels else left[:, :1].expand(-1, channels, -1, -1)
    return torch.cat([left.to(right), right], 3)


def to_uint8(samples: Tensor) -> NDArray[np.uint8]:
    """Return bytes, (count, height, width) or (count, height, width, 3): -1 is black, 1 is white, and NaN is black."""
    numbers = samples.detach().float().cpu().nan_to_num(-1.0, 1.0, -1.0)
    pixels: NDArray[np.uint8] = numbers.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[3] == 1 else pixels)
