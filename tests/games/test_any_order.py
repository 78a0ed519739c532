"""Autoregression in any order, on two dependent columns whose joint distribution is known."""

import math

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.flow import Batch
from sparring.games.any_order import AnyOrder
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known, nothing_known
from sparring.modalities.tables.levels import Levels
from sparring.modalities.tables.networks.completer import RowCompleter
from sparring.objectives.schedules import constant
from sparring.randomness import seeded
from sparring.recipe import Adam
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

JOINT = np.array([[0.4, 0.05, 0.05], [0.0, 0.1, 0.4]])
"""Probability of each pair of categories of two columns."""


def pairs(count: int, seed: int = 0) -> Rows:
    cells = np.random.default_rng(seed).choice(6, count, p=JOINT.flatten())
    values = np.stack([cells // 3, cells % 3], 1).astype(np.float64)
    return Rows(torch.from_numpy(values), torch.zeros(count, 2, dtype=torch.bool))


def game(width: int = 32) -> AnyOrder:
    columns = [
        Column(name, "category", categories=tuple(map(str, range(len(shares)))), shares=tuple(shares.tolist()))
        for name, shares in (("first", JOINT.sum(1)), ("second", JOINT.sum(0)))
    ]
    with seeded(0, "weights"):
        return AnyOrder(RowCompleter(levels=Levels(columns), width=width, blocks=1))


@pytest.fixture(scope="module")
def trained() -> AnyOrder:
    rows = pairs(4000)
    data = Dataset(Rows(rows.values.numpy(), rows.missing.numpy()))
    adam = {"completer": Adam(constant(3e-3), beta1=0.9, beta2=constant(0.99))}
    trainer = Trainer(game(), data, Plan(adam, 100, 40_000, average_half_life=lambda samples: 0.05 * samples))
    for _ in trainer:
        pass
    return trainer.average  # type: ignore[return-value]


def shares(rows: Rows) -> np.ndarray:
    cells = (rows.values[:, 0] * 3 + rows.values[:, 1]).long()
    return (torch.bincount(cells, minlength=6).double() / len(cells)).view(2, 3).numpy()


def test_few_rows_of_numbers_tell_their_dependence() -> None:
    """Neighbouring levels help, since each of the 64 has only three of the 200 rows."""
    random = np.random.default_rng(0)
    first = random.normal(size=2200)
    values = np.stack([first, first + 0.3 * random.normal(size=2200)], 1)
    rows, unseen = (Rows(part, np.zeros(part.shape, dtype=bool)) for part in (values[:200], values[200:]))  # type: ignore[arg-type]
    quantiles = np.quantile(values[:200], np.linspace(0, 1, 200), axis=0)
    columns = [Column(str(at), "continuous", quantiles=tuple(quantiles[:, at].tolist())) for at in range(2)]
    levels = Levels(columns, bins=64)
    with seeded(0, "weights"):
        played = AnyOrder(RowCompleter(levels=levels, width=64, blocks=1))
    adam = {"completer": Adam(constant(1e-3), beta1=0.9, beta2=constant(0.99))}
    trainer = Trainer(played, Dataset(rows), Plan(adam, 100, 10_000, average_half_life=lambda samples: 500.0))
    for _ in trainer:
        pass
    likelihood = trainer.average.opinion(Dataset(unseen).batch(slice(None))).likelihood
    assert likelihood is not None and float(likelihood.mean()) > -2 * math.log(64) + 0.4, "independent: -2 log 64"


def empty(count: int) -> Known:
    return nothing_known(Rows(torch.zeros(count, 2, dtype=torch.float64), torch.zeros(count, 2, dtype=torch.bool)))


def test_samples_have_the_joint_distribution(trained: AnyOrder) -> None:
    found = shares(generate(trained, 4000, empty(4000), seed=0, stream="test"))
    assert np.abs(found - JOINT).max() < 0.03 and found[1, 0] < 0.005


@pytest.mark.parametrize(("column", "value"), [(0, 0.0), (0, 1.0), (1, 2.0)])
def test_other_parts_follow_from_those_that_are_known(trained: AnyOrder, column: int, value: float) -> None:
    condition = empty(4000)
    condition.values[:, column], condition.known[:, column] = value, True
    rows = generate(trained, 4000, condition, seed=0, stream="test")
    assert (rows.values[:, column] == value).all()
    expected = np.zeros_like(JOINT)
    here = np.index_exp[int(value), :] if column == 0 else np.index_exp[:, int(value)]
    expected[here] = JOINT[here] / JOINT[here].sum()
    assert np.abs(shares(rows) - expected).max() < 0.05


def test_a_sample_that_is_known_comes_back(trained: AnyOrder) -> None:
    rows = pairs(50, seed=1)
    condition = Known(rows.values, rows.missing, torch.ones_like(rows.missing))
    assert torch.equal(generate(trained, 50, condition, seed=0, stream="test").values, rows.values)


def test_the_likelihood_is_that_of_the_joint_distribution(trained: AnyOrder) -> None:
    rows = pairs(2000, seed=2)
    with torch.no_grad():
        found = trained.opinion(Batch(rows)).likelihood
    assert found is not None
    entropy = -sum(p * math.log(p) for p in JOINT.flatten() if p)
    assert float(found.mean()) == pytest.approx(-entropy, abs=0.06)


def test_the_objective_is_the_surprise_of_the_parts_that_are_open(progress) -> None:
    """An untrained network that predicts all levels alike has ln 2 and ln 3 for the two columns."""
    one = game()
    for weight in one.players["completer"].predict.parameters():
        torch.nn.init.zeros_(weight)
    found = float(one.objective(Batch(pairs(4000)), progress(4000)).terms["surprise"].detach())
    # All are open in half of the rows; else one is: the second of those in order, and either of the others.
    expected = 0.5 * (math.log(2) + math.log(3)) / 2 + 0.25 * math.log(3) + 0.25 * (math.log(2) + math.log(3)) / 2
    assert found == pytest.approx(expected, abs=0.02)


def test_unusual_rows_are_those_of_low_probability(trained: AnyOrder) -> None:
    """Scores are -log p(x), and places -log p of each column given the other."""
    cells = torch.tensor([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0, 2.0)], dtype=torch.float64)
    found = trained.anomaly(Batch(Rows(cells, torch.zeros(6, 2, dtype=torch.bool))))
    chances, places = JOINT.flatten(), found.places
    assert places is not None
    possible = chances > 0
    np.testing.assert_allclose(found.score[possible], -np.log(chances[possible]), atol=0.3)
    first, second = JOINT / JOINT.sum(0), JOINT / JOINT.sum(1)[:, None]
    expected = -np.log(np.stack([first.flatten(), second.flatten()], 1)[possible])
    np.testing.assert_allclose(places[possible], expected, atol=0.4)
    assert found.score.argmax() == 3 and float(places[3].min()) > 3, "a pair that never occurs"
