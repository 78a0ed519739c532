"""Mode coverage of stacked digits, in closed form."""

import math

import pytest
import torch

from sparring.errors import SparringError
from sparring.modalities.images.stacked import digits_of, stacked_modes


def every_mode(repeats=1):
    modes = torch.arange(1000).repeat(repeats)
    return torch.stack([modes // 100, modes // 10 % 10, modes % 10], 1)


@pytest.mark.parametrize("repeats", [1, 3])
def test_uniform_modes_have_no_divergence(repeats):
    found = stacked_modes(every_mode(repeats))
    assert found.modes == 1000 and found.kl == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [1, 10, 500])
def test_divergence_over_some_modes_is_the_logarithm_of_their_share(count):
    found = stacked_modes(every_mode(2)[torch.arange(2000) % 1000 < count])
    assert found.modes == count and found.kl == pytest.approx(math.log(1000 / count), rel=1e-12)


def test_divergence_from_given_probabilities():
    real = torch.zeros(1000)
    real[123], real[321], real[7] = 0.5, 0.25, 0.25
    digits = torch.tensor([[1, 2, 3], [3, 2, 1], [3, 2, 1], [3, 2, 1]])
    found = stacked_modes(digits, real)
    assert found.modes == 2
    assert found.kl == pytest.approx(0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.25), rel=1e-9)


def test_mode_of_probability_zero_gives_infinite_divergence():
    real = torch.full((1000,), 1 / 999)
    real[5] = 0
    assert stacked_modes(torch.tensor([[0, 0, 5], [1, 1, 1]]), real).kl == math.inf


def test_expected_values_of_a_perfect_sampler():
    digits = torch.randint(10, (26_000, 3), generator=torch.Generator().manual_seed(0))
    found = stacked_modes(digits)
    assert found.modes == 1000 and found.kl == pytest.approx(999 / 52_000, rel=0.2)
    few = stacked_modes(digits[:2000])
    assert few.modes == pytest.approx(1000 - 1000 * math.exp(-2), abs=40)


def test_each_channel_is_classified_separately():
    digits = torch.randint(10, (20, 3), generator=torch.Generator().manual_seed(0))
    samples = (digits / 4.5 - 1)[:, :, None, None].expand(20, 3, 4, 4)

    def predict(images):
        assert images.shape == (20, 1, 4, 4)
        return ((images.mean((1, 2, 3)) + 1) * 4.5).round().long()

    assert torch.equal(digits_of(samples, predict), digits)


class TestBadArguments:
    @pytest.mark.parametrize(
        "digits", [torch.zeros(0, 3).long(), torch.zeros(4, 2).long(), torch.tensor([[0, 1, 10]]), -torch.eye(3).long()]
    )
    def test_not_digits(self, digits):
        with pytest.raises(SparringError, match="three digits of each sample"):
            stacked_modes(digits)

    @pytest.mark.parametrize("real", [torch.ones(1000), torch.full((10,), 0.1), torch.full((1000,), torch.nan)])
    def test_not_probabilities(self, real):
        with pytest.raises(SparringError, match="not 1000 probabilities"):
            stacked_modes(every_mode(), real)

    def test_not_stacked(self):
        with pytest.raises(SparringError, match="three channels"):
            digits_of(torch.zeros(2, 1, 8, 8), torch.zeros_like)
