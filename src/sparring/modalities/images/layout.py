"""Arrays of numbers as images: the order of their axes, and the mapping of numbers to 8 bits."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparring.errors import SparringError

ToBytes: TypeAlias = Callable[[NDArray[Any]], NDArray[np.uint8]]
"""Numbers of any type → bytes, of the same shape."""

KNOWN_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Ranges from black to white that are assumed for numbers within them, the first that fits."""
CHUNK_VALUES = 2**22
"""Numbers of an array that are searched for its range at a time."""


def images_in(array: NDArray[Any], source: str) -> tuple[Callable[[int], NDArray[np.uint8]], tuple[str, ...]]:
    """Return a function from position to image, uint8 (height, width) or (height, width, channels), and remarks.

    Raises:
        SparringError: the shape or the type of numbers is not that of images.
    """
    ordered = _channels_last(array, source)
    to_bytes, remarks = _to_bytes(ordered, source)
    return lambda position: to_bytes(np.asarray(ordered[position])), remarks


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


def _to_bytes(array: NDArray[Any], source: str) -> tuple[ToBytes, tuple[str, ...]]:
    """Return the mapping of the array's numbers to 8 bits, and a remark where their range had to be assumed."""
    if array.dtype == np.uint8:
        return lambda values: values, ()
    if array.dtype == np.bool_:
        return lambda values: values.astype(np.uint8) * np.uint8(255), ()
    if array.dtype.kind not in "iuf":
        raise SparringError(
            found=f"an array of {array.dtype} in {source}", expected="numbers", remedy="convert it to uint8"
        )

    # Sixteen bits, by type or by range: divide by 257, rounded.
    low, high = _range(array)
    if array.dtype.kind in "iu" and low >= 0 and (array.dtype.itemsize == 2 or high > 255) and high <= 65535:
        return lambda values: ((values.astype(np.int64) + 128) // 257).astype(np.uint8), ()

    # Any other numbers: a known range that covers them, else their own.
    black, white = next(
        (known for known in KNOWN_RANGES if _covers(known, low, high, array.dtype.kind)),
        (low, high),
    )
    remark = f"Numbers from {black:g} to {white:g} are read as black to white."
    return lambda values: _stretched(values, black, white), (remark,)


def _covers(known: tuple[float, float], low: float, high: float, kind: str) -> bool:
    """Return whether ``known`` may be the range of the numbers; for integers only 0 to 255 may."""
    return known[0] <= low and high <= known[1] and (kind == "f" or known[1] == 255)


def _range(array: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the greatest finite number, (0, 1) without any, reading a few samples at a time."""
    low, high = np.inf, -np.inf
    step = max(1, CHUNK_VALUES // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), step):
        part = np.asarray(array[start : start + step])
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def _stretched(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds numbers that are not finite")
    return np.round((numbers - black) * (255 / (white - black) if white > black else 0)).astype(np.uint8)
