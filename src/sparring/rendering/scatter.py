"""Points as one scatter plot."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

SIZE = 512
MARGIN = 16
PAPER = np.array([252, 252, 250], dtype=np.float64)
INK = np.array([31, 78, 160], dtype=np.float64)
FRAME = (205, 208, 212)
GLOSSARY = (110, 114, 120)
OPACITY = 0.45
DISC = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))


def picture(samples: Tensor, *, columns: int = 1) -> Image.Image:
    """Points, (count, size), as one scatter plot of 512 × 512, by their first two coordinates.

    Single numbers are drawn as their distribution function. The axes reach as far as 99 % of the points do,
    rounded up, so that pictures of a run can be compared; ``columns`` has no meaning here.
    """
    points = _in_the_plane(samples.detach().cpu().double().numpy())
    reach = _round_up(float(np.quantile(np.abs(points), 0.99)) if len(points) else 1.0)
    image = Image.fromarray(_ink(points / reach))
    pen = ImageDraw.Draw(image)
    middle, end = SIZE // 2, SIZE - MARGIN
    pen.rectangle((MARGIN, MARGIN, end, end), outline=FRAME)
    for tick in (MARGIN, middle, end):
        pen.line((tick, end, tick, end + 4), fill=FRAME)
        pen.line((MARGIN - 4, tick, MARGIN, tick), fill=FRAME)
    pen.text((MARGIN + 4, end - 14), f"{-reach:g}", fill=GLOSSARY)
    pen.text((end - 4, end - 14), f"{reach:g}", fill=GLOSSARY, anchor="ra")
    pen.text((MARGIN + 4, MARGIN + 3), f"{reach:g}", fill=GLOSSARY)
    return image


def _in_the_plane(points: NDArray[np.float64]) -> NDArray[np.float64]:
    points = points[np.isfinite(points).all(axis=1)]
    if points.shape[1] > 1:
        return points[:, :2]
    largest = np.abs(points).max(initial=1e-12)
    return np.stack([np.sort(points[:, 0]), np.linspace(-largest, largest, len(points))], axis=1)


def _round_up(reach: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten that leaves some room."""
    reach = max(reach * 1.05, 1e-6)
    power = 10.0 ** math.floor(math.log10(reach))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= reach * (1 - 1e-9))


def _ink(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Translucent dots on paper, for points in [-1, 1]²; where many lie it is darker."""
    room = SIZE / 2 - MARGIN
    columns = np.rint(SIZE / 2 + points[:, 0] * room).astype(np.int64)
    rows = np.rint(SIZE / 2 - points[:, 1] * room).astype(np.int64)
    count = np.zeros((SIZE, SIZE))
    for down, right in DISC:
        inside = _within(rows + down) & _within(columns + right)
        np.add.at(count, (rows[inside] + down, columns[inside] + right), 1.0)
    cover = (1 - (1 - OPACITY) ** count)[..., None]
    return np.rint(PAPER * (1 - cover) + INK * cover).astype(np.uint8)


def _within(places: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (places >= MARGIN) & (places <= SIZE - MARGIN)
