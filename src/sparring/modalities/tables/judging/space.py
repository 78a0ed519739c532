"""The space in which distances between rows are measured."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, check, codes_of, values_of

MAX_CATEGORIES = 100
"""Categories of a column that have a coordinate of their own."""
MAX_COORDINATES = 2000
"""Coordinates of all categories together."""


@final
class Space:
    """Features of rows whose Euclidean distance is that of the rows.

    Numbers become mid-ranks among the real ones, linear between two of these, in [0, 1], so that no unit, skew or
    outlier decides; a missing number is in the middle, with a coordinate of its own. Categories are one-hot, divided by
    √2. So two categories are 1 apart, and the lowest and the highest number nearly are. Categories beyond the most
    frequent ones share a coordinate, which bounds the memory: at most 100 a column and 2,000 in all.

    Args:
        real: rows that the ranks come from.
        columns: of the rows.
    """

    def __init__(self, real: Rows, columns: Sequence[Column]) -> None:
        check(columns, real)
        self._columns = columns
        self._ranks = [_mid_ranks(values[~np.isnan(values)]) for values in values_of(real).T]
        categorical = sum(not column.is_numeric for column in columns)
        self._most = max(2, min(MAX_CATEGORIES, MAX_COORDINATES // max(categorical, 1)))

    def features(self, rows: Rows) -> Float[Tensor, "count features"]:
        """Return the features of rows in float64."""
        check(self._columns, rows)
        parts: list[Floats] = []
        for column, known, values in zip(self._columns, self._ranks, values_of(rows).T, strict=True):
            missing = np.isnan(values)
            if column.is_numeric:
                ranks = np.interp(values, *known, left=0, right=1)
                parts.append(np.stack([np.where(missing, 0.5, ranks), missing.astype(float)], 1))
            else:
                places = min(len(column.categories), self._most)
                one_hot = np.zeros((len(values), places + 1))
                one_hot[np.arange(len(values)), codes_of(values, places)] = np.sqrt(0.5)  # Missing: the last place.
                parts.append(one_hot)
        return torch.from_numpy(np.concatenate(parts, 1))


def _mid_ranks(values: Floats) -> tuple[Floats, Floats]:
    """Return the different values, the lowest first, and the mean share of values below and not above each of them."""
    if not len(values):
        return np.zeros(1), np.full(1, 0.5)
    known, counts = np.unique(values, return_counts=True)
    return known, (np.cumsum(counts) - counts / 2) / len(values)
