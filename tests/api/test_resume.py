"""Runs are resumed only on the data that they began with."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.api.resume import resume
from sparring.api.train import train
from sparring.errors import SparringError
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent
from sparring.runs.folder import Record, create, versions


def test_classes_in_another_order_are_other_data(tmp_path: Path) -> None:
    for name in ("2", "10"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((8, 8), int(name) * 10 + number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    facts = replace(survey(str(tmp_path / "in")).facts, classes=("10", "2"))
    create(tmp_path / "run", Record("images/dcgan", {}, facts, 0, 64, None, None, "cpu", None, versions()))
    with pytest.raises(SparringError, match="other data"):
        resume(tmp_path / "run", display=Silent())


def test_a_file_of_labels_may_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    rows = ["file_name,label"]
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{number}.png")
        rows.append(f"{number}.png,{'ab'[number % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    small = {"samples": 16, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8}
    run = train(tmp_path / "in", labels=tmp_path / "labels.csv", out=tmp_path / "run", display=Silent(), **small)
    (tmp_path / "labels.csv").rename(tmp_path / "moved.csv")
    with pytest.raises(SparringError, match="no file of labels"):
        resume(run.folder, samples=32, display=Silent())
    resume(run.folder, samples=32, labels=tmp_path / "moved.csv", display=Silent())
    assert run.record.facts.reading["labels"] == str(tmp_path / "moved.csv")
    monkeypatch.chdir(tmp_path)
    resume(run.folder, samples=48, labels="moved.csv:label", display=Silent())
    assert run.record.facts.reading["labels"] == f"{tmp_path / 'moved.csv'}:label"


def test_a_column_of_labels_is_no_folder_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kind").mkdir()
    images = []
    for number in range(8):
        picture = io.BytesIO()
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(picture, format="PNG")
        images.append(picture.getvalue())
    table = {"image": images, "kind": list("abababab")}
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pytest.importorskip("pyarrow").table(table), tmp_path / "data.parquet")
    monkeypatch.chdir(tmp_path)
    small = {"samples": 16, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8}
    run = train("data.parquet", labels="kind", out="run", display=Silent(), **small)
    assert run.record.facts.classes == ("a", "b")
