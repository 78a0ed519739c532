"""Models with data that may lack the conditions that they were trained with."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.data.dataset import Dataset, split_rows
from sparring.data.facts import Facts
from sparring.evaluation.subject import Subject, open_subject
from sparring.modalities import modality
from sparring.runs.display import Silent


def write(path: Path, classes: str, count: int = 80) -> str:
    images = np.random.default_rng(0).integers(0, 256, size=(count, 8, 8), dtype=np.uint8)
    labels = np.array([classes[row % len(classes)] for row in range(count)]) if classes else None
    np.savez(path, images=images, **({} if labels is None else {"labels": labels}))
    return str(path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Train with the classes a and b, and without classes; return both runs and their data."""
    folder = tmp_path_factory.mktemp("runs")
    data = write(folder / "ab.npz", "ab")
    small = {"samples": 64, "batch": 16, "width": 8, "discriminator_width": 8, "latent_size": 4, "display": Silent()}
    conditional = sparring.train(data, recipe="images/r3gan", out=folder / "conditional", **small)
    unconditional = sparring.train(data, recipe="images/r3gan", labels=False, out=folder / "unconditional", **small)
    return conditional.folder, unconditional.folder, data


@pytest.mark.parametrize("classes", ["xy", "abc", "a", ""])
def test_data_with_other_classes_gives_no_conditions(
    classes: str, runs: tuple[Path, Path, str], tmp_path: Path
) -> None:
    subject, survey = open_subject(runs[0], write(tmp_path / "other.npz", classes))
    batch, true = subject.batch(survey.prepare(subject.view), 20, 0)
    assert batch.label is None and true is None and batch.condition.tolist() == [0, 1] * 10
    assert "each of its own in turn" in subject.remarks[-1]
    evaluated = sparring.evaluate(runs[0], survey.facts.source, count=20)
    assert "agreement" not in evaluated.metrics and evaluated.remarks


def test_data_with_the_same_classes_gives_the_conditions(runs: tuple[Path, Path, str]) -> None:
    subject, survey = open_subject(runs[0], runs[2])
    batch, _ = subject.batch(survey.prepare(subject.view), 20, 0)
    assert torch.equal(batch.label, batch.condition) and not subject.remarks


def test_compared_models_keep_their_own_conditions(runs: tuple[Path, Path, str]) -> None:
    conditional, unconditional, data = runs
    for pair in ((conditional, unconditional), (unconditional, conditional)):
        found = sparring.compare(*pair, data, count=20)
        sides = dict(zip(pair, (found.first, found.second), strict=True))
        assert "agreement" in sides[conditional].metrics and "agreement" not in sides[unconditional].metrics


def test_of_more_files_than_are_evaluated_a_random_part_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.evaluation.subject.MAX_SAMPLES", 10)
    files = Dataset(np.arange(40, dtype=np.float32)[:, None])
    split = split_rows(files, Facts("here", "points", 40, (1,), ""), 0)
    found = Subject("sorted", modality("points"), files=files).batch(split, 40, 0).batch.real
    assert len(found) == 10 and found.max() >= 10
