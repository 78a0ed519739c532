"""One call begins a run, goes on with it and finds it finished; other options and other data are refused."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from sparring.api.train import train
from sparring.errors import SparringError
from sparring.flow import Figures, Progress
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.runs.session import Interrupted
from sparring.storage import write_text
from sparring.training.checkpoint import checkpoints

pytestmark = pytest.mark.usefixtures("undrawn_figures")

Train = Callable[..., Run]


class Said:
    """Display that keeps what it is told, and may ask the run to stop after its third step."""

    def __init__(self, *, stops: bool = False) -> None:
        self.stops, self.said = stops, list[str]()

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        if self.stops and progress.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train on a few points into the folder "run", without an evaluation: ``small(display, width=16)``."""

    def conclude(run: Run, *_: Any) -> None:
        write_text(run.report, "<!doctype html>")

    monkeypatch.setattr("sparring.api.train.conclude", conclude)
    monkeypatch.setattr("sparring.api.resume.conclude", conclude)
    for seed, name in enumerate(("points", "others")):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(seed).normal(size=(150, 2)).astype(np.float32))
    usual = {"samples": 384, "batch": 64, "width": 8, "latent_size": 2, "out": tmp_path / "run", "continued": True}

    def call(data: str | Path = tmp_path / "points.npy", display: Any = None, **options: Any) -> Run:
        given = {name: value for name, value in (usual | options).items() if value is not None}
        return train(data, display=display or Silent(), **given)

    return call


def weights(run: Run) -> dict[str, bytes]:
    newest = checkpoints(run.checkpoints)[-1]
    return {
        f"{file.name}/{name}": tensor.tobytes()
        for file in newest.glob("*.safetensors")
        for name, tensor in load_file(file).items()
    }


def test_the_same_call_begins_goes_on_and_finds_the_run_finished(small: Train, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        small(display=Said(stops=True))
    interrupted, finished = Said(), Said()
    run = small(display=interrupted)
    assert any("128" in line or "192" in line for line in interrupted.said), interrupted.said
    assert weights(run) == weights(small(out=tmp_path / "whole"))
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    assert small(display=finished) == run
    assert finished.said == [f"The run in {run.folder} is finished: nothing to do."]
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


def test_other_options_and_other_data_are_refused_by_name(small: Train, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        small(display=Said(stops=True))
    for options, said in (
        ({"width": 16}, "width=16, but expected 8"),
        ({"latent_size": None}, "no latent_size=, but expected 2"),
        ({"gamma": 0.5}, "gamma=0.5, but expected none"),
        ({"seed": 1}, "seed=1, but expected 0"),
        ({"samples": 768}, "samples=768, but expected 384.*sparring resume .*run --samples 768"),
        ({"samples": None, "minutes": 1}, "minutes=1"),
        ({"until": "settled"}, "until='settled', but expected none"),
        ({"recipe": "points/vae"}, "recipe='points/vae', but expected points/ring"),
        ({"range": (0, 4)}, r"range=\(0.0, 4.0\), but expected none"),
        ({"data": tmp_path / "others.npy"}, "other data"),
        ({"out": None}, "continued= without out="),
    ):
        with pytest.raises(SparringError, match=said):
            small(**options)
    assert small(recipe="points/ring").report.exists()  # The default, by its name.
    # Of a finished run other data is refused, too; the same data in another place is not.
    with pytest.raises(SparringError, match="other data"):
        small(tmp_path / "others.npy")
    (tmp_path / "points.npy").rename(tmp_path / "moved.npy")
    assert small(tmp_path / "moved.npy").report.exists()


def test_a_folder_of_other_files_is_refused(small: Train, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").touch()
    with pytest.raises(SparringError, match="runs are never overwritten"):
        small()
