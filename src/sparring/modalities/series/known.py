"""Series in tables that are read in the coding of other ones: columns by name, categories by text."""

from pathlib import Path

import numpy as np

from sparring.data.labels import listed
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.modalities.series.arrays import ARRAY_SUFFIX, known_array
from sparring.modalities.series.coding import Attribute, Channel, SeriesCoding
from sparring.modalities.series.columns import about_ranges, number_cells
from sparring.modalities.series.files import Expected, RawTable, headings, read_table
from sparring.modalities.series.sequences import (
    AttributeColumn,
    ChannelColumn,
    Clock,
    Integers,
    Sequences,
)
from sparring.modalities.series.sources import DROP, ENTITY, TIME, chosen_column, gap_channel, starts_of
from sparring.modalities.series.times import Times, in_order, other_steps, times_of
from sparring.text import printable

DEFAULT_ENTITY = "series"
"""Heading of the column of series that are written, where the data has none."""
MAX_UNREADABLE = 0.5
"""Share of the cells of a column above which unreadable ones mean that it is another column."""


def entity_heading(coding: SeriesCoding) -> str:
    """Return the heading of the column of series: that of the data, or "series", which no other column has."""
    if coding.entity:
        return coding.entity
    taken = {*(one.name for one in coding.channels), *(one.name for one in coding.attributes), coding.time}
    heading = DEFAULT_ENTITY
    while heading in taken:
        heading += "_"
    return heading


def read_known(source: str, reading: Reading, coding: SeriesCoding) -> Sequences:
    """Read series in the coding of other ones: columns by name, categories by text.

    Raises:
        SparringError: there is nothing, or a channel is absent or holds something else.
    """
    if Path(source).suffix.lower() == ARRAY_SUFFIX:
        return known_array(source, coding)
    time = chosen_column(reading.columns, TIME) or coding.time
    has_gaps = any(channel.kind == "gap" for channel in coding.channels)
    needed = [channel.name for channel in coding.channels if channel.kind != "gap"] + [time] * has_gaps
    names = headings(source, needed)
    if absent := [name for name in needed if name not in names]:
        raise SparringError(
            found=f"no column {listed(absent)} in {source}",
            expected=f"the columns of the training data: {listed(needed)}",
            remedy="add the columns, or give other series",
        )
    entity = chosen_column(reading.columns, ENTITY) or entity_heading(coding)
    is_left_out = (reading.columns or {}).get(entity) == DROP
    entity = entity if entity in names and entity not in needed and not is_left_out else ""
    time = time if time in names else ""
    known = {*(one.name for one in coding.channels), *(one.name for one in coding.attributes), entity, time}
    left_out = [name for name in names if name not in known]
    raw = read_table(source, entity, left_out, _expected(coding, time), needed)
    remarks = list(raw.remarks)
    if more := [name for name in left_out if name not in (reading.columns or {})]:
        remarks.append(f"Left out columns that the training data does not have: {listed(more)}.")
    times = _known_times(raw, time, coding, source) if time else None
    order = in_order(raw.series, times, time, raw.names, source)
    numbered = raw.series[order]
    starts, used = starts_of(numbered)
    values = None if times is None else times.values[order]
    clock = Clock(time, times.form if times else "", values, coding.step)
    if times is not None and values is not None and coding.step:
        told = other_steps(times._replace(values=values), numbered, coding.step)
        remarks += [f"Column {printable(time)!r}: {told}"] if told else []
    channels = tuple(
        gap_channel(clock, starts) if one.kind == "gap" else _channel(raw, one, order, source, remarks)
        for one in coding.channels
    )
    remarks += about_ranges(channels, coding.channels)
    if lacking := [one.name for one in coding.attributes if one.name not in raw.tallies]:
        remarks.append(f"Columns that are absent, so that their values are unknown: {listed(lacking)}.")
    attributes = tuple(_attribute(raw, one, order, starts, remarks) for one in coding.attributes)
    series_names = tuple(raw.names[number] for number in used)
    return Sequences(series_names, starts, len(order), channels, attributes, clock, entity, tuple(remarks))


def _expected(coding: SeriesCoding, time: str) -> dict[str, Expected]:
    """Return what is known of the columns of the training data."""
    found = {one.name: Expected("number", one.form) for one in coding.channels if one.kind != "gap"}
    found |= {
        one.name: Expected("text") if one.categories else Expected("number", one.form) for one in coding.attributes
    }
    return found | ({time: Expected("date", coding.form)} if time and coding.form else {})


def _known_times(raw: RawTable, time: str, coding: SeriesCoding, source: str) -> Times:
    """Return times in the pattern of the training data, or in another one.

    Raises:
        SparringError: these are dates and those of the training data numbers, or the other way round.
    """
    times = times_of(raw.tallies[time], coding.form)
    if np.isnan(times.values).any():
        other = times_of(raw.tallies[time])
        times = other if np.isnan(other.values).sum() < np.isnan(times.values).sum() else times
    if bool(times.form) != bool(coding.form):
        one, other_kind = ("dates", "numbers") if times.form else ("numbers", "dates")
        raise SparringError(
            found=f"{one} in the column {time!r} of {source}",
            expected=f"{other_kind}, as in the training data",
            remedy="convert the times",
        )
    return times


def _channel(raw: RawTable, channel: Channel, order: Integers, source: str, remarks: list[str]) -> ChannelColumn:
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
    return ChannelColumn(channel.name, channel.kind, cells.values[order], channel.decimals, channel.form, channel.blank)


def _attribute(
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
