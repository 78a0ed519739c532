"""The figures of a run as curves, in one picture."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
Series = dict[str, tuple[list[float], list[float]]]

NOT_CURVES = ("samples", "samples_per_second")
COLOURS = ("#1f4ea0", "#d1495b", "#2e8b57", "#b8860b", "#6a4c93", "#00798c", "#8d6e63", "#555555")


def curves(rows: Sequence[Row]) -> bytes:
    """A PNG file: one panel per player with its terms, one of gradients and other figures, one of speed.

    Args:
        rows: lines of log.jsonl: "samples", "player/term", other figures and "samples_per_second".
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = _panels(rows)
    figure = Figure(figsize=(8, 0.6 + 2.2 * len(panels)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for place, (title, series) in zip(axes, panels.items(), strict=True):
        _draw(place, title, series)
    axes[-1].set_xlabel("real samples seen")
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _panels(rows: Sequence[Row]) -> dict[str, Series]:
    """Panel title → name of the curve → (samples, values)."""
    panels: dict[str, Series] = {}
    for row in rows:
        for name, value in row.items():
            noted = ": " in name  # The watchdog's picture has these.
            if name in NOT_CURVES or noted or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            player, slash, term = name.rpartition("/")
            title = f"{player}: what it minimises" if slash else "other figures"
            if term == "gradient":
                title, term = "length of the gradients", player
            _add(panels, title, term, float(row["samples"]), float(value))
        if "samples_per_second" in row:
            _add(panels, "real samples per second", "speed", float(row["samples"]), float(row["samples_per_second"]))
    order = sorted(panels, key=lambda title: (":" not in title, title == "real samples per second", title))
    return {title: panels[title] for title in order} or {"no figures were written": {}}


def _add(panels: dict[str, Series], title: str, name: str, samples: float, value: float) -> None:
    horizontal, vertical = panels.setdefault(title, {}).setdefault(name, ([], []))
    horizontal.append(samples)
    vertical.append(value)


def _draw(axes: "Axes", title: str, series: Series) -> None:
    for (name, (samples, values)), colour in zip(series.items(), COLOURS * len(series), strict=False):
        thick = len(samples) < 3
        axes.plot(samples, values, color=colour, lw=0.8, alpha=0.35, marker="o" if thick else None)
        axes.plot(samples, _smooth(values), color=colour, lw=1.6, label=name)
    if _spans_decades(series):
        axes.set_yscale("log")
    if series and title != "real samples per second":
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    axes.set_title(title, fontsize=9, loc="left")
    axes.grid(alpha=0.25, lw=0.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _smooth(values: list[float]) -> list[float]:
    """The mean of the values around, over a twentieth of the run."""
    reach = len(values) // 40
    around = [values[max(0, place - reach) : place + reach + 1] for place in range(len(values))]
    return [sum(window) / len(window) for window in around]


def _spans_decades(series: Series) -> bool:
    """Whether the values, all positive, differ by more than a factor of 300."""
    values = [value for _, column in series.values() for value in column]
    return bool(values) and min(values) > 0 and max(values) / min(values) > 300
