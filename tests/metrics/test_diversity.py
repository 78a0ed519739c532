"""The Vendi and the inception score against published values, closed forms and other ways to the same number."""

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.diversity import inception_score, vendi, vendi_of_similarities


def test_published_values():
    # The two examples of the authors' repository, vertaix/Vendi-Score; its documentation cuts off, not rounds.
    points = torch.tensor([0.0, 0.0, 10.0, 10.0, 20.0, 20.0])
    assert vendi_of_similarities((-(points[:, None] - points).abs()).exp()) == pytest.approx(2.9999, abs=1e-4)
    similar = torch.tensor([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert vendi_of_similarities(similar) == pytest.approx(2.1573, abs=5e-5)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_counts_orthogonal_directions(count):
    # Each of `count` orthogonal features three times.
    assert vendi(torch.eye(8)[:count].repeat(3, 1) * 5) == pytest.approx(count, rel=1e-9)


@pytest.mark.parametrize(("count", "size"), [(20, 50), (50, 20), (30, 30)])
def test_either_product_gives_the_same(count, size):
    features = torch.randn(count, size, generator=torch.Generator().manual_seed(0)).double()
    rows = features / features.norm(dim=1, keepdim=True)
    assert vendi(features) == pytest.approx(vendi_of_similarities(rows @ rows.T), rel=1e-9)


@pytest.mark.parametrize("features", [torch.zeros(0, 3), torch.zeros(3), torch.full((3, 3), torch.nan)])
def test_invalid_features_are_refused(features):
    with pytest.raises(SparringError, match="finite features"):
        vendi(features)


def inception_score_by_loops(rows, splits):
    scores = []
    for part in range(splits):
        chunk = rows[part * len(rows) // splits : (part + 1) * len(rows) // splits]
        mean = [sum(row[name] for row in chunk) / len(chunk) for name in range(len(chunk[0]))]
        divergences = [
            sum(p * (np.log(p) - np.log(q)) for p, q in zip(row, mean, strict=True) if p > 0) for row in chunk
        ]
        scores.append(np.exp(sum(divergences) / len(divergences)))
    return sum(scores) / splits


class TestInceptionScore:
    @pytest.mark.parametrize("count", [1, 2, 10])
    def test_is_the_number_of_classes_that_are_certain_and_even(self, count):
        assert inception_score(torch.eye(12)[:count].repeat(5, 1)) == pytest.approx(count, rel=1e-12)

    def test_is_one_for_uniform_and_for_equal_predictions(self):
        assert inception_score(torch.full((30, 8), 1 / 8)) == pytest.approx(1, abs=1e-12)
        assert inception_score(torch.tensor([[0.7, 0.3, 0.0]]).repeat(9, 1)) == pytest.approx(1, abs=1e-12)

    def test_a_mixture_by_hand(self):
        # Means (3/4, 1/4): KL of (1, 0) is ln 4/3, of (1/2, 1/2) it is ln(2/3)/2 + ln(2)/2 = ln(4/3)/2.
        rows = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
        assert inception_score(rows) == pytest.approx((4 / 3) ** 0.75, rel=1e-12)

    @pytest.mark.parametrize("splits", [1, 3, 10])
    def test_agrees_with_loops(self, splits):
        scores = torch.randn(101, 7, generator=torch.Generator().manual_seed(0)).double() * 3
        rows = scores.softmax(1)
        rows[:20] = torch.eye(7, dtype=torch.float64)[torch.arange(20) % 7]
        expected = inception_score_by_loops(rows.numpy(), splits)
        assert inception_score(rows, splits) == pytest.approx(expected, rel=1e-9)

    def test_parts_are_taken_in_the_order_given(self):
        # Each half is of one class, so that neither is diverse.
        rows = torch.eye(2).repeat_interleave(10, 0)
        assert inception_score(rows, 2) == pytest.approx(1)
        assert inception_score(rows[torch.arange(20).view(2, 10).T.flatten()], 2) == pytest.approx(2)

    @pytest.mark.parametrize(
        "rows",
        [[[0.5, 0.6], [1.0, 0.0]], [[1.5, -0.5], [0.5, 0.5]], [[torch.nan, 1.0], [0.5, 0.5]], [[torch.inf, 0.0]] * 2],
    )
    def test_rows_that_are_not_probabilities_are_refused(self, rows):
        with pytest.raises(SparringError, match="not all rows are probabilities"):
            inception_score(torch.tensor(rows))

    @pytest.mark.parametrize(("count", "splits"), [(3, 4), (0, 1), (3, 0)])
    def test_too_few_samples_are_refused(self, count, splits):
        with pytest.raises(SparringError, match=f"{count} samples and {splits} splits"):
            inception_score(torch.eye(3)[:count], splits)
