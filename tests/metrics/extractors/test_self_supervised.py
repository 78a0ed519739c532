"""A network that needs no labels learns useful features; equal seeds give equal weights, and they are cached."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sparring.data.dataset import Dataset, Split
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.metrics.distances import frechet
from sparring.metrics.extractors import self_supervised
from sparring.metrics.extractors.self_supervised import train_self_supervised, variance_invariance_covariance, views
from sparring.modalities.images.data import survey

MNIST = Path(__file__).parents[4] / "shared" / "data" / "mnist"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))
    return tmp_path


def digits():
    return survey("digits").prepare(View((1, 8, 8)))


def random(seed):
    return torch.Generator().manual_seed(seed)


def test_equal_seeds_give_equal_weights_and_they_are_cached(own_cache, monkeypatch):
    monkeypatch.setattr(self_supervised, "STEPS", 20)
    first = train_self_supervised(digits(), 0)
    (path,) = (own_cache / "self-supervised").iterdir()
    path.unlink()
    assert train_self_supervised(digits(), 0).name == first.name
    assert train_self_supervised(digits(), 1).name != first.name
    assert train_self_supervised(survey("digits").prepare(View((1, 8, 8)), seed=1), 0).name != first.name
    monkeypatch.setattr(self_supervised, "STEPS", 0)
    again = train_self_supervised(digits(), 0)
    samples = digits().held_out.batch(slice(None)).real
    assert again.name == first.name and torch.equal(again(samples), first(samples))
    assert first(samples).shape == (len(samples), 64) and first(samples).isfinite().all()


def test_features_separate_digits_and_detect_missing_ones(own_cache, monkeypatch):
    monkeypatch.setattr(self_supervised, "STEPS", 150)
    split = digits()
    extractor = train_self_supervised(split, 0)
    (real, _, labels), (aside, _, aside_labels) = (part.batch(slice(None)) for part in (split.train, split.held_out))
    probe = LogisticRegression(max_iter=2000).fit(extractor(real), labels)
    assert probe.score(extractor(aside), aside_labels) > 0.9
    half, other = real[::2], real[1::2]
    floor = frechet(extractor(half), extractor(other))
    assert frechet(extractor(half), extractor(other[labels[1::2] > 2])) > 5 * floor


def test_views_are_similar_to_the_image():
    images = torch.rand(50, 3, 16, 12, generator=random(0)) * 2 - 1
    first, second = views(images, random(1)), views(images, random(2))
    assert first.shape == images.shape and torch.equal(first, views(images, random(1)))
    alike = torch.nn.functional.cosine_similarity(first.flatten(1), images.flatten(1)).mean()
    assert not torch.equal(first, second) and alike > 0.1
    blank = torch.full((4, 1, 8, 8), 0.3)
    seen = views(blank, random(0))
    assert (seen - seen[:, :, :1, :1]).abs().max() < 1e-5 and (seen - blank).abs().max() <= 0.2 + 1e-5


def test_the_loss_in_closed_form():
    """Two samples, two sizes: all three terms in closed form."""
    first, second = torch.tensor([[0.0, 0.0], [2.0, 4.0]]), torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    invariance, variance, covariance = 20 / 4, 2 * (1 - 0.01) / 2, 2 * 4.0**2 / 2
    expected = 25 * invariance + 25 * variance + covariance
    assert variance_invariance_covariance(first, second).item() == pytest.approx(expected, rel=1e-6)


def test_small_images_are_refused():
    tiny = Dataset(np.zeros((20, 1, 4, 4), dtype=np.uint8))
    with pytest.raises(SparringError, match="at least 8 × 8"):
        train_self_supervised(Split(tiny, tiny, digits().facts), 0)


@pytest.mark.slow
def test_mnist(own_cache):
    """A linear probe of the features predicts digits; that of an untrained network reaches 0.93."""
    if not MNIST.exists():
        pytest.skip("the real data mnist is not here")
    split = survey(str(MNIST)).prepare(View((1, 28, 28)))
    extractor = train_self_supervised(split, 0)
    real, _, labels = split.train.batch(slice(0, 5000))
    probe = LogisticRegression(max_iter=1000).fit(extractor(real), labels)
    aside = split.held_out.batch(slice(None))
    assert probe.score(extractor(aside.real), aside.label) > 0.95
