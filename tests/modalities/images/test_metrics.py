"""Metrics of images, from pixels and from classifiers of real images."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.evaluation.protocol import Repeats
from sparring.flow import Batch
from sparring.metrics.extractors import classifier, self_supervised
from sparring.metrics.extractors.small_network import training_limit
from sparring.modalities.images import metrics
from sparring.modalities.images.metrics import STACKED_CLASSES


def digits(*, labelled=True):
    images, labels = load_digits(return_X_y=True)
    samples = np.rint(images * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    rows = hold_out(len(samples), 0)
    facts = Facts("digits", "images", len(samples), (1, 8, 8), "digits", tuple("0123456789"))
    return Split(*(Dataset(samples[part], labels.astype(np.int64)[part] if labelled else None) for part in rows), facts)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "STEPS", 60)


def predictions(split, samples, labels=None):
    """Classifier metrics of ``samples``, by the classifier of ``split``."""
    return metrics.classifier_metrics(Batch(samples, None, labels), metrics.label_classifier(split, 0))


def test_agreement_is_high_for_real_digits_and_low_for_wrong_labels():
    split = digits()
    samples, _, labels = split.held_out.batch(slice(None))
    found = predictions(split, samples, labels)
    assert found["agreement"] > 0.97 and found["classes"] == 10
    assert predictions(split, samples, (labels + 1) % 10)["agreement"] < 0.05
    assert predictions(split, samples[labels == 3]) == {"classes": 1.0}


def test_samples_that_are_not_finite_count_as_disagreement():
    split = digits()
    samples, _, labels = split.held_out.batch(slice(0, 100))
    samples[:50] = float("nan")
    assert 0.45 < predictions(split, samples, labels)["agreement"] <= 0.5
    assert predictions(split, torch.full_like(samples, float("nan")), labels) == {}


def test_large_sets_use_the_convolutional_classifier(monkeypatch):
    monkeypatch.setattr(metrics, "MAX_SVM_IMAGES", 100)
    split = digits()
    samples, _, labels = split.held_out.batch(slice(None))
    assert predictions(split, samples, labels)["agreement"] > 0.9


def test_without_time_for_a_network_labels_are_predicted_from_shrunken_images():
    small = digits()
    large = [np.kron(part.samples, np.ones((5, 5), np.uint8)) for part in (small.train, small.held_out)]
    split = Split(
        *(replace(part, samples=big) for part, big in zip((small.train, small.held_out), large, strict=True)),
        small.facts,
    )
    samples, _, labels = split.held_out.batch(slice(None))
    with training_limit(0.0):
        found = predictions(split, samples, labels)
    assert samples.shape[1:] == (1, 40, 40) and found["agreement"] > 0.95 and found["classes"] == 10


def test_default_extractors_with_and_without_labels(monkeypatch):
    monkeypatch.setattr(self_supervised, "STEPS", 2)
    found = {labelled: metrics.extractors(digits(labelled=labelled), 0) for labelled in (True, False)}
    assert [list(each) for each in found.values()] == [["pixels", "own"]] * 2
    assert [each["own"].name.rpartition("-")[0] for each in found.values()] == ["classifier", "self-supervised"]
    assert list(metrics.extractors(digits(), 0, ["own"])) == ["own"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("inceptoin", "did you mean 'inception'"),
        ("mine.py:features", "no file 'mine.py'"),
        ("inception:none.pth", "none.pth"),
    ],
)
def test_unavailable_extractors_are_refused(name, said):
    with pytest.raises(SparringError, match=said):
        metrics.extractors(digits(), 0, [name])


def sides(split, fake, labels=None):
    return next(iter(Repeats(split.train, split.held_out, Batch(fake, None, labels))))


def test_missing_class_lowers_its_coverage():
    split = digits()
    samples, _, labels = split.train.batch(slice(None))
    without = labels != 7
    one = sides(split, samples[without], labels[without])
    fake, floor = metrics.measure(split, 0)(one)
    assert fake["classes"] == 9 and floor["classes"] == 10
    assert fake["class_coverage"] < 0.2 < 0.5 < floor["class_coverage"]
    assert fake["spectrum"] < 0.1 and 0 < fake["similarity"] < 0.9
    rows = metrics.by_class(one, split, 0)
    assert list(rows) == list("0123456789") and min(rows, key=lambda name: rows[name]["coverage"]) == "7"
    assert rows["7"]["share"] < 0.02 < 0.08 < rows["7"]["real_share"] and "agreement" not in rows["7"]
    assert rows["3"]["agreement"] > 0.9 and rows["3"]["coverage"] > 0.6


def test_repeated_sample_has_similarity_one():
    split = digits()
    fake, floor = metrics.measure(split, 0)(sides(split, split.train.batch(slice(0, 1)).real.repeat(300, 1, 1, 1)))
    assert fake["similarity"] > 0.999 > floor["similarity"] + 0.1


def test_stacked_digits_have_mode_metrics_only(monkeypatch):
    monkeypatch.setattr(self_supervised, "STEPS", 2)
    single = digits()
    rows = np.random.default_rng(0).integers(len(single.train), size=(3000, 3))
    labels = single.train.labels[rows] @ np.array([100, 10, 1])
    stacks = Dataset(single.train.samples[rows, 0], labels)
    facts = replace(single.facts, shape=(3, 8, 8), classes=STACKED_CLASSES)
    split = Split(stacks, Dataset(stacks.samples[:600], labels[:600]), facts)
    fake, floor = metrics.measure(split, 0)(sides(split, stacks.batch(slice(0, 600)).real))
    expected = len(np.unique(labels[:600]))
    assert fake["stacked_modes"] == pytest.approx(expected, abs=30) and floor["stacked_modes"] > 300
    assert "agreement" not in fake and "class_coverage" not in fake
    assert list(metrics.extractors(split, 0)) == ["pixels", "own"]


def test_without_labels_there_are_no_classifier_metrics():
    split = digits(labelled=False)
    assert predictions(split, split.train.batch(slice(0, 10)).real) == {}
