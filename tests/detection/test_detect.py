"""Detection of unusual samples: scores, files and stored detectors."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

import sparring
from sparring.data.view import View
from sparring.detection.result import Detection
from sparring.runs.display import Plain, Silent
from sparring.storage import read_json

NORMAL = 100
"""Rows of odd.csv that are normal; all after them are not."""


class Said(list[str]):
    """A display that keeps what is said."""

    def say(self, sentence: str) -> None:
        self.append(sentence)

    def step(self, *values: Any) -> None:
        pass

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def detect(run: Path, data: object = "odd.csv", **options: Any) -> Detection:
    return sparring.detect(run, data, **{"display": Silent(), **options})


def area_of(detection: Detection) -> float:
    return float(roc_auc_score(np.arange(detection.count) >= NORMAL, detection.scores))


def test_planted_anomalies_are_found(plane: Path) -> None:
    found = detect(plane, out="scores.csv", json="result.json")
    assert found.method == "f-anogan" and area_of(found) > 0.95
    assert list(found.methods) == ["f-anogan", "nearest", "isolation-forest"]
    assert not found.remarks or "says little" not in " ".join(found.remarks)
    rows = list(csv.DictReader(Path("scores.csv").open()))
    assert [row["sample"] for row in rows] == [f"row {number}" for number in range(1, found.count + 1)]
    assert [row["unusual"] == "yes" for row in rows] == [row in found.unusual for row in range(found.count)]
    assert sum(row["unusual"] == "yes" for row in rows) == found.chosen.unusual > 25
    assert {name for row in rows for name in row["columns"].split("; ")} <= {"a", "b", "c"}
    written = read_json(Path("result.json"))
    assert written["format"] == 1 and "scores" not in written
    assert Detection.model_validate(written).methods == found.methods


def test_equal_seeds_write_equal_bytes(plane: Path) -> None:
    contents = []
    for _ in range(2):
        detect(plane, out="scores.csv", seed=3)
        weights = (plane / "detector" / "encoder.safetensors").read_bytes()
        contents.append((Path("scores.csv").read_bytes(), weights))
        for file in (plane / "detector").iterdir():
            file.unlink()
        (plane / "detector").rmdir()
    assert contents[0] == contents[1]
    assert detect(plane, seed=4).scores != detect(plane, seed=3).scores


def test_a_stored_detector_is_used_again(plane: Path) -> None:
    first = detect(plane)
    weights = plane / "detector" / "encoder.safetensors"
    before, said = weights.stat().st_mtime_ns, Said()
    again = detect(plane, display=said)
    assert weights.stat().st_mtime_ns == before and not said
    assert again.scores == first.scores


def test_a_damaged_detector_is_trained_again_and_this_is_said(plane: Path) -> None:
    first = detect(plane)
    weights = plane / "detector" / "encoder.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    said = Said()
    again = detect(plane, display=said)
    assert again.scores == first.scores and weights.read_bytes() != bytes(content)
    assert ["is damaged" in sentence for sentence in said] == [True]


def test_a_detector_of_another_checkpoint_is_trained_again(plane: Path) -> None:
    first = detect(plane)
    sparring.resume(plane, samples=21_000, display=Silent())
    with pytest.raises(sparring.SparringError, match=r"sparring detect run DATA"):
        model = sparring.load(plane)
        model.anomaly(model.sample(3))
    said = Said()
    assert detect(plane, display=said).scores != first.scores
    assert "an earlier checkpoint" in said[0]


def test_a_loaded_model_scores_samples_as_the_command_does(plane: Path) -> None:
    found = detect(plane)
    model = sparring.load(plane)
    rows = model.modality.read("odd.csv", View(model.view.shape), model.facts).batch(slice(None)).real
    scored = model.anomaly(rows)
    assert scored.score.tolist() == pytest.approx(found.scores)
    assert scored.places is not None and scored.places.shape == rows.shape
    assert torch.allclose(model.anomaly(rows[:1]).score, scored.score[:1])


def test_one_sample_is_scored(plane: Path) -> None:
    Path("one.csv").write_text("a,b,c\n1,1,9\n")
    found = detect(plane, "one.csv")
    assert found.count == 1 and found.chosen.unusual == 1
    assert "1 of 1 samples" in found.lines()[0]


@pytest.mark.parametrize("value", ["1e30", "-1e300", "1e38"])
def test_huge_values_are_unusual_or_refused(plane: Path, value: str) -> None:
    Path("huge.csv").write_text(f"a,b,c\n1,1,2\n1,1,{value}\n")
    try:
        found = detect(plane, "huge.csv", json="result.json")
    except sparring.SparringError:
        return
    assert np.isfinite(found.scores).all()
    assert found.scores[-1] > found.scores[0] or found.count == 1


def test_training_data_that_moved_is_given_as_the_reference(plane: Path, plane_run: Path) -> None:
    data = plane_run.parent / "plane.csv"
    moved = data.rename(data.with_name("moved.csv"))
    try:
        with pytest.raises(sparring.SparringError, match="--reference"):
            detect(plane)
        found = detect(plane, reference=moved)
    finally:
        moved.rename(data)
    assert found.scores == detect(plane).scores
    # Other normal samples are said.
    assert any("not the training data" in remark for remark in detect(plane, reference="odd.csv").remarks)


@pytest.mark.parametrize("method", ["nearest", "isolation-forest"])
def test_published_folders_have_the_simple_methods(plane: Path, method: str) -> None:
    sparring.load(plane).save_pretrained("published")
    data = str(sparring.load(plane).facts.source)
    with pytest.raises(sparring.SparringError, match="give the run folder"):
        detect(Path("published"), reference=data)
    assert area_of(detect(Path("published"), reference=data, method=method)) > 0.9


def test_a_generator_that_cannot_be_inverted_is_said(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.save(tmp_path / "points.npy", random.normal(size=(200, 2)))
    numbers = {"samples": 256, "batch": 64, "width": 8, "latent_size": 2, "display": Silent()}
    run = sparring.train(str(tmp_path / "points.npy"), recipe="points/ring", out=tmp_path / "run", **numbers)
    found = detect(run.folder, str(tmp_path / "points.npy"))
    assert any("says little" in remark or "say little" in remark for remark in found.remarks)
    assert any("were trained on" in remark for remark in found.remarks)


def test_classes_that_are_unknown_are_found_and_mapped(image_run: Path, tmp_path: Path) -> None:
    test = str(image_run.parent / "test.npz")
    for _ in range(2):  # The second call replaces the files of the first.
        found = detect(image_run, test, out=tmp_path / "scores.csv", maps=tmp_path / "maps")
    assert found.normal == ("left", "right") and list(found.chosen.classes) == ["middle"]
    assert found.chosen.auroc is not None and found.chosen.auroc > 0.95
    assert found.methods["nearest"].auroc == pytest.approx(1.0)
    assert len(list((tmp_path / "maps").glob("*.png"))) == found.count == 60
    sheet = Image.open(tmp_path / "scores-maps.png")
    assert sheet.mode == "RGB" and sheet.width > sheet.height / 2
    text = "\n".join(found.lines())
    assert "Normal classes: left, right" in text and "AUROC" in text


def test_samples_without_classes_have_no_areas(image_run: Path, tmp_path: Path) -> None:
    test = np.load(image_run.parent / "test.npz")
    np.save(tmp_path / "plain.npy", test["images"])
    found = detect(image_run, str(tmp_path / "plain.npy"))
    assert not found.normal and all(one.auroc is None for one in found.methods.values())
    labelled = detect(image_run, str(image_run.parent / "test.npz"))
    assert found.scores == pytest.approx(labelled.scores), "labels do not change scores"


def test_a_better_baseline_is_named(image_run: Path) -> None:
    found = detect(image_run, str(image_run.parent / "test.npz"), method="isolation-forest", normal=["middle"])
    best = max(found.methods, key=lambda name: found.methods[name].auroc or 0)
    assert best == "isolation-forest" or any(f"choose --method {best}" in remark for remark in found.remarks)


def test_plain_progress_counts_batches(plane: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(plane, display=Plain(every=0.0))
    shown = capsys.readouterr().err
    assert "training the detector: 2 of 422 · 0:" in shown
