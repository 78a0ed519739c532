"""Trends of pairs of columns: correlations of numbers, joint shares of categories.

A value for each pair of columns is a symmetric matrix, (columns, columns), NaN where there is none and on the diagonal.
The score of a table is ``mean_trend``.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, Integers, check, values_of
from sparring.modalities.tables.judging.shapes import total_variation

BINS = 10
"""Bins of equal width into which a number is cut beside a category."""
MIN_CORRELATION, MIN_V = 0.4, 0.3
"""Association from which two numbers, or a pair with a category, have a trend."""
MAX_PAIRS = 5000
"""Pairs that are compared; of more, every n-th."""


def pair_trends(real: Rows, fake: Rows, columns: Sequence[Column]) -> Floats:
    """Return 1 − |ρ − ρ′| / 2 of two numbers and 1 − TV of pairs with a category, in [0, 1]; higher is better.

    ρ is Pearson's correlation over the rows where both numbers are there; TV = ½ Σ |p − q| over all combinations, with
    numbers cut into ten bins of equal width between the lowest and the highest real one, and missing cells as a value
    of their own. These are CorrelationSimilarity and ContingencySimilarity of sdmetrics 0.32. NaN where a real number
    is constant; unlike there, a generated constant has no correlation, ρ′ = 0.
    """
    check(columns, real, fake)
    ours, theirs = values_of(real), values_of(fake)
    cut = [_binned(ours[:, place], theirs[:, place], column) for place, column in enumerate(columns)]
    trends = np.full((len(columns), len(columns)), np.nan)
    for one, other in _pairs(len(columns)):
        if columns[one].is_numeric and columns[other].is_numeric:
            wanted, found = (correlation(side[:, one], side[:, other]) for side in (ours, theirs))
            value = math.nan if math.isnan(wanted) else 1 - abs(wanted - np.nan_to_num(found)) / 2
        else:
            joint = [
                first * (1 + cut[other][2]) + second for first, second in zip(cut[one][:2], cut[other][:2], strict=True)
            ]
            value = 1 - total_variation(*joint)
        trends[one, other] = trends[other, one] = value
    return trends


def associations(rows: Rows, columns: Sequence[Column]) -> Floats:
    """Return Pearson's correlation of two numbers, in [−1, 1], and Cramér's V of pairs with a category, in [0, 1].

    V = √(χ² / (n (min(a, b) − 1))), with numbers cut into ten bins and missing cells as a value of their own; it is 0
    where a column is constant. For the report, beside those of other rows.
    """
    check(columns, rows)
    values = values_of(rows)
    cut = [_binned(values[:, place], values[:, place], column)[0] for place, column in enumerate(columns)]
    found = np.full((len(columns), len(columns)), np.nan)
    for one, other in _pairs(len(columns)):
        numeric = columns[one].is_numeric and columns[other].is_numeric
        value = correlation(values[:, one], values[:, other]) if numeric else cramer(cut[one], cut[other])
        found[one, other] = found[other, one] = value
    return found


def mean_trend(trends: Floats, real: Floats, columns: Sequence[Column]) -> float:
    """Return the mean of ``pair_trends`` over pairs with a trend in the real rows, or over all pairs without any.

    A trend is a correlation of at least .4 or a V of at least .3, as in the quality report of sdmetrics 0.32; unrelated
    columns would give the score of a generator without any trend. NaN where there is no pair.

    Args:
        trends: of generated rows.
        real: ``associations`` of the real rows.
        columns: of the rows.
    """
    numeric = np.array([column.is_numeric for column in columns])
    least = np.where(numeric[:, None] & numeric, MIN_CORRELATION, MIN_V)
    found = trends[(np.nan_to_num(np.abs(real)) >= least) & ~np.isnan(trends)]
    if not len(found):
        found = trends[~np.isnan(trends)]
    return float(found.mean()) if len(found) else math.nan


def worst_pairs(trends: Floats, columns: Sequence[Column], most: int = 5) -> list[tuple[str, str, float]]:
    """Return the names and values of the pairs with the lowest values, the worst first."""
    pairs = [pair for pair in combinations(range(len(columns)), 2) if not np.isnan(trends[pair])]
    pairs.sort(key=lambda pair: trends[pair])
    return [(columns[one].name, columns[other].name, float(trends[one, other])) for one, other in pairs[:most]]


def correlation(first: Floats, second: Floats) -> float:
    """Return Pearson's correlation, (count,) each, over the rows without NaN; NaN where either is constant.

    >>> correlation(np.array([1.0, 2.0, np.nan]), np.array([4.0, 2.0, 0.0]))
    -1.0
    """
    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 2:
        return math.nan
    sides = []
    for side in (first[both], second[both]):
        if side.min() == side.max():
            return math.nan
        # Numbers of any size: squares of large ones would overflow.
        scaled = side / np.abs(side).max()
        scaled = scaled - scaled.mean()
        length = np.sqrt(scaled @ scaled)
        if length == 0:
            return math.nan
        sides.append(scaled / length)
    return float(np.clip(sides[0] @ sides[1], -1, 1))


def cramer(first: Integers, second: Integers) -> float:
    """Return Cramér's V of numbers of categories, (count,) each, without correction for bias.

    >>> cramer(np.array([0, 0, 1, 1]), np.array([2, 2, 0, 0]))
    1.0
    """
    (kinds, a), (other_kinds, b) = (np.unique(side, return_inverse=True) for side in (first, second))
    smaller = min(len(kinds), len(other_kinds))
    if smaller < 2:
        return 0.0
    # χ² / n = Σ n_ij² / (n_i n_j) − 1, over the combinations that occur.
    places, counts = np.unique(a * len(other_kinds) + b, return_counts=True)
    rows, columns = np.bincount(a)[places // len(other_kinds)], np.bincount(b)[places % len(other_kinds)]
    squared = (counts / rows * (counts / columns)).sum() - 1
    return float(np.sqrt(np.clip(squared / (smaller - 1), 0, 1)))


def _binned(real: Floats, fake: Floats, column: Column) -> tuple[Integers, Integers, int]:
    """Return numbers of categories or of bins, 0 where they are missing, and the highest of them."""
    if not column.is_numeric:
        codes = [np.nan_to_num(side + 1).astype(np.int64) for side in (real, fake)]
    else:
        observed = real[~np.isnan(real)]
        # Halves, since the difference of huge numbers would overflow.
        low, high = (observed.min() / 2, observed.max() / 2) if len(observed) else (0.0, 0.0)
        edges = 2 * np.linspace(low, high, BINS + 1)[1:-1]
        codes = [
            np.where(np.isnan(side), 0, 1 + np.searchsorted(edges, side, side="right")).astype(np.int64)
            for side in (real, fake)
        ]
    return codes[0], codes[1], int(max(side.max() for side in codes))


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    """Yield all pairs of columns, or every n-th where there are too many."""
    every = max(1, math.ceil(count * (count - 1) / 2 / MAX_PAIRS))
    return (pair for number, pair in enumerate(combinations(range(count), 2)) if number % every == 0)
