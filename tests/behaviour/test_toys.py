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

import numpy as np
import pytest
import torch

import sparring
from sparring import generation
from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.display import Silent
from sparring.flow import Progress
from sparring.judging import judge
from sparring.modalities import MODALITIES
from sparring.model import Model
from sparring.randomness import Draw, seeded
from sparring.recipes import DEFAULTS, RECIPES
from sparring.samples import batch_size, tensors
from sparring.storage import read_lines
from sparring.subject import of_model
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer, due

TOYS = ("rows", "pairs", "domains")
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


def asked_of(toy: ModuleType, folder: Path) -> dict[str, Any]:
    """What a person asks of the toy; ``asked`` writes inputs into the folder first."""
    return toy.asked(folder) if hasattr(toy, "asked") else getattr(toy, "ASKED", {})


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
    model, asked = sparring.load(run.folder), asked_of(toy, tmp_path)
    made = model.sample(5, seed=1, **asked)
    again = sparring.load(model.save_pretrained(tmp_path / "published")).sample(5, seed=1, **asked)
    assert batch_size(made) == 5 and type(made) is type(again)
    assert all(torch.equal(*pair) for pair in zip(tensors(made), tensors(again), strict=True))
    assert generation.sample(run.folder, count=3, out=tmp_path / "made", **asked).files
    with pytest.raises(sparring.SparringError, match="--colour"):
        generation.sample(run.folder, count=3, out=tmp_path / "none", colour="red")
    if "input" in asked:
        # One sample for each input, be it one file as from Python, or a list as from the command line.
        applied, told = model.apply(asked["input"], seed=1), model.conditions(**asked)
        files = generation.apply(run.folder, [asked["input"]], out=tmp_path / "applied")
        assert files.count == batch_size(applied) == batch_size(told) and files.shown
        assert all(map(torch.equal, tensors(applied), tensors(model.sample(condition=told, seed=1))))
        with pytest.raises(sparring.SparringError, match="give --input FILE"):
            generation.sample(run.folder, count=3, out=tmp_path / "none")

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


def trainer_of(toy: ModuleType, source: str, steps: int) -> tuple[Trainer, Split]:
    """A trainer of the toy that has not begun, and the data."""
    survey = toy.KIND.survey(source)
    split = survey.prepare(toy.RECIPE.view(survey.facts))
    with seeded(0, "weights"):
        game = toy.RECIPE.game(split.facts)
    numbers = {"batch": toy.RECIPE.batch, "samples": steps * toy.RECIPE.batch}
    plan = Plan(toy.RECIPE.optimisers(), average_half_life=toy.RECIPE.average_half_life, **numbers)
    return Trainer(game, split.train, plan), split


@pytest.mark.parametrize("toy", ["pairs"], indirect=True)
def test_pairs_are_judged_beside_their_own_truth(toy: ModuleType, tmp_path: Path) -> None:
    trainer, split = trainer_of(toy, toy.write(tmp_path), 200)
    for _ in trainer:
        pass
    model = Model(trainer.average, toy.RECIPE, "toys/pairs", split.facts, {})
    made = of_model(model, "pairs").batch(split, 64, 0)
    shuffled = made._replace(true=made.true.roll(1, 0))
    own, other = (judge("pairs", one, split, toy.KIND).measures for one in (made, shuffled))
    assert own["l1"].value < 0.6 * other["l1"].value
    assert own["psnr"].value > 3 + other["psnr"].value and own["ssim"].value > 0.3 + other["ssim"].value

    # What is applied to files comes in their order.
    inputs = toy.asked(tmp_path)["input"]
    made, true = model.apply(inputs), toy.load(inputs, View(())).batch(slice(None)).real
    apart = (made[:, None] - true[None]).abs().flatten(2).mean(2)
    assert apart.argmin(1).tolist() == list(range(7))


@pytest.mark.parametrize("toy", ["domains"], indirect=True)
def test_domains_may_have_different_sizes(toy: ModuleType, tmp_path: Path) -> None:
    """Partners are drawn anew for every batch in training, and stay what they are in judging."""
    source = toy.write(tmp_path, 250, 90)
    data, others = toy.load(source, View((2,), "other")), np.load(source)["b"]
    rows = np.arange(250)
    again = [data.batch(rows, draw=Draw(0, step, 250, slice(0, 250))).condition for step in (0, 0, 1)]
    assert torch.equal(again[0], again[1]) and not torch.equal(again[0], again[2])
    assert len(again[0].unique(dim=0)) > 80 and not torch.equal(again[0][:90], again[0][90:180])
    assert data.batch(rows).condition.numpy() == pytest.approx(others[rows % 90])
    assert data.at(rows[200:]).batch(slice(0, 5)).condition.numpy() == pytest.approx(others[20:25])


@pytest.mark.parametrize("toy", ["domains"], indirect=True)
def test_domains_are_watched_over_two_judges_and_have_no_truth(toy: ModuleType, tmp_path: Path) -> None:
    trainer, split = trainer_of(toy, toy.write(tmp_path), 192)
    observer, looks = Observer(trainer, split, toy.KIND, 0), []
    for _ in trainer:
        observer.step()
        if due(trainer.step):
            leads = [trainer.figures[f"critic {domain}: lead"] for domain in "ab"]
            looks.append(observer.look())
    critics = [looks[-1][f"critic {domain} gradient"] for domain in "ab"]
    assert len(looks) == 3 and looks[-1]["discriminator gradient"] == pytest.approx(sum(critics) / 2, rel=1e-4)
    assert looks[-1]["lead"] == pytest.approx(sum(leads) / 2, rel=0.2)
    assert looks[-1]["generator gradient"] == looks[-1]["generators gradient"]
    assert all(math.isfinite(looks[-1][name]) for name in ("swing", "distance", "coverage", "moved", "outside"))
    assert all(trainer.game.players[f"critic {domain}"].filled.all() for domain in "ab")

    # Each input has its own answer, whichever stands beside it; and none of them is the true one.
    model = Model(trainer.average, toy.RECIPE, "toys/domains", split.facts, {})
    told = model.conditions(**toy.asked(tmp_path))
    assert model.sample(condition=told.flip(0)).flip(0) == pytest.approx(model.sample(condition=told), abs=1e-5)
    made = of_model(model, "domains").batch(split, 64, 0)
    assert made.true is None and made.batch.condition.shape == (64, 2)
