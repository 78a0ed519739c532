"""Time to quality on MNIST at 32 × 32: every image recipe at equal wall time, or at equal samples, by the same metrics.

    python benchmarks/time_to_quality.py PATH_TO_MNIST [--minutes 2 5 10 | --samples 80000 …] [--seeds 0 1 2]
                                         [--contestants r3gan rival …]

Runs are made one at a time, each with schedules over its own budget; a recipe without schedules has one run, which is
evaluated at every budget. Distance: Fréchet distance in the last 64 features of a small classifier trained on the real
digits, 3,000 generated against 3,000 held-out digits; its floor compares 3,000 training digits with the same.
Agreement: share of samples that the classifier assigns to the class they are conditioned on.
Results are appended to --out as JSON lines, with grids of samples beside them; finished runs are not repeated.
"""

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rounds import setting
from torch.nn.functional import avg_pool2d

from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.metrics.distances import frechet, prdc
from sparring.metrics.extractors.classifier import Classifier, accuracy, train_classifier
from sparring.modalities.images.data import survey
from sparring.modalities.images.recipes.dcgan import DCGAN
from sparring.modalities.images.recipes.gan import GAN
from sparring.modalities.images.recipes.r3gan import R3GAN
from sparring.modalities.images.recipes.vae import VAE
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Recipe
from sparring.rendering.grids import image_grid
from sparring.storage import append_line, read_lines, write_png
from sparring.training.devices import gains_from_bfloat16
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

COUNT = 3000
FAST = {"precision": "bfloat16" if gains_from_bfloat16(torch.device("cpu")) else "float32", "resolution": (32, 32)}
CONTESTANTS: dict[str, Recipe] = {
    "r3gan": R3GAN(**FAST),
    "r3gan without classes": R3GAN(**FAST, labels=False),
    "r3gan, γ 0.3": R3GAN(**FAST, gamma=0.3),
    "r3gan without classes, γ 3": R3GAN(**FAST, labels=False, gamma=3.0),
    "r3gan plain": R3GAN(**(FAST | {"precision": "float32"}), penalty_every=1),
    "r3gan residual": R3GAN(**(FAST | {"precision": "float32"}), penalty_every=1, blocks=1, learning_rate=1e-3),
    "r3gan exact everywhere": R3GAN(**FAST, penalty_every=1),
    "r3gan finite": R3GAN(**FAST, penalty="finite"),
    "r3gan without penalty": R3GAN(**FAST, penalty="none"),
    "rival": DCGAN(**FAST, width=32, learning_rate=6e-4),
    "rival 2e-4": DCGAN(**FAST, width=32),
    "dcgan": DCGAN(**FAST),
    "gan": GAN(**FAST),
    "vae": VAE(**FAST),
}


class Budget(NamedTuple):
    """Budget of a run: minutes, or real samples seen."""

    minutes: float | None = None
    samples: int | None = None

    def __str__(self) -> str:
        return f"{self.minutes:g} min" if self.minutes else f"{self.samples:,} samples"


def runs_for(recipe: Recipe, budgets: list[Budget]) -> list[list[Budget]]:
    """Group budgets by run: all in one run if learning rates are constant, else one run for each."""
    steady = all(adam.learning_rate(0.0) == adam.learning_rate(1.0) for adam in recipe.optimisers().values())
    return [budgets] if steady else [[budget] for budget in budgets]


def train(recipe: Recipe, split: Split, budgets: list[Budget], seed: int) -> Iterator[tuple[Budget, Trainer]]:
    """Yield the trainer each time it has spent the next of the budgets."""
    with seeded(seed, "weights"):
        game = recipe.game(split.facts)

    # The plan gets its budget below, so that one trainer can continue from budget to budget.
    plan = Plan(
        recipe.optimisers(),
        recipe.batch,
        average_half_life=recipe.average_half_life,
        seed=seed,
        bfloat16=recipe.precision == "bfloat16",
    )
    trainer = Trainer(game, split.train, plan)
    for budget in budgets:
        trainer.plan = replace(plan, seconds=60 * (budget.minutes or 0), samples=budget.samples)
        for _ in trainer:
            pass
        yield budget, trainer


def samples(trainer: Trainer, count: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return samples of the averaged generator, with classes in turn, and their classes."""
    labels, game = torch.arange(count) % classes, trainer.average
    with torch.no_grad():
        images = game.generate(game.latent(RandomStream(0, 0, count, slice(0, count), stream="judged/")), labels)
    return images.clamp(-1, 1).contiguous(), labels


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Return the pixels at half the size, (batch, values): features that no network has learned."""
    return avg_pool2d(images, 2).flatten(1)


def measure(trainer: Trainer, classifier: Classifier, real: torch.Tensor, labelled: bool) -> dict[str, float]:
    """Return distances, recall, agreement and samples seen."""
    fake, labels = samples(trainer, COUNT, 10)
    features = classifier(real), classifier(fake)
    found = {"distance": frechet(*features), "samples": float(trainer.samples)}
    found |= {"pixels": frechet(pixels(real), pixels(fake)), "recall": prdc(*features, 5).recall}
    if labelled:
        found["agreement"] = float((classifier.predict(fake) == labels).float().mean())
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table of medians over seeds, with the range of the distance."""
    lines = [
        "| recipe | budget | distance: median (range) | in pixels | recall | agreement | samples seen | seeds |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for budget, name in dict.fromkeys((row["budget"], row["recipe"]) for row in rows):
        mine = [row for row in rows if (row["recipe"], row["budget"]) == (name, budget)]

        def middle(figure: str, form: str, mine: list[dict[str, Any]] = mine) -> str:
            values = [row[figure] for row in mine if figure in row]
            return format(statistics.median(values), form) if values else "–"

        distances = [row["distance"] for row in mine]
        lines.append(
            f"| {name} | {budget} | {middle('distance', '.2f')} ({min(distances):.2f} to {max(distances):.2f}) | "
            f"{middle('pixels', '.2f')} | {middle('recall', '.2f')} | {middle('agreement', '.1%')} | "
            f"{middle('samples', ',.0f')} | {len(mine)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 10])
    parser.add_argument("--samples", type=int, nargs="+", help="evaluate at equal samples seen instead")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=list(CONTESTANTS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/time-to-quality"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)

    # Train the classifier of the metrics, and measure the floor.
    split = survey(options.data).prepare(View((1, 32, 32), "label"), seed=0)
    unlabelled = survey(options.data).prepare(View((1, 32, 32)), seed=0)
    classifier = train_classifier(split, seed=0)
    real, other = split.held_out.batch(slice(0, COUNT)).real, split.train.batch(slice(0, COUNT)).real
    right = accuracy(classifier.predict, split.held_out)
    floor = f"{classifier.name}, {right:.1%} held out"
    floor += f" · real against real {frechet(classifier(real), classifier(other)):.2f}"
    floor += f", in pixels {frechet(pixels(real), pixels(other)):.2f}"

    # Plan the runs.
    budgets = [Budget(samples=count) for count in sorted(options.samples or [])]
    budgets = budgets or [Budget(minutes=minutes) for minutes in sorted(options.minutes)]
    log = options.out / "results.jsonl"
    runs = [
        (seed, name, group)
        for seed in options.seeds
        for name in options.contestants
        for group in runs_for(CONTESTANTS[name], budgets)
    ]

    # Make the runs that are not finished yet; append their metrics, and write a grid of samples with a class per row.
    for seed, name, group in runs:
        keys = [{"recipe": name, "budget": str(budget), "seed": seed} for budget in group]
        if all(any(key.items() <= row.items() for row in read_lines(log)) for key in keys):
            continue
        labelled = bool(vars(CONTESTANTS[name])["labels"])
        for budget, trainer in train(CONTESTANTS[name], split if labelled else unlabelled, group, seed):
            row = {"recipe": name, "budget": str(budget), "seed": seed} | measure(trainer, classifier, real, labelled)
            append_line(log, row)
            shown = samples(trainer, 160, 10)[0][torch.arange(160).view(16, 10).T.reshape(-1)]
            write_png(options.out / f"{name}-{budget}-{seed}.png".replace(" ", "-"), image_grid(shown, columns=16))
            print(row, flush=True)
    print(f"\n{setting()} · {floor}\n\n{table(read_lines(log))}")


if __name__ == "__main__":
    main()
