"""Two-sample tests: at chance for equal distributions, certain for disjoint ones."""

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.two_samples import classifier_test, nearest_neighbour_test


def normal(count, seed, size=5, shift=0.0, spread=1.0):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)).double() * spread + shift


def random(seed=0):
    return torch.Generator().manual_seed(seed)


class TestNearestNeighbour:
    def test_agrees_with_brute_force(self):
        real, fake = normal(40, 0), normal(40, 1, shift=0.5)
        both = torch.cat([real, fake])
        distances = torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
        own = (distances.argmin(1) >= 40) == (torch.arange(80) >= 40)
        assert nearest_neighbour_test(real, fake) == pytest.approx(own.double().mean().item())

    def test_is_a_half_for_equal_distributions(self):
        values = [nearest_neighbour_test(normal(200, 2 * seed), normal(200, 2 * seed + 1)) for seed in range(20)]
        assert np.mean(values) == pytest.approx(0.5, abs=0.03)

    def test_is_one_for_disjoint_sets(self):
        assert nearest_neighbour_test(normal(50, 0), normal(50, 1, shift=20.0)) == 1

    def test_copies_are_below_a_half(self):
        real = normal(200, 0)
        assert nearest_neighbour_test(real, real + 1e-6) < 0.01
        assert nearest_neighbour_test(real, real.clone()) == 0

    def test_chunks_do_not_matter(self, monkeypatch):
        real, fake = normal(70, 0), normal(50, 1)
        whole = nearest_neighbour_test(real, fake)
        monkeypatch.setattr("sparring.metrics.distances.CHUNK", 16)
        assert nearest_neighbour_test(real, fake) == whole


class TestClassifier:
    def test_is_at_chance_for_equal_distributions(self):
        values = [
            classifier_test(normal(200, 2 * seed), normal(200, 2 * seed + 1), generator=random(seed))
            for seed in range(8)
        ]
        assert np.mean(values) == pytest.approx(0.5, abs=4 * 0.5 / (8 * 200) ** 0.5)

    @pytest.mark.parametrize("other", [{"shift": 2.0}, {"spread": 0.2}])
    def test_detects_shift_and_spread(self, other):
        assert classifier_test(normal(300, 0), normal(300, 1, **other), generator=random()) > 0.9

    def test_repeats(self):
        real, fake = normal(50, 0), normal(60, 1)
        assert classifier_test(real, fake, generator=random(3)) == classifier_test(real, fake, generator=random(3))


@pytest.mark.parametrize("test", [nearest_neighbour_test, lambda a, b: classifier_test(a, b, generator=random())])
def test_too_few_or_broken_samples_are_refused(test):
    with pytest.raises(SparringError, match=r"Found 1 generated sample, but"):
        test(normal(20, 0), normal(1, 1))
    with pytest.raises(SparringError, match="not finite in 20 of 20 real samples"):
        test(normal(20, 0) * torch.nan, normal(20, 1))
