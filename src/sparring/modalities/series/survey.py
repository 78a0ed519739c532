"""Series that were read once: cut to one length, and described."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, final

import numpy as np

from sparring.arguments import option
from sparring.data.columns import numbers
from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.readers.cells import MAX_CELLS
from sparring.data.reading import MAX_WINDOW, Reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.series import windows
from sparring.modalities.series.coding import Attribute, Channel, Series, SeriesCoding, coding_of
from sparring.modalities.series.contexts import CONTEXT, with_context
from sparring.modalities.series.known import read_known
from sparring.modalities.series.scaling import with_components
from sparring.modalities.series.sequences import AttributeColumn, ChannelColumn, Floats, Sequences
from sparring.modalities.series.sources import read_series, require_steps
from sparring.modalities.series.times import readable_unit, step_words, written_times
from sparring.modalities.series.windows import Cuts
from sparring.randomness import derive
from sparring.samples import take
from sparring.text import printable

DEFAULT_WINDOW = 24
"""Steps of a window where one is needed and none was chosen."""
MAX_CONTEXTS = 1000
"""Lengths with attributes that are published with a model."""
MAX_MIXED = 10_000
"""Series from which components are found."""
MAX_KNOTS, MIN_KNOTS, ALL_KNOTS = 1001, 17, 200_000
"""Quantiles of a channel at most and at least, and of all channels together."""


@final
@dataclass(frozen=True)
class SeriesSurvey:
    """Series that were read once.

    Args:
        facts: facts about them; their coding is a ``SeriesCoding``.
        series: arrays in the form of ``Series``.
        cuts: places of the samples in the series that were read.
        names: of the samples: the series, and in windows of it their times.
    """

    facts: Facts
    series: Any
    cuts: Cuts
    names: Sequence[str] = ()

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the series, or their windows, so that no training sample shares a step with a held-out one.

        Raises:
            SparringError: the view is of other series, or there are fewer than two.
        """
        require_shape(self.facts, view)
        if self.facts.count < 2:
            raise SparringError(
                found=f"one series in {self.facts.source}", expected="at least two", remedy="give more series"
            )
        data = self.whole(view)
        train, held_out = windows.split(self.cuts, seed)
        return Split(data.subset(train), data.subset(held_out), self.facts)

    def whole(self, view: View) -> Dataset:
        """Return all samples in order, with their contexts if the view has such conditions."""
        data = Dataset(self.series)
        return replace(data, read=with_context(data.read)) if view.condition == CONTEXT else data


def require_shape(facts: Facts, view: View) -> None:
    """Refuse a view of another number of steps or channels.

    Raises:
        SparringError: it is one.
    """
    if view.shape != facts.shape:
        raise SparringError(
            found=f"series of {facts.shape[0]:,} steps and {facts.shape[1]:,} channels in {facts.source}",
            expected=f"{view.shape[0]:,} steps and {view.shape[1]:,} channels",
            remedy="give series of the same channels as the training data",
        )


def survey_series(source: str, reading: Reading, like: Facts | None) -> SeriesSurvey:
    """Read series, cut them, and describe them.

    Args:
        source: a table, a folder of tables, or a .npy file.
        reading: choices of the user; of them ``columns`` and ``window`` matter here.
        like: facts of other series whose coding and number of steps these get, too.

    Raises:
        SparringError: nothing in it can be used, or it is too large.
    """
    known = None if like is None else coding_of(like)
    read = read_series(source, reading) if known is None else read_known(source, reading, known)
    told, steps = list(read.remarks), None if like is None else like.shape[0]
    window = reading.window
    if window is None and len(read.names) == 1 and (steps is None or read.rows > steps):
        window = DEFAULT_WINDOW if steps is None else steps
    if window is None:
        read, more = _shortened(read, steps)
        told += more
    _require_size(read, window, source)

    cuts = windows.cut(read.starts, read.lengths, window)
    if cuts.overlap:
        windows.require_long_enough(read.lengths, window or 0, source)
        told.append(_about_windows(cuts, window or 0, is_split=like is None))
    elif reading.window is not None and int(read.lengths.max()) < reading.window:
        told.append(f"No series has {reading.window:,} steps, those of --window: all are used as a whole.")
    require_steps(read.lengths, source)
    series = cut_arrays(read, cuts, int(cuts.lengths.max()) if steps is None else steps)
    coding = known or _coding(read, series)
    facts = Facts(
        source=source,
        modality="series",
        count=len(cuts.series),
        shape=tuple(series.values.shape[1:]),
        fingerprint=_fingerprint(read, series),
        offers=(CONTEXT,),
        coding=coding.as_json() if like is None else like.coding,
        details=_details(read, cuts),
        remarks=tuple(told),
        reading=reading.as_json(),
    )
    return SeriesSurvey(facts, series, cuts, _names(read, cuts))


def cut_arrays(read: Sequences, cuts: Cuts, steps: int) -> Any:
    """Return samples as arrays in the form of ``Series``, (count, steps, channels)."""
    place = np.arange(steps)
    inside = place < cuts.lengths[:, None]  # (count, steps)
    rows = np.minimum(cuts.starts[:, None] + place, read.rows - 1)
    count, channels = len(cuts.series), len(read.channels)
    values = np.zeros((count, steps, channels))
    missing = np.ones((count, steps, channels), dtype=bool)
    for at, channel in enumerate(read.channels):
        of_channel = channel.values[rows]
        if channel.kind == "gap":
            of_channel[:, 0] = 0.0
        missing[..., at] = ~inside | np.isnan(of_channel)
        # Adding 0 makes -0 the same as 0, which it is when it is written.
        values[..., at] = np.where(missing[..., at], 0.0, of_channel) + 0.0
    attributes = np.zeros((count, len(read.attributes)))
    for at, attribute in enumerate(read.attributes):
        attributes[:, at] = attribute.values[cuts.series]
    return Series(values, missing, cuts.lengths, attributes)  # type: ignore[arg-type]


def _shortened(read: Sequences, steps: int | None) -> tuple[Sequences, list[str]]:
    """Return series without the steps that a model of ``steps`` steps does not have, and a remark on them."""
    if steps is None or (read.lengths <= steps).all():
        return read, []
    remark = f"Of {int((read.lengths > steps).sum()):,} series, the first {steps:,} steps are used."
    kept = np.arange(read.rows) - np.repeat(read.starts, read.lengths) < steps
    lengths = np.minimum(read.lengths, steps)
    channels = tuple(replace(channel, values=channel.values[kept]) for channel in read.channels)
    times = None if read.clock.values is None else read.clock.values[kept]
    clock = replace(read.clock, values=times)
    starts = np.cumsum(lengths) - lengths
    return replace(read, starts=starts, rows=int(lengths.sum()), channels=channels, clock=clock), [remark]


def _require_size(read: Sequences, window: int | None, source: str) -> None:
    """Refuse series that are too long, or too many.

    Raises:
        SparringError: they are.
    """
    longest = int(read.lengths.max())
    steps = longest if window is None else min(longest, window)
    if steps > MAX_WINDOW:
        raise SparringError(
            found=f"a series of {longest:,} steps in {source}",
            expected=f"at most {MAX_WINDOW:,}",
            remedy=f"cut series into windows by {option('window')}",
        )
    count = len(read.names) if window is None else int(np.maximum(1, read.lengths - window + 1).sum())
    if count * steps * len(read.channels) > MAX_CELLS:
        raise SparringError(
            found=f"{count:,} series of {steps:,} steps and {len(read.channels):,} channels in {source}",
            expected=f"at most {MAX_CELLS:,} numbers, so that they fit into memory",
            remedy=f"give a part of them, leave channels out by {option('columns', 'NAME=drop')}, or choose a "
            f"smaller {option('window')}",
        )


def _about_windows(cuts: Cuts, window: int, *, is_split: bool) -> str:
    """Return the sentence on windows, and on what is held out of them where they are to be split."""
    several = int(cuts.series.max()) + 1
    whose = f"{several:,} series" if several > 1 else "the series"
    about = f"Cut {whose} into {len(cuts.series):,} windows of {window:,} steps, which overlap"
    if not is_split:
        return f"{about}."
    whole = "whole series are held out"
    if several < windows.MIN_SERIES:
        blocks = windows.blocks_of(len(cuts.series) // several, window, -(-windows.BLOCKS // several)) * several
        which = "the last windows are" if blocks == 1 else f"{blocks} stretches of time are"
        whole = f"{which} held out, and no training window shares a step with them"
    return f"{about}: {whole}."


def _coding(read: Sequences, series: Any) -> SeriesCoding:
    """Return the coding of series, with components of at most 10,000 of them."""
    knots = min(MAX_KNOTS, max(MIN_KNOTS, ALL_KNOTS // len(read.channels)))
    channels = tuple(_channel(one, knots) for one in read.channels)
    times = read.clock.values
    coding = SeriesCoding(
        channels=channels,
        attributes=tuple(_attribute(one) for one in read.attributes),
        contexts=_contexts(series),
        entity=read.entity,
        time=read.clock.name,
        form=read.clock.form,
        start=0.0 if times is None else float(times[read.starts].min()),
        step=read.clock.step,
    )
    count = len(series.length)
    return with_components(coding, take(series, np.unique(np.linspace(0, count - 1, MAX_MIXED).astype(np.int64))))


def _channel(column: ChannelColumn, knots: int) -> Channel:
    """Return the coding of a channel."""
    present = column.values[~np.isnan(column.values)]
    probabilities = np.linspace(0, 1, max(2, min(knots, len(present))))
    method = "inverted_cdf" if column.kind == "integer" else "linear"
    quantiles = np.quantile(present, probabilities, method=method)  # type: ignore[call-overload]
    mean, deviation = _moments(present)
    return Channel(
        column.name,
        column.kind,
        mean,
        deviation,
        tuple(np.maximum.accumulate(quantiles).tolist()),
        missing=float(np.isnan(column.values).mean()),
        decimals=column.decimals,
        form=column.form,
        blank=column.blank,
    )


def _attribute(column: AttributeColumn) -> Attribute:
    """Return the coding of an attribute."""
    present = column.values[~np.isnan(column.values)]
    mean, deviation = (0.0, 1.0) if column.categories else _moments(present)
    return Attribute(column.name, column.categories, mean, deviation, column.decimals, column.form, column.blank)


def _moments(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation, 1 in place of 0; numbers up to 1e300 do not overflow."""
    scale = float(np.abs(values).max()) or 1.0
    deviation = float((values / scale).std()) * scale
    # Rounding gives equal numbers a tiny deviation.
    return float((values / scale).mean()) * scale, deviation if deviation > 1e-12 * scale else 1.0


def _contexts(series: Any) -> tuple[tuple[float | None, ...], ...]:
    """Return length and attributes of some series in random order; of equal ones, one."""
    rows = np.column_stack([series.length.astype(np.float64), series.attributes])
    if (rows == rows[:1]).all():
        rows = rows[:1]
    order = np.random.default_rng(derive(0, "contexts")).permutation(len(rows))[:MAX_CONTEXTS]
    return tuple(tuple(None if np.isnan(one) else one for one in row) for row in rows[order].tolist())


def _names(read: Sequences, cuts: Cuts) -> list[str]:
    """Return a name for each sample: the series, or the times of a window of it, or its steps where it has none."""
    names = [read.names[number] or f"series {number + 1}" for number in cuts.series.tolist()]
    if not cuts.overlap:
        return names
    ends, clock = cuts.starts + cuts.lengths - 1, read.clock
    if clock.values is None:
        first = [str(step) for step in (cuts.starts - read.starts[cuts.series] + 1).tolist()]
        last = [str(step) for step in (ends - read.starts[cuts.series] + 1).tolist()]
    else:
        first, last = (written_times(clock.values[places], clock.form) for places in (cuts.starts, ends))
    word = "steps " if clock.values is None else ""
    spans = [f"{word}{one} to {other}" for one, other in zip(first, last, strict=True)]
    return [f"{name}, {span}" for name, span in zip(names, spans, strict=True)] if len(read.names) > 1 else spans


def _fingerprint(read: Sequences, series: Any) -> str:
    """Return the SHA-256 of what is learned."""
    digest = sha256(repr(series.values.shape).encode())
    for channel in read.channels:
        digest.update(repr((channel.name, channel.kind)).encode())
    for attribute in read.attributes:
        digest.update(repr((attribute.name, attribute.categories)).encode())
    for part in series:
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _details(read: Sequences, cuts: Cuts) -> dict[str, Any]:
    """Return what `sparring inspect` prints."""
    columns = [_channel_detail(one, read) for one in read.channels]
    columns += [_attribute_detail(one) for one in read.attributes]
    shortest, longest = int(cuts.lengths.min()), int(cuts.lengths.max())
    details: dict[str, Any] = {
        "columns": columns,
        "steps of each series": f"{longest:,}" if shortest == longest else f"{shortest:,} to {longest:,}",
    }
    clock = read.clock
    if clock.name:
        times = np.zeros(1) if clock.values is None else clock.values
        span = written_times(np.array([times.min(), times.max()]), clock.form)
        details["time"] = f"{printable(clock.name)}, {span[0]} to {span[1]}"
        details["time between steps"] = step_words(clock.step, clock.form)
    if read.entity:
        details["entity"] = f"{printable(read.entity)}, {len(read.names):,} series"
    return details


def _channel_detail(column: ChannelColumn, read: Sequences) -> dict[str, Any]:
    """Return a channel as `sparring inspect` prints it."""
    # The first step of a series has no step before.
    values = np.delete(column.values, read.starts) if column.kind == "gap" else column.values
    ends = np.array([np.nanmin(values), np.nanmax(values)])
    content = " to ".join(numbers.written(ends, numbers.with_decimal_point(column.form), column.decimals))
    if column.kind == "gap":
        unit, size = readable_unit(ends[-1]) if read.clock.form else ("", 1.0)
        content = " to ".join(f"{end / size:.4g}" for end in ends.tolist()) + f" {unit}".rstrip()
        content += " since the step before"
    missing = float(np.isnan(column.values).mean())
    return _detail(column.name, column.kind, column.reason, missing, content)


def _attribute_detail(column: AttributeColumn) -> dict[str, Any]:
    """Return an attribute as `sparring inspect` prints it."""
    present = column.values[~np.isnan(column.values)]
    if column.categories:
        shown: Sequence[str] = [printable(one[:20]) for one in column.categories[:3]]
        more = ", …" if len(column.categories) > 3 else ""
        content = f"{len(column.categories):,} categories: {', '.join(shown)}{more}"
    else:
        ends, form = np.array([present.min(), present.max()]) if len(present) else present, column.form
        texts = numbers.written(ends, numbers.with_decimal_point(form), column.decimals)
        content = " to ".join(texts) if texts else "no values"
    return _detail(column.name, "attribute", column.reason, float(np.isnan(column.values).mean()), content)


def _detail(name: str, kind: str, reason: str, missing: float, content: str) -> dict[str, Any]:
    return {"name": printable(name), "kind": kind, "reason": reason, "missing": missing, "values": content}
