"""Differences of generated series from real ones as a whole: values, courses over time, and where they mislead."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from sparring.data.facts import Facts
from sparring.modalities.series.coding import Channel, Series, SeriesCoding, coding_of
from sparring.modalities.series.judging.dynamics import autocorrelations, cross_correlations, frequencies, spectra
from sparring.modalities.series.judging.marginals import channel_marginals
from sparring.modalities.series.judging.values import (
    Floats,
    check,
    differences,
    some_series,
    standardised,
    values_of,
)
from sparring.modalities.series.render import gap_place
from sparring.modalities.series.times import readable_unit
from sparring.rendering.exhibits import Exhibit, Picture
from sparring.rendering.figures import blank_figure, png_of
from sparring.text import label, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_SERIES = 5000
"""Series of each side that are drawn."""
MAX_PANELS, MAX_CELLS = 8, 40
"""Channels that are drawn, and sides of the matrices of correlations."""
PANELS_PER_ROW = 4
BINS = 40
NAME_LENGTH = 22
"""Characters of a name in a picture."""
REAL, GENERATED = "#6b7280", "#1f4ea0"
NOISE = 5.0
"""Least difference of means, in deviations and times √ series, that sampling errors rarely reach at any step."""
LIKE_SHAPE, LIKE_CORRELATION, LIKE_COURSE, LIKE_POWER = 0.05, 0.05, 0.1, 0.05
"""Differences from which a caption warns: Kolmogorov–Smirnov, correlations, standard deviations, decades."""


def contrasts(real: Series, fake: Series, facts: Facts, seed: int = 0) -> list[Exhibit]:
    """Render values, courses over time, autocorrelations, spectra and correlations of channels, each with a caption.

    Args:
        real: training series.
        fake: generated series.
        facts: of the data.
        seed: of the series that are drawn where there are more than 5,000.
    """
    coding = coding_of(facts)
    check(coding.channels, real, fake)
    real, fake = (some_series(side, MAX_SERIES, seed) for side in (real, fake))
    channels, (real, fake) = _in_readable_units(coding, (real, fake))
    ours, theirs = (_without_first_gaps(side, channels) for side in (real, fake))
    shapes = channel_marginals(ours, theirs, channels)
    order = np.argsort(np.nan_to_num(shapes, nan=2.0), kind="stable")[:MAX_PANELS].tolist()
    exhibits: list[Exhibit] = [_marginals(ours, theirs, channels, shapes, order)]
    measured, generated = (standardised(side, channels) for side in (real, fake))
    if real.values.shape[1] > 1:
        exhibits.append(_courses(real, fake, channels, order))
        if len(autocorrelations(measured)) > 1:
            exhibits += [_memory(measured, generated, channels, order), _spectra(measured, generated, channels, order)]
    if len(channels) > 1:
        exhibits.append(_correlations(measured, generated, channels))
    return exhibits


def _in_readable_units(coding: SeriesCoding, sides: Sequence[Series]) -> tuple[Sequence[Channel], Sequence[Series]]:
    """Return channels and series with gaps between dates in days, hours, … in place of seconds, and called so."""
    place = gap_place(coding)
    if place is None:
        return coding.channels, sides
    gap = coding.channels[place]
    unit, size = readable_unit(gap.quantiles[-1]) if coding.form else ("", 1.0)
    shown = replace(
        gap,
        name=f"gap ({unit or gap.name})",
        mean=gap.mean / size,
        deviation=gap.deviation / size,
        quantiles=tuple(one / size for one in gap.quantiles),
    )
    found = [side._replace(values=side.values.clone()) for side in sides]
    for side in found:
        side.values[..., place] /= size
    return (*coding.channels[:place], shown, *coding.channels[place + 1 :]), found


def _without_first_gaps(series: Series, channels: Sequence[Channel]) -> Series:
    """Return series whose gaps before the first step, which are 0, count as missing."""
    missing = series.missing.clone()
    missing[:, 0] |= torch.tensor([channel.kind == "gap" for channel in channels], device=missing.device)
    return series._replace(missing=missing)


def _marginals(
    real: Series, fake: Series, channels: Sequence[Channel], shapes: Floats, order: Sequence[int]
) -> Picture:
    """Draw the distribution of the values of each channel, the most different first."""
    sides = [values_of(side) for side in (real, fake)]

    def draw(axes: "Axes", at: int) -> None:
        ours, theirs = (side[..., at][~np.isnan(side[..., at])] for side in sides)
        low, high = (float(ours.min()), float(ours.max())) if len(ours) else (0.0, 1.0)
        # Of huge numbers the width of a bin would overflow.
        edges = 2 * np.linspace(low / 2, high / 2, BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
        for values, colour, name in ((ours, REAL, "real"), (theirs, GENERATED, "generated")):
            heights = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(len(values), 1)
            filled = name == "real"
            axes.stairs(heights, edges, color=colour, fill=filled, alpha=0.45 if filled else 1.0, lw=1.4, label=name)
        axes.set_yticks([])

    worst = order[0]
    lost = 1 - float(np.nan_to_num(shapes[worst], nan=1.0))
    words = (
        "Single values are distributed alike."
        if lost < LIKE_SHAPE
        else f"{_named(channels[worst])} differs most: {_change(*(side[..., worst] for side in sides))}. "
        "Do not rely on its quantiles."
    )
    rest = f" {len(channels) - len(order)} further channels are more alike." if len(order) < len(channels) else ""
    return _panels(channels, order, draw, f"Values at all steps. {words}{rest}", "Distributions of the values")


def _courses(real: Series, fake: Series, channels: Sequence[Channel], order: Sequence[int]) -> Picture:
    """Draw the mean of each channel over time, with a band of one standard deviation."""
    statistics = [_over_time(values_of(side)) for side in (real, fake)]
    (mean, deviation), (other, spread) = statistics

    def draw(axes: "Axes", at: int) -> None:
        for (middle, around), colour, name in zip(statistics, (REAL, GENERATED), ("real", "generated"), strict=True):
            steps = 1 + np.arange(len(middle))
            axes.plot(steps, middle[:, at], color=colour, lw=1.4, label=name)
            low, high = middle[:, at] - around[:, at], middle[:, at] + around[:, at]
            axes.fill_between(steps, low, high, color=colour, alpha=0.18, lw=0)

    scale = np.array([one.deviation for one in channels])
    shifts, wider = (_worst(np.abs(one - two) / scale) for one, two in ((mean, other), (deviation, spread)))
    size, (step, at), what = max((*shifts, "mean"), (*wider, "standard deviation"))
    words = (
        "Both have the same course."
        if size < max(LIKE_COURSE, NOISE / np.sqrt(min(len(real.values), len(fake.values))))
        else f"At step {step + 1} the {what} of {_named(channels[at])} is off by {size:.2f} of its "
        "standard deviations. Do not read trends or ranges over time from generated series there."
    )
    return _panels(
        channels, order, draw, f"Mean ± standard deviation at each step. {words}", "Means over time, with bands"
    )


def _memory(ours: Floats, theirs: Floats, channels: Sequence[Channel], order: Sequence[int]) -> Picture:
    """Draw the autocorrelations of values and of changes."""
    levels = [autocorrelations(side) for side in (ours, theirs)]
    changes = [autocorrelations(differences(side)) for side in (ours, theirs)]

    def draw(axes: "Axes", at: int) -> None:
        for place, (colour, name) in enumerate(((REAL, "real"), (GENERATED, "generated"))):
            axes.plot(1 + np.arange(len(levels[place])), levels[place][:, at], color=colour, lw=1.4, label=name)
            lags = 1 + np.arange(len(changes[place]))
            axes.plot(lags, changes[place][:, at], color=colour, lw=1.2, ls=":", label=f"{name}, changes")
        axes.axhline(0, color="#cdd0d4", lw=0.8, zorder=0)

    found = [
        (*_worst(np.abs(one - two)), name, one, two)
        for name, (one, two) in (("values", levels), ("changes", changes))
        if len(one)
    ]
    size, (lag, at), what, one, two = max(found, key=lambda each: each[0])
    words = (
        "Generated series remember as long as real ones."
        if size < LIKE_CORRELATION
        else f"The {what} of {_named(channels[at])} differ most, at lag {lag + 1}: "
        f"{one[lag, at]:+.2f} → {two[lag, at]:+.2f}. "
        f"Forecasts learned from generated series would {'over' if two[lag, at] > one[lag, at] else 'under'}"
        "state how much one step tells of a later one."
    )
    caption = f"Autocorrelations of values (lines) and of changes from step to step (dots). {words}"
    return _panels(channels, order, draw, caption, "Autocorrelations by lag")


def _spectra(ours: Floats, theirs: Floats, channels: Sequence[Channel], order: Sequence[int]) -> Picture:
    """Draw the mean periodograms."""
    powers, places = [spectra(side) for side in (ours, theirs)], frequencies(ours.shape[1])
    floor = np.maximum(powers[0].max(0) * 1e-6, 1e-12)
    logs = [np.log10(np.maximum(side, floor)) for side in powers]

    def draw(axes: "Axes", at: int) -> None:
        for side, colour, name in zip(logs, (REAL, GENERATED), ("real", "generated"), strict=True):
            axes.plot(places, 10 * side[:, at], color=colour, lw=1.4, label=name)

    size, (number, at) = _worst(np.abs(logs[1] - logs[0]))
    change = logs[1][number, at] - logs[0][number, at]
    words = (
        "Fast and slow movements are as strong as in real series."
        if size < LIKE_POWER
        else f"{_named(channels[at])} differs most, at periods of {1 / places[number]:.1f} steps: "
        f"power × {10**change:.2g}, so these movements are {'exaggerated' if change > 0 else 'too weak'}."
    )
    return _panels(
        channels, order, draw, f"Power in dB by frequency, in cycles per step. {words}", "Spectra by frequency"
    )


def _correlations(ours: Floats, theirs: Floats, channels: Sequence[Channel]) -> Picture:
    """Draw the correlations of channels of both sides, and their difference."""
    kept = slice(0, MAX_CELLS)
    sides = [cross_correlations(side[..., kept]) for side in (ours, theirs)]
    names = [_short(one.name) for one in channels[kept]]
    size = min(0.24 * len(names), 6.0) + 1.2
    figure = blank_figure(max(3 * size, 9.0), max(size, 3.0) + 0.6)
    change = sides[1] - sides[0]
    for place, (title, values) in enumerate((("real", sides[0]), ("generated", sides[1]), ("difference", change))):
        axes = figure.add_subplot(1, 3, place + 1)
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(title, fontsize=9, loc="left", fontweight="bold")
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
        axes.set_yticks(range(len(names)), names if place == 0 else [], fontsize=6)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=figure.axes, shrink=0.6).ax.tick_params(labelsize=7)
    worst, (one, other) = _worst(np.abs(change))
    words = (
        "Channels move together as in real series."
        if worst < LIKE_CORRELATION
        else f"{_named(channels[one])} and {_named(channels[other])} differ most: {sides[0][one, other]:+.2f} → "
        f"{sides[1][one, other]:+.2f}. Sums and differences of the two would mislead."
    )
    left_out = f" The first {MAX_CELLS} channels." if len(channels) > MAX_CELLS else ""
    words_only = "Matrices of correlations: real, generated, and their difference."
    return Picture(png_of(figure), f"Correlations of channels. {words}{left_out}", words_only, wide=True)


def _panels(
    channels: Sequence[Channel], order: Sequence[int], draw: "Callable[[Axes, int], None]", caption: str, what: str
) -> Picture:
    """Draw a panel for each of some channels."""
    across = min(PANELS_PER_ROW, len(order))
    down = -(-len(order) // across)
    figure = blank_figure(max(2.7 * across, 4.0), 0.4 + 2.0 * down)
    for panel, at in enumerate(order):
        axes = figure.add_subplot(down, across, panel + 1)
        draw(axes, at)
        axes.set_title(_short(channels[at].name), fontsize=8, loc="left", fontweight="bold")
        axes.tick_params(labelsize=7)
        axes.locator_params(axis="x", nbins=4)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=4, fontsize=8, frameon=False
    )
    return Picture(png_of(figure), caption, f"{what} of {len(order)} channels, real and generated.", wide=True)


def _over_time(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation at each step, (steps, channels) each, NaN where no series has a value."""
    present = ~np.isnan(values)
    numbers = present.sum(0)
    scale = np.maximum(np.abs(np.where(present, values, 0.0)).max((0, 1)), 1e-300)
    filled = np.where(present, values / scale, 0.0)
    with np.errstate(invalid="ignore"):
        mean = filled.sum(0) / numbers
        deviation = np.sqrt(np.square(np.where(present, filled - mean, 0.0)).sum(0) / numbers)
    return mean * scale, deviation * scale


def _worst(values: Floats) -> tuple[float, tuple[int, int]]:
    """Return the largest number of a matrix, and its row and column; 0 where all are NaN."""
    known = np.nan_to_num(values)
    row, column = np.unravel_index(int(known.argmax()), known.shape)
    return float(known[row, column]), (int(row), int(column))


def _change(real: Floats, fake: Floats) -> str:
    """Return the quartiles of both sides in words."""
    sides = [side[~np.isnan(side)] for side in (real, fake)]
    if not all(map(len, sides)):
        return "one side has no values"
    quartiles = [" / ".join(f"{value:.4g}" for value in np.quantile(side, [0.25, 0.5, 0.75])) for side in sides]
    return f"quartiles {quartiles[0]} → {quartiles[1]}"


def _named(channel: Channel) -> str:
    return printable(channel.name)[:NAME_LENGTH]


def _short(name: str) -> str:
    return label(name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…")
