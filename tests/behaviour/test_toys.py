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
from sparring import generation
from sparring.data.dataset import Split
from sparring.display import Silent
from sparring.flow import Progress
from sparring.modalities import MODALITIES
from sparring.randomness import seeded
from sparring.recipes import DEFAULTS, RECIPES
from sparring.samples import batch_size, floats, tensors
from sparring.storage import read_lines
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer

TOYS = ("rows", "tokens", "graphs", "halves")
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
    source, samples = toy.write(tmp_path), STEPS * toy.RECIPE.batch

    # Inspect, train, and train with a stop in the middle, or in each phase: the same bytes.
    assert sparring.inspect(source, sheet=tmp_path / "sheet", measure=False).prospect.recipe.startswith("toys/")
    run = sparring.train(source, samples=samples, out=tmp_path / "run", display=Silent())
    for number, share in enumerate(getattr(toy, "STOPS", (1 / 3,))):
        stopped = tmp_path / f"stopped-{number}"
        with pytest.raises(sparring.Interrupted):
            sparring.train(source, samples=samples, out=stopped, display=Stopping(round(STEPS * share)))
        resumed = sparring.resume(stopped, display=Silent())
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


@pytest.fixture
def trainer(toy: ModuleType, tmp_path: Path) -> Callable[..., tuple[Trainer, Split]]:
    """A trainer of the toy, and its data: ``trainer(steps=2, micro_batch=1)``."""

    def make(steps: int = STEPS, **numbers: Any) -> tuple[Trainer, Split]:
        facts = toy.KIND.survey(toy.write(tmp_path)).facts
        split = toy.KIND.survey(facts.source).prepare(toy.RECIPE.view(facts))
        with seeded(0, "weights"):
            game = toy.RECIPE.game(facts)
        plan = Plan(toy.RECIPE.optimisers(), toy.RECIPE.batch, steps * toy.RECIPE.batch, **numbers)
        return Trainer(game, split.train, plan), split

    return make


def test_watchdog_sees_samples_of_every_kind(toy: ModuleType, trainer: Callable[..., tuple[Trainer, Split]]) -> None:
    """The runs above are too short for a look."""
    played, split = trainer()
    observer = Observer(played, split, toy.KIND, seed=0)
    for _ in range(2):
        played.advance()
        observer.step()
        look = observer.look()
    named = ("distance", "diversity", "coverage", "moved", "nearer to training")
    assert all(math.isfinite(look[name]) for name in named)
    assert ("contrast" in look.values) == bool(floats(split.train.batch(slice(0, 1)).real))


@pytest.mark.parametrize("toy", ["tokens", "halves"], indirect=True)
def test_micro_batches_sum_to_the_whole_batch(trainer: Callable[..., tuple[Trainer, Split]]) -> None:
    """In each phase; and where a micro-batch has no known label at all."""
    (whole, split), (parts, _) = trainer(steps=2), trainer(steps=2, micro_batch=1)
    for _ in zip(whole, parts, strict=True):
        terms = {name: value for name, value in whole.fresh.items() if "/" in name}
        assert terms and terms == pytest.approx({name: parts.fresh[name] for name in terms}, rel=1e-3, abs=1e-6)
    assert split.train.labels is None or {-1, 0, 1, 2} == set(split.train.labels)


@pytest.mark.parametrize("toy", ["halves"], indirect=True)
def test_rows_without_a_known_label_teach_the_classifier_nothing(trainer: Callable[..., tuple[Trainer, Split]]) -> None:
    played, split = trainer()
    batch = split.train.at(split.train.labels < 0).batch(slice(0, 8))
    terms: Any = played.game.turns(played.progress)[-1].terms(batch, played.progress)
    terms["labels"].backward()
    gradients = [weight.grad for weight in played.game.players["classifier"].parameters()]
    assert terms["labels"] == 0 and not torch.cat([gradient.flatten() for gradient in gradients]).any()
