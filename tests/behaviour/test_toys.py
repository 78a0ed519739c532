"""One toy for each kind of sample and game, with nothing but what is offered: all verbs work for it.

They guard the design: whoever adds a kind of sample writes no more than a toy has.
"""

import math
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import sparring
from sparring.api.apply import apply
from sparring.api.sample import sample
from sparring.flow import Progress
from sparring.modalities import MODALITIES
from sparring.recipes import DEFAULTS, RECIPES
from sparring.runs.display import Silent
from sparring.samples import batch_size, tensors
from sparring.storage import read_lines

TOYS = ("rows",)
STEPS = 24


class Stopping:
    """A display that presses Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: dict[str, float], rate: float, left: float, health: str) -> None:
        if progress.step == self.steps:
            signal.raise_signal(signal.SIGINT)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(params=TOYS)
def toy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The toy, registered by its two lines."""
    module, name = import_module(f"toys.{request.param}"), request.param
    monkeypatch.setitem(MODALITIES, module.KIND.name, f"toys.{name}:KIND")
    monkeypatch.setitem(RECIPES, f"toys/{name}", module.RECIPE)
    monkeypatch.setitem(DEFAULTS, module.KIND.name, f"toys/{name}")
    yield module


def test_all_verbs_work(toy: ModuleType, tmp_path: Path, digest: Callable[[Path], dict[str, str]]) -> None:
    source, size = toy.write(tmp_path), STEPS * toy.RECIPE.batch

    # Inspect, train, and train with a stop in the middle: the same bytes.
    assert sparring.inspect(source, sheet=tmp_path / "sheet", measure=False).prospect.recipe.startswith("toys/")
    run = sparring.train(source, samples=size, out=tmp_path / "run", display=Silent())
    with pytest.raises(sparring.Interrupted):
        sparring.train(source, samples=size, out=tmp_path / "stopped", display=Stopping(STEPS // 3))
    resumed = sparring.resume(tmp_path / "stopped", display=Silent())
    assert digest(resumed.folder) == digest(run.folder)
    assert not [event for event in read_lines(run.folder / "events.jsonl") if event["kind"] == "finding"]

    # Sample, publish, load.
    model, asked = sparring.load(run.folder), getattr(toy, "ASKED", {})
    made = model.sample(5, seed=1, **asked)
    again = sparring.load(model.save_pretrained(tmp_path / "published")).sample(5, seed=1, **asked)
    assert batch_size(made) == 5 and type(made) is type(again)
    assert all(torch.equal(*pair) for pair in zip(tensors(made), tensors(again), strict=True))
    assert sample(run.folder, count=3, out=tmp_path / "made", **asked).files
    with pytest.raises(sparring.SparringError, match="--colour"):
        sample(run.folder, count=3, out=tmp_path / "none", colour="red")
    if "input" in asked:
        applied = apply(run.folder, asked["input"], out=tmp_path / "applied")
        assert applied.count == batch_size(model.conditions(input=asked["input"])) and applied.shown

    # Judge, compare, diagnose.
    judged = sparring.evaluate(run.folder, source, count=64, report=tmp_path / "page.html")
    found = {name: score.value for scores in judged.scores for name, score in scores.measures.items()}
    assert found["frechet"] is not None and math.isfinite(found["frechet"])
    for name in getattr(toy, "MEASURES", ()):
        assert judged.measures[name].value is not None, name
    assert "path_length" in judged.measures or not toy.KIND.blends
    verdict: Any = sparring.compare(run.folder, resumed.folder, source, count=64)
    assert verdict.lines() and sparring.diagnose(run.folder).words()
    assert "<h1>" in (tmp_path / "page.html").read_text() and run.report.is_file()
