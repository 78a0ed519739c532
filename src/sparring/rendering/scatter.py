"""Points as one scatter plot."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

SIZE = 512
"""Sides of the plot, in pixels."""
MARGIN = 16
"""Pixels between the frame and the border of the plot."""
BACKGROUND_COLOUR = np.array([252, 252, 250], dtype=np.float64)
POINT_COLOUR = np.array([31, 78, 160], dtype=np.float64)
FRAME_COLOUR = (205, 208, 212)
TEXT_COLOUR = (110, 114, 120)
OPACITY = 0.45
"""Opacity of a single point, in (0, 1]."""
POINT_PIXELS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Pixels that a point covers: offsets (downwards, rightwards)."""
QUANTILE = 0.99
"""Share of the points that lie within the axes."""


def scatter_plot(samples: Tensor, *, columns: int = 1) -> Image.Image:
    """Plot points, (count, size), by their first two coordinates, as an image of 512 × 512 pixels.

    Points of one coordinate are drawn as their cumulative distribution function. The axes reach as far as 99 % of the
    points, rounded up, so that pictures of a run are comparable. ``columns`` has no effect.
    """
    points = _in_the_plane(samples.detach().cpu().double().numpy())
    limit = _round_up(float(np.quantile(np.abs(points), QUANTILE)) if len(points) else 1.0)
    image = Image.fromarray(_rasterise(points / limit))

    # Draw the frame, its ticks, and the limits of both axes.
    pen = ImageDraw.Draw(image)
    middle, end = SIZE // 2, SIZE - MARGIN
    pen.rectangle((MARGIN, MARGIN, end, end), outline=FRAME_COLOUR)
    for tick in (MARGIN, middle, end):
        pen.line((tick, end, tick, end + 4), fill=FRAME_COLOUR)
        pen.line((MARGIN - 4, tick, MARGIN, tick), fill=FRAME_COLOUR)
    pen.text((MARGIN + 4, end - 14), f"{-limit:g}", fill=TEXT_COLOUR)
    pen.text((end - 4, end - 14), f"{limit:g}", fill=TEXT_COLOUR, anchor="ra")
    pen.text((MARGIN + 4, MARGIN + 3), f"{limit:g}", fill=TEXT_COLOUR)
    return image


def _in_the_plane(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two coordinates of finite points, or sorted values against their quantiles: (count, 2)."""
    points = points[np.isfinite(points).all(axis=1)]
    if points.shape[1] > 1:
        return points[:, :2]
    largest = np.abs(points).max(initial=1e-12)
    return np.stack([np.sort(points[:, 0]), np.linspace(-largest, largest, len(points))], axis=1)


def _round_up(limit: float) -> float:
    """Round up, with 5 % of room, to 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    limit = max(limit * 1.05, 1e-6)
    power = 10.0 ** math.floor(math.log10(limit))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= limit * (1 - 1e-9))


def _rasterise(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw translucent points in [-1, 1]² on the background, darker where many overlap: (512, 512, 3)."""
    radius = SIZE / 2 - MARGIN
    columns = np.rint(SIZE / 2 + points[:, 0] * radius).astype(np.int64)
    rows = np.rint(SIZE / 2 - points[:, 1] * radius).astype(np.int64)
    count = np.zeros((SIZE, SIZE))
    for down, right in POINT_PIXELS:
        inside = _in_frame(rows + down) & _in_frame(columns + right)
        np.add.at(count, (rows[inside] + down, columns[inside] + right), 1.0)
    coverage = (1 - (1 - OPACITY) ** count)[..., None]
    return np.rint(BACKGROUND_COLOUR * (1 - coverage) + POINT_COLOUR * coverage).astype(np.uint8)


def _in_frame(positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (positions >= MARGIN) & (positions <= SIZE - MARGIN)
