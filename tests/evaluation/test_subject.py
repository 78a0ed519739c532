"""Models beside data that may lack what they were trained with."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.evaluation.subject import open_subject
from sparring.runs.display import Silent


def write(path: Path, classes: str, count: int = 80) -> str:
    images = np.random.default_rng(0).integers(0, 256, size=(count, 8, 8), dtype=np.uint8)
    labels = np.array([classes[row % len(classes)] for row in range(count)]) if classes else None
    np.savez(path, images=images, **({} if labels is None else {"labels": labels}))
    return str(path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A run with the classes a and b, one that was told none, and their data."""
    folder = tmp_path_factory.mktemp("runs")
    data = write(folder / "ab.npz", "ab")
    small = {"samples": 64, "batch": 16, "width": 8, "discriminator_width": 8, "noise": 4, "display": Silent()}
    told = sparring.train(data, recipe="images/r3gan", out=folder / "told", **small)
    untold = sparring.train(data, recipe="images/r3gan", labels=False, out=folder / "untold", **small)
    return told.folder, untold.folder, data


@pytest.mark.parametrize("classes", ["xy", "abc", "a", ""])
def test_data_of_other_classes_does_not_say_what_to_ask_for(
    classes: str, runs: tuple[Path, Path, str], tmp_path: Path
) -> None:
    subject, survey = open_subject(runs[0], write(tmp_path / "other.npz", classes))
    batch, true = subject.batch(survey.prepare(subject.view), 20, 0)
    assert batch.label is None and true is None and batch.condition.tolist() == [0, 1] * 10
    assert "its own in turn" in subject.remarks[-1]
    judged = sparring.evaluate(runs[0], survey.facts.source, count=20)
    assert "agreement" not in judged.measures and judged.remarks


def test_data_of_the_same_classes_says_what_to_ask_for(runs: tuple[Path, Path, str]) -> None:
    subject, survey = open_subject(runs[0], runs[2])
    batch, _ = subject.batch(survey.prepare(subject.view), 20, 0)
    assert torch.equal(batch.label, batch.condition) and not subject.remarks


def test_compared_models_are_asked_each_for_its_own(runs: tuple[Path, Path, str]) -> None:
    told, untold, data = runs
    for pair in ((told, untold), (untold, told)):
        found = sparring.compare(*pair, data, count=20)
        sides = dict(zip(pair, (found.first, found.second), strict=True))
        assert "agreement" in sides[told].measures and "agreement" not in sides[untold].measures
