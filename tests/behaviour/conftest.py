"""Fixtures that run the command line in child processes, train recipes and toys, and digest checkpoints."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from sparring.data.dataset import Split
from sparring.modalities import MODALITIES
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Recipe
from sparring.recipes import DEFAULTS, RECIPES
from sparring.training.checkpoint import checkpoints
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Run the command line in a child process → (exit code, output): ``command("train", "ring", seconds=0.5, …)``."""
    driver = Path(__file__).with_name("driver.py")
    server = subprocess.Popen([sys.executable, str(driver)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None and server.stdout is not None
    folder = tmp_path_factory.mktemp("output")

    def run(*words: Any, **choices: Any) -> tuple[int, str]:
        output = folder / f"{len(list(folder.iterdir()))}.txt"
        request = {"words": [str(word) for word in words], "output": str(output), **choices}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        return answer["code"], output.read_text()

    yield run
    server.stdin.close()
    server.stdout.close()
    assert server.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of 150 points: few enough for a fast evaluation and for many epochs per run."""
    path = tmp_path_factory.mktemp("data") / "points.npy"
    np.save(path, np.random.default_rng(0).normal((1.0, -1.0), 0.3, size=(150, 2)).astype(np.float32))
    return path


@pytest.fixture(scope="session")
def digest() -> Callable[[Path], dict[str, str]]:
    """SHA-256 of every tensor in the newest checkpoint of a run folder, with its step, samples and micro-batch size."""

    def of(run: Path) -> dict[str, str]:
        newest = checkpoints(run / "checkpoints")[-1]
        found = {"name": newest.name}
        for file in sorted(newest.glob("*.safetensors")):
            for name, tensor in load_file(file).items():
                content = f"{tensor.shape}{tensor.dtype}".encode() + tensor.tobytes()
                found[f"{file.stem}/{name}"] = sha256(content).hexdigest()
        state = json.loads((newest / "state.json").read_text())
        return found | {name: str(state[name]) for name in ("step", "samples", "micro_batch")}

    return of


@pytest.fixture(scope="session")
def learned() -> Callable[..., torch.Tensor]:
    """Samples of the averaged generator, classes in turn, after a number of steps: ``learned(recipe, split, 1500)``."""

    def samples(recipe: Recipe, split: Split, steps: int, *, count: int = 2500, seed: int = 0) -> torch.Tensor:
        with seeded(seed, "weights"):
            game = recipe.game(split.facts)
        numbers = {"batch": recipe.batch, "samples": steps * recipe.batch, "seed": seed}
        plan = Plan(recipe.optimisers(), average_half_life=recipe.average_half_life, **numbers)
        trainer = Trainer(game, split.train, plan)
        for _ in trainer:
            pass
        assert trainer.guard.total == 0

        # Sample from the average, with classes in turn.
        labels = torch.arange(count) % len(split.facts.classes) if split.facts.classes else None
        with torch.no_grad():
            return trainer.average.generate(
                game.latent(RandomStream(seed, 0, count, slice(0, count), "judged/")), labels
            )

    return samples


TOYS = ("rows", "pairs", "domains", "tokens", "graphs", "waves", "clips", "clusters", "halves")
"""Modules of ``tests/toys``, one toy each."""


@pytest.fixture(params=TOYS)
def toy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """One toy, registered as a modality with its default recipe."""
    module, name = import_module(f"toys.{request.param}"), request.param
    monkeypatch.setitem(MODALITIES, module.KIND.name, f"toys.{name}:KIND")
    monkeypatch.setitem(RECIPES, f"toys/{name}", module.RECIPE)
    monkeypatch.setitem(DEFAULTS, module.KIND.name, f"toys/{name}")
    yield module


@pytest.fixture
def trainer(toy: ModuleType, tmp_path: Path) -> Callable[..., tuple[Trainer, Split]]:
    """Trainer of the toy, with its data: ``trainer(steps=2, micro_batch=1)``."""

    def make(steps: int = 24, **numbers: Any) -> tuple[Trainer, Split]:
        facts = toy.KIND.survey(toy.write(tmp_path)).facts
        split = toy.KIND.survey(facts.source).prepare(toy.RECIPE.view(facts))
        with seeded(0, "weights"):
            game = toy.RECIPE.game(facts)
        plan = Plan(toy.RECIPE.optimisers(), toy.RECIPE.batch, steps * toy.RECIPE.batch, **numbers)
        return Trainer(game, split.train, plan), split

    return make
