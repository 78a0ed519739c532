"""Generated samples against the true samples of their conditions."""

import math

import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.paired import feature_distance, l1, psnr, ssim, unchanged

BOUNDS = (-1.0, 1.0)


def images(seed: int = 0) -> torch.Tensor:
    return torch.rand(4, 3, 24, 20, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_images_are_perfect() -> None:
    assert l1(images(), images()) == 0 and psnr(images(), images(), BOUNDS) == pytest.approx(100)
    assert ssim(images(), images(), BOUNDS) == pytest.approx(1)


def test_a_constant_error_has_a_known_ratio() -> None:
    other = images() + 0.2
    assert l1(other, images()) == pytest.approx(0.2, rel=1e-6)
    assert psnr(other, images(), BOUNDS) == pytest.approx(10 * math.log10(4 / 0.04), rel=1e-5)


def test_structural_similarity_of_constant_images_is_that_of_their_means() -> None:
    """Eq. 13 of Wang et al. 2004 without variance: (2 a b + C₁) / (a² + b² + C₁)."""
    one, other = torch.full((1, 1, 16, 16), 0.5), torch.full((1, 1, 16, 16), -0.25)
    constant = (0.01 * 2) ** 2
    expected = (2 * 0.5 * -0.25 + constant) / (0.25 + 0.0625 + constant)
    assert ssim(one, other, BOUNDS) == pytest.approx(expected)


def test_noise_costs_more_than_a_shift_in_brightness() -> None:
    smooth = torch.linspace(-0.5, 0.5, 32).expand(1, 1, 32, 32)
    noisy = smooth + 0.1 * torch.randn(smooth.shape, generator=torch.Generator().manual_seed(0))
    assert ssim(noisy, smooth, BOUNDS) < ssim(smooth + 0.1, smooth, BOUNDS) < 1


def test_with_a_mask_only_what_is_masked_counts() -> None:
    """A constant error in the masked half measures as it does in a whole image, whatever the other half is."""
    mask = torch.zeros(4, 1, 24, 20)
    mask[:, :, :12] = 1
    other = torch.where(mask > 0, images() + 0.2, images(1))
    assert l1(other, images(), mask) == pytest.approx(0.2, rel=1e-6)
    assert psnr(other, images(), BOUNDS, mask) == pytest.approx(10 * math.log10(4 / 0.04), rel=1e-5)
    noise = torch.where(mask > 0, images(1), images())
    assert ssim(noise, images(), BOUNDS, 1 - mask) > ssim(noise, images(), BOUNDS) > ssim(noise, images(), BOUNDS, mask)
    everywhere = torch.ones_like(mask)
    assert ssim(other, images(), BOUNDS, everywhere) == pytest.approx(ssim(other, images(), BOUNDS))
    assert l1(other, images(), torch.zeros_like(mask)) == 0


def test_small_images_have_a_smaller_window() -> None:
    assert ssim(images()[..., :3, :5], images()[..., :3, :5], BOUNDS) == pytest.approx(1)


def test_pixels_within_two_steps_of_a_byte_in_all_channels_are_unchanged() -> None:
    given = images()
    other = given.clone()
    other[:, :, :6] += 2 / 127.5  # A quarter of the rows: still unchanged.
    other[:, 1, 6:12] += 3 / 127.5  # Another quarter, in one channel of three.
    assert unchanged(given, given, BOUNDS) == 1 and unchanged(other, given, BOUNDS) == pytest.approx(0.75)
    assert unchanged((other + 1) / 2, (given + 1) / 2, (0.0, 1.0)) == pytest.approx(0.75)


def test_the_distance_of_features_grows_with_the_change_alone() -> None:
    features, change = torch.ones(5, 4), torch.tensor([3.0, 0, 4, 0])
    assert feature_distance(features, features) == 0
    for times in (1, 2, -2):
        assert feature_distance(features + times * change, features) == pytest.approx(5 * abs(times))


@pytest.mark.parametrize(
    "measure",
    [
        l1,
        feature_distance,
        lambda a, b: unchanged(a, b, BOUNDS),
        lambda a, b: psnr(a, b, BOUNDS),
        lambda a, b: ssim(a, b, BOUNDS),
    ],
)
def test_different_shapes_are_refused(measure) -> None:
    with pytest.raises(SparringError, match="as many of each"):
        measure(images()[:3], images())
