"""Images for networks that were trained on photographs: what they take, resizing, and computation in parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.backends import cudnn

from sparring.data.parallel import in_order
from sparring.errors import SparringError

CHUNK = 32
"""Images that a network gets at once."""
IMAGES_PER_THREAD = 8


def in_parts(compute: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Compute features of images, (count, 1 or 3, height, width), in parts and without gradients.

    Raises:
        SparringError: not images of one or three channels.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3) or 0 in images.shape[2:]:
        raise SparringError(
            found=f"samples of shape {tuple(images.shape[1:])}",
            expected="grey or colour images, (1 or 3, height, width)",
            remedy="use the extractor pixels",
        )
    # By default convolutions on a GPU may keep only 10 of 23 bits, which changes the scores.
    with torch.inference_mode(), cudnn.flags(enabled=True, allow_tf32=False):
        parts = [compute(part) for part in torch.split(images, CHUNK)]
    return torch.cat(parts).clone()


def resized_by_pillow(images: NDArray[Any], side: int) -> Tensor:
    """Resize images, (count, height, width, …) of bytes or floats, to side × side by Pillow's bicubic filter."""

    def resized(rows: range) -> list[NDArray[Any]]:
        pictures = (Image.fromarray(np.ascontiguousarray(images[row])) for row in rows)
        return [np.array(picture.resize((side, side), Image.Resampling.BICUBIC)) for picture in pictures]

    done = [picture for part in in_order(resized, len(images), IMAGES_PER_THREAD) for picture in part]
    return torch.from_numpy(np.stack(done) if done else np.empty((0, side, side, *images.shape[3:]), images.dtype))


def in_8_bits(samples: Tensor) -> Tensor:
    """Map [-1, 1] to whole numbers in [0, 255], as floats; NaN stays NaN."""
    return samples.float().add(1).mul(127.5).round().clamp(0, 255)
