"""What a classifier learns from good samples, from samples with wrong classes, and from none."""

import numpy as np
import pytest
import torch

import sparring
from sparring.data.dataset import Dataset, Split
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.usefulness import usefulness
from sparring.metrics.extractors import classifier
from sparring.modalities import modality


@pytest.fixture(scope="module")
def digits():
    return modality("images").survey("digits").prepare(View((1, 8, 8)))


@pytest.fixture(scope="module")
def found(digits):
    """Half of the real training samples stand for generated ones; the other half is what was trained on."""
    half = len(digits.train) // 2
    parts = [
        Dataset(digits.train.samples[rows], digits.train.labels[rows]) for rows in (slice(half), slice(half, None))
    ]
    split, (samples, _, labels) = Split(parts[1], digits.held_out, digits.facts), parts[0].batch(slice(None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "STEPS_FEW", 80)
        return {
            "good": usefulness(samples, labels, split, seed=0),
            "wrong": usefulness(samples, labels.roll(1), split, seed=0),
            "again": usefulness(samples, labels, split, seed=0),
        }


def test_real_samples_are_as_useful_as_real_ones(found):
    value, floor = found["good"]["trained_on_samples"]
    assert value > 0.93 and value == pytest.approx(floor, abs=0.05)
    both, alone = found["good"]["trained_on_both"]
    assert both >= alone - 0.02


def test_wrong_classes_teach_nothing(found):
    assert found["wrong"]["trained_on_samples"][0] < 0.3
    assert found["wrong"]["trained_on_samples"][1] == found["good"]["trained_on_samples"][1]
    assert found["wrong"]["trained_on_both"][0] < found["good"]["trained_on_both"][0]


def test_it_repeats(found):
    assert found["again"] == found["good"]


def test_samples_without_classes_are_refused(digits):
    with pytest.raises(SparringError, match="samples without classes"):
        usefulness(torch.zeros(20, 1, 8, 8), None, digits, seed=0)


def test_from_a_run_and_what_is_said_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS_FEW", 20)
    run = sparring.train("digits", samples=640, out=tmp_path / "run")
    judgement = sparring.evaluate(run.folder, "digits", count=60, useful=True)
    assert {"trained_on_samples", "trained_on_both"} <= set(judgement.measures)
    assert any(line.startswith("  Useful?   learnt from") for line in judgement.lines())
    with pytest.raises(SparringError, match="no model in"):
        sparring.evaluate(run.folder / "samples", "digits", useful=True)
    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).standard_normal((300, 2)).astype(np.float32))
    run = sparring.train(points, samples=256, out=tmp_path / "of points")
    with pytest.raises(SparringError, match="no labels"):
        sparring.evaluate(run.folder, points, useful=True)
