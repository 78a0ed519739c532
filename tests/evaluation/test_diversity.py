"""The Vendi score against published values, closed forms and the larger of two equal matrices."""

import pytest
import torch

from sparring.errors import SparringError
from sparring.evaluation.diversity import vendi, vendi_of_similarities


def test_published_values():
    # The two examples of the authors' repository, vertaix/Vendi-Score; its documentation cuts off, not rounds.
    points = torch.tensor([0.0, 0.0, 10.0, 10.0, 20.0, 20.0])
    assert vendi_of_similarities((-(points[:, None] - points).abs()).exp()) == pytest.approx(2.9999, abs=1e-4)
    similar = torch.tensor([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert vendi_of_similarities(similar) == pytest.approx(2.1573, abs=5e-5)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_number_of_different_directions(count):
    # Each of `count` orthogonal features three times.
    assert vendi(torch.eye(8)[:count].repeat(3, 1) * 5) == pytest.approx(count, rel=1e-9)


@pytest.mark.parametrize(("count", "size"), [(20, 50), (50, 20), (30, 30)])
def test_either_product_gives_the_same(count, size):
    features = torch.randn(count, size, generator=torch.Generator().manual_seed(0)).double()
    rows = features / features.norm(dim=1, keepdim=True)
    assert vendi(features) == pytest.approx(vendi_of_similarities(rows @ rows.T), rel=1e-9)


@pytest.mark.parametrize("features", [torch.zeros(0, 3), torch.zeros(3), torch.full((3, 3), torch.nan)])
def test_what_is_said(features):
    with pytest.raises(SparringError, match="finite features"):
        vendi(features)
