"""Outputs are checked before any work, and their folders are created."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.api import diagnose, inspect
from sparring.api.outputs import output_path, require_writable, write_result
from sparring.errors import SparringError
from sparring.rendering.figures import blank_figure, file_of
from sparring.runs.display import Silent
from sparring.storage import write_json

VERBS: dict[str, Callable[[Path, Path], Any]] = {
    "evaluate --json": lambda data, path: sparring.evaluate(data, data, json=path, display=Silent()),
    "evaluate --report": lambda data, path: sparring.evaluate(data, data, report=path, display=Silent()),
    "compare --json": lambda data, path: sparring.compare(data, data, data, json=path, display=Silent()),
    "inspect --json": lambda data, path: inspect.inspect(data, json=path, measure=False),
    "inspect --sheet": lambda data, path: inspect.inspect(data, sheet=path, measure=False),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).standard_normal((60, 2)))
    return tmp_path / "points.npy"


@pytest.mark.parametrize("verb", VERBS)
def test_folders_of_outputs_are_created(verb: str, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "er" / ("sheet.png" if "sheet" in verb else "output.json")
    VERBS[verb](data, path)
    assert path.stat().st_size > 100


@pytest.mark.parametrize("verb", VERBS)
def test_outputs_are_checked_before_the_data(verb: str, tmp_path: Path) -> None:
    """The data does not exist, yet the output is refused first."""
    with pytest.raises(SparringError, match=f"Found {verb.split()[1].removeprefix('--')}=.*, a folder"):
        VERBS[verb](tmp_path / "none.npy", tmp_path)


@pytest.mark.parametrize("option", ["picture", "json"])
def test_diagnose_checks_its_outputs_before_the_run(option: str, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=f"{option}=.*, a folder"):
        diagnose.diagnose(tmp_path / "none", **{option: tmp_path})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "names no file"),
        ("file/x.json", "cannot be written"),
        ("n" * 300, "cannot be written"),
        ("n" * 250, "name is too long"),
        (f"{'n' * 256}/x.json", "name is too long"),
        ("\0", "for json=, but expected the path of a file"),
        (3, "3 for json=, but expected the path of a file"),
    ],
)
def test_places_that_cannot_be_written_are_refused_and_left_as_they_are(
    path: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SparringError, match=said):
        require_writable({"json": path})
    assert [one.name for one in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "kept"


def test_only_earlier_results_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    write_json(tmp_path / "run" / "recipe.json", {"format": 1, "recipe": "points/ring"})
    write_json(tmp_path / "run" / "model" / "a.json", {})
    write_result(tmp_path / "result.json", {"metrics": {}})
    (tmp_path / "table.csv").write_text("x,y\n1,2\n")
    (tmp_path / "data").mkdir()
    write_json(tmp_path / "data" / "labels.json", {"a.png": 3})
    require_writable({"json": tmp_path / "result.json"}, tmp_path / "table.csv")
    require_writable({"json": tmp_path / "run" / "new.json", "report": tmp_path / "data" / "new.html"}, "data")
    for option, path, said in (
        ("json", "table.csv", "which sparring has not written"),
        ("sheet", "table.csv", "which sparring has not written"),
        ("json", "run/recipe.json", "which is a file of the model in run"),
        ("json", "run/model/a.json", "which is a file of the model in run"),
        ("json", "data/labels.json", "which is a part of the data"),
        ("report", "result.json", "which sparring has not written"),
    ):
        with pytest.raises(SparringError, match=f"{option}=.*{path}., {said}"):
            require_writable({option: tmp_path / path}, tmp_path / "data")


@pytest.mark.parametrize("length", range(235, 256))
def test_whatever_passes_the_check_can_be_written(length: int, tmp_path: Path) -> None:
    path = tmp_path / ("é" + "n" * (length - 2))
    try:
        require_writable({"json": path})
    except SparringError:
        assert length > 240
    else:
        write_json(output_path(path), {})


def test_two_outputs_cannot_be_one_file(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"report=.*the same file as json="):
        require_writable({"json": tmp_path / "a", "report": str(tmp_path / "a")})


def test_a_check_makes_the_folders_of_outputs_and_nothing_else(tmp_path: Path) -> None:
    require_writable({"json": tmp_path / "a" / "b.json", "report": None})
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    with pytest.raises(SparringError, match="a folder"):
        require_writable({"json": tmp_path / "c" / "b.json", "report": tmp_path})
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]


def test_an_earlier_result_is_replaced(data: Path, tmp_path: Path) -> None:
    write_result(tmp_path / "facts.json", {})
    inspect.inspect(data, json=tmp_path / "facts.json", measure=False)
    assert json.loads((tmp_path / "facts.json").read_text())["facts"]["count"] == 60


def test_files_of_other_programs_are_not_replaced_though_they_are_of_the_same_kind(tmp_path: Path) -> None:
    """Photographs, JSON and pages of the user begin as ours do; ours carry a mark."""
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    (tmp_path / "package.json").write_text('{"recipes": ["soup"], "by": {"software": "sparring"}}')
    (tmp_path / "page.html").write_text("<!doctype html><html></html>")
    (tmp_path / "scores.csv").write_text("name,score\na,1\n")
    files = {"picture": "photo.png", "sheet": "photo.png", "path": "photo.png", "json": "package.json"}
    for option, name in {**files, "report": "page.html", "out": "scores.csv"}.items():
        with pytest.raises(SparringError, match="which sparring has not written"):
            require_writable({option: tmp_path / name})


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_figures_are_marked_so_that_they_can_be_replaced(kind: str, tmp_path: Path) -> None:
    (tmp_path / f"plot.{kind}").write_bytes(file_of(blank_figure(2, 2), kind))
    require_writable({"path": tmp_path / f"plot.{kind}"})


def test_a_device_is_no_place_for_json() -> None:
    with pytest.raises(SparringError, match=r"which is a device.*Give another path"):
        require_writable({"json": "/dev/stdout"})
