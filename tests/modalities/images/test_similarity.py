"""Structural similarity, against convolutions by SciPy and in closed form."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from sparring.errors import SparringError
from sparring.modalities.images.similarity import similarity_within, structural_similarity


def random(seed):
    return torch.Generator().manual_seed(seed)


def smooth(count, channels, height, width, seed=0):
    """Smooth random images in [-1, 1]."""
    coarse = torch.rand(count, channels, 6, 6, generator=random(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)


def by_scipy(first, second, weights):
    """MS-SSIM of two images (channels, height, width) in [0, 1] by convolving in two dimensions."""
    offsets = np.arange(11) - 5
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def mean(image):
        return convolve(image, kernel)[5:-5, 5:-5]

    def half(image):
        return image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2).mean((1, 3))

    values = []
    for x, y in zip(first, second, strict=True):
        value = 1.0
        for scale, weight in enumerate(weights):
            if scale:
                x, y = half(x), half(y)
            covariance = mean(x * y) - mean(x) * mean(y)
            spread = mean(x**2) - mean(x) ** 2 + mean(y**2) - mean(y) ** 2
            term = (2 * covariance + 0.0009) / (spread + 0.0009)
            if scale == len(weights) - 1:
                term = term * (2 * mean(x) * mean(y) + 0.0001) / (mean(x) ** 2 + mean(y) ** 2 + 0.0001)
            value *= max(term.mean(), 0) ** weight
        values.append(value)
    return np.mean(values)


PUBLISHED = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


class TestStructuralSimilarity:
    @pytest.mark.parametrize(
        ("height", "width", "weights"),
        [
            (16, 21, [1.0]),
            (24, 32, [0.0448 / 0.3304, 0.2856 / 0.3304]),
            (176, 192, PUBLISHED),
        ],
    )
    def test_agrees_with_scipy(self, height, width, weights):
        first = smooth(2, 3, height, width)
        second = (first + 0.2 * torch.randn(first.shape, generator=random(1))).clamp(-1, 1)
        pairs = zip(*((side.double().numpy() + 1) / 2 for side in (first, second)), strict=True)
        expected = [by_scipy(*pair, weights) for pair in pairs]
        assert all(0.1 < value < 0.95 for value in expected)
        assert structural_similarity(first, second).tolist() == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("size", [(5, 5), (8, 8), (8, 40), (11, 11), (33, 47), (64, 64)])
    def test_is_one_for_equal_images_and_symmetric(self, size):
        first, second = smooth(4, 3, *size, seed=0), smooth(4, 3, *size, seed=1)
        torch.testing.assert_close(structural_similarity(first, first), torch.ones(4).double())
        found = structural_similarity(first, second)
        torch.testing.assert_close(found, structural_similarity(second, first))
        assert (found >= 0).all() and (found < 0.9).all()

    @pytest.mark.parametrize("side", [8, 28, 64])
    def test_falls_with_noise(self, side):
        images = smooth(20, 1, side, side)
        noise = torch.randn(images.shape, generator=random(1))
        found = [structural_similarity(images, images + s * noise).mean().item() for s in (0, 0.05, 0.1, 0.2, 0.4)]
        assert all(before > after for before, after in pairwise(found))

    def test_negative_image_gives_zero(self):
        checks = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 2.0 - 1
        assert structural_similarity(checks[None, None], -checks[None, None]).item() == 0

    def test_uniform_grey_images_compare_luminance_only(self):
        # Without contrast only luminance is left: .2 and .8 of the range from black to white.
        first, second = (torch.full((1, 1, 11, 11), 2 * level - 1) for level in (0.2, 0.8))
        expected = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
        assert structural_similarity(first, second).item() == pytest.approx(expected, rel=1e-6)

    def test_result_does_not_depend_on_chunks(self, monkeypatch):
        first, second = smooth(9, 1, 16, 16), smooth(9, 1, 16, 16, seed=1)
        whole = structural_similarity(first, second)
        monkeypatch.setattr("sparring.modalities.images.similarity.CHUNK_VALUES", 512)
        torch.testing.assert_close(structural_similarity(first, second), whole)


class TestSimilarityWithin:
    def test_collapsed_set_gives_one(self):
        samples = smooth(1, 3, 16, 16).repeat(10, 1, 1, 1)
        assert similarity_within(samples, None, generator=random(0), pairs=50) == pytest.approx(1)

    def test_collapsed_classes_give_one_only_within_classes(self):
        labels = torch.arange(12) % 3
        samples = smooth(3, 1, 16, 16)[labels]
        assert similarity_within(samples, labels, generator=random(0), pairs=50) == pytest.approx(1)
        assert similarity_within(samples, None, generator=random(0), pairs=50) < 0.7

    def test_pairs_are_of_different_samples_and_equally_likely(self):
        samples = smooth(5, 1, 12, 12)
        every = [(i, j) for i in range(5) for j in range(5) if i != j]
        first, second = (samples[list(rows)] for rows in zip(*every, strict=True))
        values = structural_similarity(first, second)
        found = similarity_within(samples, None, generator=random(0), pairs=4000)
        assert found == pytest.approx(values.mean().item(), abs=4 * values.std().item() / 4000**0.5)

    def test_classes_have_equal_shares_and_single_samples_none(self):
        labels = torch.tensor([7] * 8 + [2] * 2 + [5])
        samples = torch.cat([smooth(1, 1, 16, 16).repeat(8, 1, 1, 1), smooth(2, 1, 16, 16, 1), smooth(1, 1, 16, 16, 2)])
        other = structural_similarity(samples[8:9], samples[9:10]).item()
        found = similarity_within(samples, labels, generator=random(0), pairs=20)
        assert found == pytest.approx((1 + other) / 2, rel=1e-9)

    def test_same_generator_seed_gives_the_same_value(self):
        samples = smooth(20, 1, 16, 16)
        found = [similarity_within(samples, None, generator=random(seed), pairs=30) for seed in (1, 1, 2)]
        assert found[0] == found[1] != found[2]


class TestBadArguments:
    @pytest.mark.parametrize("labels", [torch.arange(4), None])
    def test_no_class_with_two_samples(self, labels):
        with pytest.raises(SparringError, match="no two of one class"):
            similarity_within(smooth(4 if labels is not None else 1, 1, 8, 8), labels, generator=random(0))

    def test_labels_that_do_not_match(self):
        with pytest.raises(SparringError, match="a label for each sample"):
            similarity_within(smooth(4, 1, 8, 8), torch.zeros(3), generator=random(0))

    def test_different_shapes(self):
        with pytest.raises(SparringError, match="images of one shape"):
            structural_similarity(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 9))

    def test_not_finite(self):
        with pytest.raises(SparringError, match="not finite"):
            structural_similarity(torch.full((2, 1, 8, 8), torch.nan), torch.zeros(2, 1, 8, 8))
