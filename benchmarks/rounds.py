"""Interleaved timing: contestants take turns of a few steps, for several rounds in one process."""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch

from sparring.data.dataset import Dataset
from sparring.games.game import Game
from sparring.recipe import Recipe
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer


def stepper(game: Game, recipe: Recipe, data: Dataset, *, bfloat16: bool) -> Callable[[], None]:
    """Return one step of a trainer without an end, as a function."""
    plan = Plan(
        recipe.optimisers(),
        recipe.batch,
        samples=10**9,
        average_half_life=recipe.average_half_life,
        bfloat16=bfloat16,
    )
    trainer = Trainer(game, data, plan)

    def step() -> None:
        trainer.advance()

    return step


def seconds(
    contestants: dict[str, Callable[[], object]],
    *,
    rounds: int,
    steps: int,
    warm_up: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return seconds per step of each contestant in each round, after rounds of warm-up.

    On a machine that does other work, too, give ``time.process_time``.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + warm_up):
        for name, step in contestants.items():
            began = clock()
            for _ in range(steps):
                step()
            if number >= warm_up:
                times[name].append((clock() - began) / steps)
    return times


def interleaved(contestants: dict[str, Callable[[], None]], *, rounds: int, steps: int) -> dict[str, float]:
    """Return median seconds per step of each contestant over ``rounds`` rounds, after two rounds of warm-up."""
    times = seconds(dict(contestants), rounds=rounds, steps=steps)
    return {name: statistics.median(values) for name, values in times.items()}


def ratio(times: list[float], others: list[float]) -> str:
    """Return the median of the ratios of each round, and their range: "1.02 (0.98 to 1.05)"."""
    ratios = [one / other for one, other in zip(times, others, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table(medians: dict[str, float], against: str) -> str:
    """Return a Markdown table of milliseconds per step, and of speed as a multiple of that of ``against``."""
    lines = ["| contestant | ms per step | speed |", "|---|---:|---:|"]
    lines += [f"| {name} | {1000 * t:.1f} | {medians[against] / t:.2f} × |" for name, t in medians.items()]
    return "\n".join(lines)


def setting() -> str:
    """Return commit, processor, threads and versions, which accompany every published figure."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    information = Path("/proc/cpuinfo")
    models = (
        [line for line in information.read_text().splitlines() if "model name" in line] if information.exists() else []
    )
    processor = models[0].split(":")[1].strip() if models else platform.processor()
    return (
        f"commit {commit.stdout.strip() or 'none'} · {processor}, {torch.get_num_threads()} threads · "
        f"torch {torch.__version__} · Python {platform.python_version()}"
    )
