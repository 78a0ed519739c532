"""Curves of a run in one picture: terms of each turn, gradients and speed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sparring.rendering.figures import blank_figure, png_of
from sparring.runs.logbook import LogLine
from sparring.text import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = dict[str, tuple[list[int], list[float]]]
"""Name of a curve → (real samples seen, values)."""

COLOURS = ("#1f4ea0", "#d1495b", "#2e8b57", "#b8860b", "#6a4c93", "#00798c", "#8d6e63", "#555555")
SPEED = "real samples per second"
LOG_RATIO = 300
"""Ratio of the extreme values of a panel beyond which its axis is logarithmic."""


def curves(lines: Sequence[LogLine]) -> bytes:
    """Draw the lines of a log into a PNG file."""
    return png_of(curves_figure(lines))


def curves_figure(lines: Sequence[LogLine]) -> "Figure":
    """Draw the lines of a log."""
    # Collect the points of each curve, by panel and name.
    panels: dict[str, Series] = {}
    for line in lines:
        for title, name, value in _values(line):
            samples, values = panels.setdefault(title, {}).setdefault(name, ([], []))
            samples.append(line.samples)
            values.append(value)
    # Panels of the turns come first, that of the speed last.
    titles = sorted(panels, key=lambda title: (":" not in title, title == SPEED, title)) or ["no figures were written"]

    # Panels share the axis of samples.
    figure = blank_figure(8, 0.6 + 2.2 * len(titles))
    axes = figure.subplots(len(titles), 1, sharex=True, squeeze=False)[:, 0]
    for panel, title in zip(axes, titles, strict=True):
        _draw(panel, title, panels.get(title, {}))
    axes[-1].set_xlabel("real samples seen")
    return figure


def _values(line: LogLine) -> Iterator[tuple[str, str, float]]:
    """Yield (title of the panel, name of the curve, value)."""
    for turn, terms in line.terms.items():
        yield from ((f"{turn}: terms of its objective", name, value) for name, value in terms.items())
    yield from (("norm of the gradients", turn, value) for turn, value in line.gradients.items())
    if line.samples_per_second is not None:
        yield SPEED, "speed", line.samples_per_second


def _draw(axes: "Axes", title: str, series: Series) -> None:
    # Raw values stay visible behind their average; one or two points need markers to be seen at all.
    for (name, (samples, values)), colour in zip(series.items(), COLOURS * len(series), strict=False):
        axes.plot(samples, values, color=colour, lw=0.8, alpha=0.35, marker="o" if len(samples) < 3 else None)
        axes.plot(samples, _smooth(values), color=colour, lw=1.6, label=label(name))

    # Small values would be indistinguishable from zero on a linear axis.
    every = [value for _, values in series.values() for value in values]
    if every and min(every) > 0 and max(every) / min(every) > LOG_RATIO:
        axes.set_yscale("log")
    if series and title != SPEED:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    axes.set_title(label(title), fontsize=9, loc="left")
    axes.grid(alpha=0.25, lw=0.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _smooth(values: list[float]) -> list[float]:
    """Return running means over a twentieth of the run."""
    radius = len(values) // 40
    windows = [values[max(0, place - radius) : place + radius + 1] for place in range(len(values))]
    return [sum(window) / len(window) for window in windows]
