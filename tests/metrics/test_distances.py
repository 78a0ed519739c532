"""Distances against other ways to the same number, closed forms and brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from sparring.errors import SparringError
from sparring.metrics.distances import (
    frechet,
    frechet_at_infinity,
    kernel,
    nearest,
    prdc,
    sliced_wasserstein,
)


def normal(count, size, seed, spread=1.0, shift=0.0):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) * spread + shift


def frechet_by_square_root(real, fake):
    real, fake = real.double().numpy(), fake.double().numpy()
    first, second = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (real, fake))
    root = sqrtm(first @ second).real
    return np.square(real.mean(0) - fake.mean(0)).sum() + np.trace(first + second - 2 * root)


def kernel_by_loops(real, fake):
    real, fake = real.double().numpy(), fake.double().numpy()

    def similarity(x, y):
        return (x @ y / len(x) + 1) ** 3

    def within(side):
        pairs = [(i, j) for i in range(len(side)) for j in range(len(side)) if i != j]
        return np.mean([similarity(side[i], side[j]) for i, j in pairs])

    return within(real) + within(fake) - 2 * np.mean([similarity(x, y) for x in real for y in fake])


def prdc_by_loops(real, fake, k):
    def radius(point, side):
        return sorted(torch.dist(point, other).item() for other in side)[k]

    real_radii, fake_radii = [radius(x, real) for x in real], [radius(y, fake) for y in fake]
    distances = [[torch.dist(x, y).item() for y in fake] for x in real]
    reals, fakes = range(len(real)), range(len(fake))
    return (
        np.mean([any(distances[i][j] < real_radii[i] for i in reals) for j in fakes]),
        np.mean([any(distances[i][j] < fake_radii[j] for j in fakes) for i in reals]),
        np.mean([sum(distances[i][j] < real_radii[i] for i in reals) / k for j in fakes]),
        np.mean([any(distances[i][j] < real_radii[i] for j in fakes) for i in reals]),
    )


class TestFrechet:
    @pytest.mark.parametrize(("count", "size"), [(200, 1), (300, 8), (500, 64), (80, 64)])
    def test_agrees_with_the_square_root_of_matrices(self, count, size):
        real, fake = normal(count, size, 0), normal(count + 30, size, 1, spread=1.5, shift=0.2)
        assert frechet(real, fake) == pytest.approx(frechet_by_square_root(real, fake), rel=1e-6)

    @settings(max_examples=25, deadline=None)
    @given(st.integers(40, 90), st.integers(2, 12), st.floats(0.1, 10), st.integers(0, 10_000))
    def test_agrees_on_random_covariances(self, count, size, spread, seed):
        mixing = normal(size, size, seed + 2)
        real, fake = normal(count, size, seed), normal(count, size, seed + 1, spread) @ mixing
        expected = frechet_by_square_root(real, fake)
        assert frechet(real, fake) == pytest.approx(expected, rel=1e-6, abs=1e-9)

    def test_fewer_samples_than_features(self):
        # By eigenvalues of the small product: those of XYᵀYXᵀ are the squares of the singular values of XYᵀ.
        real, fake = normal(20, 100, 0).double(), normal(30, 100, 1).double()
        x, y = real - real.mean(0), fake - fake.mean(0)
        products = torch.linalg.eigvalsh(x @ y.T @ y @ x.T / (19 * 29)).clamp(min=0)
        traces = x.square().sum() / 19 + y.square().sum() / 29
        expected = (real.mean(0) - fake.mean(0)).square().sum() + traces - 2 * products.sqrt().sum()
        assert frechet(real, fake) == pytest.approx(expected.item(), rel=1e-6)

    @pytest.mark.parametrize("decay", [0.0, 0.5, 1.0, 2.0, 3.0, 4.0])
    @pytest.mark.parametrize("other", ["alike", "wider", "collapsed", "repeated"])
    def test_both_ways_agree_whatever_the_spectrum(self, decay, other, monkeypatch):
        turn = torch.linalg.qr(normal(64, 64, 7).double()).Q
        scale = torch.arange(1, 65).double() ** -decay
        real, fake = (normal(300, 64, seed).double() * scale @ turn for seed in (0, 1))
        fake = fake * {"alike": 1.0, "wider": 1.1, "collapsed": 1e-7, "repeated": 1.0}[other]
        if other == "repeated":
            real, fake = torch.cat([real, real], 1), torch.cat([fake, fake], 1)
        found = frechet(real, fake)
        monkeypatch.setattr("sparring.metrics.distances._cross_by_eigenvalues", lambda *_: None)
        assert frechet(real, fake) == pytest.approx(found, rel=1e-7)

    def test_constant_features_add_the_square_of_their_difference(self):
        real, fake = normal(100, 5, 0), normal(100, 5, 1, spread=2.0)
        wider = [torch.cat([side, torch.full((100, 3), value)], 1) for side, value in ((real, 0.0), (fake, 2.0))]
        assert frechet(*wider) == pytest.approx(frechet(real, fake) + 3 * 4.0, rel=1e-9)

    def test_all_constant(self):
        assert frechet(torch.zeros(10, 4), torch.ones(10, 4)) == pytest.approx(4.0)

    def test_two_gaussians_in_closed_form(self):
        # Points at ±√(n-1)/√2·σ along each axis have covariance σ² I exactly.
        axes = torch.eye(6, dtype=torch.float64)
        points = torch.cat([axes, -axes]) * (11 / 2) ** 0.5
        assert frechet(points, 3 * points + 1) == pytest.approx(6 * 1.0 + 6 * (1 - 3) ** 2, rel=1e-12)

    def test_is_zero_for_the_same_samples_and_symmetric(self):
        real, fake = normal(50, 7, 0), normal(60, 7, 1)
        assert 0 <= frechet(real, real) < 1e-10
        assert frechet(real, fake) == pytest.approx(frechet(fake, real), rel=1e-10)


class TestFrechetAtInfinity:
    @pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (0.3, 1.0), (0.0, 1.5)])
    def test_is_near_the_distance_of_the_distributions(self, shift, spread):
        truth = 8 * (shift**2 + (spread - 1) ** 2)
        pairs = [(normal(600, 8, 2 * seed), normal(600, 8, 2 * seed + 1, spread, shift)) for seed in range(20)]
        found = [frechet_at_infinity(*pair, generator=torch.Generator().manual_seed(0)) for pair in pairs]
        assert abs(np.mean(found) - truth) < 3 * np.std(found) / 20**0.5 + 0.005
        assert np.mean([frechet(*pair) for pair in pairs]) - np.mean(found) > 0.05

    def test_needs_eight_samples(self):
        with pytest.raises(SparringError, match="at least 8"):
            frechet_at_infinity(normal(7, 2, 0), normal(9, 2, 1), generator=torch.Generator())


class TestSlicedWasserstein:
    @staticmethod
    def of(real, fake, seed=0):
        return sliced_wasserstein(real, fake, generator=torch.Generator().manual_seed(seed))

    def test_in_one_dimension_it_is_the_distance_of_sorted_samples(self):
        real, fake = normal(40, 1, 0).double(), normal(40, 1, 1, shift=1.0).double()
        expected = (real.sort(0).values - fake.sort(0).values).square().mean().sqrt().item()
        assert self.of(real, fake) == pytest.approx(expected, rel=1e-12)

    def test_unequal_numbers_are_as_if_each_were_repeated(self):
        real, fake = normal(6, 3, 0), normal(4, 3, 1)
        again = self.of(real.repeat_interleave(2, 0), fake.repeat_interleave(3, 0))
        assert self.of(real, fake) == pytest.approx(again, rel=1e-12)

    def test_a_shift_of_length_s_is_s_over_the_root_of_the_size(self):
        # E (s·u)² = |s|²/d for u uniform on the sphere.
        real = normal(100, 16, 0)
        assert self.of(real, real + 0.5) == pytest.approx(0.5, rel=0.15)
        assert self.of(real, real) == 0


class TestKernel:
    def test_agrees_with_a_double_loop(self):
        real, fake = normal(23, 5, 0), normal(31, 5, 1, shift=0.5)
        assert kernel(real, fake) == pytest.approx(kernel_by_loops(real, fake), rel=1e-10)

    def test_chunks_do_not_matter(self, monkeypatch):
        real, fake = normal(70, 5, 0), normal(50, 5, 1)
        whole = kernel(real, fake)
        monkeypatch.setattr("sparring.metrics.distances.CHUNK", 16)
        assert kernel(real, fake) == pytest.approx(whole, rel=1e-12)

    def test_is_unbiased(self):
        values = [kernel(normal(50, 4, 2 * seed), normal(50, 4, 2 * seed + 1)) for seed in range(200)]
        assert abs(np.mean(values)) < 4 * np.std(values) / 200**0.5


class TestPRDC:
    @settings(max_examples=10, deadline=None)
    @given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([1, 3, 5]))
    def test_agrees_with_brute_force(self, seed, size, k):
        real, fake = normal(30, size, seed).double(), normal(25, size, seed + 1, shift=0.2).double()
        assert tuple(prdc(real, fake, k)) == pytest.approx(prdc_by_loops(real, fake, k), abs=1e-12)

    def test_chunks_do_not_matter(self, monkeypatch):
        real, fake = normal(70, 5, 0), normal(50, 5, 1)
        whole = prdc(real, fake)
        monkeypatch.setattr("sparring.metrics.distances.CHUNK", 16)
        assert prdc(real, fake) == whole

    def test_collapse_shows_in_recall_and_coverage_not_in_precision(self):
        found = prdc(normal(500, 4, 0), normal(500, 4, 1, spread=0.05))
        assert found.precision > 0.95 and found.recall < 0.1 and found.coverage < 0.2

    def test_radius_zero_holds_nothing(self):
        assert tuple(prdc(torch.ones(20, 40), torch.ones(20, 40))) == (0, 0, 0, 0)

    @pytest.mark.slow
    def test_the_authors_example(self):
        # Two N(0, I) of 10,000 × 1,000, draw not given: P .4772 R .4705 D 1.0555 C .9735. Over draws of ours P and R
        # spread from .46 to .50, D from .95 to 1.13.
        found = prdc(normal(10_000, 1000, 0), normal(10_000, 1000, 10_000))
        assert found.precision == pytest.approx(0.4772, abs=0.04)
        assert found.recall == pytest.approx(0.4705, abs=0.04)
        assert found.density == pytest.approx(1.0555, abs=0.2)
        assert found.coverage == pytest.approx(0.9735, abs=0.03)


class TestNearest:
    def test_agrees_with_brute_force(self):
        queries, references = normal(40, 6, 0).double(), normal(70, 6, 1).double()
        distances, rows = nearest(queries, references)
        expected = torch.cdist(queries, references, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        assert torch.equal(rows, expected.indices)
        torch.testing.assert_close(distances, expected.values)

    def test_copies_are_at_zero(self):
        references = normal(50, 1024, 0)
        distances, rows = nearest(references[7:9], references)
        assert distances.tolist() == [0, 0] and rows.tolist() == [7, 8]


METRICS = [frechet, kernel, prdc, nearest]


class TestRefused:
    @pytest.mark.parametrize("metric", METRICS)
    def test_too_few_samples(self, metric):
        with pytest.raises(SparringError, match=r"Found 0 generated samples, but expected at least \d"):
            metric(normal(20, 3, 0), torch.zeros(0, 3))

    @pytest.mark.parametrize("metric", METRICS)
    def test_not_finite(self, metric):
        broken = normal(20, 3, 0)
        broken[4, 1] = float("nan")
        with pytest.raises(SparringError, match="not finite in 1 of 20 real samples"):
            metric(broken, normal(20, 3, 0))

    @pytest.mark.parametrize("metric", METRICS)
    def test_different_features(self, metric):
        with pytest.raises(SparringError, match="3 features of each real sample and 4 of each generated one"):
            metric(normal(20, 3, 0), normal(20, 4, 0))

    def test_exactly_enough(self):
        assert prdc(normal(6, 2, 0), normal(6, 2, 1))
        with pytest.raises(SparringError, match="at least 6"):
            prdc(normal(5, 2, 0), normal(6, 2, 1))
