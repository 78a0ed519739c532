"""Series as text, in the form of the data that they were read from, as files, and as pictures of lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.columns import dates, numbers
from sparring.data.columns.writing import csv_bytes
from sparring.data.facts import Facts
from sparring.modalities.series.coding import Attribute, Channel, Series, SeriesCoding, coding_of
from sparring.modalities.series.known import entity_heading
from sparring.modalities.series.times import later, readable_unit, written_times
from sparring.rendering.exhibits import Picture
from sparring.rendering.figures import blank_figure, png_of
from sparring.samples import take
from sparring.storage import write_bytes
from sparring.text import label, number_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_SHOWN, MAX_CHANNELS = 16, 8
"""Series and channels of a picture."""
PANELS, PANEL_WIDTH, PANEL_HEIGHT = 4, 2.6, 1.3
"""Panels of a row, and their sides in inches."""
NAME_LENGTH = 22
"""Characters of a name in a picture."""
MAX_TIME_DECIMALS = 9
"""Digits of times after the decimal point where the data has no fixed number of them."""
MIN_LINE = 3
"""Steps below which points are drawn beside the line."""
RANGE_ROOM = 0.06
"""Room above and below the values of the data, relative to their range."""
COLOURS, KNOWN_COLOUR = ("#1f4ea0", "#c2571a", "#2f855a", "#8b3a8b"), "#9ca3af"


def decoded(samples: Series, facts: Facts, *, first: int = 0) -> list[dict[str, Any]]:
    """Return each series by the names of its columns, in the units of the data.

    Channels are arrays, (length,), with NaN for missing values; times are numbers, or text in the pattern of the data;
    attributes are numbers or categories, None where they are missing.

    Args:
        samples: the series.
        facts: of the data.
        first: number of the first series, by which they are called.
    """
    coding = coding_of(facts)
    values, missing, length, attributes = arrays_of(samples)
    found = list[dict[str, Any]]()
    for row, steps in enumerate(length.tolist()):
        one: dict[str, Any] = {entity_heading(coding): str(first + row + 1)}
        times = times_of(values[row, :steps], coding)
        if coding.time:
            one[coding.time] = written_times(times, coding.form, time_decimals(coding)) if coding.form else times
        for at, channel in enumerate(coding.channels):
            if channel.kind != "gap":
                cells = as_written(values[row, :steps, at], channel)
                one[channel.name] = np.where(missing[row, :steps, at], np.nan, cells)
        for at, attribute in enumerate(coding.attributes):
            one[attribute.name] = _attribute_value(attributes[row, at], attribute)
        found.append(one)
    return found


def columns(samples: Series, facts: Facts) -> Mapping[str, Sequence[Any]]:
    """Return all series as one table with a row for each step, by name of the column; see ``decoded``."""
    found: dict[str, list[Any]] = {}
    for series, steps in zip(decoded(samples, facts), samples.length.tolist(), strict=True):
        for name, value in series.items():
            cells = value.tolist() if isinstance(value, np.ndarray) else value
            found.setdefault(name, []).extend(cells if isinstance(cells, list) else [cells] * steps)
    return found


def save(samples: Series, folder: Path, facts: Facts, *, first: int = 0) -> list[Path]:
    """Write series as one table, ``series-NNNNNN.csv``, named by the number of the first one.

    It has a row for each step: the name of the series, its time, its channels and its attributes.
    """
    coding = coding_of(facts)
    values, missing, length, attributes = arrays_of(samples)
    times = [times_of(values[row, :steps], coding) for row, steps in enumerate(length.tolist())]
    names = [str(first + row + 1) for row in range(len(length))]
    inside = np.arange(values.shape[1]) < length[:, None]
    cells = np.column_stack([as_written(values[inside][:, at], one) for at, one in enumerate(coding.channels)])
    content = table_bytes(coding, names, times, cells, missing[inside], attributes)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"series-{first:06d}.csv"
    write_bytes(path, content)
    return [path]


def table_bytes(
    coding: SeriesCoding,
    names: Sequence[str],
    times: Sequence[NDArray[np.float64]],
    values: NDArray[np.float64],
    missing: NDArray[np.bool_],
    attributes: NDArray[np.float64],
) -> bytes:
    """Return the content of a CSV file with a row for each step.

    Args:
        coding: of the training data, whose headings, digits and blanks it gets.
        names: of the series.
        times: of the steps of each series.
        values: of all steps, (steps of all series, channels), in the units of the data.
        missing: likewise, bool.
        attributes: of each series.
    """
    lengths = [len(one) for one in times]
    header, columns = [entity_heading(coding)], [_repeated(names, lengths)]
    if coding.time:
        header.append(coding.time)
        columns.append(written_times(np.concatenate(times), coding.form, time_decimals(coding)))
    for at, channel in enumerate(coding.channels):
        if channel.kind == "gap":
            continue
        decimals = numbers.enough_decimals(values[~missing[:, at], at], channel.decimals)
        cells = numbers.written(values[:, at], channel.form, decimals)
        for row in np.flatnonzero(missing[:, at]).tolist():
            cells[row] = channel.blank
        header.append(channel.name)
        columns.append(cells)
    for at, attribute in enumerate(coding.attributes):
        header.append(attribute.name)
        columns.append(_repeated([_attribute_text(one, attribute) for one in attributes[:, at].tolist()], lengths))
    forms = [*(one.form for one in coding.channels), *(one.form for one in coding.attributes)]
    comma = any(map(numbers.has_decimal_comma, forms))
    return csv_bytes(header, columns, decimal_comma=comma)


def times_of(values: NDArray[np.float64], coding: SeriesCoding) -> NDArray[np.float64]:
    """Return the times of the steps of a series, (steps,): from the start of the data on, or the sums of its gaps.

    Args:
        values: (steps, channels).
        coding: of the data.
    """
    gap = gap_place(coding)
    if gap is None:
        times: NDArray[np.float64] = later(np.array([coding.start]), coding.step, len(values), coding.form)[0]
        return times
    return np.asarray(coding.start + gap_sums(values[:, gap], coding))


def gap_place(coding: SeriesCoding) -> int | None:
    """Return the number of the channel that holds the time since the step before; None if steps are equal."""
    return next((at for at, channel in enumerate(coding.channels) if channel.kind == "gap"), None)


def gap_sums(gaps: NDArray[np.float64], coding: SeriesCoding) -> NDArray[np.float64]:
    """Return the time of each step since the first one, (steps,), of gaps as they are written: all above 0."""
    channel = next(channel for channel in coding.channels if channel.kind == "gap")
    positive = [one for one in channel.quantiles if one > 0]
    decimals = MAX_TIME_DECIMALS if channel.decimals is None else channel.decimals
    unit = dates.unit_of(coding.form, None) if coding.form else 10.0**-decimals
    smallest = max(unit, positive[0] if positive else unit)
    bounded = np.nan_to_num(gaps).clip(smallest, max(smallest, channel.quantiles[-1]))
    rounded = np.maximum(np.rint(bounded / unit), 1) * unit
    rounded[:1] = 0.0
    sums: NDArray[np.float64] = np.cumsum(rounded)
    return sums


def time_decimals(coding: SeriesCoding) -> int | None:
    """Return the digits of times after the decimal point."""
    if coding.form:
        return None
    if (gap := gap_place(coding)) is not None:
        return coding.channels[gap].decimals
    return numbers.enough_decimals(np.array([coding.start, coding.step]), 0)


def as_written(values: NDArray[np.float64], channel: Channel) -> NDArray[np.float64]:
    """Return values of a channel within the bounds of the data, rounded to its digits."""
    low, high = channel.quantiles[0], channel.quantiles[-1]
    bounded = np.nan_to_num(values, posinf=high, neginf=low).clip(low, high)
    decimals = 0 if channel.kind == "integer" else channel.decimals
    found: NDArray[np.float64] = bounded if decimals is None else np.round(bounded, decimals)
    return found


def arrays_of(
    samples: Series,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """Return values, missing values, lengths and attributes as arrays, in the form of ``Series``."""
    values, missing, length, attributes = (part.detach().cpu().numpy() for part in samples)
    most = values.shape[1]
    return values.astype(np.float64), missing, length.clip(1, most), attributes.astype(np.float64)


def _repeated(texts: Sequence[str], lengths: Sequence[int]) -> list[str]:
    return [text for text, length in zip(texts, lengths, strict=True) for _ in range(length)]


def _attribute_value(value: float, attribute: Attribute) -> float | str | None:
    """Return an attribute as a number or its category; None where it is missing."""
    if np.isnan(value):
        return None
    if attribute.categories:
        return attribute.categories[int(np.clip(np.rint(value), 0, len(attribute.categories) - 1))]
    return float(value if attribute.decimals is None else np.round(value, attribute.decimals))


def _attribute_text(value: float, attribute: Attribute) -> str:
    found = _attribute_value(value, attribute)
    if found is None:
        return attribute.blank
    if isinstance(found, str):
        return found
    return numbers.written(np.array([found]), attribute.form, attribute.decimals)[0]


def shown(samples: Series, facts: Facts, known: Tensor | None = None) -> Picture:
    """Draw up to 16 series as lines over time: a row of panels for each of up to 8 channels, four series in a panel.

    Args:
        samples: the series.
        facts: of the data.
        known: steps that were given, (count, steps) bool, drawn in grey; None for none.
    """
    coding = coding_of(facts)
    values, missing, length, _ = arrays_of(take(samples, slice(0, MAX_SHOWN)))
    given = np.zeros(len(values), dtype=np.int64) if known is None else known.sum(1).cpu().numpy()
    channels, panels = coding.channels[:MAX_CHANNELS], min(PANELS, len(values))
    figure = blank_figure(panels * PANEL_WIDTH + 0.4, len(channels) * PANEL_HEIGHT + 0.4)
    axes = figure.subplots(len(channels), panels, squeeze=False, sharex=True, sharey="row")
    times, unit = _shown_times([values[place, :steps] for place, steps in enumerate(length.tolist())], coding)
    for place, steps in enumerate(length.tolist()):
        for at, channel in enumerate(channels):
            axis = axes[at, place % panels]
            if channel.kind == "gap":
                cells = np.diff(times[place], prepend=np.nan)
            else:
                cells = as_written(values[place, :steps, at], channel)
                cells = np.where(missing[place, :steps, at], np.nan, cells)
            colour = COLOURS[place // panels % len(COLOURS)]
            _draw(axis, times[place], cells, int(given[place]), colour, steps=set(channel.quantiles) <= {0.0, 1.0})
    for axis in axes[-1]:
        axis.set_xlabel(unit, fontsize=7)
    for at, channel in enumerate(channels):
        if channel.kind != "gap":
            axes[at, 0].set_ylim(*_usual_range(channel))
        name = f"gap ({unit})" if channel.kind == "gap" else label(channel.name[:NAME_LENGTH])
        axes[at, 0].set_ylabel(name, fontsize=7)
    words = f"{len(values)} series of {number_of(len(channels), 'channel')} over time."
    more = len(coding.channels) - len(channels)
    caption = f"The first {len(channels)} of {len(coding.channels)} channels." if more else ""
    return Picture(png_of(figure), caption=caption, words=words, wide=True)


def _shown_times(series: Sequence[NDArray[np.float64]], coding: SeriesCoding) -> tuple[list[NDArray[np.float64]], str]:
    """Return the times of the steps of each series, of dates those since the first step, and the text of their axis.

    Args:
        series: values, (steps, channels) each.
        coding: of the data.
    """
    if not coding.time:
        return [np.arange(len(values), dtype=np.float64) for values in series], "step"
    times = [times_of(values, coding) for values in series]
    if not coding.form:
        return times, label(coding.time[:NAME_LENGTH])
    since = [one - coding.start for one in times]
    longest = max(one[-1] for one in since)
    unit, size = readable_unit(longest)
    return [one / size for one in since], unit


def _usual_range(channel: Channel) -> tuple[float, float]:
    """Return the values that a panel shows: those of the data with some room, so that panels are comparable."""
    low, high = channel.quantiles[0], channel.quantiles[-1]
    room = RANGE_ROOM * (high - low) or 1.0
    return low - room, high + room


def _draw(
    axis: "Axes", times: NDArray[np.float64], cells: NDArray[np.float64], known: int, colour: str, *, steps: bool
) -> None:
    """Draw a line, its first ``known`` steps in grey; as steps where values are nothing but 0 and 1."""
    # A point that has a missing value on both sides is no line.
    marker = "." if len(cells) < MIN_LINE or np.isnan(cells).any() else ""
    style: dict[str, Any] = {"linewidth": 0.9, "marker": marker, "markersize": 2}
    if steps:
        style["drawstyle"] = "steps-post"
    begin = max(0, known - 1)
    axis.plot(times[begin:], cells[begin:], color=colour, **style)
    if known:
        axis.plot(times[:known], cells[:known], color=KNOWN_COLOUR, **style)
    axis.tick_params(labelsize=6)
    axis.yaxis.get_offset_text().set_fontsize(6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
