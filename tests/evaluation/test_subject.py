"""Models with data that may lack the conditions that they were trained with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

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


def test_generated_samples_of_several_sizes_are_told(tmp_path: Path) -> None:
    for name in ("real", "equal", "mixed"):
        (tmp_path / name).mkdir()
        for number in range(40):
            side = (10, 8) if name == "mixed" and number < 3 else (8, 8)
            pixels = np.random.default_rng(number).integers(0, 256, side, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    told = "3 of the 40 generated samples have another size than the most common one, 8 × 8"
    found = {name: open_subject(tmp_path / name, tmp_path / "real")[0].remarks for name in ("equal", "mixed")}
    assert any(remark.startswith(told) for remark in found["mixed"])
    assert not any("another size" in remark for remark in found["equal"])
