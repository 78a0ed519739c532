"""Images are judged by their pixels and by what classifiers of the real ones say."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.facts import Facts
from sparring.evaluation import classifier
from sparring.modalities.images import metrics


def digits(*, labelled=True):
    images, labels = load_digits(return_X_y=True)
    samples = np.rint(images * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    rows = hold_out(len(samples), 0)
    facts = Facts("digits", "images", len(samples), (1, 8, 8), "digits", tuple("0123456789"))
    return Split(*(Dataset(samples[part], labels.astype(np.int64)[part] if labelled else None) for part in rows), facts)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "STEPS_FEW", 60)


def test_real_digits_agree_with_their_labels():
    split = digits()
    samples, labels = split.held_out.batch(slice(None))
    found = metrics.measures(samples, labels, split, seed=0)
    assert found["agreement"] > 0.97 and found["classes"] == 10
    assert metrics.measures(samples, (labels + 1) % 10, split, seed=0)["agreement"] < 0.05
    assert metrics.measures(samples[labels == 3], None, split, seed=0) == {"classes": 1.0}


def test_broken_samples_do_not_agree():
    split = digits()
    samples, labels = split.held_out.batch(slice(0, 100))
    samples[:50] = float("nan")
    assert 0.45 < metrics.measures(samples, labels, split, seed=0)["agreement"] <= 0.5
    assert metrics.measures(torch.full_like(samples, float("nan")), labels, split, seed=0) == {}


def test_large_sets_are_judged_by_the_network(monkeypatch):
    monkeypatch.setattr(metrics, "MOST_FOR_VECTORS", 100)
    split = digits()
    samples, labels = split.held_out.batch(slice(None))
    assert metrics.measures(samples, labels, split, seed=0)["agreement"] > 0.9


def test_extractors():
    assert list(metrics.extractors(digits(), 0)) == ["pixels", "classifier"]
    assert list(metrics.extractors(digits(labelled=False), 0)) == ["pixels"]


def test_without_labels_there_is_nothing_to_agree_with():
    split = digits(labelled=False)
    assert metrics.measures(split.train.batch(slice(0, 10)).real, None, split, 0) == {}
