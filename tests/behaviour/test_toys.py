"""One toy for each kind of sample and game: every verb works for it.

They guard the design: a new kind of sample needs no more code than a toy has.
"""

import math
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import sparring
from sparring.api.apply import apply
from sparring.api.sample import sample
from sparring.data.dataset import Split
from sparring.flow import Figures, Progress
from sparring.runs.display import Silent
from sparring.samples import batch_size, floats, tensors
from sparring.storage import read_lines
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer

STEPS = 24
TOYS = Path(__file__).parents[1] / "toys"


class Stopping:
    """Display that interrupts the run after ``steps`` steps, as Ctrl-C does."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        if progress.step == self.steps:
            signal.raise_signal(signal.SIGINT)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def options_of(toy: ModuleType, folder: Path) -> dict[str, Any]:
    """Return the options that condition the toy's samples; some toys first write input files into ``folder``."""
    return toy.options(folder) if hasattr(toy, "options") else getattr(toy, "OPTIONS", {})


def test_every_verb_works(toy: ModuleType, tmp_path: Path, digest: Callable[[Path], dict[str, str]]) -> None:
    source, size = toy.write(tmp_path), STEPS * toy.RECIPE.batch

    # Inspect and train; runs that are stopped, in each phase if there are several, and resumed give the same bytes.
    assert sparring.inspect(source, sheet=tmp_path / "sheet", measure=False).training.recipe.startswith("toys/")
    run = sparring.train(source, samples=size, out=tmp_path / "run", display=Silent())
    for number, share in enumerate(getattr(toy, "STOPS", (1 / 3,))):
        stopped = tmp_path / f"stopped-{number}"
        with pytest.raises(sparring.Interrupted):
            sparring.train(source, samples=size, out=stopped, display=Stopping(round(STEPS * share)))
        resumed = sparring.resume(stopped, display=Silent())
        assert digest(resumed.folder) == digest(run.folder)
    assert not [event for event in read_lines(run.folder / "events.jsonl") if event["kind"] == "finding"]

    # Sample, publish, load.
    model, options = sparring.load(run.folder), options_of(toy, tmp_path)
    samples = model.sample(5, seed=1, **options)
    published = sparring.load(model.save_pretrained(tmp_path / "published")).sample(5, seed=1, **options)
    assert batch_size(samples) == 5 and type(samples) is type(published)
    assert all(torch.equal(*pair) for pair in zip(tensors(samples), tensors(published), strict=True))
    assert sample(run.folder, count=3, out=tmp_path / "samples", **options).files
    with pytest.raises(sparring.SparringError, match="colour="):
        sample(run.folder, count=3, out=tmp_path / "none", colour="red")
    if "input" in options:
        # Each input gives one sample, both for one file (Python) and for a list of files (command line).
        applied, conditions = model.apply(options["input"], seed=1), model.conditions(**options)
        files = apply(run.folder, [options["input"]], out=tmp_path / "applied")
        assert files.count == batch_size(applied) == batch_size(conditions) and files.overview
        assert all(map(torch.equal, tensors(applied), tensors(model.sample(condition=conditions, seed=1))))
        with pytest.raises(sparring.SparringError, match="Give input="):
            sample(run.folder, count=3, out=tmp_path / "none")

    # Evaluate, compare, diagnose.
    evaluation = sparring.evaluate(run.folder, source, count=64, all=True, report=tmp_path / "page.html")
    found = {name: score.value for scores in evaluation.scores for name, score in scores.metrics.items()}
    assert found["frechet"] is not None and math.isfinite(found["frechet"])
    for name in getattr(toy, "MEASURES", ()):
        assert evaluation.metrics[name].value is not None, name
    assert "path_length" in evaluation.metrics or not toy.KIND.blends
    verdict: Any = sparring.compare(run.folder, resumed.folder, source, count=64)
    assert verdict.lines() and sparring.diagnose(run.folder).text
    assert "<h1>" in (tmp_path / "page.html").read_text() and run.report.is_file()


def test_the_watchdog_observes_samples_of_every_kind(
    toy: ModuleType, trainer: Callable[..., tuple[Trainer, Split]]
) -> None:
    """The runs of the test above are too short for an observation."""
    played, split = trainer()
    observer = Observer(played, split, toy.KIND, seed=0)
    for _ in range(2):
        played.advance()
        observer.step()
        observation = observer.observe()
    named = ("distance", "diversity", "coverage", "moved", "nearer to training")
    assert all(math.isfinite(observation[name]) for name in named)
    assert ("contrast" in observation.values) == bool(floats(split.train.batch(slice(0, 1)).real))


def test_toys_are_small() -> None:
    for path in TOYS.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= (160 if path.stem in SHARED else 100), path.name


SHARED = ("kind", "exchange_game", "mixture_game")
"""Files that several toys or other tests share."""
