"""Series in arrays of numbers, whose channels have numbers for names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import numbers
from sparring.data.readers.cells import MAX_CELLS
from sparring.data.readers.numpy_files import read_numpy, shape_of
from sparring.errors import SparringError
from sparring.modalities.series.coding import Channel, SeriesCoding
from sparring.modalities.series.columns import about_ranges, cells_count_as
from sparring.modalities.series.sequences import (
    AttributeColumn,
    ChannelColumn,
    Floats,
    Integers,
    Sequences,
)
from sparring.text import printable

ARRAY_SUFFIX = ".npy"


def _array(source: str) -> tuple[NDArray[np.float64], list[str]]:
    """Return the numbers of a .npy file, (count, time, channels), and remarks on numbers that were changed.

    Raises:
        SparringError: it holds something else, or is too large.
    """
    path = Path(source)
    shape = shape_of(path) if path.is_file() else None
    if shape is not None and int(np.prod(shape, dtype=np.float64)) > MAX_CELLS:
        raise SparringError(
            found=f"over {MAX_CELLS:,} numbers in {source}", expected="fewer", remedy="give a part of the series"
        )
    array = np.asarray(read_numpy(path).samples)
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2, 3) or not array.size:
        raise SparringError(
            found=f"an array of {array.dtype} and shape {array.shape} in {source}",
            expected="numbers of the shape (count, time, channels), or (count, time) for one channel",
            remedy="convert it to such an array; NaN stands for missing values",
        )
    whole = array.dtype.kind in "iu"
    array = array.astype(np.float64)
    endless = np.abs(array) > numbers.MAX_NUMBER
    told = [f"{cells_count_as(int(endless.sum()))} missing, being infinite or beyond 1e300."] if endless.any() else []
    if whole and (np.abs(array) >= numbers.EXACT).any():
        told.append(f"Whole numbers from {int(numbers.EXACT):,} on are rounded.")
    array = np.where(endless, np.nan, array)
    return array[None, :, None] if array.ndim == 1 else array[..., None] if array.ndim == 2 else array, told


def _unpadded(array: Floats, source: str) -> tuple[Floats, Integers, tuple[str, ...], tuple[str, ...]]:
    """Return the steps of all series, the first one of each, names, and remarks; missing steps at the end are cut off.

    Raises:
        SparringError: there is no number.
    """
    present = np.asarray((~np.isnan(array)).any(axis=2))  # (count, time)
    lengths = np.where(present.any(1), array.shape[1] - present[:, ::-1].argmax(1), 0)
    kept = np.flatnonzero(lengths)
    if not len(kept):
        raise SparringError(found=f"no numbers in {source}", expected="at least one", remedy="check the file")
    remark = f"Left out {len(lengths) - len(kept):,} series without values."
    inside = np.arange(array.shape[1]) < lengths[:, None]
    starts = np.cumsum(lengths[kept]) - lengths[kept]
    names = tuple(str(number + 1) for number in kept.tolist())
    return array[inside], starts, names, (remark,) if len(kept) < len(lengths) else ()


def read_array(source: str, chosen: Mapping[str, str]) -> Sequences:
    """Read series from an array, whose channels are called by their numbers."""
    if chosen:
        raise SparringError(
            found=f"{option('columns')} for {source}",
            expected="a table, whose columns have names",
            remedy="leave it out",
        )
    array, told = _array(source)
    values, starts, names, remarks = _unpadded(array, source)
    channels, told = list[ChannelColumn](), [*told, *remarks]
    for at in range(values.shape[1]):
        column, name = values[:, at], f"channel {at + 1}"
        present = column[~np.isnan(column)]
        if not len(present):
            told.append(f"Left out {name}, which has no values.")
            continue
        decimals = numbers.enough_decimals(present, 0)
        kind = "integer" if decimals == 0 and np.abs(present).max() < 1e15 else "continuous"
        reason = "all numbers are whole" if kind == "integer" else "numbers"
        channels.append(ChannelColumn(name, kind, column, decimals, reason=reason))  # type: ignore[arg-type]
    return Sequences(names, starts, len(values), tuple(channels), remarks=tuple(told))


def known_array(source: str, coding: SeriesCoding) -> Sequences:
    """Read series from an array, whose channels are those of the training data in order.

    Raises:
        SparringError: it has another number of channels, or these need times.
    """
    array, told = _array(source)
    wanted: Sequence[Channel] = coding.channels
    # Channels without values are left out of training data.
    named = {f"channel {at + 1}": at for at in range(array.shape[2])}
    places = [named.get(one.name, -1) for one in wanted]
    places = list(range(array.shape[2])) if -1 in places else places
    if len(places) != len(wanted) or any(one.kind == "gap" for one in wanted):
        raise SparringError(
            found=f"an array of {array.shape[2]} channels in {source}",
            expected=f"{len(wanted)} channels: {', '.join(printable(one.name) for one in wanted)}",
            remedy="give a table with these columns",
        )
    values, starts, names, remarks = _unpadded(array[..., places], source)
    channels = tuple(ChannelColumn(one.name, one.kind, values[:, at], one.decimals) for at, one in enumerate(wanted))
    absent = np.full(len(starts), np.nan)
    attributes = tuple(AttributeColumn(one.name, absent, one.categories) for one in coding.attributes)
    told = [*told, *remarks, *about_ranges(channels, wanted)]
    return Sequences(names, starts, len(values), channels, attributes, remarks=tuple(told))
