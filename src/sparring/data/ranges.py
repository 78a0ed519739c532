"""Value ranges: which stored number stands for black and which for white, found over all pictures of a source.

A range holds for every picture of a source, so that brightness between pictures is kept. Pictures of three kinds of
numbers (see ``KINDS``) may be mixed in one source; each kind has its own range.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparring.schema import validated

Ranges: TypeAlias = Mapping[str, tuple[float, float]]
"""Kind of numbers → (black, white); a kind that is missing has the range of bytes."""

KINDS = ("bytes", "integers", "floats")
"""Kinds of numbers: uint8, any other integers, and floating point."""
BYTES = (0.0, 255.0)
BITS = (1, 8, 10, 12, 16)
"""Depths of integers that are recognised: black is 0 and white is the greatest number of so many bits."""
FLOAT_RANGES = ((0.0, 1.0), (-1.0, 1.0), BYTES)
"""Ranges of floating-point numbers that are recognised."""
TOLERANCE = 0.05
"""Share of a recognised range by which values may exceed it, as resizing filters do; they are clipped."""
LEAST_USE = 0.25
"""Share of a range that pictures are expected to use."""
OUTLYING = 8.0
"""Spans of a typical picture by which an extreme value must exceed it to count as an outlier."""
MAX_OUTLYING = 0.01
"""Largest share of pictures with outliers; one picture may always have some."""
INNER = 0.001
"""Share of the values of a picture, at either end, that may be outliers."""
MEASURED_VALUES = 65_536
"""Values of a picture from which the inner extremes are found."""
VALUES_AT_ONCE = 2**20
"""Values that are converted at a time, so that little memory is needed beside a large picture."""


class Extent(NamedTuple):
    """Extreme values of one picture.

    Args:
        kind: one of ``KINDS``.
        low: least value.
        high: greatest value.
        inner_low: least value without the outermost 0.1 %.
        inner_high: greatest value without the outermost 0.1 %.
    """

    kind: str
    low: float
    high: float
    inner_low: float
    inner_high: float


class FoundRange(NamedTuple):
    """Range of one kind of numbers, and full sentences about it for the user."""

    low: float
    high: float
    remarks: tuple[str, ...]


def kind_of(dtype: np.dtype[Any]) -> str:
    """Return the kind of numbers of an array's type.

    Raises:
        ValueError: it holds no real numbers.
    """
    if dtype == np.uint8:
        return "bytes"
    if dtype.kind not in "iuf":
        raise ValueError(f"values of type {dtype}, which are no numbers")
    return "floats" if dtype.kind == "f" else "integers"


def extent(values: NDArray[Any]) -> Extent:
    """Measure the values of a picture.

    Raises:
        ValueError: some are not finite, or it holds no numbers.
    """
    kind = kind_of(values.dtype)
    low, high = float(np.minimum.reduce(values, axis=None)), float(np.maximum.reduce(values, axis=None))
    if kind != "floats":
        return _extent_of_integers(kind, low, high)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("it holds numbers that are not finite")
    flat = values.reshape(-1)
    some = np.sort(flat[:: max(1, flat.size // MEASURED_VALUES)])
    skipped = int(len(some) * INNER)
    return Extent(kind, low, high, float(some[skipped]), float(some[len(some) - 1 - skipped]))


@lru_cache(maxsize=4096)
def _extent_of_integers(kind: str, low: float, high: float) -> Extent:
    """Return one object for all equal extents, as there may be millions."""
    return Extent(kind, low, high, low, high)


def find_range(
    kind: str,
    extents: Sequence[Extent],
    given: tuple[float, float] | None = None,
    known: tuple[float, float] | None = None,
) -> FoundRange:
    """Find the range of all pictures of one kind.

    Integers from 0 have the range of the fewest bits that hold them (``BITS``); uint8 has 8 bits, or 1 if it is 0 or 1
    everywhere. Floating-point numbers have one of ``FLOAT_RANGES`` if they use it well. All others have the range from
    their least to their greatest value. Outliers are clipped: values far beyond those of nearly all other pictures, and
    in floating-point pictures far beyond 99.9 % of the values.

    Args:
        kind: one of ``KINDS``.
        extents: of these pictures, at least one.
        given: the range that the user chose; it overrules all others.
        known: the range of pictures that these belong to, such as training data; used unless these exceed it by far.
    """
    low, high, clipped = _robust(extents)
    if given is not None:
        return FoundRange(*given, _given_remarks(extents, given))
    if known is not None and _fits((low, high), known):
        return FoundRange(*known, ())
    if kind == "bytes":
        # Outliers of bytes do no harm.
        low, high, clipped = min(one.low for one in extents), max(one.high for one in extents), 0
        black, white = (0.0, 1.0) if (low, high) == (0, 1) else BYTES
    elif kind == "integers":
        black, white = _integer_range(low, high)
    else:
        black, white = _float_range(low, high)
    return FoundRange(black, white, _remarks(kind, (black, white), (low, high), extents, clipped))


def to_bytes(values: NDArray[Any], ranges: Ranges) -> NDArray[np.uint8]:
    """Map values from black to white to 0 to 255, rounded; those beyond are clipped. Ordinary bytes stay as they are.

    Args:
        values: of any shape and kind.
        ranges: ranges of the source.
    """
    black, white = ranges.get(kind_of(values.dtype), BYTES)
    if values.dtype == np.uint8:
        return values if (black, white) == BYTES else _table(black, white)[values]
    result = np.empty(values.shape, np.uint8)
    for rows in row_blocks(values):
        result[rows] = _mapped(values[rows], black, white)
    return result


def row_blocks(values: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of rows that hold about a million values each."""
    step = max(1, VALUES_AT_ONCE // max(1, values[:1].size))
    for start in range(0, len(values), step):
        yield slice(start, start + step)


def _mapped(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    numbers = (values.astype(np.float64) - black) * (255 / (white - black))
    return np.clip(np.round(numbers), 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _table(black: float, white: float) -> NDArray[np.uint8]:
    """Return the byte for each byte."""
    return _mapped(np.arange(256), black, white)


def _robust(extents: Sequence[Extent]) -> tuple[float, float, int]:
    """Return the least and the greatest value without outliers, and the number of pictures that have some."""
    low, high, inner_low, inner_high = np.array([one[1:] for one in extents], dtype=np.float64).T

    # Outliers within a picture: its extremes lie far beyond nearly all of its values.
    inner = inner_high - inner_low
    hot = (inner > 0) & ((high - inner_high > OUTLYING * inner) | (inner_low - low > OUTLYING * inner))
    low, high = np.where(hot, inner_low, low), np.where(hot, inner_high, high)

    # Pictures that lie far beyond the typical one, if these are very few.
    typical_low, typical_high = np.median(low), np.median(high)
    span = typical_high - typical_low
    beyond = (high - typical_high > OUTLYING * span) | (typical_low - low > OUTLYING * span)
    if span <= 0 or beyond.sum() > max(1, int(len(extents) * MAX_OUTLYING)) or len(extents) < 3:
        beyond = np.zeros(len(extents), dtype=bool)
    return float(low[~beyond].min()), float(high[~beyond].max()), int((hot | beyond).sum())


def _fits(values: tuple[float, float], known: tuple[float, float]) -> bool:
    """Return whether values may belong to a range: they exceed it by its own span at most."""
    span = known[1] - known[0]
    return values[0] >= known[0] - span and values[1] <= known[1] + span


def _integer_range(low: float, high: float) -> tuple[float, float]:
    if low < 0 or high >= 2 ** BITS[-1]:
        return _own(low, high)
    return 0.0, float(next(2**bits - 1 for bits in BITS if high < 2**bits))


def _float_range(low: float, high: float) -> tuple[float, float]:
    for black, white in FLOAT_RANGES:
        span = white - black
        within = low >= black - TOLERANCE * span and high <= white + TOLERANCE * span
        # The upper half must be used, and below zero the lower half too: other values are of another range.
        used = high - low >= LEAST_USE * span and (black == 0 or low <= black / 2) and (white == 1 or high >= white / 2)
        if within and used:
            return black, white
    return _own(low, high)


def _own(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low, low + 1)


def _remarks(
    kind: str, chosen: tuple[float, float], used: tuple[float, float], extents: Sequence[Extent], clipped: int
) -> tuple[str, ...]:
    """Return sentences about a range that was found: what it is, what is clipped, and whether little of it is used."""
    remarks = []
    if (kind, chosen) != ("bytes", BYTES):
        remarks.append(f"Reads values from {_text(chosen)}{_depth(kind, chosen)} as black to white.")
    if clipped:
        whole = min(one.low for one in extents), max(one.high for one in extents)
        remarks.append(
            f"{clipped:,} of {len(extents):,} images ({100 * clipped / len(extents):.2g} %) hold outliers, up to "
            f"{_text(whole)}, which are clipped; give {_option(whole)} to keep them."
        )
    if chosen[1] - chosen[0] > used[1] - used[0] > 0 and used[1] - used[0] < LEAST_USE * (chosen[1] - chosen[0]):
        remarks.append(
            f"The images use {_text(used)} of {_text(chosen)}, less than a quarter; "
            f"give {_option(used)} if that is black to white."
        )
    return tuple(remarks)


def _depth(kind: str, chosen: tuple[float, float]) -> str:
    """Return the bits of a range of integers: " (12 bits)"; nothing for other ranges."""
    bits = next((bits for bits in BITS if chosen == (0, 2**bits - 1)), None)
    return "" if kind == "floats" or bits is None else f" ({bits} bit{'' if bits == 1 else 's'})"


def _given_remarks(extents: Sequence[Extent], given: tuple[float, float]) -> tuple[str, ...]:
    beyond = sum(one.low < given[0] or one.high > given[1] for one in extents)
    clipped = f" {beyond:,} of {len(extents):,} images hold others, which are clipped." if beyond else ""
    return (f"Reads values from {_text(given)} as black to white, as chosen.{clipped}",)


def _text(values: tuple[float, float]) -> str:
    return f"{values[0]:.6g} to {values[1]:.6g}"


def _option(values: tuple[float, float]) -> str:
    low, high = (f"{value:.6g}" for value in values)
    return f"--range {low} {high} (range=({low}, {high}) in Python)"


def ranges_from_json(stored: Any) -> Ranges:
    """Return ranges from JSON values.

    Raises:
        SparringError: they are not what ``ranges_as_json`` returns.
    """
    return validated(dict[str, tuple[float, float]], stored, "the ranges of values")


def ranges_as_json(ranges: Ranges) -> dict[str, list[float]]:
    """Return ranges as JSON values, without that of ordinary bytes."""
    return {kind: list(values) for kind, values in ranges.items() if (kind, values) != ("bytes", BYTES)}
