"""Comparison of two rows of images by content: whether they are of different kinds, and show the same shapes in turn.

A few numbers of each image are enough, so that only some images of a source are decoded for it.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data import pictures
from sparring.data.pictures import Coding
from sparring.data.source import RawSample

SIDE, EDGE_SIDE = 128, 32
"""Sides in pixels to which an image is reduced: for its detail and colours, and for its edges."""
MIN_COMPARED = 4
"""Pairs of images below which nothing is concluded."""
MIN_T = 4.0
"""Least t-value of the alignment of pairs. Over 32 pairs it is 8 for facades, below 2.5 between classes of CIFAR-10."""
MIN_SAME_SIGN = 0.9
"""Share of the pairs that differ in one direction, where the two sides are of different kinds."""
MIN_DIFFERENCE = 0.05
"""Least mean difference: of the logarithm of the detail, and of brightness and colourfulness, which are in [0, 1]."""
KINDS = ("detail", "brightness", "colour")
"""Names of what two kinds of images may differ in."""


class Impression(NamedTuple):
    """A few numbers of an image.

    Args:
        detail: bytes of the reduced image after lossless compression.
        brightness: mean of all values, in [0, 1].
        colourfulness: mean difference of the greatest and the least channel, in [0, 1].
        edges: centred and normalised slopes of the luminance, one long vector.
    """

    detail: int
    brightness: float
    colourfulness: float
    edges: NDArray[np.float64]


def impression(raw: RawSample) -> Impression:
    """Decode an image and return its impression; decoding errors are raised as they are."""
    info, values = pictures.inspect_image(raw)
    low, high = info.extent.low, info.extent.high
    ranges = {} if values.dtype == np.uint8 else {info.extent.kind: (low, max(high, low + 1e-6))}
    image = Image.fromarray(pictures.to_pixels(values, Coding(ranges))).convert("RGB")

    # Compressed size grows with colours, gradients and texture alike.
    reduced = image.resize((min(SIDE, image.width), min(SIDE, image.height)), Image.Resampling.BOX)
    pixels = np.asarray(reduced)
    levels = pixels.astype(np.float64) / 255
    detail = len(zlib.compress(pixels.tobytes(), 1))
    colourfulness = float((levels.max(2) - levels.min(2)).mean())

    # Edges are where they are whatever the colours on both sides of them.
    grey = np.asarray(image.convert("L").resize((EDGE_SIDE, EDGE_SIDE), Image.Resampling.BOX)).astype(np.float64)
    edges = np.hypot(np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1]).ravel()
    edges -= edges.mean()
    return Impression(detail, float(levels.mean()), colourfulness, edges / max(float(np.linalg.norm(edges)), 1e-9))


def impressions(
    left: Callable[[int], RawSample], right: Callable[[int], RawSample], positions: Sequence[int]
) -> tuple[list[Impression], list[Impression]]:
    """Return the impressions of both images of some pairs; those with an unreadable image are left out."""
    found: list[tuple[Impression, Impression]] = []
    for position in positions:
        try:
            found.append((impression(left(position)), impression(right(position))))
        except Exception:
            # Decoders fail in many ways on damaged files; the survey tells which ones.
            continue
    return [one for one, _ in found], [other for _, other in found]


def aligned(left: Sequence[Impression], right: Sequence[Impression]) -> bool:
    """Return whether images share their edges with their partners more than with the partners of others.

    The t-value of the difference of both correlations has to be at least ``MIN_T``, over at least ``MIN_COMPARED``
    pairs.
    """
    count = len(left)
    if count < MIN_COMPARED:
        return False
    correlations = np.stack([one.edges for one in left]) @ np.stack([one.edges for one in right]).T
    own = np.diag(correlations)
    others = (correlations.sum(0) + correlations.sum(1) - 2 * own) / (2 * count - 2)
    gain: NDArray[Any] = own - others
    return bool(gain.mean() >= MIN_T * gain.std(ddof=1) / math.sqrt(count) and gain.mean() > MIN_DIFFERENCE)


def different_kinds(left: Sequence[Impression], right: Sequence[Impression]) -> str:
    """Return what nearly all pairs differ in, in one direction: one of ``KINDS``, or "" for nothing."""
    if len(left) < MIN_COMPARED:
        return ""
    differences = np.array(
        [
            (
                math.log(one.detail / other.detail),
                one.brightness - other.brightness,
                one.colourfulness - other.colourfulness,
            )
            for one, other in zip(left, right, strict=True)
        ]
    )
    mean = differences.mean(0)
    same = (np.sign(differences) == np.sign(mean)).mean(0)
    found = np.flatnonzero((same >= MIN_SAME_SIGN) & (np.abs(mean) >= MIN_DIFFERENCE))
    return KINDS[found[0]] if len(found) else ""


def detail_ratio(left: Sequence[Impression], right: Sequence[Impression]) -> float:
    """Return how many times as much detail the images on the left have, as the geometric mean; 1 for none."""
    ratios = [math.log(one.detail / other.detail) for one, other in zip(left, right, strict=True)]
    return math.exp(sum(ratios) / len(ratios)) if ratios else 1.0
