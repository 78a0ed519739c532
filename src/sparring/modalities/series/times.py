"""Times of rows: their column, their order, and the step between them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.reader import MIN_SHARE, Tally
from sparring.errors import SparringError
from sparring.modalities.series.sequences import Floats, Integers
from sparring.text import printable

TIME_NAMES = frozenset(
    {"time", "date", "datetime", "timestamp", "ds", "t", "day", "days", "week", "month", "year"}
    | {"hour", "hours", "minute", "minutes", "second", "seconds", "step"}
)
"""Names of columns of times, in lower case, whose numbers may be times."""
TIMES_ONLY = frozenset({"time", "datetime", "timestamp"})
"""Those that have no other meaning."""
TOLERANCE = 1e-6
"""Largest relative difference of steps that are taken for equal."""
DAY, MONTH = 86_400.0, dates.MONTH
"""Seconds of a day, and of an average month: a multiple of this stands for calendar months."""
UNITS = ((12 * MONTH, "year"), (MONTH, "month"), (7 * DAY, "week"), (DAY, "day"), (3600.0, "hour"), (60.0, "minute"))
"""Seconds of a unit, and its name."""
USUAL = 0.5
"""Share of the steps of one long series of dates that are the smallest one, from which the others are days off."""


class Times(NamedTuple):
    """Times of rows: numbers, or seconds since 1970, NaN where a cell holds neither.

    Args:
        values: (rows,).
        form: pattern of dates; "" for numbers.
        unread: the first row whose cell is not missing but holds neither, and the text of it.
    """

    values: Floats
    form: str = ""
    unread: tuple[int, str] = (-1, "")


def times_of(tally: Tally, form: str = "") -> Times:
    """Return the cells of a column as times, in a pattern if one is known."""
    if tally.numbers is not None:
        return Times(tally.numbers, tally.form if tally.dated else "")
    counts = tally.counts.tolist()
    if not form:
        found = dates.form_of(tally.texts, counts)
        form = found.form if found.share >= MIN_SHARE else ""
    parsed = (
        dates.parsed(tally.texts, form) if form else numbers.parsed(tally.texts, numbers.form_of(tally.texts, counts))
    )
    assert tally.codes is not None
    values = np.append(parsed, np.nan)[tally.codes]
    unread = np.flatnonzero(np.isnan(values) & (tally.codes >= 0))
    return Times(values, form, (int(unread[0]), tally.texts[tally.codes[unread[0]]]) if len(unread) else (-1, ""))


def find_times(tallies: Mapping[str, Tally], series: Integers) -> tuple[str, Times] | None:
    """Return the column of times and its values; None if there is none.

    It is the first column of dates of which no two are equal within a series, or a column with a name of
    ``TIME_NAMES`` whose numbers ascend strictly within each series. Those with such a name come first.
    """
    order = sorted(tallies, key=lambda name: name.lower() not in TIME_NAMES)
    for name in order:
        tally, is_named = tallies[name], name.lower() in TIME_NAMES
        if tally.blanks or tally.odd or tally.endless:
            continue
        times = times_of(tally)
        if np.isnan(times.values).any() or not (is_named or (times.form and times.form != "%Y%m%d")):
            continue
        if times.form and _are_distinct(times.values, series):
            return name, times
        # Equal times in a column that can be nothing else are refused later, with their place.
        steps = _steps(times.values, series)
        if not times.form and ((steps > 0).all() or (name.lower() in TIMES_ONLY and (steps >= 0).all())):
            return name, times
    return None


def _are_distinct(values: Floats, series: Integers) -> bool:
    order = np.lexsort((values, series))
    return bool((_steps(values[order], series[order]) > 0).all())


def _steps(values: Floats, series: Integers) -> Floats:
    """Return differences of successive rows of one series."""
    steps: Floats = np.diff(values)[series[1:] == series[:-1]]
    return steps


def in_order(
    series: Integers, times: Times | None, name: str, names: tuple[str, ...], source: str, advice: str = ""
) -> Integers:
    """Return the order of rows by series, and by time within each.

    Args:
        series: number of the series of each row.
        times: of the rows, or None.
        name: of the column of times.
        names: of the series.
        source: what is read.
        advice: what else can be done about rows without a time.

    Raises:
        SparringError: a row has no time, or two rows of a series have the same.
    """
    if times is None:
        return np.argsort(series, kind="stable")
    absent = np.flatnonzero(np.isnan(times.values))
    if len(absent):
        row = int(absent[0])
        cell = f"{printable(times.unread[1])!r} in place of a time" if times.unread[0] == row else "no time"
        pattern = f"date in each row, written as {dates.in_words(times.form)}" if times.form else "number in each row"
        raise SparringError(
            found=f"{cell} in row {row + 1:,} of {source}, in the column {name!r}",
            expected=f"a {pattern}",
            remedy=f"correct the cell, or leave the row out{advice}",
        )
    order = np.lexsort((times.values, series))
    values, numbered = times.values[order], series[order]
    equal = np.flatnonzero((np.diff(values) == 0) & (numbered[1:] == numbered[:-1]))
    if len(equal):
        at = int(equal[0])
        text = written_times(values[at : at + 1], times.form)[0]
        whose = f" of {printable(names[int(numbered[at])])}" if len(names) > 1 else ""
        raise SparringError(
            found=f"two rows{whose} with the same time {text} in {source}",
            expected="one row for each time of a series",
            remedy=f"leave one of them out, name the column of the series by {option('columns', 'NAME=entity')}, "
            f"or drop {name!r}",
        )
    return order


def step_of(times: Times, series: Integers) -> tuple[float, str]:
    """Return the time between steps, and a remark on steps that count as equal; 0 where they are not equal.

    Args:
        times: in order.
        series: number of the series of each row.
    """
    steps = _steps(times.values, series)
    if not len(steps):
        return 1.0, ""
    middle = float(f"{np.median(steps):.12g}")
    rounding = 4 * np.spacing(np.abs(times.values).max())
    if np.abs(steps - middle).max() <= TOLERANCE * middle + rounding:
        return middle, ""
    if not times.form:
        return 0.0, ""
    if months := _months(times.values, series):
        return months * MONTH, ""
    days = (times.values // DAY).astype("datetime64[D]")
    of_one = series[1:] == series[:-1]
    if (times.values % DAY == times.values[0] % DAY).all() and np.is_busday(days).all():
        between = np.busday_count(days[:-1], days[1:])[of_one]
        if (between == 1).all():
            return DAY, "Working days count as equally far apart."
    smallest = steps.min()
    if len(np.unique(series)) == 1 and (steps <= smallest * (1 + TOLERANCE)).mean() >= USUAL:
        others = int((steps > smallest * (1 + TOLERANCE)).sum())
        remark = "Rows count as equally far apart, as trading days are"
        return float(smallest), f"{remark}, although {others:,} of {len(steps):,} steps in time are longer than others."
    return 0.0, ""


def other_steps(times: Times, series: Integers, step: float) -> str:
    """Return the time between steps in words where it is not ``step``, else the remark on steps that count as equal.

    Args:
        times: in order.
        series: number of the series of each row.
        step: time between steps of other series.
    """
    steps = _steps(times.values, series)
    if not len(steps) or (times.form and _months(times.values, series) * MONTH == step):
        return ""
    found, remark = step_of(times, series)
    if found and abs(found - step) <= TOLERANCE * step + 4 * np.spacing(np.abs(times.values).max()):
        return remark
    what = f"steps of {step_words(found, times.form)}" if found else "steps that are not equally far apart"
    return f"There are {what}, those of the training data are of {step_words(step, times.form)}, which they count as."


def _months(values: Floats, series: Integers) -> int:
    """Return the number of calendar months between steps; 0 if these are no equal numbers of months."""
    days = np.floor(values / DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    place = (days - months.astype("datetime64[D]")).astype(np.int64)
    last = (days + 1).astype("datetime64[M]") > months
    between = _steps(months.astype(np.float64), series)
    same = (place == place[0]).all() and (values % DAY == values[0] % DAY).all()
    if not (same or last.all()) or between.min() != between.max() or between[0] < 1:
        return 0
    return int(between[0])


def later(start: Floats, step: float, count: int, form: str) -> Floats:
    """Return ``count`` times from each start on, (starts, count).

    Args:
        start: (starts,).
        step: time between steps; a multiple of ``MONTH`` is one of calendar months where times are dates.
        count: number of times.
        form: pattern of dates; "" for numbers.
    """
    number = np.arange(count)
    months = round(step / MONTH)
    if not form or months < 1 or abs(step - months * MONTH) > 1e-3:
        return start[:, None] + step * number
    days = np.floor(start / DAY).astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    place = (days - month.astype("datetime64[D]")).astype(np.int64)
    is_last = (days + 1).astype("datetime64[M]") > month
    target = month[:, None] + months * number
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    day = np.where(is_last[:, None], length - 1, np.minimum(place[:, None], length - 1))
    found: Floats = (target.astype("datetime64[D]") + day).astype(np.float64) * DAY + (start % DAY)[:, None]
    return found


def gaps_of(times: Floats, starts: Integers) -> Floats:
    """Return the time since the row before, 0 at the first one of each series."""
    gaps = np.diff(times, prepend=times[:1])
    gaps[starts] = 0.0
    return gaps


def readable_unit(longest: float) -> tuple[str, float]:
    """Return the largest unit of which a time has at least two, seconds at least, and its length in seconds.

    >>> readable_unit(7200.0)
    ('hours', 3600.0)
    """
    units = {"days": DAY, "hours": 3600.0, "minutes": 60.0}
    return next(((unit, size) for unit, size in units.items() if longest >= 2 * size), ("seconds", 1.0))


def written_times(values: NDArray[np.float64], form: str, decimals: int | None = None) -> list[str]:
    """Return times as text."""
    return dates.written(values, form, decimals) if form else numbers.written(values, "", decimals)


def step_words(step: float, form: str) -> str:
    """Return the time between steps in words."""
    if not step:
        return "not equal"
    if not form:
        return f"{step:g}"
    for size, word in UNITS:
        if abs(step / size - round(step / size)) < TOLERANCE and round(step / size):
            number = round(step / size)
            return f"1 {word}" if number == 1 else f"{number:,} {word}s"
    return f"{step:g} seconds"
