"""Curves of a run in one picture: the same four panels for every game, one colour for each player."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparring.rendering.figures import BLUE, GREEN, GREY, OCHRE, PURPLE, RED, blank_figure, png_of
from sparring.runs.logbook import LogLine
from sparring.text import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAIN, FURTHER, GRADIENTS, SPEED = "main term of each loss", "further terms", "norm of the gradients", "speed"
PANELS = {MAIN: "Loss", FURTHER: "Penalties and further terms", GRADIENTS: "Norm of the gradients", SPEED: "Speed"}
"""Panel → its title, from top to bottom."""
JUDGES, OTHERS, MODEL = (RED, OCHRE), (BLUE, GREEN, PURPLE), GREY
"""Colours of players that judge samples, of others, and of the speed."""
DASHES = ("-", "--", ":", "-.")
"""Lines of several terms of one player."""
LOG_RATIO = 300
"""Ratio of the usual extremes of a panel beyond which its axis is logarithmic."""
USUAL = (0.02, 0.98)
"""Quantiles of the values that a panel shows at least; values far beyond, as in first steps, are cut off."""
ROOM = 0.6
"""Room above and below them, relative to their range."""


class Curve(NamedTuple):
    """One curve: its player, name, samples seen and values."""

    player: str
    name: str
    samples: list[int]
    values: list[float]


def curves(lines: Sequence[LogLine]) -> bytes:
    """Draw the lines of a log into a PNG file."""
    return png_of(curves_figure(lines))


def curves_figure(lines: Sequence[LogLine]) -> "Figure":
    """Draw the lines of a log."""
    # Collect the points of each curve, by panel and name.
    panels: dict[str, dict[tuple[str, str], Curve]] = {panel: {} for panel in PANELS}
    for line in lines:
        for panel, player, name, value in _values(line):
            curve = panels[panel].setdefault((player, name), Curve(player, name, [], []))
            curve.samples.append(line.samples)
            curve.values.append(value)
    colours = _colours(lines)

    # Panels share the axis of samples.
    figure = blank_figure(8, 0.6 + 2.1 * len(PANELS))
    axes = figure.subplots(len(PANELS), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (panel, title) in zip(axes, PANELS.items(), strict=True):
        _draw(axis, title, list(panels[panel].values()), colours)
    axes[-1].set_xlabel("real samples seen")
    return figure


def _values(line: LogLine) -> Iterator[tuple[str, str, str, float]]:
    """Yield (panel, player, name of the curve, value)."""
    for player, terms in line.terms.items():
        for place, (name, value) in enumerate(terms.items()):
            yield FURTHER if place else MAIN, player, f"{player}: {name}", value
    yield from ((GRADIENTS, player, player, norm) for player, norm in line.gradients.items())
    if line.samples_per_second is not None:
        yield SPEED, "", "real samples per second", line.samples_per_second


def _colours(lines: Sequence[LogLine]) -> dict[str, str]:
    """Return a colour for each player: reds for those that judge samples, which have notes, blues for others."""
    judging = dict.fromkeys(player for line in lines for player, notes in line.notes.items() if notes)
    players = dict.fromkeys(player for line in lines for player in (*line.terms, *line.gradients))
    found: dict[str, str] = {}
    for group, colours in ((judging, JUDGES), ([one for one in players if one not in judging], OTHERS)):
        found |= {player: colours[place % len(colours)] for place, player in enumerate(group)}
    return found


def _draw(axes: "Axes", title: str, drawn: Sequence[Curve], colours: dict[str, str]) -> None:
    # Raw values stay visible behind their average; one or two points need markers to be seen at all.
    of_player: dict[str, int] = {}
    for curve in drawn:
        colour = colours.get(curve.player, MODEL)
        place = of_player[curve.player] = of_player.get(curve.player, -1) + 1
        style, marker = DASHES[place % len(DASHES)], "o" if len(curve.samples) < 3 else None
        axes.plot(curve.samples, curve.values, color=colour, lw=0.8, alpha=0.3, marker=marker)
        axes.plot(curve.samples, _smooth(curve.values), color=colour, lw=1.6, ls=style, label=label(curve.name))

    cut = _set_range(axes, [value for curve in drawn for value in curve.values], wide=title == PANELS[GRADIENTS])
    if drawn:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    else:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", fontsize=8, color=GREY)
        axes.set_yticks([])
    axes.set_title(f"{title}{' (the largest values lie beyond the axis)' if cut else ''}", fontsize=9, loc="left")
    axes.grid(alpha=0.25, lw=0.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _set_range(axes: "Axes", values: Sequence[float], *, wide: bool) -> bool:
    """Scale the axis to the usual values, to their logarithms if ``wide``; return whether others are cut off."""
    found = np.array([value for value in values if np.isfinite(value)])
    if not len(found):
        return False
    # Small values would be indistinguishable from zero on a linear axis; a logarithmic one shows outliers, too.
    low, high = np.quantile(found, USUAL)
    if found.min() > 0 and (wide or high / low > LOG_RATIO):
        axes.set_yscale("log")
        return False
    room = ROOM * (high - low)
    bottom, top = max(found.min(), low - room), min(found.max(), high + room)
    if bottom < top:
        axes.set_ylim(bottom - 0.04 * (top - bottom), top + 0.04 * (top - bottom))
    return bool(found.min() < bottom or found.max() > top)


def _smooth(values: list[float]) -> list[float]:
    """Return running means over a twentieth of the run."""
    radius = len(values) // 40
    windows = [values[max(0, place - radius) : place + radius + 1] for place in range(len(values))]
    return [sum(window) / len(window) for window in windows]
