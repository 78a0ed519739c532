"""Differences of generated rows from real ones as a whole: distributions, associations, and where they mislead."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparring.data.columns import dates
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, some_rows, values_of
from sparring.modalities.tables.judging.shapes import column_shapes, shares_of, worst_columns
from sparring.modalities.tables.judging.trends import associations, pair_trends, worst_pairs
from sparring.rendering.exhibits import Exhibit, Picture, Table
from sparring.rendering.figures import blank_figure, png_of
from sparring.text import label, number_of, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 20_000
"""Rows of each side that are compared at most."""
MAX_PANELS, MAX_CELLS = 24, 40
"""Columns whose distributions are drawn, and sides of the matrices of associations."""
PANELS_PER_ROW = 4
MAX_BARS, BINS = 8, 30
"""Bars of a category, the last of which stands for all others, and bins of a number."""
NAME_LENGTH = 22
"""Characters of a name in a picture."""
LOWEST = 10
"""Columns and pairs in a table of those that differ most."""
REAL, GENERATED = "#6b7280", "#1f4ea0"


def contrasts(real: Rows, fake: Rows, columns: Sequence[Column], seed: int = 0) -> list[Exhibit]:
    """Render the distributions of both sides, their associations, and the columns and pairs that differ most.

    Associations and pairs are those of equally many rows on both sides: of few rows Cramér's V is higher.

    Args:
        real: training rows.
        fake: generated rows.
        columns: of both.
        seed: of the rows that are drawn where one side has more than the other, or than 20,000.
    """
    real, fake = some_rows(real, MAX_ROWS, seed), some_rows(fake, MAX_ROWS, seed)
    shapes = column_shapes(real, fake, columns)
    exhibits: list[Exhibit] = [_marginals(real, fake, columns, shapes)]
    places = {column.name: at for at, column in enumerate(columns)}
    worst = [(name, shape, places[name]) for name, shape in worst_columns(shapes, columns, LOWEST)]
    changes = [(printable(name), shape, _change(at, real, fake, columns[at])) for name, shape, at in worst]
    exhibits.append(_table(("column", "shape"), changes, "Columns that differ most, by their shapes; 1 is equal."))
    if len(columns) > 1:
        fewest = min(len(real.values), len(fake.values))
        real, fake = some_rows(real, fewest, seed), some_rows(fake, fewest, seed)
        # Of more columns than a matrix can show, those that are most associated with others.
        ours = associations(real, columns)
        strength = np.nan_to_num(np.abs(ours)).sum(0)
        kept = np.sort(np.argsort(-strength, kind="stable")[:MAX_CELLS])
        theirs = associations(fake, columns)
        exhibits.append(
            _matrices(ours[np.ix_(kept, kept)], theirs[np.ix_(kept, kept)], [columns[at].name for at in kept])
        )
        pairs = []
        for one, other, trend in worst_pairs(pair_trends(real, fake, columns), columns, LOWEST):
            wanted, found = (side[places[one], places[other]] for side in (ours, theirs))
            pairs.append((f"{printable(one)} × {printable(other)}", trend, f"{_signed(wanted)} → {_signed(found)}"))
        caption = (
            f"Pairs that differ most, by their trends in {fewest:,} rows of each side; 1 is equal. Associations: "
            "correlation of numbers, Cramér's V."
        )
        exhibits.append(_table(("pair", "trend"), pairs, caption))
    return exhibits


def _table(heading: tuple[str, str], rows: Sequence[tuple[str, float, str]], caption: str) -> Table:
    cells = tuple((name, f"{value:.3f}", change) for name, value, change in rows)
    return Table((*heading, "real → generated"), cells, caption, caption)


def _change(place: int, real: Rows, fake: Rows, column: Column) -> str:
    """Return what differs most in a column, in words: of numbers the quartiles, else a share."""
    ours, theirs = (values_of(side)[:, place] for side in (real, fake))
    gone = [float(np.isnan(side).mean()) for side in (ours, theirs)]
    if abs(gone[0] - gone[1]) > 0.05:
        return f"missing: {gone[0]:.1%} → {gone[1]:.1%}"
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    if not len(ours) or not len(theirs):
        return "no values"
    if column.is_numeric:
        sides = [[_number(value, column) for value in np.quantile(side, [0.25, 0.5, 0.75])] for side in (ours, theirs)]
        # Commas may separate thousands.
        return f"quartiles: {' / '.join(sides[0])} → {' / '.join(sides[1])}"
    p, q = (shares_of(side, len(column.categories)) for side in (ours, theirs))
    most = int(np.abs(p - q).argmax())
    return f"{printable(column.categories[most])[:40]}: {p[most]:.1%} → {q[most]:.1%}"


def _number(value: float, column: Column) -> str:
    if column.kind == "date":
        return dates.written(np.array([value]), column.form, 0)[0]
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def _signed(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:+.2f}"


def _marginals(real: Rows, fake: Rows, columns: Sequence[Column], shapes: Floats) -> Picture:
    """Draw the distribution of each column, the most different first."""
    order = np.argsort(np.nan_to_num(shapes, nan=2.0), kind="stable")[:MAX_PANELS]
    across = min(PANELS_PER_ROW, len(order))
    down = -(-len(order) // across)
    figure = blank_figure(2.7 * across, 0.4 + 1.9 * down)
    ours, theirs = values_of(real), values_of(fake)
    for panel, at in enumerate(order.tolist()):
        axes = figure.add_subplot(down, across, panel + 1)
        draw = _draw_numbers if columns[at].is_numeric else _draw_categories
        draw(axes, columns[at], ours[:, at], theirs[:, at])
        score = "" if np.isnan(shapes[at]) else f"  {shapes[at]:.2f}"
        axes.set_title(f"{_short(columns[at].name)}{score}", fontsize=8, loc="left", fontweight="bold")
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8, frameon=False
    )
    words = f"Distributions of {number_of(len(order), 'column')}, real and generated."
    left_out = f" {len(columns) - len(order)} further columns are more alike." if len(order) < len(columns) else ""
    return Picture(
        png_of(figure), f"Distributions of columns with their shapes, the worst first.{left_out}", words, wide=True
    )


def _draw_numbers(axes: "Axes", column: Column, real: Floats, fake: Floats) -> None:
    """Draw two histograms over the range of the real values, whose last bins hold what lies outside."""
    shown = real[~np.isnan(real)]
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
    whole = column.kind == "integer" and high - low < BINS
    edges = np.arange(low - 0.5, high + 1) if whole else np.linspace(low, high if high > low else low + 1, BINS + 1)
    for values, colour, name in ((real, REAL, "real"), (fake, GENERATED, "generated")):
        inside = np.clip(values[~np.isnan(values)], low, high)
        heights = np.histogram(inside, edges)[0] / max(len(values), 1)
        filled = name == "real"
        axes.stairs(heights, edges, color=colour, fill=filled, alpha=0.45 if filled else 1.0, lw=1.4, label=name)
    axes.set_yticks([])
    ticks = [low, high]
    axes.set_xticks(ticks, [_number(tick, column) for tick in ticks])
    first, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def _draw_categories(axes: "Axes", column: Column, real: Floats, fake: Floats) -> None:
    """Draw two bars for each of the most frequent categories, and for missing cells."""
    count = len(column.categories)
    p, q = (shares_of(side, count) * (1 - np.isnan(side).mean()) for side in (real, fake))
    names = [_short(name) for name in column.categories]
    if count > MAX_BARS:
        p, q = (np.append(side[: MAX_BARS - 1], side[MAX_BARS - 1 :].sum()) for side in (p, q))
        names = [*names[: MAX_BARS - 1], f"{count - MAX_BARS + 1} others"]
    if column.missing:
        p, q = np.append(p, np.isnan(real).mean()), np.append(q, np.isnan(fake).mean())
        names = [*names, "missing"]
    places = np.arange(len(names))
    axes.barh(places - 0.2, p, 0.4, color=REAL, alpha=0.6, label="real")
    axes.barh(places + 0.2, q, 0.4, color=GENERATED, label="generated")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=3)


def _matrices(real: Floats, fake: Floats, names: Sequence[str]) -> Picture:
    """Draw the associations of both sides, and their difference."""
    side = min(0.22 * len(names), 6.0) + 1.2
    figure = blank_figure(max(3 * side, 9.0), max(side, 3.0) + 0.6)
    for place, (title, values) in enumerate((("real", real), ("generated", fake), ("difference", fake - real))):
        axes = figure.add_subplot(1, 3, place + 1)
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(title, fontsize=9, loc="left", fontweight="bold")
        axes.set_xticks(range(len(names)), [_short(name) for name in names], rotation=90, fontsize=6)
        axes.set_yticks(range(len(names)), [_short(name) for name in names] if place == 0 else [], fontsize=6)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=figure.axes, shrink=0.6).ax.tick_params(labelsize=7)
    caption = "Associations of columns: correlation of two numbers, Cramér's V (0 to 1) of pairs with a category."
    return Picture(
        png_of(figure), caption, "Matrices of associations: real, generated, and their difference.", wide=True
    )


def _short(name: str) -> str:
    return label(name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…")
