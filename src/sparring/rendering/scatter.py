"""Points as one scatter plot."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

MAX_NAME = 40
"""Characters of a name beside an axis."""
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
MAX_RATIO = 4.0
"""Ratio of the lengths of two axes up to which both are made alike."""
FAR = 0.5
"""Range of a coordinate, relative to its largest value, below which its points lie far from zero."""


Ends: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Lower and upper ends of both axes, (2,) each."""


def scatter_plot(
    samples: Tensor, *, columns: int = 1, names: Sequence[str] = (), usual: Ends | None = None
) -> Image.Image:
    """Plot points, (count, size), by their first two coordinates, as an image of 512 × 512 pixels.

    Points of one coordinate are drawn as their cumulative distribution function.

    Args:
        samples: the points.
        columns: has no effect.
        names: of the coordinates, written beside the axes.
        usual: ends of the axes, such as those of real points, which make pictures comparable. Without them, or where
            most points lie beyond them, the axes reach as far as 99 % of the points, rounded up; see ``_axes``.
    """
    numbers = samples.detach().cpu().double().numpy()
    points = _in_the_plane(numbers)
    low, high = _axes(points)
    if usual is not None and numbers.shape[1] > 1 and _mostly_within(points, usual):
        low, high = usual
    image = Image.fromarray(_rasterise((points - (low + high) / 2) / ((high - low) / 2)))

    # Draw the frame, its ticks, and the limits of both axes.
    pen = ImageDraw.Draw(image)
    middle, end = SIZE // 2, SIZE - MARGIN
    pen.rectangle((MARGIN, MARGIN, end, end), outline=FRAME_COLOUR)
    for tick in (MARGIN, middle, end):
        pen.line((tick, end, tick, end + 4), fill=FRAME_COLOUR)
        pen.line((MARGIN - 4, tick, MARGIN, tick), fill=FRAME_COLOUR)
    pen.text((MARGIN + 4, end - 14), _number(low[0]), fill=TEXT_COLOUR)
    pen.text((end - 4, end - 14), _number(high[0]), fill=TEXT_COLOUR, anchor="ra")
    pen.text((MARGIN + 4, MARGIN + 3), _number(high[1]), fill=TEXT_COLOUR)
    if low[1] != low[0]:
        pen.text((MARGIN + 4, end - 28), _number(low[1]), fill=TEXT_COLOUR)
    for name, place, anchor in zip(names, ((middle, end - 14), (middle, MARGIN + 3)), ("ma", "ma"), strict=False):
        pen.text(place, _shortened(name), fill=TEXT_COLOUR, anchor=anchor)
    return image


def _mostly_within(points: NDArray[np.float64], ends: Ends) -> bool:
    """Return whether at least half of the points lie within the axes."""
    inside = ((points >= ends[0]) & (points <= ends[1])).all(axis=1)
    return bool(len(points)) and float(inside.mean()) >= 0.5


def _shortened(name: str) -> str:
    """Return a name that fits between the limits of an axis, in characters that the font has."""
    short = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."
    return short.encode("latin-1", "replace").decode("latin-1")


def _axes(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper ends of both axes, (2,) each.

    Axes are symmetrical about zero, and the same for both coordinates if neither is over four times as long. One whose
    points lie far from zero, as years do, begins and ends with the points; it has a range of its own.
    """
    if not len(points):
        return np.full(2, -1.0), np.full(2, 1.0)
    limits = np.array([_round_up(one) for one in np.quantile(np.abs(points), QUANTILE, axis=0)])
    first, last = np.quantile(points, [1 - QUANTILE, QUANTILE], axis=0)
    far = last - first < FAR * np.maximum(np.abs(first), np.abs(last))
    if not far.any() and limits.max() <= MAX_RATIO * limits.min():
        limits = np.full(2, _round_up(float(np.quantile(np.abs(points), QUANTILE))))
    room = np.maximum(0.05 * (last - first), 1e-9 * limits)
    return np.where(far, first - room, -limits), np.where(far, last + room, limits)


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


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
