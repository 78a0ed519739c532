"""Adult: rows that were asked for, and missing cells filled in, by `tables/masked` and by trees.

    python benchmarks/asking.py PATH/adult.csv [--seeds 1] [--first 0] [--fields samples=N …] [--device cpu]

Table and split as in ``adult.py``. First, 1,000 rows of each condition: `tables/masked` is conditioned on it, and
decision trees generate rows until enough of them meet it. "kept" is the share of generated rows that do, and "test" the
AUC of boosted trees that tell at most 1,000 of them from as many real ones that meet it.

Second, cells of test rows that were removed at random: the most frequent category, or the median, of 15 answers,
beside those of the training rows, and beside a boosted tree for each column that was trained on rows with as many cells
removed. "categories" is the share of cells that are right, "numbers" the mean distance to the true cell in shares of
the training rows.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from adult import Adult, adult, completer, table
from rounds import setting

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.comparators import Sample, decision_trees
from sparring.modalities.tables.conditions import Known, nothing_known
from sparring.modalities.tables.judging.cells import some_rows, values_of
from sparring.modalities.tables.judging.learning import boosted_test
from sparring.modalities.tables.predicates import predicates_of
from sparring.samples import concatenate, take

CONDITIONS = (
    "sex=Female",
    "education=Doctorate",
    "education=Doctorate,sex=Female",
    "native-country=Mexico,income=>50K",
)
ROWS, AT_ONCE, MOST = 1000, 20_000, 200_000
"""Rows of each condition, and rows that trees generate at once and at most."""
HOLES, FILLED, DRAWS = (1, 4, 10), 2000, 15
"""Cells that are removed from a row, rows that they are removed from, and answers for each."""

Complete = Callable[[Known, int], Rows]
"""(rows of which some cells are known, seed) → rows."""
Numbers = np.ndarray
"""Cells as numbers, (rows, columns), NaN where they were removed."""


def asked(condition: str, data: Adult, complete: Complete, trees: Sample, seed: int) -> dict[str, dict[str, float]]:
    """Return the values of rows that meet a condition, by generator."""
    predicates = predicates_of(condition, data.columns)
    real = concatenate([data.train, data.test])
    real = take(real, torch.stack([one.holds(real) for one in predicates]).all(0))

    # The network is told the cells.
    began = time.perf_counter()
    empty = Rows(*(part[:1].expand(ROWS, -1).clone() for part in data.train))
    known = nothing_known(empty)
    for one in predicates:
        assert one.among is not None
        known.values[:, one.place], known.known[:, one.place] = one.among[0], True
    from_network = complete(known, seed)
    network_seconds = time.perf_counter() - began

    # Trees generate until there are enough.
    began, kept, generated = time.perf_counter(), list[Rows](), 0
    while generated < MOST and sum(len(one.values) for one in kept) < ROWS:
        rows = trees(AT_ONCE, seed * 1000 + generated // AT_ONCE)
        generated += AT_ONCE
        kept.append(take(rows, torch.stack([one.holds(rows) for one in predicates]).all(0)))
    from_trees = concatenate(kept)
    share = len(from_trees.values) / generated
    tree_seconds = time.perf_counter() - began

    def test(rows: Rows) -> float:
        count = min(len(rows.values), len(real.values), ROWS)
        return boosted_test(some_rows(real, count, seed), some_rows(rows, count, seed), data.columns, seed)

    return {
        f"{condition}: tables/masked": {"kept": 1.0, "seconds": network_seconds, "test": test(from_network)},
        f"{condition}: decision trees": {"kept": share, "seconds": tree_seconds, "test": test(from_trees)},
    }


def filled(holes: int, data: Adult, complete: Complete, seed: int) -> dict[str, dict[str, float]]:
    """Return the accuracy of cells that were removed, by method."""
    random = np.random.default_rng(seed)
    rows = some_rows(data.test, FILLED, seed)
    true, train = values_of(rows), values_of(data.train)
    open_cells = random.random(true.shape).argsort(1) < holes

    # The network answers several times.
    known = Known(rows.values, rows.missing, torch.from_numpy(~open_cells))
    draws = np.stack([values_of(complete(known, seed * 100 + number)) for number in range(DRAWS)])
    trees = boosted(np.where(open_cells, np.nan, true), train, holes, data.columns, random)
    answers = {
        "tables/masked": np.stack([_middle(draws[..., at], one) for at, one in enumerate(data.columns)], 1),
        "a boosted tree for each column": trees,
        "training rows": np.stack(
            [np.full(FILLED, _middle(train[:, at], one)) for at, one in enumerate(data.columns)], 1
        ),
    }
    return {f"{holes} removed: {name}": _errors(one, true, open_cells, train, data) for name, one in answers.items()}


def boosted(
    given: Numbers, train: Numbers, holes: int, columns: Sequence[Column], random: np.random.Generator
) -> Numbers:
    """Return the cells that boosted trees predict, a model for each column, with random cells removed in training."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    found = np.zeros_like(given)
    for at, column in enumerate(columns):
        removed = random.random(train.shape).argsort(1) < holes
        inputs, target = np.delete(np.where(removed, np.nan, train), at, 1), train[:, at]
        # Rare categories are too many for a model of each.
        target = target if column.is_numeric else np.where(target < 20, target, 0)
        options = {"max_iter": 60, "random_state": 0}
        model = (
            HistGradientBoostingRegressor(loss="absolute_error", **options)
            if column.is_numeric
            else HistGradientBoostingClassifier(**options)
        )
        found[:, at] = model.fit(inputs, target).predict(np.delete(given, at, 1))
    return found


def _middle(cells: Numbers, column: Column) -> Numbers:
    """Return the median of numbers, or the most frequent category, over the first dimension."""
    if column.is_numeric:
        middle: Numbers = np.median(cells, axis=0)
        return middle
    counts = np.stack([(cells == number).sum(0) for number in range(len(column.categories))])
    most: Numbers = counts.argmax(0)
    return most


def _errors(answers: Numbers, true: Numbers, open_cells: Numbers, train: Numbers, data: Adult) -> dict[str, float]:
    """Return the share of right categories, and the mean distance of numbers in shares of the training rows."""
    right, distances = list[Numbers](), list[Numbers]()
    for at, column in enumerate(data.columns):
        rows = open_cells[:, at]
        if not column.is_numeric:
            right.append(answers[rows, at] == true[rows, at])
            continue
        known = np.sort(train[:, at])
        ranks = [
            (np.searchsorted(known, side[rows, at]) + np.searchsorted(known, side[rows, at], side="right")) / 2
            for side in (answers, true)
        ]
        distances.append(np.abs(ranks[0] - ranks[1]) / len(known))
    return {"categories": float(np.concatenate(right).mean()), "numbers": float(np.concatenate(distances).mean())}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, help="adult.csv")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--fields", nargs="+", default=[], help="of tables/masked, such as samples=1000000")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    data = adult(options.path)
    fields = dict(one.split("=") for one in options.fields)
    tables: list[dict[str, list[dict[str, float]]]] = [{}, {}]
    for seed in range(options.first, options.first + options.seeds):
        complete = completer("tables/masked", fields, options.device, data.train, data.columns, seed)
        trees = decision_trees(data.train, data.columns, seed)
        for condition in CONDITIONS:
            for name, values in asked(condition, data, complete, trees, seed).items():
                tables[0].setdefault(name, []).append(values)
        for holes in HOLES:
            for name, values in filled(holes, data, complete, seed).items():
                tables[1].setdefault(name, []).append(values)
    print("\n\n".join([setting(), *map(table, tables)]))


if __name__ == "__main__":
    main()
