"""One toy for each kind of sample and game, with nothing but what is offered: all verbs work for it.

They guard the design: whoever adds a kind of sample writes no more than a toy has.
"""

import math
import signal
import wave
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm

import sparring
from sparring import generation
from sparring.data.view import View
from sparring.display import Silent
from sparring.flow import Progress
from sparring.judgement import Judgement
from sparring.modalities import MODALITIES
from sparring.recipes import DEFAULTS, RECIPES
from sparring.samples import batch_size, tensors
from sparring.storage import read_lines
from toys.trainers import CENTRES, SHARES, SPREADS

TOYS = ("rows", "waves", "clips", "clusters")
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


@pytest.mark.parametrize("toy", ["waves"], indirect=True)
def test_waves_are_heard_at_the_rate_of_the_data(toy: ModuleType, tmp_path: Path) -> None:
    source = toy.write(tmp_path)
    run = sparring.train(source, samples=4 * toy.RECIPE.batch, out=tmp_path / "run", display=Silent())
    assert {path.suffix for path in run.samples.iterdir()} == {".wav"}
    page = run.report.read_text()
    assert '<audio controls src="data:audio/wav;base64,' in page
    assert "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'\"" in page

    published = sparring.load(run.model)
    assert published.facts.coding == {"rate": 8000}
    (path,) = published.show(published.sample(3), tmp_path / "heard")
    with wave.open(str(path)) as heard:
        assert heard.getframerate() == 8000 and 3 * 48 <= heard.getnframes() <= 3 * 64


@pytest.mark.parametrize("toy", ["clusters"], indirect=True)
def test_a_mixture_comes_near_the_likelihood_of_the_truth(toy: ModuleType, tmp_path: Path) -> None:
    source = toy.write(tmp_path)
    run = sparring.train(source, samples=60 * toy.RECIPE.batch, out=tmp_path / "run", display=Silent())
    found = Judgement.from_run(run).measures["likelihood"].value
    points = toy.KIND.survey(source).prepare(View((2,))).held_out.samples
    densities = norm.pdf(points[:, None], CENTRES, SPREADS).prod(2) @ SHARES
    assert found is not None and abs(found - np.log(densities).mean()) < 0.2


def test_all_verbs_work(toy: ModuleType, tmp_path: Path, digest: Callable[[Path], dict[str, str]]) -> None:
    source, samples = toy.write(tmp_path), STEPS * toy.RECIPE.batch

    # Inspect, train, and train with a stop in the middle: the same bytes.
    assert sparring.inspect(source, sheet=tmp_path / "sheet", measure=False).prospect.recipe.startswith("toys/")
    run = sparring.train(source, samples=samples, out=tmp_path / "run", display=Silent())
    with pytest.raises(sparring.Interrupted):
        sparring.train(source, samples=samples, out=tmp_path / "stopped", display=Stopping(STEPS // 3))
    resumed = sparring.resume(tmp_path / "stopped", display=Silent())
    assert digest(resumed.folder) == digest(run.folder)
    assert not [event for event in read_lines(run.folder / "events.jsonl") if event["kind"] == "finding"]

    # Sample, publish, load.
    model, asked = sparring.load(run.folder), getattr(toy, "ASKED", {})
    made = model.sample(5, seed=1, **asked)
    again = sparring.load(model.save_pretrained(tmp_path / "published")).sample(5, seed=1, **asked)
    assert batch_size(made) == 5 and type(made) is type(again)
    assert all(torch.equal(*pair) for pair in zip(tensors(made), tensors(again), strict=True))
    assert generation.sample(run.folder, count=3, out=tmp_path / "made", **asked).files
    with pytest.raises(sparring.SparringError, match="--colour"):
        generation.sample(run.folder, count=3, out=tmp_path / "none", colour="red")
    if "input" in asked:
        applied = generation.apply(run.folder, asked["input"], out=tmp_path / "applied")
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
