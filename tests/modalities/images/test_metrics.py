"""Images are judged by their pixels and by what classifiers of the real ones say."""

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
    monkeypatch.setattr(classifier, "STEPS", 60)


def test_real_digits_agree_with_their_labels():
    split = digits()
    samples, _, labels = split.held_out.batch(slice(None))
    found = metrics.opinion(Batch(samples, None, labels), metrics.judge(split, 0))
    assert found["agreement"] > 0.97 and found["classes"] == 10
    assert metrics.opinion(Batch(samples, None, (labels + 1) % 10), metrics.judge(split, 0))["agreement"] < 0.05
    assert metrics.opinion(Batch(samples[labels == 3], None), metrics.judge(split, 0)) == {"classes": 1.0}


def test_broken_samples_do_not_agree():
    split = digits()
    samples, _, labels = split.held_out.batch(slice(0, 100))
    samples[:50] = float("nan")
    assert 0.45 < metrics.opinion(Batch(samples, None, labels), metrics.judge(split, 0))["agreement"] <= 0.5
    assert metrics.opinion(Batch(torch.full_like(samples, float("nan")), None, labels), metrics.judge(split, 0)) == {}


def test_large_sets_are_judged_by_the_network(monkeypatch):
    monkeypatch.setattr(metrics, "MOST_FOR_VECTORS", 100)
    split = digits()
    samples, _, labels = split.held_out.batch(slice(None))
    assert metrics.opinion(Batch(samples, None, labels), metrics.judge(split, 0))["agreement"] > 0.9


def test_extractors(monkeypatch):
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
def test_extractors_that_cannot_be_had(name, said):
    with pytest.raises(SparringError, match=said):
        metrics.extractors(digits(), 0, [name])


def sides(split, fake, labels=None):
    return next(iter(Repeats(split.train, split.held_out, Batch(fake, None, labels))))


def test_a_missing_class_is_seen_class_by_class():
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


def test_one_repeated_sample_is_seen_as_alike():
    split = digits()
    fake, floor = metrics.measure(split, 0)(sides(split, split.train.batch(slice(0, 1)).real.repeat(300, 1, 1, 1)))
    assert fake["similarity"] > 0.999 > floor["similarity"] + 0.1


def test_stacks_of_three_digits(monkeypatch):
    monkeypatch.setattr(self_supervised, "STEPS", 2)
    single = digits()
    rows = np.random.default_rng(0).integers(len(single.train), size=(3000, 3))
    labels = single.train.labels[rows] @ np.array([100, 10, 1])
    stacks = Dataset(single.train.samples[rows, 0], labels)
    split = Split(stacks, Dataset(stacks.samples[:600], labels[:600]), replace(single.facts, classes=metrics.STACKS))
    fake, floor = metrics.measure(split, 0)(sides(split, stacks.batch(slice(0, 600)).real))
    expected = len(np.unique(labels[:600]))
    assert fake["stacked_modes"] == pytest.approx(expected, abs=30) and floor["stacked_modes"] > 300
    assert "agreement" not in fake and "class_coverage" not in fake
    assert list(metrics.extractors(split, 0)) == ["pixels", "own"]


def test_without_labels_there_is_nothing_to_agree_with():
    split = digits(labelled=False)
    assert metrics.opinion(Batch(split.train.batch(slice(0, 10)).real, None), metrics.judge(split, 0)) == {}
