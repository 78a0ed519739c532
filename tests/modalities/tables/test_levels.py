"""Rows as one-hot levels, and back."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known
from sparring.modalities.tables.levels import MAX_CATEGORIES, Levels
from sparring.modalities.tables.networks.encoding import WAVES, Waves


def numeric(values: np.ndarray, kind: str = "continuous", knots: int = 1001, **further: object) -> Column:
    quantiles = np.quantile(values, np.linspace(0, 1, knots), method="nearest")
    return Column("number", kind, quantiles=tuple(quantiles.tolist()), **further)  # type: ignore[arg-type]


def category(*shares: float, missing: float = 0.0) -> Column:
    names = tuple(f"c{number}" for number in range(len(shares)))
    return Column("category", "category", missing=missing, categories=names, shares=shares)


def rows(values: np.ndarray, missing: np.ndarray | None = None) -> Rows:
    column = torch.from_numpy(np.asarray(values, np.float64))[:, None]
    return Rows(
        column, torch.zeros_like(column, dtype=torch.bool) if missing is None else torch.tensor(missing)[:, None]
    )


def again(levels: Levels, given: Rows, positions: Tensor | None = None) -> Rows:
    vectors = levels.normalize(given)
    if positions is not None:
        vectors[:, levels.width :] = positions
    return levels.denormalize(vectors)


def matrix(levels: Levels) -> Tensor:
    waves = Waves(levels)
    found: Tensor = waves(torch.eye(waves.count))
    return found


def test_categories_and_missing_cells_come_back() -> None:
    levels = Levels([category(0.5, 0.3, 0.2, missing=0.1)])
    given = rows(np.array([0, 1, 2, 0]), np.array([False, False, False, True]))
    assert levels.sizes == [4]
    found = again(levels, given)
    assert torch.equal(found.values, given.values) and torch.equal(found.missing, given.missing)


def test_waves_are_smooth_over_the_levels_of_numbers_and_zero_elsewhere() -> None:
    random = np.random.default_rng(0)
    levels = Levels([category(0.5, 0.5), numeric(random.normal(size=5000), missing=0.1)], bins=32)
    assert levels.ordered == [0, 32] and levels.sizes == [2, 33]
    found = matrix(levels)
    assert found.shape == (35, WAVES) and not found[:2].any() and not found[-1].any()
    similar = found @ found.T
    assert similar[10, 11] > 0.9 * similar[10, 10] > 0 > similar[10, 25]
    assert not matrix(Levels([numeric(np.arange(3.0))])).any(), "three values gain nothing by their order"


def test_each_column_has_waves_of_its_own() -> None:
    columns = [numeric(np.arange(7.0)), category(0.5, 0.5), numeric(np.arange(30.0), missing=0.1)]
    found, alone = matrix(Levels(columns)), [matrix(Levels([column])) for column in columns]
    assert torch.equal(found, torch.block_diag(*(one[:, :WAVES] for one in alone)))


def test_a_cell_that_cannot_be_missing_has_no_level_for_it() -> None:
    assert Levels([category(0.5, 0.5)]).sizes == [2]
    assert not again(Levels([category(0.5, 0.5)]), rows(np.array([1]), np.array([True]))).missing.any()


def test_numbers_come_back_within_their_level_and_uniform_positions_keep_the_distribution() -> None:
    random = np.random.default_rng(0)
    values = random.lognormal(size=20_000)
    levels = Levels([numeric(values)], bins=32)
    given = rows(values)
    found = again(levels, given, torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(levels.codes(found), levels.codes(given))
    shares = torch.bincount(levels.codes(given)[:, 0]).double() / 20_000
    assert len(shares) == 32 and (shares - 1 / 32).abs().max() < 0.003
    probabilities = np.linspace(0.01, 0.99, 99)
    expected, quantiles = (np.quantile(one, probabilities) for one in (values, found.values.numpy()))
    assert np.abs(np.log(quantiles / expected)).max() < 0.05


def test_a_frequent_number_is_a_level_of_its_own() -> None:
    random = np.random.default_rng(0)
    values = np.where(random.random(10_000) < 0.6, 0.0, random.normal(5, 1, 10_000))
    levels = Levels([numeric(values)], bins=16)
    found = again(levels, rows(values), torch.rand(10_000, 1)).values[:, 0]
    assert torch.equal(found == 0, torch.from_numpy(values == 0))


def test_a_column_of_few_values_has_no_others() -> None:
    values = np.random.default_rng(0).choice([1.0, 2.5, 40.0, 41.0], 5000, p=[0.4, 0.3, 0.2, 0.1])
    for bins in (2, 64):
        found = again(Levels([numeric(values)], bins=bins), rows(values), torch.rand(5000, 1)).values
        assert set(found.flatten().tolist()) <= {1.0, 2.5, 40.0, 41.0}


def test_numbers_have_the_digits_of_their_column() -> None:
    values = np.random.default_rng(0).normal(1000, 300, 5000)
    for kind, decimals, step in (("integer", None, 1.0), ("continuous", 2, 0.01)):
        column = numeric(np.round(values / step) * step, kind, decimals=decimals)
        found = again(Levels([column]), rows(values), torch.rand(5000, 1)).values / step
        assert torch.allclose(found, found.round(), atol=1e-6)


def test_numbers_beyond_the_quantiles_belong_to_the_first_and_the_last_level() -> None:
    levels = Levels([numeric(np.arange(1000.0))], bins=10)
    assert levels.codes(rows(np.array([-1e300, 0, 999, 1e300])))[:, 0].tolist() == [0, 0, 9, 9]


def test_rare_categories_share_a_level_and_come_back_at_their_shares() -> None:
    shares = np.r_[np.full(200, 0.004), np.full(400, 0.0005)]
    levels = Levels([category(*shares.tolist())])
    assert levels.sizes == [MAX_CATEGORIES]
    positions = torch.rand(40_000, 1, generator=torch.Generator().manual_seed(0))
    found = again(levels, rows(np.full(40_000, 599)), positions).values[:, 0].long()
    counts = torch.bincount(found, minlength=600)
    assert counts[: MAX_CATEGORIES - 1].sum() == 0 and (counts[MAX_CATEGORIES - 1 :] > 0).all()


def test_known_cells_come_back_exactly() -> None:
    levels = Levels([numeric(np.linspace(0, 1, 1000)), category(0.5, 0.5, missing=0.1)])
    values = torch.tensor([[0.123456789012345, 0.0], [0.5, 1.0]], dtype=torch.float64)
    missing = torch.tensor([[False, True], [False, False]])
    known = torch.tensor([[True, True], [True, False]])
    vectors = levels.normalize(Rows(1 - values, torch.zeros_like(missing)))
    found = levels.denormalize(vectors, Known(values, missing, known))
    assert found.values[:, 0].tolist() == values[:, 0].tolist()
    assert found.missing.tolist() == [[False, True], [False, False]] and found.values[1, 1] == 0


@pytest.mark.parametrize("bins", [2, 64])
def test_a_constant_number_has_one_level(bins: int) -> None:
    levels = Levels([numeric(np.full(50, 3.0))], bins=bins)
    assert levels.sizes == [1] and again(levels, rows(np.array([3.0]))).values.item() == 3


def test_sums_by_column_are_of_its_levels_and_its_position() -> None:
    levels = Levels([category(0.5, 0.3, 0.2), category(0.6, 0.4)])
    values = torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0, 0.5, 0.25]])
    assert levels.by_column(values).tolist() == [[7.5, 24.25]]
