"""Patterns that are put into images are seen, and nothing is seen in what has none."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.modalities.images.extra_signals import GRID, cheap_features, extra_signals


def smooth(count: int = 64, *, size: tuple[int, int] = (32, 32), seed: int = 0) -> Tensor:
    """Random images in which neighbours are alike, in [-1, 1]."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return interpolate(coarse, size, mode="bilinear", align_corners=True)


def board(height: int, width: int) -> Tensor:
    """+1 and -1 from pixel to pixel."""
    return ((torch.arange(height)[:, None] + torch.arange(width)) % 2) * 2.0 - 1


def stripes(height: int, width: int) -> Tensor:
    """+1 and -1 from row to row."""
    return (torch.arange(height)[:, None].expand(height, width) % 2) * 2.0 - 1


REAL = smooth(seed=0)


def test_images_of_the_same_kind_have_no_signs() -> None:
    found = extra_signals(REAL, smooth(seed=1))
    assert list(found) == ["checkerboard", "detail"]
    assert abs(found["checkerboard"]) < 0.3 and abs(found["detail"]) < 0.1


def test_images_do_not_differ_from_themselves() -> None:
    assert extra_signals(REAL, REAL) == {"checkerboard": 0.0, "detail": 0.0}


@pytest.mark.parametrize("pattern", [board(32, 32), stripes(32, 32), stripes(32, 32).T])
@pytest.mark.parametrize("strength", [0.05, 0.2])
def test_what_alternates_from_pixel_to_pixel_is_seen(pattern: Tensor, strength: float) -> None:
    found = extra_signals(REAL, smooth(seed=1) + strength * pattern)
    assert found["checkerboard"] > 0.5 and found["detail"] > 0.1


def test_a_stronger_pattern_is_two_decades_for_ten_times_its_size() -> None:
    weak, strong = (extra_signals(REAL, smooth(seed=1) + size * board(32, 32))["checkerboard"] for size in (0.1, 1.0))
    assert strong - weak == pytest.approx(2.0, abs=0.05)


def test_a_pattern_counts_where_it_is_the_same_in_all_images() -> None:
    """Noise alternates as much in each image, and at random: over 64 images a sixty-fourth is left."""
    latent = 0.2 * (torch.randint(2, REAL.shape, generator=torch.Generator().manual_seed(2)) * 2.0 - 1)
    alternating, random = (extra_signals(REAL, smooth(seed=1) + one) for one in (0.2 * board(32, 32), latent))
    assert alternating["checkerboard"] - random["checkerboard"] > 1.0
    assert random["detail"] > 0.5


def test_smooth_noise_is_no_checkerboard() -> None:
    other = 0.5 * smooth(seed=1) + 0.5 * smooth(seed=2)
    assert extra_signals(REAL, other)["checkerboard"] < 0.1


def test_images_without_detail_have_less_than_reals() -> None:
    found = extra_signals(REAL, torch.zeros_like(REAL))
    assert found["detail"] < -1 and found["checkerboard"] < 0


def test_blank_images_beside_blank_images() -> None:
    """What is below the steps of 8 bits is no difference."""
    blank = torch.zeros(8, 1, 16, 16)
    assert extra_signals(blank, blank + 1e-4 * board(16, 16))["checkerboard"] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (28, 28), (5, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_every_size(size: tuple[int, int], channels: int) -> None:
    """Of odd sides the last row or column has no partner."""
    fake = 0.5 * board(*size).expand(6, channels, *size)
    found = extra_signals(torch.zeros(6, channels, *size), fake)
    assert found["checkerboard"] > 3 and found["detail"] > 3


@pytest.mark.parametrize(
    ("channels", "size", "values"),
    [(1, (5, 7), 35), (1, (8, 8), 64), (1, (28, 28), 64), (3, (28, 28), 192), (3, (64, 5), 120)],
)
def test_a_sketch_is_small(channels: int, size: tuple[int, int], values: int) -> None:
    assert cheap_features(torch.zeros(4, channels, *size)).shape == (4, values)


def test_small_images_are_their_own_sketch() -> None:
    images = torch.rand(3, 2, 5, GRID)
    torch.testing.assert_close(cheap_features(images), images.flatten(1))


def test_a_sketch_is_made_of_means() -> None:
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    found = cheap_features(images).view(3, GRID, GRID)
    torch.testing.assert_close(found[:, 0, 0], images[:, 0, :4, :4].mean((1, 2)))
    torch.testing.assert_close(found[:, 7, 2], images[:, 0, 28:, 8:12].mean((1, 2)))
