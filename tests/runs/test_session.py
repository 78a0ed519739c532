"""Whole runs, from data to the run folder."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.api.resume import resume
from sparring.api.train import train
from sparring.errors import SparringError
from sparring.flow import Figures, Progress
from sparring.recipes import RECIPES
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import read_json, read_lines, write_json
from sparring.training.checkpoint import checkpoints

SMALL: dict[str, Any] = {"samples": 640, "batch": 64, "width": 8, "latent_size": 2}


class Listener:
    """Display that records sentences and fractions."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.fractions: list[float] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        self.fractions.append(progress.fraction)
        assert rate > 0 and left >= 0 and health

    def count(self, what: str, done: int, total: int) -> None:
        assert what == "evaluating" and 0 < done <= total

    def close(self) -> None:
        self.sentences.append("closed")


@pytest.fixture
def points(tmp_path: Path) -> Path:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    return tmp_path / "points.npy"


def test_a_run_writes_its_folder(points: Path, tmp_path: Path) -> None:
    listener = Listener()
    run = train(points, out=tmp_path / "run", seed=5, display=listener, **SMALL)
    files = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}
    assert {
        "recipe.json",
        "log.jsonl",
        "events.jsonl",
        "reals.png",
        "samples.png",
        "scores.json",
        "report.html",
        "model/config.json",
        "model/weights.safetensors",
        "model/README.md",
        "checkpoints/000000640/manifest.json",
    } <= files
    assert {Path(name).suffix for name in files} <= {".json", ".jsonl", ".png", ".html", ".safetensors", ".md", ""} | {
        suffix for name in files if name.startswith("tensorboard") for suffix in [Path(name).suffix]
    }
    lines = read_lines(run.folder / "log.jsonl")
    assert [line["samples"] for line in lines] == list(range(64, 641, 64))
    assert "adversarial" in lines[0]["terms"]["generator"] and "r1" in lines[0]["terms"]["discriminator"]
    assert lines[0]["samples_per_second"] > 0 and "gamma" in lines[0]["controls"]
    assert listener.fractions[-1] == 1.0
    assert listener.sentences[0].startswith("Training points/ring on 200 samples")
    assert "width = 8 (given)" in listener.sentences[0]
    record = run.record
    assert (record.seed, record.samples, record.fields["width"]) == (5, 640, 8)
    assert record.choices["gamma"]["reason"] == "the recipe's default"


def test_a_recipe_can_be_given_as_a_value(points: Path, tmp_path: Path) -> None:
    recipe = RECIPES["points/vae"].model_copy(update={"batch": 50, "width": 8})
    run = train(points, recipe=recipe, samples=100, out=tmp_path / "run", display=Silent())
    assert run.record.fields["width"] == 8


def test_a_run_ends_when_its_time_is_spent(points: Path, tmp_path: Path) -> None:
    numbers = {**SMALL, "samples": None}
    run = train(points, minutes=0.01, out=tmp_path / "run", display=Silent(), **numbers)
    state = read_json(checkpoints(run.checkpoints)[-1] / "state.json")
    assert 0.6 <= state["seconds"] < 30 and state["samples"] > 0
    assert run.record.samples is None


def test_a_run_ends_when_its_goal_is_reached(points: Path, tmp_path: Path) -> None:
    listener = Listener()
    run = train(points, until="fd<1000", out=tmp_path / "run", display=listener, **SMALL)
    assert int(checkpoints(run.checkpoints)[-1].name) < 640
    assert any(sentence.startswith("The goal fd < 1000 is reached") for sentence in listener.sentences)
    assert run.report.exists()


def test_a_finished_run_is_not_trained_further(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    with pytest.raises(SparringError, match="a finished run"):
        resume(run.folder, display=Silent())


@pytest.mark.parametrize("until", [None, "fd<1000"])
def test_a_run_interrupted_in_its_evaluation_is_evaluated_again(
    until: str | None, points: Path, tmp_path: Path
) -> None:
    """It is not trained further, whether its budget was spent or its goal was reached."""
    run = train(points, until=until, out=tmp_path / "run", display=Silent(), **SMALL)
    before = {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}
    run.report.unlink()
    resume(run.folder, display=Silent())
    assert run.report.exists()
    assert before == {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}


def test_resume_refuses_other_data(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    run.report.unlink()
    np.save(points, np.zeros((200, 2), dtype=np.float32))
    with pytest.raises(SparringError, match="other data"):
        resume(run.folder, display=Silent())


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"samples": 0}, "above zero"),
        ({"minutes": float("nan")}, "above zero"),
        ({"batch": 201}, "at least a batch of 201"),
        ({"recipe": "images/dcgan"}, "images, which is what the recipe"),
        ({"colour": 3}, "colour"),
        ({"until": "good"}, "a comparison"),
        ({"device": "abacus"}, "no device"),
        ({"watchdog": "Repair"}, "one of repair, warn, off"),
        ({"watchdog": "off", "until": "settled"}, "Leave one of the two out"),
    ],
)
def test_refused_options_leave_no_run_folder(choices: dict[str, Any], words: str, points: Path, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=words):
        train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, **choices})
    assert not (tmp_path / "run").exists()


@pytest.fixture
def own_recipe(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "mine.py").write_text(
        "from sparring.modalities.points.recipes.vae import PointVAE\nVALUE = PointVAE(width=8, batch=50)\n"
    )
    yield f"{tmp_path / 'mine.py'}:VALUE"


def test_code_named_in_a_run_folder_is_executed_only_if_passed_explicitly(
    own_recipe: str, points: Path, tmp_path: Path
) -> None:
    from sparring.model import load

    run: Run = train(points, recipe=own_recipe, samples=100, out=tmp_path / "run", display=Silent())
    run.report.unlink()
    for call in (lambda: resume(run.folder, display=Silent()), lambda: load(run.folder)):
        with pytest.raises(SparringError, match="code is never run"):
            call()
    resume(run.folder, recipe=own_recipe, display=Silent())
    assert load(run.folder, recipe=own_recipe).sample(3).shape == (3, 2)


def test_samples_of_a_seed_do_not_depend_on_their_number(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    from sparring.model import load

    model = load(run.folder)
    assert torch.equal(model.sample(5, seed=1), model.sample(9, seed=1)[:5])


class Removing(Listener):
    """Display that removes or moves the run folder after the third step."""

    def __init__(self, folder: Path, target: Path | None) -> None:
        super().__init__()
        self.folder, self.target = folder, target

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        super().step(progress, figures, rate, left, health)
        if len(self.fractions) == 3:
            shutil.move(self.folder, self.target) if self.target else shutil.rmtree(self.folder)


@pytest.mark.parametrize("moved", [False, True])
def test_a_run_whose_folder_is_removed_or_moved_ends_at_once(moved: bool, points: Path, tmp_path: Path) -> None:
    display = Removing(tmp_path / "run", tmp_path / "moved" if moved else None)
    with pytest.raises(SparringError, match="removed or moved during the run"):
        train(points, out=tmp_path / "run", display=display, **SMALL)
    assert len(display.fractions) <= 4 and not (tmp_path / "run").exists()
    if moved:
        assert resume(tmp_path / "moved", display=Silent()).report.exists()


def test_resume_compares_shapes_before_it_builds_networks(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    run.report.unlink()
    record = run.record
    choices = {**record.choices, "width": {"value": 20_000, "reason": "given"}}
    write_json(run.folder / "recipe.json", replace(record, choices=choices).as_json())
    with pytest.raises(SparringError, match="of other networks"):
        resume(run.folder, display=Silent())


def test_damage_to_signals_is_told_when_a_run_is_resumed(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, "samples": 64 * 200})
    run.report.unlink()
    events = run.folder / "events.jsonl"
    resume(run.folder, display=Silent())
    assert "observations changed" not in events.read_text()
    run.report.unlink()
    signals = run.folder / "signals.jsonl"
    signals.write_text(signals.read_text().replace('"spent": 0.', '"spent": 1.', 1))
    resume(run.folder, display=Silent())
    assert "observations changed" in events.read_text()
