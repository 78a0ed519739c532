"""Shapes of single columns: distributions, missing cells, rare categories.

Every function compares generated rows with real ones and returns a value for each column, (columns,), NaN where there
is none. The score of a table is the mean over the columns that have one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, check, missing_of, values_of

RARE_SHARE = 0.05
"""Share of the real cells up to which a category is rare."""


def column_shapes(real: Rows, fake: Rows, columns: Sequence[Column]) -> Floats:
    """Return 1 − D of numbers and dates and 1 − TV of categories, in [0, 1]; higher is better.

    D is the Kolmogorov–Smirnov statistic, sup |F − G|; TV the total variation distance ½ Σ |p − q|. Missing cells are
    left out, as in KSComplement and TVComplement of sdmetrics 0.32, whose values these are. NaN for a column without
    real values; unlike there, 0 for one that has real values and no generated ones.
    """
    check(columns, real, fake)
    shapes = np.full(len(columns), np.nan)
    for place, (column, ours, theirs) in enumerate(zip(columns, values_of(real).T, values_of(fake).T, strict=True)):
        first, second = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
        if len(first):
            compare = kolmogorov_smirnov if column.is_numeric else total_variation
            shapes[place] = 1 - compare(first, second) if len(second) else 0.0
    return shapes


def missing_errors(real: Rows, fake: Rows) -> Floats:
    """Return the differences of the shares of missing cells, |p − q| in [0, 1]; lower is better."""
    errors: Floats = np.abs(missing_of(real).mean(0) - missing_of(fake).mean(0))
    return errors


def rare_coverages(real: Rows, fake: Rows, columns: Sequence[Column]) -> Floats:
    """Return the mean of min(1, q / p) over rare categories, in [0, 1]; higher is better.

    A category is rare if its share p among the real cells is at most 5 %; q is its share among the generated ones.
    Other real rows do not reach 1 where there are categories of a few rows. NaN for columns without such categories.
    """
    check(columns, real, fake)
    coverages = np.full(len(columns), np.nan)
    for place, column in enumerate(columns):
        if column.is_numeric:
            continue
        p, q = (shares_of(values_of(side)[:, place], len(column.categories)) for side in (real, fake))
        rare = (p > 0) & (p <= RARE_SHARE)
        if rare.any():
            coverages[place] = np.minimum(q[rare] / p[rare], 1).mean()
    return coverages


def worst_columns(shapes: Floats, columns: Sequence[Column], most: int = 5) -> list[tuple[str, float]]:
    """Return the names and values of the columns with the lowest values, the worst first."""
    order = [int(place) for place in np.argsort(shapes, kind="stable") if not np.isnan(shapes[place])]
    return [(columns[place].name, float(shapes[place])) for place in order[:most]]


def kolmogorov_smirnov(real: Floats, fake: Floats) -> float:
    """Return sup |F − G| of two samples of numbers, (count,) each, both not empty.

    >>> kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    places = np.concatenate([real, fake])
    below = (np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (real, fake))
    first, second = below
    return float(np.abs(first - second).max())


def total_variation(real: NDArray[Any], fake: NDArray[Any]) -> float:
    """Return ½ Σ |p − q| over all values of two samples, (count,) each, both not empty.

    >>> total_variation(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 2.0]))
    0.5
    """
    _, numbers = np.unique(np.concatenate([real, fake]), return_inverse=True)
    p, q = (np.bincount(part, minlength=int(numbers.max()) + 1) / len(part) for part in np.split(numbers, [len(real)]))
    return float(np.abs(p - q).sum() / 2)


def shares_of(values: Floats, categories: int) -> Floats:
    """Return the share of each category among the cells that are not missing, (categories,)."""
    present = values[~np.isnan(values)].astype(np.int64)
    shares: Floats = np.bincount(present, minlength=categories)[:categories] / max(len(present), 1)
    return shares
