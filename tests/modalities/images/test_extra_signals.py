"""Signals rise with patterns that are added to images, and only then; cheap features are means."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.modalities.images.extra_signals import GRID_SIDE, cheap_features, extra_signals


def smooth(count: int = 64, *, size: tuple[int, int] = (32, 32), seed: int = 0) -> Tensor:
    """Smooth random images in [-1, 1]."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return interpolate(coarse, size, mode="bilinear", align_corners=True)


def board(height: int, width: int) -> Tensor:
    """+1 and -1 from pixel to pixel."""
    return ((torch.arange(height)[:, None] + torch.arange(width)) % 2) * 2.0 - 1


def stripes(height: int, width: int) -> Tensor:
    """+1 and -1 from row to row."""
    return (torch.arange(height)[:, None].expand(height, width) % 2) * 2.0 - 1


REAL = smooth(seed=0)


def test_images_of_one_distribution_give_no_signal() -> None:
    found = extra_signals(REAL, smooth(seed=1))
    assert list(found) == ["checkerboard", "detail", "peak", "peak power"]
    assert abs(found["checkerboard"]) < 0.3 and abs(found["detail"]) < 0.1


def test_equal_images_give_zero() -> None:
    assert set(extra_signals(REAL, REAL).values()) == {0.0}


@pytest.mark.parametrize("pattern", [board(32, 32), stripes(32, 32), stripes(32, 32).T])
@pytest.mark.parametrize("strength", [0.05, 0.2])
def test_patterns_that_alternate_from_pixel_to_pixel_raise_the_signals(pattern: Tensor, strength: float) -> None:
    found = extra_signals(REAL, smooth(seed=1) + strength * pattern)
    assert found["checkerboard"] > 0.5 and found["detail"] > 0.1


def test_ten_times_the_amplitude_is_two_decades() -> None:
    weak, strong = (extra_signals(REAL, smooth(seed=1) + size * board(32, 32))["checkerboard"] for size in (0.1, 1.0))
    assert strong - weak == pytest.approx(2.0, abs=0.05)


def test_only_patterns_common_to_all_images_count_as_checkerboard() -> None:
    """Noise alternates as strongly in each image, but the mean over 64 images keeps a sixty-fourth of its power."""
    noise = 0.2 * (torch.randint(2, REAL.shape, generator=torch.Generator().manual_seed(2)) * 2.0 - 1)
    alternating, random = (extra_signals(REAL, smooth(seed=1) + one) for one in (0.2 * board(32, 32), noise))
    assert alternating["checkerboard"] - random["checkerboard"] > 1.0
    assert random["detail"] > 0.5


def test_grid_whose_phase_varies_raises_the_peak_but_not_the_checkerboard() -> None:
    phases = 6.3 * torch.rand(64, 1, 1, 1, generator=torch.Generator().manual_seed(2))
    grid = 0.03 * torch.sin(2.5 * torch.arange(32) + phases)
    found = extra_signals(REAL, smooth(seed=1) + grid)
    assert found["peak"] > 0.7 and found["peak power"] > 0.3 and found["checkerboard"] < 0.5


def test_smooth_noise_gives_no_checkerboard() -> None:
    other = 0.5 * smooth(seed=1) + 0.5 * smooth(seed=2)
    assert extra_signals(REAL, other)["checkerboard"] < 0.1


def test_images_without_detail_give_negative_signals() -> None:
    found = extra_signals(REAL, torch.zeros_like(REAL))
    assert found["detail"] < -1 and found["checkerboard"] < 0


def test_differences_below_8_bits_give_no_signal() -> None:
    """Invisible patterns do not count."""
    blank = torch.zeros(8, 1, 16, 16)
    assert extra_signals(blank, blank + 1e-4 * board(16, 16))["checkerboard"] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (28, 28), (5, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size(size: tuple[int, int], channels: int) -> None:
    """The last row or column of an odd side is left out."""
    fake = 0.5 * board(*size).expand(6, channels, *size)
    found = extra_signals(torch.zeros(6, channels, *size), fake)
    assert found["checkerboard"] > 3 and found["detail"] > 3


@pytest.mark.parametrize(
    ("channels", "size", "values"),
    [(1, (5, 7), 35), (1, (8, 8), 64), (1, (28, 28), 64), (3, (28, 28), 192), (3, (64, 5), 120)],
)
def test_cheap_features_have_at_most_64_values_per_channel(channels: int, size: tuple[int, int], values: int) -> None:
    assert cheap_features(torch.zeros(4, channels, *size)).shape == (4, values)


def test_small_images_are_their_own_features() -> None:
    images = torch.rand(3, 2, 5, GRID_SIDE)
    torch.testing.assert_close(cheap_features(images), images.flatten(1))


def test_cheap_features_are_means_of_blocks() -> None:
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    found = cheap_features(images).view(3, GRID_SIDE, GRID_SIDE)
    torch.testing.assert_close(found[:, 0, 0], images[:, 0, :4, :4].mean((1, 2)))
    torch.testing.assert_close(found[:, 7, 2], images[:, 0, 28:, 8:12].mean((1, 2)))
