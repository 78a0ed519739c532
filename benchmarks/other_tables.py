"""Tables of other sizes than Adult: where a network is of more use than decision trees and a copula.

    python benchmarks/other_tables.py PATH/adult.csv [--sets wine diabetes adult-300 orders …] [--seeds 3] [--rows …]

The three tables of scikit-learn, the first rows of Adult, and 50,000 made-up orders with dates, some of which are
missing. One half of the rows is for tests, of Adult and the orders 5,000 others.
Columns of the table as in ``adult.py``; "use" is the mean F1 or R² of four learners, "boosted" the AUC or R² of boosted
trees, trained on generated and tested on real rows.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import torch
from adult import adult, generators, table
from rounds import setting

from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.comparators import Fit
from sparring.modalities.tables.judging.cells import some_rows
from sparring.modalities.tables.judging.closeness import closer_to_train, exact_copies
from sparring.modalities.tables.judging.learning import boosted_test
from sparring.modalities.tables.judging.shapes import column_shapes
from sparring.modalities.tables.judging.trends import associations, mean_trend, pair_trends
from sparring.modalities.tables.judging.usefulness import usefulness
from sparring.modalities.tables.rooms import TABLES
from sparring.samples import take

TEST_ROWS, ORDERS = 5000, 50_000
SETS = ("wine", "diabetes", "cancer", "adult-300", "adult-1000", "adult-3000", "orders")
REGIONS = {"north": 2.0, "south": 4.0, "east": 7.0, "west": 3.0, "islands": 12.0}
"""Region → days that a delivery takes on average."""
DEFAULT_ROWS = ["real train", "marginals", "decision trees, leaves of 30", "Gaussian copula", "tables/masked"]

Sides = tuple[Rows, Rows, tuple[Column, ...]]
"""Training rows, test rows and their columns, of which the last one is predicted."""


def sides(name: str, path: Path, seed: int) -> Sides:
    """Return one of the tables, split at random."""
    if name.startswith("adult-"):
        data = adult(path)
        order = np.random.default_rng(seed).permutation(len(data.train.values))
        return take(data.train, order[: int(name[6:])]), some_rows(data.test, TEST_ROWS, seed), data.columns
    if name == "orders":
        return orders(seed)
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

    loaded = {"wine": load_wine, "diabetes": load_diabetes, "cancer": load_breast_cancer}[name](as_frame=True).frame
    values = loaded.to_numpy(np.float64)
    order = np.random.default_rng(seed).permutation(len(values))
    train, test = (
        Rows(torch.from_numpy(part), torch.zeros(part.shape, dtype=torch.bool))
        for part in np.array_split(values[order], 2)
    )
    columns = [_numeric(str(one), train.values[:, at].numpy()) for at, one in enumerate(loaded.columns)]
    if name != "diabetes":
        classes, counts = np.unique(train.values[:, -1].numpy(), return_counts=True)
        shares = tuple((counts / counts.sum()).tolist())
        columns[-1] = Column("target", "category", categories=tuple(map(str, classes.astype(int))), shares=shares)
    return train, test, tuple(columns)


def orders(seed: int) -> Sides:
    """Return orders: more in winter, later deliveries from some regions, and more returns of what came late."""
    draw = np.random.default_rng(seed)
    count = ORDERS + TEST_ROWS
    day = draw.choice(730, count, p=(season := 1.5 + np.cos(np.arange(730) * 2 * np.pi / 365)) / season.sum())
    region = draw.choice(list(REGIONS), count, p=[0.3, 0.25, 0.2, 0.2, 0.05])
    pieces = draw.geometric(0.4, count)
    price = np.exp(draw.normal(2.5 + 0.3 * np.cos(day * 2 * np.pi / 365), 0.6)) * pieces
    took = draw.poisson([REGIONS[one] for one in region]) + np.where((day + 2) % 7 >= 5, 2, 0)
    returned = draw.random(count) < 1 / (1 + np.exp(3.5 - 0.25 * took - 0.01 * price))
    lost = draw.random(count) < 0.05
    placed = np.datetime64("2023-01-01") + day
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["placed", "region", "pieces", "price", "delivered", "returned"])
            delivered = np.where(lost, "", (placed + took).astype(str))
            back = np.where(returned & ~lost, "yes", "no")
            writer.writerows(zip(placed, region, pieces, [f"{one:.2f}" for one in price], delivered, back, strict=True))
        survey = TABLES.survey(str(path))
    rows = Rows(*(torch.from_numpy(part) for part in survey.rows))
    return take(rows, slice(ORDERS)), take(rows, slice(ORDERS, None)), coding_of(survey.facts).learned


def _numeric(name: str, values: np.ndarray) -> Column:
    quantiles = np.quantile(values, np.linspace(0, 1, min(len(values), 1001)))
    return Column(name, "continuous", quantiles=tuple(quantiles.tolist()))


def measured(fit: Fit, found: Sides, seed: int) -> dict[str, float]:
    """Return the values of as many generated rows as there are training rows."""
    train, test, columns = found
    rows = fit(train, columns, seed)(len(train.values), seed)
    trends = pair_trends(train, rows, columns)
    use = usefulness(rows, test, columns, len(columns) - 1, seed)
    some = min(len(train.values), len(test.values))
    return {
        "shapes": 100 * float(np.nanmean(column_shapes(train, rows, columns))),
        "trends": 100 * mean_trend(trends, associations(train, columns), columns),
        "use": use.get("target_f1", use.get("target_r2", np.nan)),
        "boosted": use.get("target_auc", use.get("target_r2_boosted", np.nan)),
        "test": boosted_test(some_rows(test, some, seed), rows, columns, seed),
        "closer": closer_to_train(some_rows(train, some, seed), some_rows(test, some, seed), rows, columns),
        "copies": exact_copies(train, rows, columns),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, help="adult.csv")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--rows", nargs="+", choices=generators({}, "cpu"), default=DEFAULT_ROWS)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(setting(), flush=True)
    fits = generators({}, "cpu")
    for name in options.sets:
        found = [sides(name, options.path, seed) for seed in range(options.seeds)]
        rows = {row: [measured(fits[row], one, seed) for seed, one in enumerate(found)] for row in options.rows}
        print(f"\n## {name}, {len(found[0][0].values):,} rows\n\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
