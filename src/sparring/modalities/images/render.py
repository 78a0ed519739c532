"""Images as files."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sparring.flow import Batch
from sparring.modalities.images.conditions import input_images
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.grids import image_grid, side_by_side, to_uint8
from sparring.storage import write_png


def save(samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
    """Write images, (count, channels, height, width) in [-1, 1], to ``000000.png`` and so on, from number ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, pixels in enumerate(to_uint8(samples), start=first):
        path = folder / f"{number:06d}.png"
        write_png(path, Image.fromarray(pixels))
        paths.append(path)
    return paths


def compare(batch: Batch, true: Tensor | None) -> Sequence[Exhibit]:
    """Draw each image between its input and the true image, beside their absolute difference, which is black for none.

    Args:
        batch: generated images, (count, channels, height, width) in [-1, 1], with their conditions.
        true: the true images, or None.
    """
    inputs = input_images(batch.condition)
    if inputs is None:
        return []
    row = side_by_side(inputs, batch.real)
    if true is not None:
        row = torch.cat([row, true, (batch.real - true).abs() - 1], dim=3)
    return [picture_of(image_grid(row, columns=2), sharp=True)]
