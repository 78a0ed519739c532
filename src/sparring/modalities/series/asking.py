"""Options by which users ask for series: --where, --length, and series that are continued."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from sparring.arguments import option, whole_number
from sparring.data.conditions import INPUT, ConditionSpec
from sparring.data.facts import Facts
from sparring.data.in_memory import source_of
from sparring.data.reading import DEFAULT_READING
from sparring.data.view import View
from sparring.errors import SparringError, SparringWarning
from sparring.modalities.series.coding import Context, SeriesCoding, coding_of
from sparring.modalities.series.contexts import CONTEXT
from sparring.modalities.series.known import read_known
from sparring.modalities.series.predicates import accepts
from sparring.modalities.series.sequences import Sequences
from sparring.modalities.series.times import written_times

WHERE, LENGTH, HORIZON = "where", "length", "horizon"
MAX_SERIES = 10_000_000
"""Series that are generated in one call."""


class Given(NamedTuple):
    """A series to be continued.

    Args:
        read: what it was read with.
        number: its number in it.
        begin: its first row.
        end: the row after its last one.
    """

    read: Sequences
    number: int
    begin: int
    end: int


def contexts(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Context:
    """Return the contexts of new series, or of series that are continued.

    New series have the lengths and attributes of training series, in turn; --where restricts these. What is known of a
    continued series are its last steps, as many as the model has beside the horizon; attributes that it lacks are those
    of training series.

    Raises:
        SparringError: an option is not valid, no training series has such attributes, or an input cannot be read.

    Warns:
        SparringWarning: cells of inputs count as missing, or columns are left out.
    """
    coding, steps = coding_of(facts), view.shape[0]
    accepted = accepts(options.get(WHERE), coding.attributes)
    allowed = [one for one in coding.contexts if accepted(one[1:])]
    if not allowed:
        raise SparringError(
            found=f"no series with {options.get(WHERE)} among those that the model knows",
            expected="attributes that occur together in the training data",
            remedy="ask for other attributes",
        )
    if INPUT in options:
        return _of_inputs(options, facts, coding, allowed, steps)
    if options.get(HORIZON) is not None:
        raise SparringError(
            found=f"{option('horizon')} without a series to continue",
            expected="series, as for `sparring apply`",
            remedy=f"leave it out, or give {option('length')} for the steps of new series",
        )
    chosen = np.arange(min(count or 1, MAX_SERIES)) % len(allowed)
    rows = np.array(allowed, dtype=np.float64)[chosen]  # None becomes NaN.
    length = torch.from_numpy(rows[:, 0].clip(1, steps).astype(np.int64))
    if options.get(LENGTH) is not None:
        length.fill_(_steps(LENGTH, options[LENGTH], steps))
    shape = len(rows), steps, len(coding.channels)
    nothing = torch.zeros(shape, dtype=torch.bool)
    values = torch.zeros(shape, dtype=torch.float64)
    return Context(length, torch.from_numpy(rows[:, 1:].copy()), values, nothing, nothing.clone())


def given_series(inputs: Sequence[Any], facts: Facts) -> list[Given]:
    """Return the series of inputs, in order.

    Args:
        inputs: files, folders, arrays or data frames.
        facts: of the training data.

    Raises:
        SparringError: one cannot be read, or does not have the columns of the training data.
    """
    found = list[Given]()
    for one in inputs:
        read = read_known(source_of(one), DEFAULT_READING, coding_of(facts))
        begins = read.starts.tolist()
        for number, (begin, end) in enumerate(zip(begins, [*begins[1:], read.rows], strict=True)):
            found.append(Given(read, number, begin, end))
    if not found:
        raise SparringError(found="no inputs", expected="series to continue", remedy="give a file, or an array")
    return found


def horizon_of(options: Mapping[str, Any], steps: int) -> int:
    """Return the number of steps that are generated after a series: half of those of the model by default.

    Raises:
        SparringError: it leaves no step to continue.
    """
    horizon = options.get(HORIZON)
    return max(1, steps // 2) if horizon is None else _steps(HORIZON, horizon, steps - 1)


def _steps(name: str, value: Any, most: int) -> int:
    """Return a number of steps, which may be given as text."""
    text = value.strip() if isinstance(value, str) else ""
    return whole_number(name, int(text) if text.isascii() and text.isdigit() and len(text) < 10 else value, most=most)


def _of_inputs(
    options: Mapping[str, Any],
    facts: Facts,
    coding: SeriesCoding,
    allowed: Sequence[tuple[float | None, ...]],
    steps: int,
) -> Context:
    """Return the contexts of series that are continued."""
    if options.get(LENGTH) is not None:
        raise SparringError(
            found=f"{option('length')} for series that are continued",
            expected=f"{option('horizon')}: the steps that follow them",
            remedy=f"leave {option('length')} out",
        )
    horizon, given = horizon_of(options, steps), given_series(options[INPUT], facts)
    told = [remark for one in given for remark in one.read.remarks]
    if coding.time and any(not one.read.clock.name for one in given):
        start = written_times(np.array([coding.start]), coding.form)[0]
        told.append(f"No column {coding.time!r} in the input: its times are made up, from {start} on.")
    for remark in dict.fromkeys(told):
        warnings.warn(remark, SparringWarning, stacklevel=2)
    shape = len(given), steps, len(coding.channels)
    values, missing, known = np.zeros(shape), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    length, attributes = np.zeros(len(given), dtype=np.int64), np.zeros((len(given), len(coding.attributes)))
    for row, one in enumerate(given):
        prefix = min(one.end - one.begin, steps - horizon)
        length[row], known[row, :prefix] = prefix + horizon, True
        for at, channel in enumerate(one.read.channels):
            part = channel.values[one.end - prefix : one.end].copy()
            if channel.kind == "gap":
                part[0] = 0.0
            missing[row, :prefix, at] = np.isnan(part)
            values[row, :prefix, at] = np.nan_to_num(part)
        own = np.array([attribute.values[one.number] for attribute in one.read.attributes], dtype=np.float64)
        other = np.array(allowed[row % len(allowed)][1:], dtype=np.float64)
        attributes[row] = np.where(np.isnan(own), other, own)
    length_, attributes_, values_, missing_, known_ = map(
        torch.from_numpy, (length, attributes, values, missing, known)
    )
    return Context(length_, attributes_, values_, missing_, known_)


CONDITIONS: Mapping[str, ConditionSpec] = {
    CONTEXT: ConditionSpec(
        {
            WHERE: "attributes of the series, such as kind=a,age>=65",
            LENGTH: "steps of each new series",
            INPUT: "series that are continued",
            HORIZON: "steps that are generated after each of these; by default half of the steps of the model",
        },
        contexts,
    )
}
"""Conditions of series, by their name in ``View.condition``."""
