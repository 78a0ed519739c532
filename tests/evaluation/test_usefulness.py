"""Train on synthetic, test on real: good samples, samples with wrong classes, and none."""

import numpy as np
import pytest
import torch

import sparring
from sparring.api.sample import sample
from sparring.data.dataset import Dataset, Split
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.usefulness import usefulness
from sparring.metrics.extractors import classifier, small_network
from sparring.modalities import modality


@pytest.fixture(scope="module")
def digits():
    return modality("images").survey("digits").prepare(View((1, 8, 8)))


@pytest.fixture(scope="module")
def found(digits):
    """Use half of the real training samples as generated ones, the other half as training samples."""
    half = len(digits.train) // 2
    parts = [
        Dataset(digits.train.samples[rows], digits.train.labels[rows]) for rows in (slice(half), slice(half, None))
    ]
    split, (samples, _, labels) = Split(parts[1], digits.held_out, digits.facts), parts[0].batch(slice(None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "STEPS", 80)
        return {
            "good": usefulness(samples, labels, split, seed=0),
            "wrong": usefulness(samples, labels.roll(1), split, seed=0),
            "again": usefulness(samples, labels, split, seed=0),
        }


def test_real_samples_reach_the_floor(found):
    score = found["good"]["trained_on_samples"]
    assert score.value > 0.93 and score.value == pytest.approx(score.floor, abs=0.05)
    both = found["good"]["trained_on_both"]
    assert both.value >= both.floor - 0.02


def test_samples_with_wrong_classes_are_not_useful(found):
    assert found["wrong"]["trained_on_samples"].value < 0.3
    assert found["wrong"]["trained_on_samples"].floor == found["good"]["trained_on_samples"].floor
    assert found["wrong"]["trained_on_both"].value < found["good"]["trained_on_both"].value


def test_equal_seeds_give_equal_scores(found):
    assert found["again"] == found["good"]


def test_samples_without_classes_are_refused(digits):
    with pytest.raises(SparringError, match="samples without classes"):
        usefulness(torch.zeros(20, 1, 8, 8), None, digits, seed=0)


def test_of_a_run_but_not_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(small_network, "VERSION", "brief")
    monkeypatch.setattr(classifier, "STEPS", 20)
    run = sparring.train("digits", samples=640, out=tmp_path / "run")
    evaluation = sparring.evaluate(run.folder, "digits", count=60, useful=True)
    assert {"trained_on_samples", "trained_on_both"} <= set(evaluation.metrics)
    assert any(line.split()[:3] == ["Useful?", "TSTR", "accuracy"] for line in evaluation.lines())
    with pytest.raises(SparringError, match="no model in"):
        sparring.evaluate(sample(run.folder, count=20, out=tmp_path / "made").folder, "digits", useful=True)
    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).standard_normal((300, 2)).astype(np.float32))
    run = sparring.train(points, samples=256, out=tmp_path / "of points")
    with pytest.raises(SparringError, match="no labels"):
        sparring.evaluate(run.folder, points, useful=True)
