"""Adult, a table of 15 columns: comparators and recipes of tables beside its real rows.

    python benchmarks/adult.py PATH/adult.csv [--seeds 1] [--first 0] [--rows "real train" marginals tables/ctgan …]
        [--fields samples=N …] [--device cpu]

Protocol: 32,561 rows without white space around cells, of which 10,000 are for tests, with the same share of incomes.
Every row of the table is a generator that was trained on the other 22,561 rows, and gives as many. Shapes and trends in
% against the training rows; F1 is the mean of AdaBoost, a tree, logistic regression and a network, AUC that of boosted
trees, trained on generated and tested on test rows; "test" is the AUC of boosted trees that tell generated from test
rows; "closer" the share of generated rows closer to one of 10,000 training rows than to any test row.
"""

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rounds import setting

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.modalities.tables.coding import Column, Rows, TableCoding
from sparring.modalities.tables.comparators import Fit, Sample, decision_trees, gaussian_copula, marginals
from sparring.modalities.tables.conditions import Known, nothing_known
from sparring.modalities.tables.judging.cells import some_rows
from sparring.modalities.tables.judging.closeness import closer_to_train, exact_copies, membership_attack
from sparring.modalities.tables.judging.learning import boosted_test
from sparring.modalities.tables.judging.shapes import column_shapes
from sparring.modalities.tables.judging.supports import alpha_precision, beta_recall
from sparring.modalities.tables.judging.trends import associations, mean_trend, pair_trends
from sparring.modalities.tables.judging.usefulness import usefulness
from sparring.modalities.tables.survey import conditioned
from sparring.randomness import seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.samples import map_tensors, take
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

NUMBERS = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
TEST_ROWS, SPLIT_SEED = 10_000, 42
ONE_DIGIT = ("shapes", "trends", "fit, s", "judge, s")


class Adult(NamedTuple):
    """The table, split for training and tests."""

    train: Rows
    test: Rows
    columns: tuple[Column, ...]


def adult(path: Path) -> Adult:
    """Read the table, and split it with the same share of incomes on both sides."""
    from sklearn.model_selection import train_test_split

    with path.open(encoding="utf-8", newline="") as file:
        names, *lines = [[cell.strip() for cell in line] for line in csv.reader(file) if line]
    columns, values = zip(*(_column(name, cells) for name, *cells in zip(names, *lines, strict=True)), strict=True)
    stacked = torch.from_numpy(np.stack(values, 1))
    rows = Rows(stacked, torch.zeros(stacked.shape, dtype=torch.bool))
    train, test = train_test_split(
        np.arange(len(stacked)), test_size=TEST_ROWS, random_state=SPLIT_SEED, stratify=values[-1]
    )
    return Adult(take(rows, train), take(rows, test), columns)


def _column(name: str, cells: Sequence[str]) -> tuple[Column, np.ndarray]:
    """Return a column, and its values: numbers, or numbers of categories, the most frequent first."""
    if name in NUMBERS:
        values = np.array(cells, dtype=np.float64)
        return Column(
            name, "integer", quantiles=tuple(np.quantile(values, np.linspace(0, 1, 1001), method="nearest").tolist())
        ), values
    categories, numbers, counts = np.unique(cells, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    column = Column(
        name,
        "category",
        categories=tuple(categories[order].tolist()),
        shares=tuple((counts[order] / len(cells)).tolist()),
    )
    return column, np.argsort(order)[numbers].astype(np.float64)


def judged(rows: Rows, data: Adult, seed: int = 0) -> dict[str, float]:
    """Return the values of generated rows, as many as training rows."""
    train, test, columns = data
    some = some_rows(train, len(test.values), seed)
    shapes, trends = column_shapes(train, rows, columns), pair_trends(train, rows, columns)
    trend = mean_trend(trends, associations(train, columns), columns)
    found = usefulness(rows, test, columns, len(columns) - 1, seed)
    return {
        "shapes": 100 * float(np.nanmean(shapes)),
        "trends": 100 * trend,
        "F1": found["target_f1"],
        "AUC": found["target_auc"],
        "test": boosted_test(test, rows, columns, seed),
        "closer": closer_to_train(some, test, rows, columns),
        "copies": exact_copies(train, rows, columns),
        "attack": membership_attack(some, test, rows, columns),
        "α-precision": alpha_precision(some, some_rows(rows, len(test.values), seed), columns),
        "β-recall": beta_recall(some, some_rows(rows, len(test.values), seed), columns),
    }


def completer(
    name: str, fields: Mapping[str, str], device: str, rows: Rows, columns: Sequence[Column], seed: int
) -> Callable[[Known, int], Rows]:
    """Train a recipe with some fields on some rows; return rows of which some cells are known and a seed → rows."""
    coding = TableCoding(tuple(columns)).as_json()
    facts = Facts("adult", "tables", len(rows.values), (len(columns),), "", coding=coding)
    recipe, _ = resolve(with_fields(RECIPES[name], fields), facts, Machine("cpu", 2**33, 2, False))
    data = conditioned(Dataset(map_tensors(torch.Tensor.numpy, rows)), recipe.view(facts).condition, columns)
    with seeded(seed, "weights"):
        game = recipe.game(facts)
    half_life = recipe.average_half_life
    plan = Plan(recipe.optimisers(), recipe.batch, recipe.samples, seed=seed, average_half_life=half_life)
    trainer = Trainer(game, data, plan, device=device)
    for _ in trainer:
        pass

    def complete(known: Known, seed: int) -> Rows:
        rows: Rows = generate(trainer.average, len(known.known), known, seed=seed, stream="rows", device=device)
        return rows

    return complete


def trained(
    name: str, fields: Mapping[str, str], device: str, rows: Rows, columns: Sequence[Column], seed: int
) -> Sample:
    """Train a recipe with some fields on some rows, to generate rows of which no cell is known."""
    complete = completer(name, fields, device, rows, columns, seed)

    def sample(count: int, seed: int) -> Rows:
        empty = Rows(*(part[:1].expand(count, -1) for part in rows))
        return complete(nothing_known(empty), seed)

    return sample


def generators(fields: Mapping[str, str], device: str) -> dict[str, Fit]:
    """Return the rows of the table by name."""
    recipes = {name: partial(trained, name, fields, device) for name in RECIPES if name.startswith("tables/")}
    return {
        "real train": lambda rows, columns, seed: lambda count, seed: rows,
        "marginals": marginals,
        "decision trees, leaves of 30": decision_trees,
        "decision trees, leaves of 5": partial(decision_trees, leaf=5),
        "Gaussian copula": gaussian_copula,
        **recipes,
    }


def measured(fit: Callable[[Rows, Sequence[Column], int], Sample], data: Adult, seed: int) -> dict[str, float]:
    """Fit a generator, judge as many rows as it was trained on, and add the seconds of both."""
    began = time.perf_counter()
    rows = fit(data.train, data.columns, seed)(len(data.train.values), seed)
    seconds = time.perf_counter() - began
    found = judged(rows, data, seed)
    return {**found, "fit, s": seconds, "judge, s": time.perf_counter() - began - seconds}


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return a Markdown table: name → one dictionary per seed; mean ± standard deviation where there are several."""
    names = list(next(iter(rows.values()))[0])
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for row, found in rows.items():
        cells = []
        for name in names:
            values, digits = [one[name] for one in found], 1 if name in ONE_DIGIT else 3
            spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.{digits}f}{spread}")
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, help="adult.csv")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rows", nargs="+", choices=generators({}, "cpu"), default=list(generators({}, "cpu")))
    parser.add_argument("--fields", nargs="+", default=[], help="of recipes, such as samples=1000000")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    data = adult(options.path)
    seeds = range(options.first, options.first + options.seeds)
    rows = {
        name: [measured(fit, data, seed) for seed in seeds]
        for name, fit in generators(dict(one.split("=") for one in options.fields), options.device).items()
        if name in options.rows
    }
    print(f"{setting()}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
