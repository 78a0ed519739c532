"""Time that the watchdog and augmentation add: equal steps with and without them, interleaved in one process.

python benchmarks/stability/cost.py [--rounds 9] [--threads 1]

The watchdog observes once in 64 steps, as in the first 6,400 steps of a run; later observations are rarer.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

from sparring.data.dataset import Split
from sparring.modalities import modality_of
from sparring.modality import Modality
from sparring.randomness import seeded
from sparring.recipe import Recipe, resolve
from sparring.recipes import RECIPES
from sparring.training import devices
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import FIRST_INTERVAL, Observer

Portion = Callable[[], None]


def trainer_of(recipe: Recipe, split: Split, augmentation: float = 0.0) -> Trainer:
    """Return a trainer without an end."""
    with seeded(0, "weights"):
        game = recipe.game(split.facts)
    if augmentation:
        game.controls["augmentation"].set(augmentation)
    plan = Plan(recipe.optimisers(), recipe.batch, samples=10**9, bfloat16=recipe.precision == "bfloat16")
    return Trainer(game, split.train, plan)


def plain(trainer: Trainer) -> Portion:
    """Return a function that makes 64 steps."""

    def portion() -> None:
        for _ in range(FIRST_INTERVAL):
            trainer.advance()

    return portion


def watched(trainer: Trainer, split: Split, modality: Modality) -> Portion:
    """Return a function that makes 64 steps and one observation."""
    observer = Observer(trainer, split, modality, 0)

    def portion() -> None:
        for _ in range(FIRST_INTERVAL):
            trainer.advance()
            observer.step()
        observer.observe()

    return portion


def ratios(data: str, name: str, rounds: int) -> list[str]:
    """Return the rows of the table for one recipe."""
    modality = modality_of(data)
    survey = modality.survey(data)
    recipe, _ = resolve(RECIPES[name], survey.facts, devices.describe(torch.device("cpu")))
    split = survey.prepare(recipe.view(survey.facts))

    # Interleave rounds of all contestants; the first round is a warm-up.
    contestants = {
        "without": plain(trainer_of(recipe, split)),
        "watched": watched(trainer_of(recipe, split), split, modality),
    }
    if name.startswith("images"):
        contestants["augmented"] = plain(trainer_of(recipe, split, 0.5))
    times: dict[str, list[float]] = {contestant: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant, portion in contestants.items():
            began = time.perf_counter()
            portion()
            if number:
                times[contestant].append(time.perf_counter() - began)

    # Compare each contestant with the steps without the watchdog, round by round.
    base = times.pop("without")
    lines = []
    for contestant, taken in times.items():
        shares = [one / other - 1 for one, other in zip(taken, base, strict=True)]
        step = 1000 * statistics.median(base) / FIRST_INTERVAL
        share = f"{statistics.median(shares):+.1%} ({min(shares):+.1%} to {max(shares):+.1%})"
        lines.append(f"| {name} on {data} | {contestant} | {step:.1f} | {share} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", nargs="+", default=["ring", "digits"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{setting()}\n\n| run | contestant | ms per step without | additional time |\n|---|---|---|---|")
    for data in options.data:
        name = "points/ring" if data == "ring" else "images/r3gan"
        for line in ratios(data, name, options.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
