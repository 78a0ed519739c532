"""Models with data that may lack the conditions that they were trained with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.data.dataset import Dataset, split_rows
from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.evaluation.subject import Subject, open_subject
from sparring.modalities import modality
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("brief_extractors")


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


@pytest.mark.parametrize("classes", ["xy", "", *(pytest.param(one, marks=pytest.mark.slow) for one in ("abc", "a"))])
def test_data_with_other_classes_gives_no_conditions(
    classes: str, runs: tuple[Path, Path, str], tmp_path: Path
) -> None:
    subject, survey = open_subject(runs[0], write(tmp_path / "other.npz", classes))
    batch, true = subject.batch(survey.prepare(subject.view), 20, 0)
    assert batch.label is None and true is None and batch.condition.tolist() == [0, 1] * 10
    told = "other classes (a, b) than the data" if len(classes) > 1 else "with classes (a, b), and the data has none"
    remarks = [remark for remark in subject.remarks if not remark.startswith("Real data: ")]
    assert told in remarks[-1] and "trained on other data" in remarks[-2]
    evaluated = sparring.evaluate(runs[0], survey.facts.source, count=20)
    assert "agreement" not in evaluated.metrics and evaluated.remarks


def test_data_with_the_same_classes_gives_the_conditions(runs: tuple[Path, Path, str]) -> None:
    subject, survey = open_subject(runs[0], runs[2])
    batch, _ = subject.batch(survey.prepare(subject.view), 20, 0)
    assert torch.equal(batch.label, batch.condition) and not subject.remarks


def test_the_training_data_without_its_labels_is_the_training_data(runs: tuple[Path, Path, str]) -> None:
    evaluated = sparring.evaluate(runs[0], runs[2], labels=False, count=20, extractors="pixels", display=Silent())
    assert not any("other data" in remark for remark in evaluated.remarks)
    assert "agreement" not in evaluated.metrics and any("the data has none" in one for one in evaluated.remarks)
    subject, survey = open_subject(runs[0], runs[2], reading=Reading(labels=False))
    labelled = open_subject(runs[0], runs[2])[1].prepare(View((1, 64, 64)), seed=3)
    split = survey.prepare(View((1, 64, 64)), seed=3)
    assert split.train.labels is None and not survey.facts.classes and not subject.conditional
    np.testing.assert_array_equal(split.held_out.samples[:], labelled.held_out.samples[:])


def test_other_data_is_told_once(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    other = write(tmp_path / "other.npz", "xy")
    found = sparring.evaluate(runs[0], other, count=20, extractors="pixels", display=Silent())
    assert sum("trained on other data" in remark for remark in found.remarks) == 1


def test_compared_models_keep_their_own_conditions(runs: tuple[Path, Path, str]) -> None:
    conditional, unconditional, data = runs
    for pair in ((conditional, unconditional), (unconditional, conditional)):
        found = sparring.compare(*pair, data, count=20)
        sides = dict(zip(pair, (found.first, found.second), strict=True))
        assert "agreement" in sides[conditional].metrics and "agreement" not in sides[unconditional].metrics


def test_real_data_is_coded_as_the_training_data_of_the_model(tmp_path: Path) -> None:
    """Other points around another origin, and other pictures of a narrower range, keep their distance to the model."""
    tiny = {"samples": 64, "batch": 16, "display": Silent(), "out": tmp_path / "run"}
    random = np.random.default_rng(0)
    stamps = 1.7e9 + random.normal(0, 100, size=(300, 2))
    np.save(tmp_path / "a.npy", stamps)
    np.save(tmp_path / "b.npy", stamps + 5e6)
    run = sparring.train(tmp_path / "a.npy", **tiny)
    _, survey = open_subject(run.folder, tmp_path / "b.npy")
    distance = survey.points.mean(axis=0) - open_subject(run.folder, tmp_path / "a.npy")[1].points.mean(axis=0)
    np.testing.assert_allclose(distance, 5e6, rtol=1e-4)


def test_real_images_have_the_range_of_the_training_data(tmp_path: Path) -> None:
    wide = np.random.default_rng(0).integers(0, 4096, size=(80, 8, 8), dtype=np.uint16)
    np.savez(tmp_path / "a.npz", images=wide)
    np.savez(tmp_path / "b.npz", images=wide // 16)
    tiny = {"samples": 64, "batch": 16, "width": 8, "discriminator_width": 8, "latent_size": 4, "display": Silent()}
    run = sparring.train(tmp_path / "a.npz", recipe="images/r3gan", out=tmp_path / "run", **tiny)
    subject, survey = open_subject(run.folder, tmp_path / "b.npz")
    assert int(survey.prepare(subject.view).train.samples[:].max()) < 32


def test_remarks_on_the_real_data_are_beside_the_scores_of_a_model(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    heads = {"a.csv": "x,y", "b.csv": "u,v", "c.csv": "x,y"}
    for name, head in heads.items():
        lines = [head, *(f"{a:.6f},{b:.6f}" for a, b in random.normal(size=(300, 2)))]
        (tmp_path / name).write_text("\n".join(lines + ["1.5,oops"] * (name == "a.csv")))
    run = sparring.train(
        tmp_path / "a.csv", recipe="points/ring", samples=64, batch=16, display=Silent(), out=tmp_path / "run"
    )
    remarks = {name: " ".join(open_subject(run.folder, tmp_path / name)[0].remarks) for name in heads}
    assert "Real data: The columns have other names" in remarks["b.csv"]
    assert "Real data" not in remarks["c.csv"] and "Real data" not in remarks["a.csv"]
    (tmp_path / "d.csv").write_text((tmp_path / "c.csv").read_text() + "\n1.5\n")
    of_files = open_subject(tmp_path / "c.csv", tmp_path / "d.csv")[0].remarks
    assert "Real data: Left out 1 row of 1 cells in place of 2 (first: row 301)." in of_files


def test_a_comparison_tells_which_model_was_trained_on_other_data(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    other = write(tmp_path / "other.npz", "xy")
    small = {"samples": 64, "batch": 16, "width": 8, "discriminator_width": 8, "latent_size": 4, "display": Silent()}
    there = sparring.train(other, recipe="images/r3gan", out=tmp_path / "run", **small)
    text = " ".join(sparring.compare(runs[0], there.folder, runs[2], count=20).lines())
    assert f"B: The model was trained on other data ({other})" in text
    assert "B: The model has other classes (x, y) than the data (a, b)." in text
    assert "A: The model" not in text and "Both: The model" not in text
    text = " ".join(sparring.compare(there.folder, there.folder, runs[2], count=20).lines())
    assert "Both: The model was trained on other data" in text


def test_a_model_of_another_kind_of_samples_is_refused(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    small = {"samples": 64, "batch": 32, "width": 8, "latent_size": 2, "display": Silent()}
    points = sparring.train("ring", out=tmp_path / "points", **small).folder
    for judge in (lambda: sparring.compare(runs[0], points, runs[2]), lambda: sparring.evaluate(points, "digits")):
        with pytest.raises(sparring.SparringError, match=r"a model of points in .*, but expected a model of images"):
            judge()


def test_of_more_files_than_are_evaluated_a_random_part_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.evaluation.subject.MAX_SAMPLES", 10)
    files = Dataset(np.arange(40, dtype=np.float32)[:, None])
    split = split_rows(files, Facts("here", "points", 40, (1,), ""), 0)
    found = Subject("sorted", modality("points"), files=files).batch(split, 40, 0).batch.real
    assert len(found) == 10 and found.max() >= 10


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
