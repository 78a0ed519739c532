"""Path lengths against closed forms, what rounding would make of them, and the ways between two ends."""

import math

import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.smoothness import interpolated, perceptual_path_length


def normal(count, size, seed):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def positions(count):
    return torch.rand(count, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def length(generate, latent, *, spherical=False, **choices):
    where = positions(len(latent[0]))
    return perceptual_path_length(
        lambda points, rows: generate(points), lambda samples: samples, latent, where, spherical=spherical, **choices
    )


def unit(vectors):
    return vectors / vectors.norm(dim=1, keepdim=True)


class TestPathLength:
    @pytest.mark.parametrize("step", [1e-4, 1e-2])
    def test_of_a_linear_generator(self, step):
        # Of a hundred values no whole one lies beyond a percentile: all count.
        mixing, (first, second) = normal(5, 12, 2), (normal(100, 5, 0), normal(100, 5, 1))
        expected = ((second - first) @ mixing).square().sum(1).mean().item()
        found = length(lambda latent: latent @ mixing, (first, second), step=step)
        assert found == pytest.approx(expected, rel=1e-7)

    def test_is_near_its_expectation(self):
        # E‖A(z₂ − z₁)‖² = 2‖A‖².
        mixing, latent = normal(32, 20, 2), (normal(4000, 32, 0), normal(4000, 32, 1))
        expected = 2 * mixing.square().sum().item()
        assert length(lambda latent: latent @ mixing, latent) == pytest.approx(expected, rel=0.03)

    def test_along_the_sphere_it_is_the_square_of_the_angle(self):
        first, second = unit(normal(100, 8, 0)), unit(normal(100, 8, 1))
        expected = (first * second).sum(1).acos().square().mean().item()
        assert length(lambda latent: latent, (first, second), spherical=True) == pytest.approx(expected, rel=1e-6)
        assert length(lambda latent: latent, (first, second)) < expected

    @pytest.mark.parametrize("shape", [(3,), (3, 1)])
    def test_is_computed_at_the_given_positions(self, shape):
        # z(t)² with z = 1 + 2t moves by 4(1 + 2t).
        latent, where = (torch.ones(3, 1).double(), torch.full((3, 1), 3.0).double()), torch.tensor([0.0, 0.5, 1.0])
        found = perceptual_path_length(
            lambda points, rows: points.square(), torch.clone, latent, where.reshape(shape), spherical=False
        )
        assert found == pytest.approx((16 + 64 + 144) / 3, rel=1e-3)

    def test_single_precision_suffices(self):
        mixing, latent = normal(32, 64, 2).float(), (normal(300, 32, 0).float(), normal(300, 32, 1).float())
        exact = length(lambda latent: latent.double() @ mixing.double(), tuple(side.double() for side in latent))
        assert length(lambda latent: latent @ mixing, latent) == pytest.approx(exact, rel=0.01)

    def test_rounding_to_8_bits_would_be_all_that_is_measured(self):
        # Of a pixel that moves by δ, far less than a step q, the share δ/q jumps by q: E = q Σ|δ| instead of Σ δ².
        mixing, latent = normal(16, 3000, 2) * 0.05, (normal(100, 16, 0), normal(100, 16, 1))
        honest = length(lambda latent: latent @ mixing, latent)
        rounded = length(lambda latent: (latent @ mixing * 127.5).round() / 127.5, latent)
        moves = ((latent[1] - latent[0]) @ mixing).abs().sum(1).mean().item()
        assert rounded == pytest.approx(moves / 127.5 / 1e-4, rel=0.1)
        assert rounded > 100 * honest

    def test_outliers_are_cut(self):
        first, second = torch.zeros(1000, 1), torch.linspace(1, 2, 1000).sqrt()[:, None]
        corrupted = second.clone()
        corrupted[:5] = 0
        corrupted[-5:] = 1e6
        clean, found = (length(lambda latent: latent, (first.double(), end.double())) for end in (second, corrupted))
        assert clean == pytest.approx(1.5, rel=1e-3)
        assert found == pytest.approx(clean, rel=1e-3)

    def test_chunks_do_not_matter(self, monkeypatch):
        latent = normal(70, 4, 0), normal(70, 4, 1)
        whole = length(torch.tanh, latent, spherical=True)
        monkeypatch.setattr("sparring.metrics.smoothness.CHUNK", 16)
        assert length(torch.tanh, latent, spherical=True) == pytest.approx(whole, rel=1e-12)

    def test_any_shape_of_samples(self):
        latent = normal(20, 12, 0), normal(20, 12, 1)
        found = length(lambda latent: latent.reshape(-1, 3, 2, 2), latent)
        assert found == pytest.approx(length(lambda latent: latent, latent), rel=1e-12)


class TestInterpolated:
    @pytest.mark.parametrize("spherical", [True, False])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_ends_are_exact(self, spherical, dtype):
        first, second = normal(50, 7, 0).to(dtype), normal(50, 7, 1).to(dtype)
        assert torch.equal(interpolated(first, second, 0.0, spherical=spherical), first)
        assert torch.equal(interpolated(first, second, torch.ones(50, 1), spherical=spherical), second)

    def test_the_middle_of_a_straight_line(self):
        first, second = normal(5, 7, 0), normal(5, 7, 1)
        torch.testing.assert_close(interpolated(first, second, 0.5, spherical=False), (first + second) / 2)

    def test_the_middle_of_an_arc(self):
        first, second = normal(50, 7, 0), 3 * normal(50, 7, 1)
        middle = interpolated(first, second, 0.5, spherical=True)
        lengths = (first.norm(dim=1) + second.norm(dim=1)) / 2
        torch.testing.assert_close(middle.norm(dim=1), lengths)
        torch.testing.assert_close(unit(middle), unit(unit(first) + unit(second)))

    def test_angles_and_lengths_are_even(self):
        quarter = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
        found = interpolated(*quarter, 1 / 3, spherical=True)
        angle, radius = math.pi / 6, 5 / 3
        torch.testing.assert_close(found, radius * torch.tensor([[math.cos(angle), math.sin(angle)]]))

    def test_normal_noise_keeps_its_length(self):
        first, second = normal(2000, 64, 0), normal(2000, 64, 1)
        by = {
            kind: interpolated(first, second, 0.5, spherical=kind).norm(dim=1).mean().item() for kind in (True, False)
        }
        assert by[True] == pytest.approx(8, rel=0.01)
        assert by[False] == pytest.approx(8 / 2**0.5, rel=0.01)

    @pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0, 1 + 1e-9])
    def test_parallel_vectors(self, factor):
        first = normal(5, 7, 0)
        found = interpolated(first, factor * first, 0.25, spherical=True)
        assert found.isfinite().all()
        if factor > 0:
            torch.testing.assert_close(found, (0.75 + 0.25 * factor) * first)

    def test_nearly_parallel_vectors(self):
        first, aside = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.0, 1e-7]]).double()
        found = interpolated(first, first + aside, 0.25, spherical=True)
        torch.testing.assert_close(found, first + 0.25 * aside, rtol=1e-9, atol=1e-15)


class TestRefused:
    @pytest.mark.parametrize(("counts", "size"), [((3, 4, 3), 2), ((3, 3, 2), 2), ((0, 0, 0), 2)])
    def test_ends_that_do_not_match(self, counts, size):
        first, second, where = (normal(count, size, 0) for count in counts)
        with pytest.raises(SparringError, match="a position for each path"):
            perceptual_path_length(
                lambda points, rows: points.tanh(), torch.tanh, (first, second), where[:, 0], spherical=False
            )

    def test_a_step_of_zero(self):
        with pytest.raises(SparringError, match=r"a step of 0\.0"):
            length(torch.tanh, (normal(3, 2, 0), normal(3, 2, 1)), step=0.0)

    def test_features_that_are_not_finite(self):
        with pytest.raises(SparringError, match="features that are not finite"):
            length(torch.log, (normal(30, 2, 0), normal(30, 2, 1)))
