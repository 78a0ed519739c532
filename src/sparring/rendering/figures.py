"""Figures of Matplotlib as PNG files."""

import io
from typing import TYPE_CHECKING

from sparring.rendering.exhibits import OVERVIEW_SOFTWARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110
BLUE, RED, GREEN, OCHRE, PURPLE, GREY = "#1f4ea0", "#d1495b", "#2e8b57", "#b8860b", "#6a4c93", "#6b7280"
"""Colours of all figures: blue is what generates and what it generates, red is what judges."""


def blank_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches, without pyplot, which keeps global state; notebooks show it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            return png_of(self)

    figure = ShownFigure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: "Figure") -> bytes:
    """Return the content of a PNG file."""
    return file_of(figure, "png")


def file_of(figure: "Figure", kind: str) -> bytes:
    """Return the content of a file, "png", "svg" or "pdf", marked as drawn by this program.

    The mark tells it from data, and from pictures that must not be replaced.
    """
    # Lay the figure out by itself: savefig would draw it twice.
    content, engine = io.BytesIO(), figure.get_layout_engine()
    if engine is not None and figure.axes:
        engine.execute(figure)
        figure.set_layout_engine("none")
    figure.savefig(content, format=kind, metadata={"Software" if kind == "png" else "Creator": OVERVIEW_SOFTWARE})
    figure.set_layout_engine(engine)
    return content.getvalue()
