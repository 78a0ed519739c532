"""Series that are continued, as files: what was given, what follows, and the spread of several futures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.columns import numbers
from sparring.data.conditions import INPUT
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.series.asking import Given, given_series, horizon_of
from sparring.modalities.series.coding import Series, SeriesCoding, coding_of
from sparring.modalities.series.known import entity_heading
from sparring.modalities.series.render import (
    arrays_of,
    as_written,
    gap_place,
    gap_sums,
    table_bytes,
    time_decimals,
)
from sparring.modalities.series.times import later, written_times
from sparring.rendering.exhibits import Table
from sparring.storage import write_bytes

PERCENTILES = (5, 50, 95)
"""Percentiles of the spread of several futures."""


def save_with_inputs(
    samples: Series, facts: Facts, folder: Path, *, options: Mapping[str, Any], view: View
) -> tuple[list[Path], list[Table]]:
    """Write each series with its futures, ``series-000000.csv``, and return the spread of several; see ``modality``.

    The rows that were given come first, unchanged, and time goes on from the last one. Of several futures, each has the
    name of the series with a number: name-0, name-1, …
    """
    coding = coding_of(facts)
    given = given_series(options[INPUT], facts)
    horizon, answers = horizon_of(options, view.shape[0]), len(samples.values) // len(given)
    values, missing, length, _ = arrays_of(samples)
    names, times, cells, gone, attributes = [], [], [], [], []
    futures = np.zeros((len(values), horizon, len(coding.channels)))
    for row, (one, name) in enumerate(_answered(given, answers)):
        begin = int(length[row]) - horizon
        future, absent = values[row, begin : begin + horizon], missing[row, begin : begin + horizon]
        own = np.column_stack([channel.values[one.begin : one.end] for channel in one.read.channels])
        future = np.column_stack([as_written(future[:, at], channel) for at, channel in enumerate(coding.channels)])
        futures[row] = np.where(absent, np.nan, future)
        names.append(name)
        times.append(_times(one, values[row, begin : begin + horizon], coding))
        cells.append(np.concatenate([np.nan_to_num(own), future]))
        gone.append(np.concatenate([np.isnan(own), absent]))
        attributes.append([attribute.values[one.number] for attribute in one.read.attributes])
    content = table_bytes(
        coding, names, times, np.concatenate(cells), np.concatenate(gone), np.array(attributes).reshape(len(names), -1)
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "series-000000.csv"
    write_bytes(path, content)
    return [path], [] if answers == 1 else [_spread(given, futures, times, answers, coding)]


def _answered(given: Sequence[Given], answers: int) -> list[tuple[Given, str]]:
    """Return each series with the name of each of its futures, all different."""
    counts = Counter[str]()
    found = list[tuple[Given, str]]()
    for one in given:
        name = one.read.names[one.number]
        counts[name] += 1
        name = name if counts[name] == 1 else f"{name} ({counts[name]})"
        found += [(one, name if answers == 1 else f"{name}-{answer}") for answer in range(answers)]
    return found


def _times(one: Given, future: NDArray[np.float64], coding: SeriesCoding) -> NDArray[np.float64]:
    """Return the times of the rows that were given and of those that follow."""
    count, clock = one.end - one.begin, one.read.clock.values
    own = later(np.array([coding.start]), coding.step, count, coding.form)[0] if clock is None else None
    own = clock[one.begin : one.end] if own is None and clock is not None else own
    assert own is not None
    gap = gap_place(coding)
    if gap is None:
        after = later(own[-1:], coding.step, len(future) + 1, coding.form)[0, 1:]
    else:
        # The first of the sums is 0, at the last row that was given.
        sums = gap_sums(np.append(0.0, future[:, gap]), coding)
        after = own[-1] + sums[1:]
    return np.concatenate([own, after])


def _spread(
    given: Sequence[Given],
    futures: NDArray[np.float64],
    times: Sequence[NDArray[np.float64]],
    answers: int,
    coding: SeriesCoding,
) -> Table:
    """Return percentiles of the futures of each series, step by step.

    Args:
        given: the series.
        futures: (series · answers, horizon, channels), NaN where a value is missing.
        times: of the rows of each future, those that were given among them.
        answers: futures of each series.
        coding: of the training data.
    """
    horizon, names = futures.shape[1], [name for _, name in _answered(given, 1)]
    timed = bool(coding.time) and coding.step > 0
    channels = [(at, channel) for at, channel in enumerate(coding.channels) if channel.kind != "gap"]
    header = [entity_heading(coding), coding.time if timed else "step"]
    header += [f"{channel.name} {percent} %" for _, channel in channels for percent in PERCENTILES]
    rows = list[tuple[str, ...]]()
    for number, name in enumerate(names):
        block = futures[number * answers : (number + 1) * answers]
        steps = [str(step) for step in range(1, horizon + 1)]
        if timed:
            steps = written_times(times[number * answers][-horizon:], coding.form, time_decimals(coding))
        columns = [[name] * horizon, steps]
        for at, channel in channels:
            # Steps at which every future has a missing value have no percentile.
            empty = np.asarray((~np.isnan(block[..., at])).sum(axis=0) == 0)
            of_channel = np.where(empty, 0.0, block[..., at])
            for found in np.nanpercentile(of_channel, PERCENTILES, axis=0):
                texts = numbers.written(found, channel.form, channel.decimals)
                columns.append([channel.blank if one else text for text, one in zip(texts, empty, strict=True)])
        rows += zip(*columns, strict=True)
    words = f"Percentiles of {answers} futures of each series."
    return Table(tuple(header), tuple(rows), words, words)
