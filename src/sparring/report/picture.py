"""The signals of a run in one picture, with what ailed it, what was done, and whether that helped."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, final

from sparring.watchdog.incidents import CUT_SHORT, HELPED, IN_VAIN, PARTLY, PENDING, Incident
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import Observation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, RED, GREEN, OCHRE, GREY = "#1f4ea0", "#d1495b", "#2e8b57", "#b8860b", "#6b7280"
MARKS = {
    "found": ("o", RED, "found"),
    HELPED: ("P", GREEN, "remedy that helped"),
    PARTLY: ("P", GREY, "helped, but not enough"),
    IN_VAIN: ("X", RED, "remedy that did not"),
    PENDING: (">", GREY, "remedy not judged yet"),
    CUT_SHORT: (">", GREY, "remedy not judged before the phase ended"),
}
"""What happened → shape, colour and words; a remedy is drawn by what came of it."""
LINEAR, LOG, BOTH = "linear", "log", "symlog"
SMALL = 1e-3
"""Below it, an axis for small numbers of both signs is linear."""
ALIKE = math.log(2)
"""The lead where reals and samples score alike."""


@final
@dataclass(frozen=True)
class Panel:
    """One field of the picture.

    Args:
        shows: what is drawn, by name → colour.
        least: the values that the axis spans at the least.
        most: the values that it spans at the most; what lies beyond is cut off.
        scale: "linear", "log", or "symlog" for small numbers of both signs.
        line: a level to go by, and in words what it is.
    """

    shows: Mapping[str, str]
    least: tuple[float, float] | None = None
    most: tuple[float, float] = (-math.inf, math.inf)
    scale: str = LINEAR
    line: tuple[float, str] | None = None


def single(name: str, **choices: Any) -> Panel:
    """A panel of one signal, with the band in which no rule complains of it."""
    return Panel({name: BLUE}, **choices)


SHARE = (0.0, 1.05)
GAMMA = "γ, or its factor"
TURNED = "What was turned?"
OTHERS = (OCHRE, RED, GREY)
"""Colours of dials of the same kind, after the first."""
ROWS: dict[str, tuple[Panel, Panel]] = {
    "Are both players level?": (
        single("lead", least=(0.6, 1.4), line=(ALIKE, "alike")),
        single("overlap", least=(0.0, 0.55), line=(0.5, "alike")),
    ),
    "How far from the data, and how much of it is covered?": (
        single("distance", least=(0.0, 0.1), scale=BOTH),
        single("coverage", least=SHARE),
    ),
    "Does different noise give different samples?": (
        single("diversity", least=(0.0, 1.4), line=(1.0, "reals")),
        single("contrast", least=(0.0, 1.4), line=(1.0, "reals")),
    ),
    "How strong are gradients and slopes?": (
        Panel({"generator gradient": BLUE, "discriminator gradient": OCHRE}, scale=LOG),
        Panel({"real slope": BLUE, "fake slope": OCHRE}, scale=LOG),
    ),
    "Is the training data known by heart?": (
        single("held-out gap", least=(-0.25, 1.05), most=(-0.5, 1.2)),
        single("nearer to training", least=SHARE, line=(0.5, "expected")),
    ),
}
"""The question that a row answers → its panels. A last row shows the dials that were turned."""

Values = dict[str, tuple[list[int], list[float]]]


def signals_picture(
    observations: Sequence[Observation],
    incidents: Sequence[Incident] = (),
    figures: Sequence[Mapping[str, Any]] = (),
    phases: Sequence[tuple[int, str]] = (),
) -> bytes:
    """A PNG file: what happened on top, below it two panels for each question; what is healthy is shaded green.

    Args:
        looks: of the run.
        episodes: what ailed it.
        figures: lines of log.jsonl, for the dials.
        phases: samples seen when each phase but the first began, and its name.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    controls = _dials(figures)
    values = {**_signals(observations), **{name: drawn for every in controls for name, drawn in every.items()}}
    rows = {
        asks: pair
        for asks, pair in {**ROWS, TURNED: _panels(*controls)}.items()
        if any(name in values for each in pair for name in each.shows)
    }
    lanes = list(dict.fromkeys(each.finding for each in incidents))
    heights = [0.85 + 0.24 * len(lanes)] * bool(lanes) + [1.65] * max(len(rows), 1)
    figure = Figure(figsize=(10, 0.6 + sum(heights)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    treated = [one.samples for each in incidents for one in each.treatments]
    begun = [samples for samples, _ in phases]
    last = max(
        [*(observation.samples for observation in observations), *(each.end for each in incidents), *treated, *begun],
        default=1,
    )
    if lanes:
        story = figure.add_subplot(grid[0, :])
        _draw_story(story, incidents, lanes, last)
        _mark_phases(story, phases, named=True)
    for place, (asks, pair) in enumerate(rows.items(), start=bool(lanes)):
        for side, panel in enumerate(pair):
            axes = figure.add_subplot(grid[place, side])
            _draw(axes, panel, values, "" if side else asks)
            _mark(axes, incidents)
            _mark_phases(axes, phases, named=place == 0)
            _finish(axes, last, labelled=place == max(_places(rows, side, values), default=0) + bool(lanes))
    words = "real samples seen  ·  green: where the watchdog finds nothing wrong with this signal"
    figure.supxlabel(words, fontsize=8, color=GREY)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def healthy(signal: str, low: float, high: float) -> tuple[float, float] | None:
    """The part of ``low`` to ``high`` below and above which not all rules complain; None if none looks at the value.

    Some rules ask for little because others of their signals say the rest: one complaint does not make a value ill.
    """
    heights = [low + (high - low) * place / 2000 for place in range(2001)]
    tests = [test for rule in RULES for test in (*rule.needed, *rule.either) if test.signal == signal]
    sides = [side for end in (low, high) if (side := [test for test in tests if test.holds(end, ())])]
    fine = [height for height in heights if not any(all(test.holds(height, ()) for test in side) for side in sides)]
    return (min(fine), max(fine)) if fine and len(fine) < len(heights) else None


def _signals(observations: Sequence[Observation]) -> Values:
    names = {name for observation in observations for name in observation.values}
    there = {name: [observation for observation in observations if name in observation.values] for name in names}
    return {name: ([each.samples for each in some], [each[name] for each in some]) for name, some in there.items()}


def _dials(figures: Sequence[Mapping[str, Any]]) -> tuple[Values, Values]:
    """The dials that were turned, by the names under which they are drawn: those of γ, then rates and augmentation."""
    gammas: Values = {}
    others: Values = {}
    for written in dict.fromkeys(name for row in figures for name in row):
        start, _, control = written.partition("dial: ")
        kind, _, of_which = control.partition(" ")
        if start or not (kind in ("strength", "augmentation") or control.endswith(" rate")):
            continue
        rows = [row for row in figures if isinstance(row.get(written), int | float)]
        values = [float(row[written]) for row in rows]
        if set(values) - {0.0 if kind == "augmentation" else 1.0}:
            drawn = [int(row["samples"]) for row in rows], values
            if kind == "strength":
                gammas[f"{GAMMA}: {of_which}" if of_which else GAMMA] = drawn
            else:
                others[control] = drawn
    return gammas, others


def _panels(gammas: Values, others: Values) -> tuple[Panel, Panel]:
    """The last row: rates from the first colour on, whatever stands between."""
    colours = {name: GREEN for name in others if not name.endswith(" rate")}
    rates = [name for name in others if name not in colours]
    return (
        Panel(dict(zip(gammas, cycle((BLUE, *OTHERS)), strict=False)), scale=LOG),
        Panel({**dict(zip(rates, cycle((BLUE, *OTHERS)), strict=False)), **colours}, scale=BOTH),
    )


def _mark_phases(axes: "Axes", phases: Sequence[tuple[int, str]], *, named: bool) -> None:
    """A thin line where each phase begins."""
    for samples, name in phases if axes.axison else ():
        axes.axvline(samples, color=GREY, lw=0.6, zorder=1)
        if named:
            axes.text(samples, 1.0, f" {name}", transform=axes.get_xaxis_transform(), va="top", fontsize=7, color=GREY)


def _places(rows: Mapping[str, tuple[Panel, Panel]], side: int, values: Values) -> list[int]:
    """The rows in which something is drawn on this side."""
    return [place for place, pair in enumerate(rows.values()) if any(name in values for name in pair[side].shows)]


def _draw_story(axes: "Axes", incidents: Sequence[Incident], lanes: Sequence[str], last: int) -> None:
    """One lane for each finding: a bar while it held, where it was found and remedies were judged, and the outcome."""
    for each in incidents:
        height = lanes.index(each.finding)
        colour = GREEN if each.outcome == HELPED else RED if each.lasts else GREY
        marks = [(each.start, "found"), *((one.judged or one.samples, one.outcome) for one in each.treatments)]
        stop = max([each.end, *(samples for samples, _ in marks)])
        axes.plot([each.start, stop], [height, height], color=colour, lw=7, alpha=0.25, solid_capstyle="butt")
        for samples, kind in marks:
            shape, colour, _ = MARKS[kind]
            axes.plot([samples], [height], shape, color=colour, ms=7, mec="white", mew=0.8, clip_on=False, zorder=3)
        # Beside the bar where there is room, else on it.
        place = stop if stop <= 0.7 * last else each.start
        side = "right" if stop > 0.7 * last and each.start > 0.3 * last else "left"
        axes.text(place, height, f"   {_outcome(each)}   ", ha=side, va="center", fontsize=7.5, color=GREY)
    present = {"found", *(one.outcome for each in incidents for one in each.treatments)}
    for shape, colour, words in (mark for kind, mark in MARKS.items() if kind in present):
        axes.plot([], [], shape, color=colour, ms=6, label=words)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_title("What happened?", fontsize=9, loc="left", fontweight="bold", pad=20)
    _finish(axes, last, labelled=True)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _outcome(incident: Incident) -> str:
    """A few words on what came of it."""
    if not incident.treatments:
        return "left behind" if incident.left else "nothing was done" if incident.lasts else "passed"
    tries = len(incident.treatments)
    if incident.outcome == HELPED:
        return f"helped at try {tries}" if tries > 1 else "helped"
    return f"{tries} tries: {incident.outcome}" if tries > 1 else incident.outcome


def _mark(axes: "Axes", incidents: Sequence[Incident]) -> None:
    """Vertical lines where something was found, and where a remedy had helped."""
    for each in (one for one in incidents if axes.axison and not one.left):
        axes.axvline(each.start, color=RED, lw=0.8, ls=(0, (4, 3)), alpha=0.8, zorder=1)
        if each.mended is not None:
            axes.axvline(each.mended, color=GREEN, lw=0.8, ls=(0, (4, 3)), zorder=1)


def _draw(axes: "Axes", panel: Panel, values: Values, asks: str) -> None:
    drawn = {name: values[name] for name in panel.shows if name in values}
    axes.set_title(asks, fontsize=9, loc="left", fontweight="bold", pad=20)
    for name, (samples, column) in drawn.items():
        dots = "." if len(column) < 80 else None
        axes.plot(samples, column, color=panel.shows[name], lw=1.5, label=name, marker=dots, ms=4, zorder=2)
    if not drawn:
        axes.axis("off")
        return
    _scale(axes, panel, [value for _, column in drawn.values() for value in column])
    if panel.line is not None:
        axes.axhline(panel.line[0], color=GREY, lw=0.8, ls=":", label=panel.line[1])
    low, high = axes.get_ylim()
    band = healthy(next(iter(panel.shows)), low, high) if len(panel.shows) == 1 else None
    if band is not None:
        axes.axhspan(*band, color=GREEN, alpha=0.09, lw=0, zorder=0)


def _scale(axes: "Axes", panel: Panel, values: Sequence[float]) -> None:
    """The vertical axis: as wide as the values need, within what the panel says."""
    positive = [value for value in values if value > 0]
    flat = panel.scale == LINEAR and panel.least and len(positive) > 3 and max(positive) > 50 * panel.least[1]
    if (panel.scale == LOG or flat) and positive:
        axes.set_yscale("log", nonpositive="mask")
        axes.set_ylim(
            10.0 ** math.floor(math.log10(min(positive))), 10.0 ** math.ceil(math.log10(max(positive)) + 1e-6)
        )
    elif panel.scale == BOTH:
        axes.set_yscale("symlog", linthresh=SMALL, linscale=0.5)
        axes.set_ylim(min(*values, 0.0) * 1.3, 1.3 * max(*values, 0.1))
    elif panel.least is not None:
        low, high = min(*values, panel.least[0]), max(*values, panel.least[1])
        axes.set_ylim(max(low, panel.most[0]), min(high * 1.02, panel.most[1]))
    axes.minorticks_off()


def _finish(axes: "Axes", last: int, *, labelled: bool) -> None:
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        legend = axes.legend(ncols=len(handles), fontsize=8, frameon=False, handlelength=1.4, columnspacing=1.2)
        legend.set_loc("lower left")
        legend.set_bbox_to_anchor((-0.01, 0.94), axes.transAxes)
    axes.set_xlim(0, last * 1.01)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=5)  # More would touch one another where samples are counted in millions.
    axes.tick_params(labelsize=8, labelbottom=labelled)
    axes.grid(alpha=0.25, lw=0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
