"""Masks of holes in images: centre, boxes, strokes, wide and narrow ones, or a mixture."""

import math
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from sparring.randomness import RandomStream, derive

Draw: TypeAlias = Callable[[np.random.Generator, int, int], NDArray[np.uint8]]
"""(random numbers, height, width) → mask, (height, width), 1 in the hole."""

MAX_SHARE = 0.75
"""Largest share of an image that a random hole takes: of more, too little is left to fill it from."""
ATTEMPTS = 20
"""Masks that are drawn for one image before the central half is cut out instead."""


def draw_masks(kind: str, images: Tensor, random: RandomStream | None) -> Tensor:
    """Draw one mask per image, (batch, 1, height, width), 1 in the hole, which is neither empty nor all of the image.

    Args:
        kind: a key of ``MASKS``.
        images: (batch, channels, height, width), with sides of at least 4.
        random: their random numbers; without them masks depend on the content of the image alone, so that held-out
            images always have the same holes.
    """
    seeds = _seeds_of(images) if random is None else random.integers("mask", 2**62).tolist()
    height, width = images.shape[2:]
    drawn = np.stack([_draw(MASKS[kind], np.random.default_rng(seed), height, width) for seed in seeds])
    return torch.from_numpy(drawn).to(images.device, images.dtype)[:, None]


def _draw(draw: Draw, random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Draw masks until the hole is neither empty nor larger than ``MAX_SHARE``."""
    for _ in range(ATTEMPTS):
        mask = draw(random, height, width)
        if 0 < mask.mean() <= MAX_SHARE:
            return mask
    return centre(random, height, width)


def centre(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Cut out the central half of both sides (Pathak et al. 2016, section 3.3)."""
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height - height // 4, width // 4 : width - width // 4] = 1
    return mask


def boxes(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Cut out one to four boxes, each with sides from a tenth to a half of the image's."""
    mask = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(1, 5)):
        down, across = (max(1, int(side * random.uniform(0.1, 0.5))) for side in (height, width))
        top, left = random.integers(0, height - down + 1), random.integers(0, width - across + 1)
        mask[top : top + down, left : left + across] = 1
    return mask


def strokes(random: np.random.Generator, height: int, width: int, thick: float = 0.1) -> NDArray[np.uint8]:
    """Draw free-form strokes with round joints (Yu et al. 2019, algorithm 1).

    Args:
        random: random numbers.
        height: of the mask.
        width: of the mask.
        thick: greatest thickness, relative to the shorter side.
    """
    image = Image.new("L", (width, height), 0)
    pen, shorter = ImageDraw.Draw(image), min(height, width)
    for _ in range(random.integers(1, 5)):
        # Each segment points about 2π/5 to either side of straight down, alternately, so that the stroke zigzags.
        x, y = random.uniform(0, width), random.uniform(0, height)
        brush = max(1, round(shorter * random.uniform(0.4 * thick, thick)))
        for vertex in range(random.integers(4, 10)):
            angle = random.uniform(4, 8) * math.pi / 15
            angle = 2 * math.pi - angle if vertex % 2 else angle
            length = random.uniform(0.1, 0.4) * shorter
            to_x = min(max(x + length * math.sin(angle), 0), width - 1)
            to_y = min(max(y + length * math.cos(angle), 0), height - 1)
            pen.line((x, y, to_x, to_y), fill=1, width=brush)
            radius = brush / 2
            pen.ellipse((to_x - radius, to_y - radius, to_x + radius, to_y + radius), fill=1)
            x, y = to_x, to_y
    return np.array(image, np.uint8)


def wide(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Draw thick strokes, or boxes (the wide masks of Suvorov et al. 2022, section 2.3)."""
    return strokes(random, height, width, thick=0.4) if random.random() < 0.5 else boxes(random, height, width)


def narrow(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Draw thin strokes (the narrow masks of Suvorov et al. 2022, section 2.3)."""
    return strokes(random, height, width, thick=0.05)


def mixed(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Draw a mask of any kind."""
    kinds: tuple[Draw, ...] = (centre, boxes, strokes, wide, narrow)
    return kinds[random.integers(len(kinds))](random, height, width)


MASKS: Mapping[str, Draw] = {
    "mixed": mixed, "centre": centre, "boxes": boxes, "strokes": strokes, "wide": wide, "narrow": narrow,
}  # fmt: skip
"""Kinds of masks by name."""


def _seeds_of(images: Tensor) -> list[int]:
    """Return a seed for each image, from its bytes, which do not depend on the device."""
    pixels = images.cpu().add(1).mul(127.5).round().to(torch.uint8).numpy()
    return [derive(0, f"mask/{sha256(image.tobytes()).hexdigest()}") for image in pixels]
