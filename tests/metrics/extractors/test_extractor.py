"""Pixels: small images as they are, large ones averaged."""

import torch

from sparring.metrics.extractors.extractor import MAX_PIXEL_FEATURES, Pixels


def test_small_images_are_only_flattened():
    samples = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    assert torch.equal(Pixels()(samples), samples.flatten(1))


def test_large_images_are_reduced_in_proportion():
    features = Pixels()(torch.ones(2, 3, 200, 100))
    assert MAX_PIXEL_FEATURES * 0.9 < features.shape[1] <= MAX_PIXEL_FEATURES
    assert torch.equal(features, torch.ones_like(features))


def test_samples_of_any_shape_are_flattened():
    assert Pixels()(torch.zeros(5, 6000)).shape == (5, 6000)
    assert Pixels()(torch.zeros(0, 1, 4, 4)).shape == (0, 16)
