"""Time of a step of recipes in two versions of the source, to see whether a change costs speed.

    git worktree add ../before COMMIT
    python benchmarks/versions.py ../before/src src [--rounds 31] [--steps 3] [--threads 1]

Both versions are loaded into one process, one after the other, and their steps are interleaved; random data in memory.
Prints the median of the ratios of paired rounds, with the range of their middle half.
"""

import argparse
import inspect
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

CASES: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "dcgan 32 × 32": ("images/dcgan", {"resolution": 32, "width": 32}, (3, 32, 32)),
    "r3gan 32 × 32, 10 classes": ("images/r3gan", {"resolution": 32}, (1, 32, 32)),
    "r3gan 8 × 8, 10 classes": ("images/r3gan", {"resolution": 8}, (1, 8, 8)),
    "points": ("points/ring", {}, (2,)),
}


def load(source: Path) -> dict[str, Any]:
    """Import one version after removing any other from the loaded modules."""
    for name in [name for name in sys.modules if name.split(".")[0] == "sparring"]:
        del sys.modules[name]
    sys.path.insert(0, str(source.resolve()))
    rooms = ("data.dataset", "data.facts", "recipe", "recipes", "randomness", "training.plan", "training.trainer")
    modules = {room: import_module(f"sparring.{room}") for room in rooms}
    assert Path(modules["recipe"].__file__ or "").is_relative_to(source.resolve()), "another version is installed"
    return modules


def step_of(version: dict[str, Any], name: str, fields: dict[str, Any], shape: tuple[int, ...]) -> Callable[[], Any]:
    """Return one step of a recipe, as a function; its random data are the same in every version."""
    random = np.random.default_rng(0)
    labelled = len(shape) == 3 and "r3gan" in name
    images = len(shape) == 3
    data = random.integers(0, 256, (2000, *shape), dtype=np.uint8) if images else random.normal(size=(2000, *shape))
    labels = random.integers(0, 10, 2000) if labelled else None
    classes = tuple("0123456789") if labelled else ()

    # Build game, data and trainer from the modules of this version.
    facts = version["data.facts"].Facts("noise", name.split("/")[0], 2000, shape, "", classes)
    recipe = version["recipe"].with_fields(version["recipes"].RECIPES[name], fields)
    with version["randomness"].seeded(0, "weights"):
        game = recipe.game(facts)
    Dataset = version["data.dataset"].Dataset
    conditions = {"conditions": labels} if "conditions" in inspect.signature(Dataset).parameters else {}
    dataset = Dataset(data if images else data.astype(np.float32), labels, **conditions)
    plan = version["training.plan"].Plan(recipe.optimisers(), recipe.batch, samples=10**9)
    step: Callable[[], Any] = version["training.trainer"].Trainer(game, dataset, plan).advance
    return step


def every_step(source: Path) -> dict[str, Callable[[], Any]]:
    """Return the steps of one version, built at once because recipes import further modules when they are built."""
    version = load(source)
    return {case: step_of(version, *choices) for case, choices in CASES.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    versions = [every_step(options.before), every_step(options.after)]
    for case in options.cases:
        steps = [version[case] for version in versions]
        ratios = []
        # The order of the versions alternates between rounds; the first two rounds are a warm-up.
        for number in range(options.rounds + 2):
            seconds = [0.0, 0.0]
            for which in (0, 1) if number % 2 else (1, 0):
                began = time.perf_counter()
                for _ in range(options.steps):
                    steps[which]()
                seconds[which] = time.perf_counter() - began
            ratios.append(seconds[1] / seconds[0])
        low, middle, high = statistics.quantiles(ratios[2:], n=4)
        print(
            f"{case:<28} {100 * (middle - 1):+5.1f} %  ({100 * (low - 1):+.1f} to {100 * (high - 1):+.1f})", flush=True
        )


if __name__ == "__main__":
    main()
