"""Conditions of images that are images: the other one of a pair, one of another domain, or what is left of the sample.

A condition that is computed from the sample is computed in ``Dataset.read``, so no data stores it; with random numbers
it varies, and without them it is a function of the row alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.data.dataset import ReadRows, from_bytes
from sparring.data.view import View
from sparring.flow import Batch
from sparring.modalities.images.masks import draw_masks
from sparring.randomness import RandomStream

PAIR, DOMAIN, GREY, SMALL, HOLE = "pair", "domain", "grey", "small", "hole"
"""Names of the conditions in ``View.condition`` and ``Facts.offers``."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), as in Pillow's conversion."""
STEP = 1 / 127.5
"""Difference of neighbouring bytes in [-1, 1]."""


class Translation(NamedTuple):
    """Images and the domains that they are to be translated into.

    Args:
        image: (batch, channels, height, width) in [-1, 1].
        target: numbers of domains, (batch,) int64.
    """

    image: Tensor
    target: Tensor


class Holed(NamedTuple):
    """Images with holes.

    Args:
        image: (batch, channels, height, width) in [-1, 1], 0 in the hole.
        mask: (batch, 1, height, width), 1 in the hole and 0 elsewhere.
    """

    image: Tensor
    mask: Tensor


def input_images(condition: Any) -> Tensor | None:
    """Return the images of a condition, (batch, channels, height, width), or None if it has none."""
    images = condition.image if isinstance(condition, Translation | Holed) else condition
    return images if isinstance(images, Tensor) and images.dim() == 4 else None


Derive: TypeAlias = Callable[[Tensor, View, RandomStream | None], Tensor | Holed]
"""(images in [-1, 1], view, random numbers or None) → conditions."""


def grey(images: Tensor) -> Tensor:
    """Return the luminance of colour images, (batch, 1, height, width), rounded to bytes."""
    weights = torch.tensor(LUMINANCE, device=images.device).view(1, 3, 1, 1)
    return _rounded((images * weights).sum(1, keepdim=True))


def small(images: Tensor, factor: int) -> Tensor:
    """Reduce both sides by a whole factor, bicubically with antialiasing, rounded to bytes."""
    height, width = images.shape[2] // factor, images.shape[3] // factor
    reduced = interpolate(images, (height, width), mode="bicubic", antialias=True, align_corners=False)
    return _rounded(reduced.clamp(-1, 1))


def holed(images: Tensor, mask: Tensor) -> Holed:
    """Cut out the masked part of images; the mask is 1 in the hole, (batch, 1, height, width)."""
    return Holed(torch.where(mask > 0, 0.0, images), mask)


def reader(view: View) -> ReadRows:
    """Return the function that reads stored rows in ``view``, with conditions that are computed from the images."""
    if view.condition not in DERIVED:
        return from_bytes
    derive = DERIVED[view.condition]

    def read(stored: Batch, random: RandomStream | None = None) -> Batch:
        batch = from_bytes(stored)
        return batch._replace(condition=derive(batch.real, view, random))

    return read


def partnered(others: Callable[[Tensor], Tensor], count: int) -> ReadRows:
    """Return the function that reads stored rows beside images to be translated into their domains, as conditions.

    Args:
        others: row numbers, (rows,) → images to be translated, uint8.
        count: number of these images.
    """

    def read(stored: Batch, random: RandomStream | None = None) -> Batch:
        # The stored condition is the number of the row, by which a partner is found without random numbers.
        batch = from_bytes(stored)
        rows = stored.condition if random is None else random.integers("partner", count)
        assert isinstance(rows, Tensor)
        images = from_bytes(Batch(others(rows.cpu() % count))).real.to(batch.real.device)
        assert batch.label is not None
        return batch._replace(condition=Translation(images, batch.label))

    return read


def _rounded(images: Tensor) -> Tensor:
    """Round values in [-1, 1] to those of bytes, as files have them."""
    return images.add(1).div(STEP).round().mul(STEP).sub(1)


def _grey(images: Tensor, view: View, random: RandomStream | None) -> Tensor:
    return grey(images)


def _small(images: Tensor, view: View, random: RandomStream | None) -> Tensor:
    return small(images, view.options["factor"])


def _holed(images: Tensor, view: View, random: RandomStream | None) -> Holed:
    return holed(images, draw_masks(view.options["holes"], images, random))


DERIVED: Mapping[str, Derive] = {GREY: _grey, SMALL: _small, HOLE: _holed}
"""Conditions that are computed from the sample, by name."""
