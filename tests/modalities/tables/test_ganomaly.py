"""Unusual rows: GANomaly, and autoregression in any order, on rows with planted outliers."""

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.flow import Anomaly
from sparring.games.game import Detecting
from sparring.modalities.tables.coding import Column, Rows, TableCoding
from sparring.modalities.tables.conditions import KNOWN
from sparring.modalities.tables.levels import Levels
from sparring.modalities.tables.standard_vectors import MAX_DEVIATIONS, StandardVectors
from sparring.modalities.tables.survey import conditioned
from sparring.randomness import seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

NAMES = ("first", "double", "other", "kind")


def rows(count: int, seed: int, broken: int | None = None) -> Rows:
    """Return rows of four columns: "double" is twice "first", "kind" its sign, "other" independent of both.

    Args:
        count: of rows.
        seed: of the random numbers.
        broken: column whose cells are exchanged between rows with first < -½ and with first > ½, which leaves its
            distribution as it is.
    """
    random = np.random.default_rng(seed)
    first = random.normal(size=count)
    values = np.stack([first, 2 * first + 0.1 * random.normal(size=count), random.normal(size=count), first > 0], 1)
    if broken is not None:
        low, high = values[first < -0.5], values[first > 0.5]
        some = min(len(low), len(high))
        values = np.concatenate([low[:some], high[:some]])
        values[:, broken] = np.roll(values[:, broken], some)
    return Rows(values, np.zeros(values.shape, dtype=bool))  # type: ignore[arg-type]


TRAIN = rows(1000, 0)


def column(at: int) -> Column:
    if NAMES[at] == "kind":
        return Column("kind", "category", categories=("no", "yes"), shares=(0.5, 0.5))
    quantiles = np.quantile(TRAIN.values[:, at], np.linspace(0, 1, 501))
    return Column(NAMES[at], "continuous", quantiles=tuple(quantiles.tolist()))


COLUMNS = tuple(column(at) for at in range(4))
FACTS = Facts("rows", "tables", 1000, (4,), "0" * 64, offers=(KNOWN,), coding=TableCoding(COLUMNS).as_json())


def trained(name: str, steps: int, **fields: int) -> Detecting:
    recipe = with_fields(RECIPES[name], {"batch": 100, **fields})
    with seeded(0, "weights"):
        game = recipe.game(FACTS)
    plan = Plan(recipe.optimisers(), 100, steps * 100, average_half_life=lambda samples: 0.1 * samples)
    trainer = Trainer(game, conditioned(Dataset(TRAIN), recipe.view(FACTS).condition, COLUMNS), plan)
    assert len(list(trainer)) == steps
    assert isinstance(trainer.average, Detecting)
    return trainer.average


def anomaly(game: Detecting, some: Rows) -> Anomaly:
    return game.anomaly(Dataset(some).batch(slice(0, len(some.values))))


def area(ordinary: torch.Tensor, unusual: torch.Tensor) -> float:
    """Return the area under the ROC curve: how often an unusual row has the higher score."""
    return float((unusual[:, None] > ordinary).double().mean())


@pytest.fixture(scope="module")
def ganomaly() -> Detecting:
    return trained("tables/ganomaly", 400, width=64, latent_size=3)


@pytest.fixture(scope="module")
def masked() -> Detecting:
    return trained("tables/masked", 400, width=64, blocks=1, bins=16)


GAMES = ("ganomaly", "masked")


@pytest.mark.parametrize("name", GAMES)
def test_rows_that_break_a_dependence_have_higher_scores(name: str, request: pytest.FixtureRequest) -> None:
    game = request.getfixturevalue(name)
    ordinary, unusual = anomaly(game, rows(400, 1)), anomaly(game, rows(400, 2, broken=1))
    assert area(ordinary.score, unusual.score) > 0.85


@pytest.mark.parametrize("name", GAMES)
def test_places_name_the_column_that_contradicts_the_others(name: str, request: pytest.FixtureRequest) -> None:
    game = request.getfixturevalue(name)
    places = anomaly(game, rows(400, 2, broken=1)).places
    assert places is not None and places.shape[1] == 4
    among = places.topk(2, dim=1).indices == 1
    assert float(among.any(1).double().mean()) > 0.9
    assert float(places[:, 2].mean()) < float(places[:, 1].mean()) / 2, "a column that depends on none"


@pytest.mark.parametrize("name", GAMES)
def test_numbers_outside_of_the_range_have_higher_scores(name: str, request: pytest.FixtureRequest) -> None:
    game, ordinary = request.getfixturevalue(name), rows(400, 1)
    for value in (12.0, -1e300):
        values = ordinary.values.copy()  # type: ignore[attr-defined]
        values[:, 2] = value
        found = anomaly(game, Rows(values, ordinary.missing))
        assert found.score.isfinite().all() and found.places is not None
        assert area(anomaly(game, ordinary).score, found.score) > 0.9
        assert float((found.places.topk(2, dim=1).indices == 2).any(1).double().mean()) > 0.9


def test_a_state_that_no_row_had_has_the_surprise_of_one_in_all_rows_and_one(masked: Detecting) -> None:
    ordinary = rows(400, 1)
    missing, far = ordinary.missing.copy(), ordinary.values.copy()  # type: ignore[attr-defined]
    missing[:, 3], far[:, 2] = True, 30.0
    usual, unseen = anomaly(masked, ordinary), anomaly(masked, Rows(ordinary.values, missing))
    outside = anomaly(masked, Rows(far, ordinary.missing))
    assert unseen.places is not None and outside.places is not None
    np.testing.assert_allclose(unseen.places[:, 3], np.log(1001), rtol=1e-5)
    assert float((unseen.places.topk(2, dim=1).indices == 3).any(1).double().mean()) > 0.9
    assert bool((outside.places.argmax(1) == 2).all()) and outside.score.min() > usual.score.quantile(0.99)


class TestSparsity:
    def test_it_grows_with_the_distance_from_the_data(self) -> None:
        values = torch.tensor([0.0, 1.0, 3.0, 6.0, 100.0, 1e308], dtype=torch.float64)
        some = Rows(values[:, None].expand(-1, 4), torch.zeros(6, 4, dtype=torch.bool))
        found = Levels(COLUMNS).sparsity(some)
        assert (found[:, 2].diff() > 0).all() and found.isfinite().all()
        assert (found[:, 3] == 0).all(), "categories are levels"

    def test_the_only_values_of_a_column_are_never_sparse(self) -> None:
        counts = Column("count", "integer", quantiles=(0.0,) * 90 + (1.0,) * 9 + (5.0,) * 2)
        values = torch.tensor([[0.0], [1.0], [5.0], [3.0], [10.0]]).double()
        found = Levels([counts]).sparsity(Rows(values, torch.zeros(5, 1, dtype=torch.bool)))[:, 0]
        assert found[:3].tolist() == [0.0, 0.0, 0.0] and 0 < found[3] < found[4]

    @pytest.mark.parametrize("quantiles", [(2.0,), (2.0,) * 50, (-1e308, 1e308), (0.0, 1e-300), (0.0, 5e-324)])
    def test_it_is_finite_for_any_column(self, quantiles: tuple[float, ...]) -> None:
        levels = Levels([Column("x", "continuous", quantiles=quantiles)])
        values = torch.tensor([[0.0], [2.0], [-1e308]], dtype=torch.float64)
        assert levels.sparsity(Rows(values, torch.zeros(3, 1, dtype=torch.bool))).isfinite().all()

    def test_missing_cells_are_not_sparse(self) -> None:
        levels = Levels([Column("x", "continuous", quantiles=(0.0, 1.0, 2.0), missing=0.5)])
        some = Rows(torch.full((1, 1), 9.0).double(), torch.ones(1, 1, dtype=torch.bool))
        assert levels.sparsity(some).item() == 0


class TestStandardVectors:
    MIXED = (
        Column("kind", "category", missing=0.1, categories=("a", "b"), shares=(0.5, 0.5)),
        Column("size", "continuous", quantiles=(0.0, 1.0, 2.0), decimals=1),
        Column("count", "integer", missing=0.2, quantiles=(0.0, 4.0, 8.0)),
    )

    def some(self) -> Rows:
        values = torch.tensor([[1.0, 0.5, 3.0], [0.0, 2.0, 0.0], [0.0, 1.0, 8.0]]).double()
        return Rows(values, torch.tensor([[False, False, False], [False, False, True], [True, False, False]]))

    def test_rows_come_back(self) -> None:
        encoding = StandardVectors(self.MIXED)
        vectors = encoding.normalize(self.some())
        assert vectors.shape == (3, encoding.scalars + encoding.width) == (3, 2 + 2 + 3)
        back = encoding.denormalize(vectors)
        torch.testing.assert_close(back, self.some())

    def test_numbers_are_in_standard_deviations(self) -> None:
        encoding = StandardVectors(self.MIXED)
        found = encoding.normalize(self.some())
        assert found[:, 0].tolist() == pytest.approx(((np.array([0.5, 2.0, 1.0]) - 1) / np.std([0, 1, 2])).tolist())
        assert found[1, 1] == 0, "a missing cell is in the middle"
        far = Rows(torch.full((1, 3), 1e300, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.bool))
        assert encoding.normalize(far)[0, 0] == MAX_DEVIATIONS

    def test_made_rows_stay_within_the_range(self) -> None:
        encoding = StandardVectors(self.MIXED)
        made = encoding.denormalize(torch.full((1, 7), 50.0))
        assert made.values[0, 1] == 2.0 and made.values[0, 2] in (0.0, 8.0)

    def test_errors_belong_to_their_column(self) -> None:
        encoding = StandardVectors(self.MIXED)
        vectors = encoding.normalize(self.some())
        assert encoding.residual(vectors, vectors).abs().max() < 1e-6
        for at in range(3):
            changed = self.some()
            changed.values[0, at] = 0 if at == 0 else 2
            error = encoding.residual(vectors, encoding.normalize(changed))[0]
            assert [one > 0 for one in error.tolist()] == [column == at for column in range(3)]
        present = Rows(self.some().values, torch.zeros(3, 3, dtype=torch.bool))
        assert encoding.residual(vectors, encoding.normalize(present))[1, 2] >= 1, "a cell that is missing"

    def test_a_table_of_one_constant_column_is_encoded(self) -> None:
        encoding = StandardVectors([Column("x", "continuous", quantiles=(3.0, 3.0))])
        some = Rows(torch.tensor([[3.0], [4.0]]).double(), torch.zeros(2, 1, dtype=torch.bool))
        assert encoding.normalize(some)[:, 0].tolist() == [0.0, 1.0]
