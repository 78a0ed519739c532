"""Runs are resumed only on the data that they began with."""

import io
from collections import Counter
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
from sparring.runs.session import Session
from sparring.runs.suggestions import suggestion
from sparring.storage import read_json
from sparring.training import checkpoint

pytestmark = pytest.mark.usefixtures("undrawn_figures")


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
    small = {"samples": 16, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8, "judge": "none"}
    run = train(tmp_path / "in", labels=tmp_path / "labels.csv", out=tmp_path / "run", display=Silent(), **small)
    (tmp_path / "labels.csv").rename(tmp_path / "moved.csv")
    with pytest.raises(SparringError, match="no file of labels"):
        resume(run.folder, samples=32, display=Silent())
    resume(run.folder, samples=32, labels=tmp_path / "moved.csv", display=Silent())
    assert run.record.facts.reading["labels"] == str(tmp_path / "moved.csv")
    monkeypatch.chdir(tmp_path)
    resume(run.folder, samples=48, labels="moved.csv:label", display=Silent())
    assert run.record.facts.reading["labels"] == f"{tmp_path / 'moved.csv'}:label"


def test_a_second_domain_and_a_table_of_pairs_may_move(tmp_path: Path) -> None:
    for folder, first in (("a", 0), ("b", 100)):
        (tmp_path / "in" / folder).mkdir(parents=True)
        for number in range(6):
            pixels = np.random.default_rng(first + number).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / folder / f"{number}.png")
    small = {"samples": 8, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8, "recipe": "images/gan"}
    small["judge"] = "none"

    # The second domain has moved.
    run = train(tmp_path / "in" / "a", to=tmp_path / "in" / "b", out=tmp_path / "run", display=Silent(), **small)
    assert run.record.facts.reading == {"to": str(tmp_path / "in" / "b")} and run.record.facts.classes == ("a", "b")
    assert read_json(run.folder / "model" / "config.json")["facts"]["reading"] == {"to": "b"}
    (tmp_path / "other").mkdir()
    (tmp_path / "in" / "b").rename(tmp_path / "other" / "b")
    with pytest.raises(SparringError, match=r"nothing at .*after to="):
        resume(run.folder, samples=16, display=Silent())
    resume(run.folder, samples=16, to=tmp_path / "other" / "b", display=Silent())
    assert run.record.facts.reading == {"to": str(tmp_path / "other" / "b")}
    (tmp_path / "other" / "b").rename(tmp_path / "in" / "b")

    # A table moves with the data that it lies in.
    table = tmp_path / "in" / "pairs.csv"
    table.write_text("".join(f"a/{number}.png,b/{number}.png\n" for number in range(6)))
    run = train(tmp_path / "in", pairs=table, out=tmp_path / "paired", display=Silent(), **small)
    assert run.record.facts.reading == {"pairs": str(table)} and run.record.facts.offers[0] == "pair"
    (tmp_path / "in").rename(tmp_path / "moved")
    resume(run.folder, samples=16, data=tmp_path / "moved", display=Silent())
    assert run.record.facts.reading == {"pairs": str(tmp_path / "moved" / "pairs.csv")}


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
    small = {"samples": 16, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8, "judge": "none"}
    run = train("data.parquet", labels="kind", out="run", display=Silent(), **small)
    assert run.record.facts.classes == ("a", "b")


OWN = """
from sparring.modalities.points.recipes.gan import PointGAN

MINE = PointGAN(width=8, latent_size=2, batch=64)
"""


def test_a_recipe_of_ones_own_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    (home / "mine.py").write_text(OWN)
    monkeypatch.chdir(home)
    run = train("ring", recipe="mine.py:MINE", samples=128, judge="none", out=tmp_path / "run", display=Silent())

    # The command that is suggested works elsewhere.
    monkeypatch.chdir(other)
    recipe = run.record.recipe
    assert recipe == f"{home / 'mine.py'}:MINE" and suggestion(run.record, "resume").endswith(recipe)
    resume(run.folder, samples=256, recipe=recipe, display=Silent())

    # A file that moved is recorded at its new place.
    (home / "mine.py").rename(other / "moved.py")
    resume(run.folder, samples=384, recipe="moved.py:MINE", display=Silent())
    assert run.record.recipe == f"{other / 'moved.py'}:MINE" and run.record.samples == 384

    # What is handed on has no path.
    assert read_json(run.model / "config.json")["recipe"] == "moved.py:MINE"
    assert "<title>moved.py:MINE on ring</title>" in run.report.read_text()
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in run.model.iterdir())


def test_each_checkpoint_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train("ring", samples=128, batch=64, width=8, latent_size=2, out=tmp_path / "run", display=Silent())
    run.report.unlink()  # As if it had been interrupted in its evaluation.
    count, read = Counter[Path](), checkpoint.read_tensors
    monkeypatch.setattr(checkpoint, "read_tensors", lambda path, **kind: count.update([path]) or read(path, **kind))
    monkeypatch.setattr(Session, "_finish", lambda session: None)
    monkeypatch.setattr(Session, "_save", lambda session, last=False: None)
    resume(run.folder, display=Silent())
    assert set(count.values()) == {1}


def test_a_refused_resumption_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    run = train("ring", samples=128, batch=64, width=8, latent_size=2, out=tmp_path / "run", display=Silent())
    run.report.unlink()
    for path in run.checkpoints.glob("*/players.safetensors"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    with pytest.raises(SparringError, match="no intact checkpoint"):
        resume(run.folder, display=Silent())
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before
