"""Series in tables, one for each file or one for all, whose columns are found."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.modalities.series.arrays import ARRAY_SUFFIX, read_array
from sparring.modalities.series.columns import Layout, columns_of, require_choices
from sparring.modalities.series.files import Expected, RawTable, headings, read_table
from sparring.modalities.series.sequences import (
    ChannelColumn,
    Clock,
    Integers,
    Sequences,
)
from sparring.modalities.series.times import Times, find_times, gaps_of, in_order, step_of, times_of
from sparring.text import printable

ENTITY, TIME = "entity", "time"
"""Kinds of columns that series alone have."""
DROP = "drop"
"""Kind of a column that is left out."""


def chosen_column(columns: Mapping[str, str] | None, role: str) -> str:
    """Return the column that the user chose as entity or time; "" if there is none."""
    for name, kind in (columns or {}).items():
        if kind == role or (role == TIME and dates.is_form(kind)):
            return name
    return ""


def read_series(source: str, reading: Reading) -> Sequences:
    """Read series, and find their columns.

    Args:
        source: a table, a folder of tables, or a .npy file of (count, time, channels).
        reading: choices of the user; of them ``columns`` matters here.

    Raises:
        SparringError: there is nothing, or a column cannot be used.
    """
    if Path(source).suffix.lower() == ARRAY_SUFFIX:
        return read_array(source, reading.columns or {})
    chosen = dict(reading.columns or {})
    require_choices(chosen, headings(source), source)
    entity, time = chosen_column(chosen, ENTITY), chosen_column(chosen, TIME)
    form = chosen[time] if time and chosen[time] != TIME else ""
    expected = {name: Expected("text") for name, kind in chosen.items() if kind == "category"}
    if form:
        expected[time] = Expected("date", form)
    raw = read_table(source, entity, [name for name, kind in chosen.items() if kind == DROP], expected)

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
            remedy=f"give {option('columns', 'NAME=continuous')} for one, or name the column of the series by "
            "NAME=entity",
        )
    if clock.values is not None and not clock.step:
        channels.append(gap_channel(clock, starts))
        remarks.append(f"Steps in time are not equal: {printable(time)!r} is learned as the time since the last step.")
    remarks += told
    return Sequences(raw.names, starts, len(order), tuple(channels), tuple(attributes), clock, entity, tuple(remarks))


def require_steps(lengths: Integers, source: str) -> None:
    """Refuse series of one step each.

    Raises:
        SparringError: no series is longer.
    """
    if lengths.max() < 2:
        raise SparringError(
            found=f"no series longer than one step in {source}",
            expected="series of several steps, one row each",
            remedy=f"name the column of the series by {option('columns', 'NAME=entity')}, or read it as a table",
        )


def _arranged(
    raw: RawTable, time: str, times: Times | None, source: str, remarks: list[str]
) -> tuple[Integers, Integers, Clock]:
    """Return the order of the rows, the first row of each series, and the times; add remarks."""
    advice = f"; --columns {time}=drop counts rows instead"
    order = in_order(raw.series, times, time, raw.names, source, advice)
    numbered = raw.series[order]
    starts, _ = starts_of(numbered)
    if times is None:
        return order, starts, Clock()
    if (np.diff(order) < 0).any() and (np.diff(times.values)[np.diff(raw.series) == 0] < 0).any():
        remarks.append("Rows are sorted by time.")
    values = times.values[order]
    step, remark = step_of(Times(values, times.form), numbered)
    remarks += [remark] * bool(remark)
    return order, starts, Clock(time, times.form, values, step)


def starts_of(numbered: Integers) -> tuple[Integers, list[int]]:
    """Return the first row of each series, and the numbers of the series."""
    starts = np.flatnonzero(np.diff(numbered, prepend=numbered[0] - 1))
    return starts, numbered[starts].tolist()


def gap_channel(clock: Clock, starts: Integers) -> ChannelColumn:
    """Return the times since the step before as a channel."""
    assert clock.values is not None
    values, decimals = gaps_of(clock.values, starts), numbers.enough_decimals(clock.values, 0)
    # Differences of decimal fractions are none that are written.
    values = values if decimals is None else np.round(values, decimals)
    return ChannelColumn(clock.name, "gap", values, decimals, reason="steps in time are not equal")
