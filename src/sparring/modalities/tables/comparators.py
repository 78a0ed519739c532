"""Simple models of tables that any network has to be better than: marginals, decision trees, a Gaussian copula.

All of them draw observed values: every generated cell, missing ones included, is the cell of a training row. So no
value is out of range, and digits, bounds and categories are those of the data. ``fit`` takes rows, their columns and a
seed, and returns ``sample``, from a number of rows and a seed to rows; equal seeds give equal rows.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.dataset import Split
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.judging.cells import Floats, Integers, check, values_of
from sparring.randomness import derive

Sample: TypeAlias = Callable[[int, int], Rows]
"""(count, seed) → rows."""
Fit: TypeAlias = Callable[[Rows, Sequence[Column], int], Sample]
"""(rows, columns, seed) → ``Sample``."""

LEAF = 30
"""Rows of a leaf at least: smaller leaves copy more."""
MIN_GAIN = 6.0
"""Least gain of a split at the end of a tree, in units of the mean gain of one that separates nothing, which is the
impurity of the node over its rows. On Adult 0 gives the classifier test .52 and 1.1 % copies, 6 gives .55 and .1 %, 20
gives .57 and none."""
MAX_PREDECESSORS = 200
"""Columns before another one that its tree may split by."""
MAX_ROWS = 100_000
"""Rows that the comparators of an evaluation are fitted to."""
MAX_CLASSES = 100
"""Categories of a column up to which its tree separates classes, rather than numbers of categories."""


def marginals(rows: Rows, columns: Sequence[Column], seed: int = 0) -> Sample:
    """Fit independent columns: each cell is that of a random row. Shapes are kept, and no trend is."""
    check(columns, rows)

    def sample(count: int, seed: int) -> Rows:
        random = np.random.default_rng(seed)
        return _cells(rows, random.integers(len(rows.values), size=(count, len(columns))))

    return sample


def decision_trees(rows: Rows, columns: Sequence[Column], seed: int = 0, leaf: int = LEAF) -> Sample:
    """Fit a decision tree of each column given those before it (Reiter 2005, without smoothing of numbers).

    A generated row falls into a leaf of each tree in turn, and its cell is that of a random training row of this leaf.
    Columns with few different values come first: on Adult that is better than the order of the table (F1 .658 and .642,
    AUC of boosted trees .925 and .914) and four times as fast. Splits that noise explains are not made: with them there
    are ten times as many copies. Missing cells are values like others.

    Args:
        rows: training rows.
        columns: of the rows.
        seed: of the trees, which decides between splits that are equally good.
        leaf: training rows of a leaf at least: fewer are closer to the data, and copy more of it.
    """
    check(columns, rows)
    codes = _codes(rows)
    order = np.argsort(codes.max(0, initial=0), kind="stable")
    known, trees, leaves = codes[:, order], [], []
    for place, column in enumerate(order):
        before = known[:, max(0, place - MAX_PREDECESSORS) : place]
        tree = _tree(before, known[:, place], columns[column], seed, leaf)
        trees.append(tree)
        leaves.append(_Leaves(_leaf(tree, before)))

    def sample(count: int, seed: int) -> Rows:
        random = np.random.default_rng(seed)
        chosen = np.zeros((count, len(columns)), dtype=np.int64)  # The training row of each cell.
        drawn = np.zeros((count, len(columns)), dtype=np.float32)  # Its code; columns in the order of the trees.
        for place, (tree, members) in enumerate(zip(trees, leaves, strict=True)):
            found = _leaf(tree, drawn[:, max(0, place - MAX_PREDECESSORS) : place])
            chosen[:, order[place]] = members.draw(found, random)
            drawn[:, place] = known[chosen[:, order[place]], place]
        return _cells(rows, chosen)

    return sample


def gaussian_copula(rows: Rows, columns: Sequence[Column], seed: int = 0) -> Sample:
    """Fit the correlations of normal scores (Xue-Kun Song 2000): shapes are kept, and trends that are monotone.

    The normal score of a cell is the quantile of the normal distribution at its mid-rank. Categories are ordered by
    frequency, and are intervals of the normal distribution; missing cells are the lowest interval.
    """
    from scipy.special import ndtr, ndtri

    check(columns, rows)
    codes = _codes(rows)
    count = len(codes)
    order = np.argsort(codes, axis=0, kind="stable")  # (count, columns): training rows, the lowest cells first.
    scores = np.zeros(codes.shape)
    for place, cells in enumerate(codes.T):
        known = np.sort(cells)
        middle = np.searchsorted(known, cells, side="left") + np.searchsorted(known, cells, side="right")
        scores[:, place] = ndtri(middle / (2 * count))
    root = _root(scores)

    def sample(count: int, seed: int) -> Rows:
        normal = np.random.default_rng(seed).standard_normal((count, len(columns))) @ root
        places = np.minimum((ndtr(normal) * len(order)).astype(np.int64), len(order) - 1)
        return _cells(rows, np.take_along_axis(order, places, 0))

    return sample


def samples(split: Split, count: int, seed: int) -> Mapping[str, Rows]:
    """Return ``count`` rows of each comparator, by name, fitted to at most 100,000 training rows."""
    rows = np.random.default_rng(derive(seed, "fitted")).permutation(len(split.train))[:MAX_ROWS]
    train, columns = Rows(*split.train.batch(np.sort(rows)).real), coding_of(split.facts).learned
    return {
        name: fit(train, columns, derive(seed, name))(count, derive(seed, f"{name} rows"))
        for name, fit in COMPARATORS.items()
    }


COMPARATORS: Mapping[str, Fit] = MappingProxyType(
    {
        "independent marginals": marginals,
        "decision trees": decision_trees,
        "Gaussian copula": gaussian_copula,
    }
)
"""Name in reports → fit."""


@final
class _Tree:
    """A tree of scikit-learn without the splits at its ends that gain no more than splits of noise do.

    Args:
        fitted: the tree.
    """

    def __init__(self, fitted: Any) -> None:
        tree = fitted.tree_
        self._fitted, count = fitted, tree.node_count
        left, right = tree.children_left, tree.children_right
        within = tree.impurity * tree.weighted_n_node_samples  # Σ of squares, or rows × Gini, of each node.
        is_leaf = left < 0
        # Children have higher numbers than their parents: from the ends to the root, and back.
        for node in range(count - 1, -1, -1):
            if left[node] >= 0 and is_leaf[left[node]] and is_leaf[right[node]]:
                gain = within[node] - within[left[node]] - within[right[node]]
                is_leaf[node] = gain <= MIN_GAIN * tree.impurity[node]
        self._leaf_of = np.arange(count)
        for node in range(count):
            if left[node] >= 0 and is_leaf[node]:
                self._leaf_of[[left[node], right[node]]] = self._leaf_of[node]

    def apply(self, before: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the number of the leaf that each row falls into, (count,)."""
        leaves: NDArray[np.int64] = self._leaf_of[self._fitted.apply(before)]
        return leaves


@final
class _Leaves:
    """Training rows of the leaves of a tree.

    Args:
        found: number of the leaf of each training row, (count,).
    """

    def __init__(self, found: NDArray[np.int64]) -> None:
        self._order = np.argsort(found, kind="stable")
        self._numbers, self._starts, self._counts = np.unique(found[self._order], return_index=True, return_counts=True)

    def draw(self, leaves: NDArray[np.int64], random: np.random.Generator) -> Integers:
        """Return a random training row of each of the leaves, (leaves,)."""
        places = np.searchsorted(self._numbers, leaves)
        within = (random.random(len(leaves)) * self._counts[places]).astype(np.int64)
        rows: Integers = self._order[self._starts[places] + within]
        return rows


def _codes(rows: Rows) -> NDArray[np.float32]:
    """Return the place of each cell among the different values of its column, (count, columns), −1 where it is missing.

    Trees split by order alone, and these are exact in float32, as trees take them.
    """
    values = values_of(rows)
    codes = np.full(values.shape, -1, dtype=np.float32)
    for place, column in enumerate(values.T):
        present = ~np.isnan(column)
        codes[present, place] = np.unique(column[present], return_inverse=True)[1]
    return codes


def _tree(
    before: NDArray[np.float32], cells: NDArray[np.float32], column: Column, seed: int, leaf: int
) -> "_Tree | None":
    """Return the tree of a column given those before it, or None where there is nothing to split."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if not before.shape[1] or len(before) < 2 * leaf or (cells == cells[0]).all():
        return None
    options = {"min_samples_leaf": leaf, "random_state": seed % 2**32}
    if not column.is_numeric and len(column.categories) <= MAX_CLASSES:
        return _Tree(DecisionTreeClassifier(**options).fit(before, cells.astype(np.int64)))

    # Ranks and indicators together decide the splits, so that missing cells are kept where they belong.
    missing = cells < 0
    known = np.sort(cells[~missing])
    ranks = np.searchsorted(known, cells, side="left") / max(len(known), 1)
    ranks[missing] = ranks[~missing].mean() if len(known) else 0.0
    targets = np.stack([ranks, missing], 1) if missing.any() else ranks
    return _Tree(DecisionTreeRegressor(**options).fit(before, targets))


def _leaf(tree: _Tree | None, before: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of the leaf that each row falls into, (count,); without a tree all are in one."""
    leaves: NDArray[np.int64] = np.zeros(len(before), dtype=np.int64) if tree is None else tree.apply(before)
    return leaves


def _root(scores: Floats) -> Floats:
    """Return A with AᵀA the correlation of scores, (columns, columns); constants are independent."""
    centred = scores - scores.mean(0)
    unit = centred / np.sqrt(np.square(centred).sum(0)).clip(1e-9)
    correlation = unit.T @ unit
    np.fill_diagonal(correlation, 1.0)
    # Rounding errors may leave eigenvalues slightly below 0.
    values, vectors = np.linalg.eigh(correlation)
    root: Floats = (vectors * np.sqrt(values.clip(0))).T
    return root


def _cells(rows: Rows, chosen: Integers) -> Rows:
    """Return rows each of whose cells is that of a training row: ``chosen``, (count, columns)."""
    index = torch.from_numpy(chosen)
    return Rows(rows.values.gather(0, index), rows.missing.gather(0, index))
