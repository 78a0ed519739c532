"""Sources of series: tables, one for each series or one for all, and arrays of numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.data.columns import dates, numbers
from sparring.data.labels import listed
from sparring.data.readers.cells import MAX_CELLS
from sparring.data.readers.numpy_files import read_numpy, shape_of
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.modalities.series.coding import Attribute, Channel, SeriesCoding
from sparring.modalities.series.columns import Layout, columns_of, number_cells, require_choices
from sparring.modalities.series.files import Expected, RawTable, headings, read_table
from sparring.modalities.series.sequences import (
    AttributeColumn,
    ChannelColumn,
    Clock,
    Floats,
    Integers,
    Sequences,
)
from sparring.modalities.series.times import Times, find_times, gaps_of, in_order, step_of, times_of
from sparring.text import printable

ARRAY_SUFFIX = ".npy"
ENTITY, TIME = "entity", "time"
"""Kinds of columns that series alone have."""
DEFAULT_ENTITY = "series"
"""Heading of the column of series that are written, where the data has none."""
MAX_UNREADABLE = 0.5
"""Share of the cells of a column above which unreadable ones mean that it is another column."""


def chosen_column(columns: Mapping[str, str] | None, role: str) -> str:
    """Return the column that the user chose as entity or time; "" if there is none."""
    for name, kind in (columns or {}).items():
        if kind == role or (role == TIME and dates.is_form(kind)):
            return name
    return ""


def entity_heading(coding: SeriesCoding) -> str:
    """Return the heading of the column of series: that of the data, or "series", which no other column has."""
    if coding.entity:
        return coding.entity
    taken = {*(one.name for one in coding.channels), *(one.name for one in coding.attributes), coding.time}
    heading = DEFAULT_ENTITY
    while heading in taken:
        heading += "_"
    return heading


def read_series(source: str, reading: Reading) -> Sequences:
    """Read series, and find their columns.

    Args:
        source: a table, a folder of tables, or a .npy file of (count, time, channels).
        reading: choices of the user; of them ``columns`` matters here.

    Raises:
        SparringError: there is nothing, or a column cannot be used.
    """
    if Path(source).suffix.lower() == ARRAY_SUFFIX:
        return _of_array(source, reading.columns or {})
    chosen = dict(reading.columns or {})
    require_choices(chosen, headings(source), source)
    entity, time = chosen_column(chosen, ENTITY), chosen_column(chosen, TIME)
    form = chosen[time] if time and chosen[time] != TIME else ""
    expected = {name: Expected("text") for name, kind in chosen.items() if kind == "category"}
    if form:
        expected[time] = Expected("date", form)
    raw = read_table(source, entity, [name for name, kind in chosen.items() if kind == "drop"], expected)

    # Bring the rows of each series into the order of time.
    remarks = list(raw.remarks)
    times = times_of(raw.tallies[time], form) if time else None
    unchosen = {name: tally for name, tally in raw.tallies.items() if name not in chosen}
    if not time and (found := find_times(unchosen, raw.series)):
        time, times = found
        remarks.append(f"Column {printable(time)!r} is the time of the rows.")
    if raw.index and raw.index != time and raw.index not in chosen:
        del raw.tallies[raw.index]
        remarks.append("Left out the first column, an index without a name.")
    order, starts, clock = _arranged(raw, time, times, source, remarks)
    if time:
        del raw.tallies[time]

    require_steps(np.diff(np.append(starts, len(order))), source)

    # Channels and attributes, and the gaps between steps that are not equal.
    layout = Layout(order, starts, source)
    channels, attributes, told = columns_of(raw.tallies, chosen, layout, decimal_comma=raw.decimal_comma)
    if not channels:
        raise SparringError(
            found=f"no column of numbers that change over time in {source}",
            expected="at least one",
            remedy="give --columns NAME=continuous for one, or name the column of the series by NAME=entity",
        )
    if clock.values is not None and not clock.step:
        channels.append(_gaps(clock, starts))
        remarks.append(f"Steps in time are not equal: {printable(time)!r} is learned as the time since the last step.")
    remarks += told
    return Sequences(raw.names, starts, len(order), tuple(channels), tuple(attributes), clock, entity, tuple(remarks))


def read_known(source: str, reading: Reading, coding: SeriesCoding) -> Sequences:
    """Read series in the coding of other ones: columns by name, categories by text.

    Raises:
        SparringError: there is nothing, or a channel is absent or holds something else.
    """
    if Path(source).suffix.lower() == ARRAY_SUFFIX:
        return _of_known_array(source, coding)
    gap = any(channel.kind == "gap" for channel in coding.channels)
    needed = [channel.name for channel in coding.channels if channel.kind != "gap"] + [coding.time] * gap
    names = headings(source, needed)
    if absent := [name for name in needed if name not in names]:
        raise SparringError(
            found=f"no column {listed(absent)} in {source}",
            expected=f"the columns of the training data: {listed(needed)}",
            remedy="add the columns, or give other series",
        )
    entity = chosen_column(reading.columns, ENTITY) or entity_heading(coding)
    entity = entity if entity in names and entity not in needed else ""
    time = coding.time if coding.time in names else ""
    known = {*(one.name for one in coding.channels), *(one.name for one in coding.attributes), entity, time}
    expected = {one.name: Expected("number", one.form) for one in coding.channels if one.kind != "gap"}
    expected |= {
        one.name: Expected("text") if one.categories else Expected("number", one.form) for one in coding.attributes
    }
    if time and coding.form:
        expected[time] = Expected("date", coding.form)
    left_out = [name for name in names if name not in known]
    raw = read_table(source, entity, left_out, expected, needed)
    remarks = list(raw.remarks)
    if more := [name for name in left_out if name not in (reading.columns or {})]:
        remarks.append(f"Left out columns that the training data does not have: {listed(more)}.")
    times = times_of(raw.tallies[time], coding.form) if time else None
    order = in_order(raw.series, times, time, raw.names, source)
    numbered = raw.series[order]
    starts, used = _starts(numbered)
    values = None if times is None else times.values[order]
    clock = Clock(time, times.form if times else "", values, coding.step)
    channels = []
    for one in coding.channels:
        if one.kind == "gap":
            channels.append(_gaps(clock, starts))
        else:
            channels.append(_known_channel(raw, one, order, source, remarks))
    if lacking := [one.name for one in coding.attributes if one.name not in raw.tallies]:
        remarks.append(f"Columns that are absent, so that their values are unknown: {listed(lacking)}.")
    attributes = tuple(_known_attribute(raw, one, order, starts, remarks) for one in coding.attributes)
    series_names = tuple(raw.names[number] for number in used)
    return Sequences(series_names, starts, len(order), tuple(channels), attributes, clock, entity, tuple(remarks))


def require_steps(lengths: Integers, source: str) -> None:
    """Refuse series of one step each.

    Raises:
        SparringError: no series is longer.
    """
    if lengths.max() < 2:
        raise SparringError(
            found=f"no series longer than one step in {source}",
            expected="series of several steps, one row each",
            remedy="name the column of the series by --columns NAME=entity, or read it as a table",
        )


def _arranged(
    raw: RawTable, time: str, times: Times | None, source: str, remarks: list[str]
) -> tuple[Integers, Integers, Clock]:
    """Return the order of the rows, the first row of each series, and the times; add remarks."""
    order = in_order(raw.series, times, time, raw.names, source)
    numbered = raw.series[order]
    starts, _ = _starts(numbered)
    if times is None:
        return order, starts, Clock()
    if (np.diff(order) < 0).any() and (np.diff(times.values)[np.diff(raw.series) == 0] < 0).any():
        remarks.append("Rows are sorted by time.")
    values = times.values[order]
    step, remark = step_of(Times(values, times.form), numbered)
    remarks += [remark] * bool(remark)
    return order, starts, Clock(time, times.form, values, step)


def _starts(numbered: Integers) -> tuple[Integers, list[int]]:
    """Return the first row of each series, and the numbers of the series."""
    starts = np.flatnonzero(np.diff(numbered, prepend=numbered[0] - 1))
    return starts, numbered[starts].tolist()


def _gaps(clock: Clock, starts: Integers) -> ChannelColumn:
    """Return the times since the step before as a channel."""
    assert clock.values is not None
    values = gaps_of(clock.values, starts)
    decimals = numbers.enough_decimals(clock.values, 0)
    return ChannelColumn(clock.name, "gap", values, decimals, reason="steps in time are not equal")


def _known_channel(raw: RawTable, channel: Channel, order: Integers, source: str, remarks: list[str]) -> ChannelColumn:
    """Return a column of the training data.

    Raises:
        SparringError: most of its cells are no numbers.
    """
    tally = raw.tallies[channel.name]
    cells = number_cells(tally, form=channel.form, decimal_comma=raw.decimal_comma)
    if cells.odd > MAX_UNREADABLE * tally.rows:
        raise SparringError(
            found=f"{cells.odd:,} of {tally.rows:,} cells such as {printable(cells.example)!r} in the column "
            f"{channel.name!r} of {source}",
            expected="a number in each cell",
            remedy="give series of the same columns as the training data",
        )
    remarks += cells.remarks(channel.name)
    values = np.rint(cells.values) if channel.kind == "integer" else cells.values
    return ChannelColumn(channel.name, channel.kind, values[order], channel.decimals, channel.form, channel.blank)


def _known_attribute(
    raw: RawTable, attribute: Attribute, order: Integers, starts: Integers, remarks: list[str]
) -> AttributeColumn:
    """Return an attribute of the training data; a column that is absent is missing in all series."""
    name, categories = attribute.name, attribute.categories
    if name not in raw.tallies:
        return AttributeColumn(name, np.full(len(starts), np.nan), categories)
    tally = raw.tallies[name]
    if categories:
        places = {text: float(place) for place, text in enumerate(categories)}
        of_text = [places.get(text, np.nan) for text in tally.texts]
        if odd := [text for text in tally.texts if text not in places]:
            remarks.append(
                f"Column {printable(name)!r}: categories that the training data does not have count as missing: "
                f"{listed(odd)}."
            )
        codes = tally.codes if tally.codes is not None else np.full(tally.rows, -1)
        values = np.array([*of_text, np.nan])[codes]
    else:
        cells = number_cells(tally, form=attribute.form, decimal_comma=raw.decimal_comma)
        remarks += cells.remarks(name)
        values = cells.values
    values = values[order]
    low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    if changing := int((low < high).sum()):
        remarks.append(
            f"Column {printable(name)!r} changes within {changing:,} series, of which its first value counts."
        )
        present = np.where(np.isnan(values), np.inf, np.arange(len(values)))
        first = np.minimum.reduceat(present, starts)
        high = np.where(np.isinf(first), np.nan, values[np.where(np.isinf(first), 0, first).astype(np.int64)])
    return AttributeColumn(name, high, categories, attribute.decimals, attribute.form, attribute.blank)


def _array(source: str) -> NDArray[np.float64]:
    """Return the numbers of a .npy file, (count, time, channels).

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
    array = array.astype(np.float64)
    array = np.where(np.abs(array) > numbers.MAX_NUMBER, np.nan, array)
    return array[None, :, None] if array.ndim == 1 else array[..., None] if array.ndim == 2 else array


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


def _of_array(source: str, chosen: Mapping[str, str]) -> Sequences:
    """Read series from an array, whose channels are called by their numbers."""
    if chosen:
        raise SparringError(
            found=f"--columns for {source}", expected="a table, whose columns have names", remedy="leave it out"
        )
    values, starts, names, remarks = _unpadded(_array(source), source)
    channels, told = list[ChannelColumn](), list(remarks)
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


def _of_known_array(source: str, coding: SeriesCoding) -> Sequences:
    """Read series from an array, whose channels are those of the training data in order.

    Raises:
        SparringError: it has another number of channels, or these need times.
    """
    array = _array(source)
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
    return Sequences(names, starts, len(values), channels, attributes, remarks=remarks)
