"""Images in memory as arrays: those of Pillow, arrays and tensors, and masks of their holes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from sparring.modalities.images.layout import images_in
from sparring.rendering.grids import to_uint8

HALF = 127
"""Grey level above which a pixel of a mask belongs to the hole; of masks of 0 and 1, every 1 does."""


def arrays_of(given: Any) -> Sequence[NDArray[Any]]:
    """Return the images of a picture, an array or a tensor, with channels last.

    Raises:
        SparringError: it is none of these.
    """
    if isinstance(given, Image.Image):
        return [_of_pillow(given)]
    array = _of_tensor(given) if isinstance(given, Tensor) else np.asarray(given)
    # One image, unless there is an axis more; with channels last, as files have them.
    alone = array.ndim == 2 or (array.ndim == 3 and {array.shape[0], array.shape[2]} & {1, 3, 4})
    count, image, _ = images_in(array[None] if alone else array, "the inputs", labelled=bool(alone))
    return [image(position) for position in range(count)]


def in_range(mask: Any) -> Any:
    """Return a tensor of masks with values from 0 to 1 in the range of images, [-1, 1]; anything else as it is."""
    if isinstance(mask, Tensor) and mask.is_floating_point() and bool((mask >= 0).all()):
        return 2 * mask - 1
    return mask


def hole_of(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a mask, (height, width) or with channels last, is white."""
    grey = mask if mask.ndim == 2 else mask.max(axis=2)
    return np.asarray(grey > (0 if grey.max() <= 1 else HALF))


def _of_pillow(image: Image.Image) -> NDArray[Any]:
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in ("1", "L", "RGB", "RGBA", "I;16", "I", "F"):
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    return np.asarray(upright)


def _of_tensor(images: Tensor) -> NDArray[Any]:
    """Return images as bytes; floating-point ones are in [-1, 1], as ``Model.sample`` returns them."""
    images = images.detach().cpu()
    # What is no image, or not finite, is refused like an array of the same numbers.
    if not images.is_floating_point() or images.dim() > 4 or not images.isfinite().all():
        return images.float().numpy() if images.is_floating_point() else images.numpy()
    batch = images[(None,) * (4 - images.dim())] if images.dim() < 4 else images
    return to_uint8(batch) if images.dim() == 4 else to_uint8(batch)[0]
