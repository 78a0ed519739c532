"""The classifier learns digits, is deterministic, and is trained once."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.metrics.extractors import classifier
from sparring.metrics.extractors.classifier import accuracy, train_classifier
from sparring.metrics.extractors.small_network import FEATURES, build, training_limit


def digits(seed=0):
    images, labels = load_digits(return_X_y=True)
    samples = np.rint(images * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    return split_of(samples, labels.astype(np.int64), seed)


def split_of(samples, labels, seed=0, fingerprint="digits"):
    train, held_out = hold_out(len(samples), seed)
    facts = Facts("digits", "images", len(samples), samples.shape[1:], fingerprint, tuple("0123456789"))
    kept = [Dataset(samples[rows], None if labels is None else labels[rows]) for rows in (train, held_out)]
    return Split(*kept, facts)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))


def test_learns_digits_and_is_trained_once(tmp_path, monkeypatch):
    split = digits()
    first = train_classifier(split, seed=0)
    assert accuracy(first.predict, split.held_out) >= 0.97
    samples, _, labels = split.held_out.batch(slice(None))
    assert first(samples).shape == (len(samples), FEATURES)
    assert (first.predict(samples) == labels).double().mean().item() == accuracy(first.predict, split.held_out)
    shares = first.probabilities(first(samples))
    assert torch.equal(shares.argmax(1), first.predict(samples)) and torch.allclose(
        shares.sum(1), torch.ones(len(samples))
    )

    monkeypatch.setattr(classifier, "_fit", None)
    again = train_classifier(split, seed=0)
    assert again.name == first.name
    assert torch.equal(again(samples), first(samples))


def test_is_deterministic(monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "STEPS", 30)
    names = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / place))
        torch.rand(1)
        names.append(train_classifier(digits(), seed=seed).name)
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("classifier-")


def test_broken_weights_are_trained_again(monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "STEPS", 5)
    name = train_classifier(digits(), seed=0).name
    (kept,) = (tmp_path / "classifier").glob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert train_classifier(digits(), seed=0).name == name


def test_each_split_has_its_own_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "STEPS", 2)
    for split in (digits(0), digits(1)):
        train_classifier(split, seed=0)
    assert len(list((tmp_path / "classifier").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_no_obstacle(monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "STEPS", 2)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "file"))
    assert train_classifier(digits(), seed=0).name


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 31), (4, 64, 8), (3, 200, 130)])
def test_any_size_and_number_of_channels(shape):
    network = build(shape, classes=5)
    assert network(torch.zeros(2, *shape)).shape == (2, 5)
    assert network[:-1](torch.zeros(2, *shape)).shape == (2, FEATURES)


def test_data_without_two_classes_of_images_is_refused():
    samples = np.zeros((40, 1, 8, 8), dtype=np.uint8)
    for labels, shape, said in (
        (None, (1, 8, 8), "no labels"),
        (np.zeros(40, dtype=np.int64), (1, 8, 8), "one class"),
        (np.arange(40) % 2, (1, 4, 8), r"samples of shape \(1, 4, 8\)"),
    ):
        with pytest.raises(SparringError, match=said):
            train_classifier(split_of(samples[:, :, : shape[1]], labels), seed=0)


def test_a_training_that_would_exceed_the_limit_is_refused():
    with training_limit(0.0) as limit, pytest.raises(SparringError, match="a network whose training takes about"):
        train_classifier(digits(), seed=0)
    assert limit.exceeded


def test_cached_weights_need_no_time(monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 25)
    name = train_classifier(digits(), seed=0).name
    with training_limit(0.0) as limit:
        assert train_classifier(digits(), seed=0).name == name
    assert not limit.exceeded
