"""Arrays of numbers as pictures: which axis is which, and how numbers become 8 bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import SparringError

Scale = Callable[[NDArray[Any]], NDArray[np.uint8]]


def pictures(array: NDArray[Any], source: str) -> tuple[Callable[[int], NDArray[np.uint8]], tuple[str, ...]]:
    """A function from a position to a picture, uint8 (height, width) or (height, width, channels); and remarks.

    Raises:
        SparringError: the shape or the kind of numbers is not that of pictures.
    """
    ordered = _channels_last(array, source)
    scale, remarks = _scale(ordered, source)
    return lambda position: scale(np.asarray(ordered[position])), remarks


def _channels_last(array: NDArray[Any], source: str) -> NDArray[Any]:
    if array.ndim == 3 and min(array.shape[1:]) > 0:
        return array
    if array.ndim == 4 and array.shape[3] in (1, 3, 4) and min(array.shape[1:3]) > 0:
        return array
    if array.ndim == 4 and array.shape[1] in (1, 3, 4) and min(array.shape[2:]) > 0:
        return array.transpose(0, 2, 3, 1)
    raise SparringError(
        found=f"an array of shape {array.shape} in {source}",
        expected="(count, height, width), (count, height, width, channels) or (count, channels, height, width)",
        remedy="reshape it, with 1, 3 or 4 channels",
    )


def _scale(array: NDArray[Any], source: str) -> tuple[Scale, tuple[str, ...]]:
    if array.dtype == np.uint8:
        return lambda values: values, ()
    if array.dtype == np.bool_:
        return lambda values: values.astype(np.uint8) * np.uint8(255), ()
    if array.dtype.kind not in "iuf":
        raise SparringError(
            found=f"an array of {array.dtype} in {source}", expected="numbers", remedy="convert it to uint8"
        )
    low, high = _range(array)
    if array.dtype.kind in "iu" and low >= 0 and (array.dtype.itemsize == 2 or high > 255) and high <= 65535:
        return lambda values: ((values.astype(np.int64) + 128) // 257).astype(np.uint8), ()
    bottom, top = next(
        (known for known in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)) if _covers(known, low, high, array.dtype.kind)),
        (low, high),
    )
    said = f"Numbers between {bottom:g} and {top:g} are taken as black to white."
    return lambda values: _stretched(values, bottom, top), (said,)


def _covers(known: tuple[float, float], low: float, high: float, kind: str) -> bool:
    """Whole numbers are only ever 0 to 255; fractions may be any of the three."""
    return known[0] <= low and high <= known[1] and (kind == "f" or known[1] == 255)


def _range(array: NDArray[Any]) -> tuple[float, float]:
    """Least and greatest finite number, a few samples at a time."""
    low, high = np.inf, -np.inf
    step = max(1, 2**22 // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), step):
        part = np.asarray(array[start : start + step])
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds numbers that are not finite")
    return np.round((numbers - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
