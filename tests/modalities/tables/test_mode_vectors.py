"""Rows as vectors of modes and categories, and back."""

import numpy as np
import pytest
import torch

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known, nothing_known
from sparring.modalities.tables.levels import MAX_CATEGORIES
from sparring.modalities.tables.mode_vectors import ModeVectors

TWO = np.concatenate([np.linspace(-3, 3, 500), np.linspace(97, 103, 501)])
COLUMNS = (
    Column("kind", "category", categories=("a", "b", "c"), shares=(0.6, 0.3, 0.1), missing=0.2),
    Column("size", "continuous", quantiles=tuple(TWO.tolist()), missing=0.1),
    Column("unit", "constant", categories=("m",), shares=(1.0,)),
    Column("age", "integer", quantiles=tuple(np.repeat(np.arange(20.0, 70.0), 20).tolist())),
    Column("sign", "boolean", categories=("yes", "no"), shares=(0.5, 0.5)),
)


@pytest.fixture(scope="module")
def encoding() -> ModeVectors:
    return ModeVectors(COLUMNS)


def table(count: int = 3000) -> Rows:
    random = np.random.default_rng(0)
    size = np.where(random.random(count) < 0.5, 0, 100) + random.uniform(-2.9, 2.9, count)
    kind, age, sign = random.integers(0, 3, count), random.integers(20, 70, count), random.integers(0, 2, count)
    values = np.stack([kind, size, np.zeros(count), age, sign], 1).astype(float)
    missing = np.zeros(values.shape, dtype=bool)
    missing[:, 0], missing[:, 1] = random.random(count) < 0.2, random.random(count) < 0.1
    return Rows(torch.from_numpy(np.where(missing, 0, values)), torch.from_numpy(missing))


@pytest.mark.parametrize("drawn", [True, False])
def test_rows_come_back(encoding: ModeVectors, random, drawn: bool) -> None:
    rows = table()
    vectors = encoding.normalize(rows, random(3000) if drawn else None)
    assert vectors.dtype == torch.float32 and vectors.shape == (3000, 2 + encoding.width + 3)
    found = encoding.denormalize(vectors)
    assert torch.equal(found.missing, rows.missing)
    assert torch.equal(found.values[:, [0, 2, 3, 4]], rows.values[:, [0, 2, 3, 4]])
    torch.testing.assert_close(found.values[:, 1], rows.values[:, 1], rtol=0, atol=1e-4)


def test_vectors_are_places_in_modes_and_one_hot(encoding: ModeVectors, random) -> None:
    rows = table()
    alpha, vectors, places = encoding.normalize(rows, random(3000)).split([2, encoding.width, 3], 1)
    assert alpha.abs().max() <= 1 and (alpha[rows.missing[:, 1], 0] == 0).all() and (places == 0.5).all()
    for part in vectors.split(encoding.sizes, 1):
        assert part.unique().tolist() in ([0, 1], [1]) and (part.sum(1) == 1).all()
    assert encoding.sizes[2:] == [1, 4, 2] and encoding.condition_width == 6


def test_modes_are_drawn_from_their_posterior(random) -> None:
    """Between two equal normal distributions either mode is drawn as often, each with its own α."""
    knots = np.random.default_rng(0).normal(np.repeat([0.0, 20.0], 5000)).tolist()
    encoding = ModeVectors([Column("x", "continuous", quantiles=tuple(np.quantile(knots, np.linspace(0, 1, 1001))))])
    numbers = encoding.numbers
    value = numbers.means[0, numbers.means[0] < 10].mean()
    rows = Rows(torch.full((20_000, 1), float(value), dtype=torch.float64), torch.zeros(20_000, 1, dtype=torch.bool))
    drawn = encoding.normalize(rows, random(20_000))[:, 1 : 1 + encoding.width].mean(0)
    distance = (value - numbers.means[0]) / numbers.deviations[0]
    density = numbers.weights[0] / numbers.deviations[0] * (-distance.square() / 2).exp()
    torch.testing.assert_close(drawn.double()[: len(density)], density / density.sum(), rtol=0, atol=0.02)
    assert len(encoding.normalize(rows).unique(dim=0)) == 1


def test_numbers_far_from_all_modes_are_clipped_to_the_range(encoding: ModeVectors) -> None:
    rows = table(2)
    rows.values[:, 1], rows.missing[:, 1] = torch.tensor([1e300, -1e300], dtype=torch.float64), False
    found = encoding.denormalize(encoding.normalize(rows)).values[:, 1]
    assert (found >= -3).all() and (found <= 103).all() and found[0] > 90 and found[1] < 10


def test_generated_numbers_are_in_range_and_rounded(encoding: ModeVectors) -> None:
    vectors = torch.randn(5000, 2 + encoding.width + 3, generator=torch.Generator().manual_seed(0)) * 3
    rows = encoding.denormalize(vectors)
    age = rows.values[:, 3]
    assert torch.equal(age, age.round()) and age.min() >= 20 and age.max() <= 69
    assert rows.values[:, 1].min() >= -3 and rows.values[:, 1].max() <= 103
    assert (rows.values[rows.missing] == 0).all() and not rows.missing[:, 2:].any()


def test_known_cells_are_exact(encoding: ModeVectors) -> None:
    rows = table(10)
    known = torch.zeros_like(rows.missing)
    known[:, 1] = True
    found = encoding.denormalize(encoding.normalize(table(20)._replace())[10:], Known(*rows, known))
    assert torch.equal(found.values[:, 1], rows.values[:, 1]) and torch.equal(found.missing[:, 1], rows.missing[:, 1])


def test_conditions_are_the_known_categories(encoding: ModeVectors) -> None:
    rows, known = table(4), torch.zeros(4, 5, dtype=torch.bool)
    rows.values[:, 0], rows.values[:, 4] = torch.tensor([2.0, 0, 0, 1]).double(), torch.tensor([0.0, 1, 0, 1]).double()
    rows.missing[:, 0] = torch.tensor([False, True, False, False])
    known[[0, 1], 0], known[2, 4] = True, True
    known[3, 1] = True  # A number is no condition.
    found = encoding.conditions(Known(*rows, known), torch.zeros(4, 1))
    expected = torch.zeros(4, 6)
    expected[0, 2] = expected[1, 3] = expected[2, 4] = 1
    assert torch.equal(found, expected)
    assert not encoding.conditions(None, torch.zeros(4, 1)).any()
    assert not encoding.conditions(nothing_known(rows), torch.zeros(4, 1)).any()


def test_drawn_conditions_have_the_frequencies_of_the_categories(encoding: ModeVectors) -> None:
    drawn = encoding.drawn_conditions(torch.rand(50_000, 2, generator=torch.Generator().manual_seed(0)))
    assert (drawn.sum(1) == 1).all()
    expected = torch.tensor([0.48, 0.24, 0.08, 0.2, 0.5, 0.5]) / 2
    torch.testing.assert_close(drawn.mean(0), expected, atol=0.01, rtol=0)


def test_rare_categories_share_a_level(random) -> None:
    shares = np.r_[np.full(200, 0.004), np.full(400, 0.0005)]
    columns = [Column("c", "category", categories=tuple(map(str, range(600))), shares=tuple(shares))]
    encoding = ModeVectors(columns)
    assert encoding.sizes == [MAX_CATEGORIES] == [encoding.condition_width]
    rows = Rows(torch.full((1, 1), 599.0, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.bool))
    vectors = encoding.normalize(rows, random(1)).expand(1000, -1).clone()
    vectors[:, -1] = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    found = encoding.denormalize(vectors).values[:, 0]
    assert found.min() >= MAX_CATEGORIES - 1 and len(found.unique()) > 200
    drawn = encoding.drawn_conditions(torch.tensor([[0.5, 0.999], [0.5, 0.0]]))
    assert drawn.argmax(1).tolist() == [MAX_CATEGORIES - 1, 0]


@pytest.mark.parametrize("chosen", [slice(1, 2), slice(0, 1), slice(2, 3)])
def test_one_column_is_enough(chosen: slice, random) -> None:
    encoding, rows = ModeVectors(COLUMNS[chosen]), table(50)
    rows = Rows(*(part[:, chosen] for part in rows))
    found = encoding.denormalize(encoding.normalize(rows, random(50)))
    torch.testing.assert_close(found.values, rows.values, rtol=0, atol=1e-4)


def test_sums_by_column_are_of_all_its_numbers(encoding: ModeVectors) -> None:
    given = table(5)
    vectors = encoding.normalize(given)
    changed = encoding.normalize(Rows(given.values + torch.tensor([0.0, 0, 0, 9, 0]), given.missing))
    sums = encoding.by_column((vectors - changed).abs())
    assert sums.shape == (5, len(COLUMNS)) and bool((sums[:, 3] > 0).all())
    assert float(sums[:, [0, 1, 2, 4]].sum()) == 0
