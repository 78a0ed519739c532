"""Columns most of whose numbers are outside of the range of the training data, as in other units."""

import numpy as np
from numpy.typing import NDArray

from sparring.text import printable

MAX_OUTSIDE = 0.5
"""Share of the values of a column that may be outside without a remark."""


def about_range(
    name: str, values: NDArray[np.float64], ends: tuple[float, float], words: str, question: str = "other units?"
) -> list[str]:
    """Return a sentence on a column most of whose values are outside of a range; none for others.

    Args:
        name: of the column.
        values: of the column, NaN where they are missing.
        ends: lowest and highest value of the training data.
        words: these two as text.
        question: what may be the reason.

    >>> about_range("x", np.array([5e6, np.nan, 0.0, -4e6]), (-3.0, 3.0), "-3 to 3")
    ["Column 'x': 2 of 3 values are outside -3 to 3, the range of the training data: other units?"]
    """
    present = values[~np.isnan(values)]
    outside = int(((present < ends[0]) | (present > ends[1])).sum())
    if outside <= MAX_OUTSIDE * len(present):
        return []
    which = f"{outside:,} of {len(present):,} values are"
    return [f"Column {printable(name)!r}: {which} outside {words}, the range of the training data: {question}"]
