"""Comparators of tables draw observed values, keep what they claim to keep, and repeat."""

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.comparators import COMPARATORS, decision_trees, gaussian_copula, marginals
from sparring.modalities.tables.judging.closeness import exact_copies
from sparring.modalities.tables.judging.shapes import column_shapes, missing_errors
from sparring.modalities.tables.judging.trends import pair_trends

COLUMNS = (
    Column("size", "continuous", missing=0.2, quantiles=(-4.0, 4.0)),
    Column("double", "continuous", quantiles=(-8.0, 8.0)),
    Column("sign", "boolean", categories=("yes", "no"), shares=(0.5, 0.5)),
    Column("kind", "category", missing=0.1, categories=("a", "b", "c"), shares=(0.6, 0.3, 0.1)),
    Column("unit", "constant", categories=("m",), shares=(1.0,)),
)


def table(count, seed=0):
    """A number, its double, its sign, a category that is missing where the number is low, a constant."""
    random = np.random.default_rng(seed)
    size = random.normal(size=count)
    kind = random.choice(3, count, p=(0.6, 0.3, 0.1))
    values = np.stack([size, 2 * size + random.normal(0, 0.2, count), size < 0, kind, np.zeros(count)], 1)
    missing = np.zeros(values.shape, dtype=bool)
    missing[:, 0] = random.random(count) < 0.2
    missing[:, 3] = values[:, 1] < np.quantile(values[:, 1], 0.1)
    values[missing] = 0
    return Rows(torch.from_numpy(values), torch.from_numpy(missing))


@pytest.fixture(scope="module")
def rows():
    return table(4000)


@pytest.mark.parametrize("name", COMPARATORS)
def test_equal_seeds_give_equal_rows(rows, name):
    first, again, other = (COMPARATORS[name](rows, COLUMNS, 0)(50, seed) for seed in (3, 3, 4))
    assert torch.equal(first.values, again.values) and torch.equal(first.missing, again.missing)
    assert not torch.equal(first.values, other.values)
    assert first.values.dtype == torch.float64 and first.missing.dtype == torch.bool


@pytest.mark.parametrize("name", COMPARATORS)
def test_every_cell_is_an_observed_one_and_missing_rates_are_kept(rows, name):
    fake = COMPARATORS[name](rows, COLUMNS, 0)(20_000, 0)
    for place in range(len(COLUMNS)):
        real, found = (side.values[:, place][~side.missing[:, place]] for side in (rows, fake))
        assert torch.isin(found, real).all()
    assert missing_errors(rows, fake).max() < 0.01
    assert (fake.values[fake.missing] == 0).all()


@pytest.mark.parametrize("name", COMPARATORS)
def test_shapes_are_kept(rows, name):
    fake = COMPARATORS[name](rows, COLUMNS, 0)(4000, 0)
    assert np.nanmin(column_shapes(rows, fake, COLUMNS)) > 0.95


def test_marginals_lose_trends_and_the_others_keep_them(rows):
    trends = [
        pair_trends(rows, fit(rows, COLUMNS, 0)(4000, 0), COLUMNS)
        for fit in (marginals, gaussian_copula, decision_trees)
    ]
    lost, copula, trees = (one[0, 1] for one in trends)
    assert lost < 0.6 < 0.7 < copula and trees > 0.97
    assert trends[0][1, 2] < 0.7 and trends[2][1, 2] > 0.95


def test_trees_keep_missing_cells_where_they_belong(rows):
    fake = decision_trees(rows, COLUMNS, 0)(4000, 0)
    low = fake.values[:, 1] < rows.values[:, 1].quantile(0.1)
    assert fake.missing[low, 3].double().mean() > 0.9
    assert fake.missing[~low, 3].double().mean() < 0.02


def two_numbers(second):
    """A number, and another one that is a function of it and of noise."""
    random = np.random.default_rng(0)
    first, noise = random.normal(size=(2, 2000))
    values = torch.from_numpy(np.stack([first, second(first, noise)], 1))
    return Rows(values, torch.zeros(values.shape, dtype=torch.bool)), COLUMNS[:2]


def test_larger_leaves_copy_less():
    rows, columns = two_numbers(lambda first, noise: first**3)
    copies = [exact_copies(rows, decision_trees(rows, columns, 0, leaf)(2000, 0), columns) for leaf in (1, 30)]
    assert copies[0] > 0.2 > 0.1 > copies[1] > 0.01


def test_columns_that_say_nothing_do_not_split():
    rows, columns = two_numbers(lambda first, noise: noise)
    assert exact_copies(rows, decision_trees(rows, columns, 0)(2000, 0), columns) < 0.01


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_rows_are_enough(name, count):
    rows = table(count)
    fake = COMPARATORS[name](rows, COLUMNS, 0)(10, 0)
    assert fake.values.shape == (10, 5) and fake.values.isfinite().all()


@pytest.mark.parametrize("name", COMPARATORS)
def test_one_column_constants_huge_numbers_and_missing_columns_are_kept(name):
    values = torch.tensor([[1e300, 0.0, 5.0], [-1e300, 0.0, 5.0], [0.0, 0.0, 5.0]] * 40, dtype=torch.float64)
    missing = torch.zeros(values.shape, dtype=torch.bool)
    missing[:, 1] = True
    columns = [Column(one, "continuous", quantiles=(0.0, 1.0)) for one in "abc"]
    fake = COMPARATORS[name](Rows(values, missing), columns, 0)(300, 0)
    assert set(fake.values[:, 0].tolist()) == {1e300, -1e300, 0.0}
    assert fake.missing[:, 1].all() and (fake.values[:, 2] == 5).all()
    one = COMPARATORS[name](Rows(values[:, :1], missing[:, :1]), columns[:1], 0)(300, 0)
    assert set(one.values[:, 0].tolist()) == {1e300, -1e300, 0.0}


@pytest.mark.parametrize("name", COMPARATORS)
def test_many_categories_are_kept(name):
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2000, 3000)
    values = np.stack([numbers, numbers % 2], 1).astype(float)
    columns = (
        Column("tail", "category", categories=tuple(map(str, range(2000)))),
        Column("odd", "boolean", categories=("0", "1")),
    )
    rows = Rows(torch.from_numpy(values), torch.zeros(values.shape, dtype=torch.bool))
    fake = COMPARATORS[name](rows, columns, 0)(3000, 0)
    assert torch.isin(fake.values[:, 0], rows.values[:, 0]).all()


@pytest.mark.parametrize("name", COMPARATORS)
def test_no_rows_are_refused(name):
    with pytest.raises(SparringError, match="0 rows"):
        COMPARATORS[name](Rows(*(part[:0] for part in table(5))), COLUMNS, 0)
