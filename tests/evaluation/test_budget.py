"""The evaluation at the end of a run keeps within its time, and says what it left out."""

import math
from pathlib import Path

import numpy as np
import pytest

import sparring
from sparring.api import conclude
from sparring.data.view import View
from sparring.evaluation.budget import MIN_SAMPLES, Budget
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.glossary import DEFAULT
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject
from sparring.modalities import modality
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent


def test_samples_are_halved_until_they_are_affordable() -> None:
    budget = Budget(100.0)
    assert budget.affordable(1000, 0.001, "samples") == 1000 and budget.remarks == ()
    assert budget.affordable(8000, 0.01, "samples") == 2000
    assert budget.affordable(8000, 10.0, "others") == MIN_SAMPLES
    assert budget.remarks == (
        "To take no longer than 100 s, this evaluation used 2,000 of 8,000 samples, 250 of 8,000 others. "
        "`sparring evaluate` has no such limit: do not compare its scores with these.",
    )


def test_no_more_samples_are_compared_than_there_is_time_for() -> None:
    """Until repeats end at 60 s there are 30 s for the comparison of all samples; ten times as many take 32 times."""
    budget = Budget(100.0)
    assert budget.comparable(3000, 300, 0.9) == 3000 and budget.limits == []
    assert budget.comparable(3000, 300, 1.1) == 1500 and budget.limits == ["1,500 of 3,000 samples a side"]
    assert budget.comparable(3000, 300, 1e3) == 375
    assert budget.affordable(1000, 0.01, "samples", fixed=11.0) == 500


def test_without_a_limit_nothing_is_left_out() -> None:
    budget = Budget()
    assert budget.affordable(10_000, 1e6, "samples") == 10_000
    assert budget.repeats_deadline == budget.training_deadline == math.inf


def test_a_run_without_time_for_repeats_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclude, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(conclude, "TRAINING_SHARE", 0.0)
    np.save(tmp_path / "points.npy", np.random.default_rng(0).standard_normal((400, 2)).astype(np.float32))
    run = sparring.train(tmp_path / "points.npy", recipe="points/ring", samples=640, out=tmp_path / "run")
    found = Evaluation.from_run(run)
    assert "0 of 8 repeats" in found.remarks[-1] and found.scores[0].repeats == 0
    page = run.report.read_text().replace("<code>", "`").replace("</code>", "`")
    assert found.scores[0].metrics["frechet"].value is not None and found.remarks[-1] in page
    whole = sparring.evaluate(run.folder, tmp_path / "points.npy", count=found.count, display=Silent())
    values = [{name: score.value for name, score in one.scores[0].metrics.items()} for one in (found, whole)]
    assert values[0] == values[1] and whole.scores[0].repeats == 8


def test_features_that_need_no_training_replace_those_that_take_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))
    split = survey("digits").prepare(View((1, 8, 8)))
    budget = Budget(0.0)
    evaluator = Evaluator(split, further=False, budget=budget)
    found = evaluator.evaluate(Subject("real", modality("images")), split.train.batch(slice(0, 300)))
    assert (
        found.scores[0].extractor == "pixels"
        and "features and classifiers that need little training" in found.remarks[-1]
    )
    assert "agreement" in found.metrics and found.classes == {}


def test_the_default_verdict_has_six_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.metrics.extractors.classifier.STEPS", 5)
    split = survey("digits").prepare(View((1, 8, 8)))
    evaluator = Evaluator(split, extractors=["pixels"], further=False)
    found = evaluator.evaluate(Subject("real", modality("images")), split.train.batch(slice(0, 300)))
    ((_, table),) = found.tables(further=False)
    assert set(table) == DEFAULT and len(DEFAULT) == 6
    lines = found.lines(further=False)
    assert sum(line.endswith(("worse", "better", "as real")) for line in lines) == 6
    assert max(map(len, lines)) <= 100 and len(lines) <= 14
