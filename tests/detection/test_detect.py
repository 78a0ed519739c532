"""Detection of unusual samples: scores, files, and models of every kind."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from detection.detecting import area_of, detect
from sparring.data.view import View
from sparring.detection.result import Detection
from sparring.runs.display import Plain, Silent
from sparring.storage import read_json
from toys.detecting_game import DetectingVAE

pytestmark = pytest.mark.usefixtures("undrawn_figures")


def test_planted_anomalies_are_found(plane: Path) -> None:
    found = detect(plane, out="scores.csv", json="result.json")
    assert found.method == "f-anogan" and area_of(found) > 0.95
    assert list(found.methods) == ["f-anogan", "nearest", "isolation-forest"]
    assert not found.remarks or "says little" not in " ".join(found.remarks)
    rows = list(csv.DictReader(Path("scores.csv").read_text().splitlines()))
    assert [row["sample"] for row in rows] == [f"row {number}" for number in range(1, found.count + 1)]
    assert [row["unusual"] == "yes" for row in rows] == [row in found.unusual for row in range(found.count)]
    assert sum(row["unusual"] == "yes" for row in rows) == found.chosen.unusual > 5
    assert {name for row in rows for name in row["columns"].split("; ")} <= {"a", "b", "c"}
    written = read_json(Path("result.json"))
    assert written["format"] == 1 and "scores" not in written
    assert Detection.model_validate(written).methods == found.methods


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
        with pytest.raises(sparring.SparringError, match="reference="):
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
    with pytest.raises(sparring.SparringError, match="Give the run folder"):
        detect(Path("published"), reference=data)
    assert area_of(detect(Path("published"), reference=data, method=method)) > 0.75


def test_games_that_score_by_themselves_do_so_in_published_folders_too(plane_run: Path, tmp_path: Path) -> None:
    data, odd = str(plane_run.parent / "plane.csv"), str(plane_run.parent / "odd.csv")
    recipe = DetectingVAE(samples=20_000, batch=100)
    run = sparring.train(data, recipe=recipe, judge="none", out=tmp_path / "run", watchdog="off", display=Silent())
    found = detect(run.folder, odd, recipe=recipe)
    assert found.method == "own" and area_of(found) > 0.7 and not (run.folder / "detector").exists()
    model = sparring.load(run.folder, recipe=recipe)
    model.save_pretrained(tmp_path / "published")
    again = detect(tmp_path / "published", odd, recipe=recipe, reference=data)
    assert again.scores == found.scores
    assert model.anomaly(model.sample(4)).score.shape == (4,)


def test_a_generator_that_cannot_be_inverted_is_said(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.save(tmp_path / "points.npy", random.normal(size=(200, 2)))
    numbers = {"samples": 256, "batch": 64, "width": 8, "latent_size": 2, "display": Silent()}
    run = sparring.train(str(tmp_path / "points.npy"), recipe="points/ring", out=tmp_path / "run", **numbers)
    found = detect(run.folder, str(tmp_path / "points.npy"))
    assert any("says little" in remark or "say little" in remark for remark in found.remarks)
    assert any("were trained on" in remark for remark in found.remarks)


def test_plain_progress_counts_batches(plane: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(plane, display=Plain(every=0.0))
    shown = capsys.readouterr().err
    assert "training the detector: 2 of 211 · 0:" in shown
