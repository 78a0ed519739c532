"""The picture of a run: its incidents on top, and below them its signals and controls, two panels for each question."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias, final

from sparring.rendering.figures import BLUE, GREEN, GREY, OCHRE, RED, blank_figure, png_of
from sparring.runs.logbook import LogLine
from sparring.text import label
from sparring.watchdog.incidents import Incident, Outcome
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import Observation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOUND = ("o", RED, "found")
MARKERS = {
    Outcome.HELPED: ("P", GREEN, "remedy that helped"),
    Outcome.PARTLY: ("P", GREY, "remedy that helped in part"),
    Outcome.FAILED: ("X", RED, "remedy that did not help"),
    Outcome.PENDING: (">", GREY, "remedy not judged yet"),
    Outcome.UNJUDGED: (">", GREY, "remedy not judged before the phase ended"),
}
"""Outcome of a remedy → shape, colour and words."""
GAMMA = "γ, or its factor"
SYMLOG_THRESHOLD = 1e-3
"""Value below which a symlog axis is linear."""

Series: TypeAlias = dict[str, tuple[list[int], list[float]]]
"""Name → samples seen and values."""


@final
@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Args:
        signals: what is drawn, by name.
        span: values that the axis spans at least.
        limits: values that it spans at most; others are drawn at its ends.
        scale: "linear", "log", or "symlog" for small numbers of both signs.
        line: a level for comparison, and its label.
        colours: of the signals, in turn: blue for a player that generates, red for one that judges.
        conditional: whether a rule's bound counts only while its other criteria hold: alone the signal means nothing.
    """

    signals: tuple[str, ...]
    span: tuple[float, float] | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)
    scale: str = "linear"
    line: tuple[float, str] | None = None
    colours: tuple[str, ...] = (BLUE, OCHRE, GREEN, GREY)
    conditional: bool = False


SHARE = (0.0, 1.05)
ROWS: dict[str, tuple[Panel, Panel]] = {
    "Are both players equally strong?": (
        Panel(("lead",), span=(0.6, 1.4), line=(math.log(2), "equal"), colours=(RED,)),
        Panel(("overlap",), span=(0.0, 0.55), line=(0.5, "equal"), colours=(RED,)),
    ),
    "How far from the data, and how much of it is covered?": (
        Panel(("distance",), span=(0.0, 0.1), scale="symlog"),
        Panel(("coverage",), span=SHARE),
    ),
    "Do different latents give different samples?": (
        Panel(("diversity",), span=(0.0, 1.4), line=(1.0, "real samples")),
        Panel(("contrast",), span=(0.0, 1.4), line=(1.0, "real samples")),
    ),
    "How large are the gradients?": (
        Panel(("generator gradient", "discriminator gradient"), scale="log", colours=(BLUE, RED)),
        Panel(("real slope", "fake slope"), scale="log", colours=(RED, OCHRE)),
    ),
    "Does the discriminator overfit the training set?": (
        Panel(("held-out gap",), span=(-0.25, 1.05), limits=(-0.5, 1.2), colours=(RED,), conditional=True),
        Panel(("nearer to training",), span=SHARE, line=(0.5, "expected")),
    ),
}
"""Question → the panels that answer it."""


def signals_picture(
    observations: Sequence[Observation],
    incidents: Sequence[Incident] = (),
    log: Sequence[LogLine] = (),
    phases: Sequence[tuple[int, str]] = (),
) -> bytes:
    """Return a PNG file; values of which no rule complains are shaded green.

    Args:
        observations: those of the run.
        incidents: those of the run.
        log: lines of log.jsonl, for the controls.
        phases: samples seen when each phase but the first began, and its name.
    """
    # Rows without anything to draw are left out; one lane per finding comes on top.
    moved, controls = moved_controls(log)
    series = {**_series((one.samples, one.values) for one in observations), **moved}
    rows = {**ROWS, "Which controls moved?": controls}
    rows = {title: row for title, row in rows.items() if any(name in series for panel in row for name in panel.signals)}
    lanes = list(dict.fromkeys(incident.finding for incident in incidents))
    heights = [0.85 + 0.24 * len(lanes)] * bool(lanes) + [1.65] * max(len(rows), 1)
    treated = [treatment.samples for incident in incidents for treatment in incident.treatments]
    ends = [one.samples for one in observations] + [one.end for one in incidents] + [start for start, _ in phases]
    last = max([*ends, *treated], default=1)

    figure = blank_figure(10, 0.6 + sum(heights))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    # The lanes of incidents span both columns.
    if lanes:
        axes = figure.add_subplot(grid[0, :])
        _draw_incidents(axes, incidents, lanes, last)
        _finish(axes, "What happened?", last)
        _mark(axes, (), phases, named=True)
        axes.grid(False)

    # Below them each question has two panels. Only the lowest panel of a column shows the axis of samples.
    for column in (0, 1):
        lowest = None
        for place, (title, row) in enumerate(rows.items(), start=bool(lanes)):
            axes = figure.add_subplot(grid[place, column])
            if any(name in series for name in row[column].signals):
                _draw_panel(axes, row[column], series, observations)
                _mark(axes, incidents, phases, named=place == 0)
                axes.tick_params(labelbottom=False)
                lowest = axes
            else:
                axes.axis("off")
            _finish(axes, "" if column else title, last)
        if lowest is not None:
            lowest.tick_params(labelbottom=True)

    words = "real samples seen  ·  green: values that the watchdog considers healthy"
    figure.supxlabel(words, fontsize=8, color=GREY)
    return png_of(figure)


def healthy_band(signal: str, low: float, high: float) -> tuple[float, float] | None:
    """Return the values between ``low`` and ``high`` of which at least one rule does not complain; None if all are."""
    criteria = [one for rule in RULES for one in (*rule.criteria, *rule.any_of) if one.signal == signal]
    lows, highs = [one.low for one in criteria if one.low > low], [one.high for one in criteria if one.high < high]
    return (min(lows, default=low), max(highs, default=high)) if lows or highs else None


def highest_healthy(signal: str, observation: Observation, high: float) -> float:
    """Return the highest value of which no rule complains, given the other signals; ``high`` if there is no bound."""
    bounds = [high]
    for rule in RULES:
        others = [one for one in rule.criteria if one.signal != signal]
        # A signal that was not observed agrees with nothing.
        if len(others) < len(rule.criteria) and all(
            observation[one.signal] < one.low or observation[one.signal] > one.high for one in others
        ):
            bounds += [one.high for one in rule.criteria if one.signal == signal]
    return min(bounds)


def moved_controls(log: Sequence[LogLine]) -> tuple[Series, tuple[Panel, Panel]]:
    """Return the controls that moved, and their panels: γ on the left, learning rates and augmentation on the right."""
    controls = _series((line.samples, line.controls) for line in log)
    kinds = {name: "rate" if name.endswith(" rate") else name.split()[0] for name in controls}
    # γ is 0 for games without a penalty.
    starts = {"gamma": {0.0, 1.0}, "rate": {1.0}, "augmentation": {0.0}}
    moved = {name: kind for name, kind in kinds.items() if kind in starts and set(controls[name][1]) - starts[kind]}
    labels = {name: name.replace("gamma ", f"{GAMMA}: ").replace("gamma", GAMMA) for name in moved}
    left = tuple(labels[name] for name in moved if moved[name] == "gamma")
    right = tuple(name for kind in ("rate", "augmentation") for name in moved if moved[name] == kind)
    return {labels[name]: controls[name] for name in moved}, (Panel(left, scale="log"), Panel(right, scale="symlog"))


def _series(rows: Iterable[tuple[int, Mapping[str, float]]]) -> Series:
    found: Series = {}
    for samples, values in rows:
        for name, value in values.items():
            horizontal, vertical = found.setdefault(name, ([], []))
            horizontal.append(samples)
            vertical.append(value)
    return found


def _draw_incidents(axes: "Axes", incidents: Sequence[Incident], lanes: Sequence[str], last: int) -> None:
    """Draw a lane per finding: a bar for each incident, marks where it was found and remedies judged, its outcome."""
    present = {FOUND}
    for incident in incidents:
        height, judged = lanes.index(incident.finding), incident.treatments
        marks = [(incident.start, FOUND), *((one.judged_at or one.samples, MARKERS[one.outcome]) for one in judged)]
        end = max([incident.end, *(samples for samples, _ in marks)])
        colour = GREEN if incident.outcome == Outcome.HELPED else RED if incident.active else GREY
        axes.plot([incident.start, end], [height] * 2, color=colour, lw=7, alpha=0.25, solid_capstyle="butt")
        for samples, (shape, colour, _) in marks:
            axes.plot(samples, height, shape, color=colour, ms=7, mec="white", mew=0.8, clip_on=False, zorder=3)
        present |= {mark for _, mark in marks}

        # The outcome stands beside the bar where there is room, else on it.
        beside = end <= 0.7 * last
        align = "left" if beside or incident.start <= 0.3 * last else "right"
        place, words = end if beside else incident.start, label(f"   {incident.summary}   ")
        axes.text(place, height, words, ha=align, va="center", fontsize=7.5, color=GREY)

    # Lines without points put each kind of mark into the legend once.
    for shape, colour, words in (mark for mark in (FOUND, *MARKERS.values()) if mark in present):
        axes.plot([], [], shape, color=colour, ms=6, label=words)
    axes.set_yticks(range(len(lanes)), [label(lane) for lane in lanes])
    # The first finding is at the top.
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _draw_panel(axes: "Axes", panel: Panel, series: Series, observations: Sequence[Observation]) -> None:
    """Draw the curves of a panel, its level for comparison, and the band of healthy values."""
    colours, values = cycle(panel.colours), list[float]()
    for name in (name for name in panel.signals if name in series):
        samples, column = series[name]
        colour = GREEN if name.startswith("augmentation") else next(colours)
        marker = "." if len(column) < 80 else None
        drawn = [min(max(value, panel.limits[0]), panel.limits[1]) for value in column]
        axes.plot(samples, drawn, color=colour, lw=1.5, label=label(name), marker=marker, ms=4, zorder=2)
        values += column
    _set_scale(axes, panel, values)
    if panel.line is not None:
        axes.axhline(panel.line[0], color=GREY, lw=0.8, ls=":", label=panel.line[1])
    low, high = axes.get_ylim()
    if panel.conditional:
        tops = [highest_healthy(panel.signals[0], one, high) for one in observations]
        axes.fill_between([one.samples for one in observations], low, tops, color=GREEN, alpha=0.09, lw=0, zorder=0)
        return
    band = healthy_band(panel.signals[0], low, high) if len(panel.signals) == 1 else None
    if band is not None:
        axes.axhspan(*band, color=GREEN, alpha=0.09, lw=0, zorder=0)


def _set_scale(axes: "Axes", panel: Panel, values: Sequence[float]) -> None:
    """Scale the vertical axis to the values, within what the panel says; to their logarithms if they vary by far."""
    positive = [value for value in values if value > 0]
    large = panel.scale == "linear" and panel.span and len(positive) > 3 and max(positive) > 50 * panel.span[1]
    if positive and (panel.scale == "log" or large):
        axes.set_yscale("log", nonpositive="mask")
        low, high = math.log10(min(positive)), math.log10(max(positive)) + 1e-6
        axes.set_ylim(10.0 ** math.floor(low), 10.0 ** math.ceil(high))
    elif panel.scale == "symlog":
        axes.set_yscale("symlog", linthresh=SYMLOG_THRESHOLD, linscale=0.5)
        axes.set_ylim(min(*values, 0.0) * 1.3, 1.3 * max(*values, 0.1))
    elif panel.span is not None:
        low, high = min(*values, panel.span[0]), max(*values, panel.span[1])
        axes.set_ylim(max(low, panel.limits[0]), min(high * 1.02, panel.limits[1]))
    axes.minorticks_off()


def _mark(axes: "Axes", incidents: Sequence[Incident], phases: Sequence[tuple[int, str]], *, named: bool) -> None:
    """Draw a line where a finding was found, dashed, where a remedy had helped, dashed, and where a phase begins."""
    for incident in (one for one in incidents if not one.abandoned):
        for samples, colour in ((incident.start, RED), (incident.solved_at, GREEN)):
            if samples is not None:
                axes.axvline(samples, color=colour, lw=0.8, ls=(0, (4, 3)), alpha=0.8, zorder=1)
    for start, name in phases:
        axes.axvline(start, color=GREY, lw=0.6, zorder=1)
        if named:
            axes.text(
                start, 1.0, label(f" {name}"), transform=axes.get_xaxis_transform(), va="top", fontsize=7, color=GREY
            )


def _finish(axes: "Axes", title: str, last: int) -> None:
    """Set title, legend, ticks and grid."""
    axes.set_title(title, fontsize=9, loc="left", fontweight="bold", pad=20)
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        style = {"fontsize": 8, "frameon": False, "handlelength": 1.4, "columnspacing": 1.2}
        axes.legend(ncols=len(handles), loc="lower left", bbox_to_anchor=(-0.01, 0.94), **style)
    axes.set_xlim(0, last * 1.01)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=5)  # More would touch one another where samples are counted in millions.
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25, lw=0.5)
    axes.spines[["top", "right"]].set_visible(False)
