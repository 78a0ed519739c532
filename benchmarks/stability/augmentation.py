"""Effect of adaptive augmentation on 100, 500 and 2,000 images of MNIST or CIFAR-10.

python benchmarks/stability/augmentation.py PATH --out runs/augmentation [--counts 100 500 2000] [--seeds 0 1 2]
    [--augment none geometry,colour,cutout]

Runs have the default length on a processor: 100,000, 200,000 and 800,000 samples. Scores are distances to 5,000 images
that no run has seen, in pixels and in the features of a classifier trained on 10,000 others. For comparison there are
the scores of 5,000 copies of the training images of a run. Every run has a folder; finished runs are not repeated.
"""

import argparse
import json
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from playing import samples_of, trained

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.metrics.distances import covered, frechet
from sparring.metrics.extractors.classifier import train_classifier
from sparring.modalities.images.data import survey
from sparring.recipe import Recipe, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.storage import write_json
from sparring.training import devices

TEST_IMAGES, CLASSIFIER_IMAGES = 5_000, 10_000
"""Images to compare with, and images that the classifier is trained on."""
NAMES = ("pixels", "classifier", "coverage", "probability")


def rows(dataset: Dataset, start: int, stop: int) -> Dataset:
    """Return a part of a data set, in an order shuffled once."""
    order = np.random.default_rng(0).permutation(len(dataset))[start:stop]
    return dataset.subset(order)


class Trials:
    """Runs on a few of the images of ``source``, all with the same metrics."""

    def __init__(self, source: str) -> None:
        whole = survey(source)
        self.facts = whole.facts
        self.everything = whole.prepare(self.recipe("none", self.facts).view(self.facts)).train
        images = rows(self.everything, TEST_IMAGES, TEST_IMAGES + CLASSIFIER_IMAGES)
        self.classifier = train_classifier(Split(images, rows(self.everything, 0, 2000), self.facts), 0)
        self.reals = rows(self.everything, 0, TEST_IMAGES).batch(slice(None)).real

    def recipe(self, kinds: str, facts: Facts) -> Recipe:
        """Return ``images/r3gan`` without labels, augmented by ``kinds``."""
        recipe = with_fields(RECIPES["images/r3gan"], {"labels": False, "augment": kinds})
        return resolve(recipe, facts, devices.describe(torch.device("cpu")))[0]

    def split(self, count: int, seed: int) -> Split:
        """Return ``count`` images, a tenth of them held out."""
        start = TEST_IMAGES + CLASSIFIER_IMAGES + 2000 * seed
        samples = rows(self.everything, start, start + count).samples
        held_out = max(1, count // 10)
        return Split(Dataset(samples[held_out:]), Dataset(samples[:held_out]), replace(self.facts, count=count))

    def scores(self, fakes: Tensor) -> dict[str, float]:
        """Return the scores of 5,000 samples in [-1, 1]."""
        features = [self.classifier(side).double() for side in (self.reals, fakes)]
        return {
            "pixels": frechet(self.reals.flatten(1).double(), fakes.flatten(1).double()),
            "classifier": frechet(*features),
            "coverage": covered(*features).double().mean().item(),
        }

    def copies(self, count: int, seed: int) -> dict[str, float]:
        """Return the scores of a model that repeats its training images and generates no others."""
        train = self.split(count, seed).train.batch(slice(None)).real
        return self.scores(train[torch.arange(TEST_IMAGES) % len(train)]) | {"probability": 0.0}

    def run(self, count: int, kinds: str, seed: int, folder: Path) -> dict[str, float]:
        """Train on ``count`` images augmented by ``kinds``, unless a finished run is there; return its scores."""
        found = folder / "scores.json"
        if not found.exists():
            split = self.split(count, seed)
            recipe = self.recipe(kinds, split.facts)
            session, error = trained(recipe, split, folder, samples=recipe.samples, seed=seed, watchdog="repair")
            scores = self.scores(samples_of(session, TEST_IMAGES).clamp(-1, 1))
            probability = session.trainer.controls["augmentation"].value
            write_json(found, {**scores, "probability": probability, "ended": error})
        values: dict[str, float] = json.loads(found.read_text())
        return values


def line(count: int, title: str, runs: list[dict[str, float]]) -> str:
    """Return a row of the table: medians over runs with their ranges."""
    columns = [[run[name] for run in runs] for name in NAMES]
    cells = [f"{statistics.median(one):.3g} ({min(one):.3g} to {max(one):.3g})" for one in columns]
    return f"| {count} | {title} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--augment", nargs="+", default=["none", "geometry,colour,cutout"])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trials = Trials(options.source)
    lines = [f"| images | samples | {' | '.join(NAMES)} |", "|---|---|---|---|---|---|"]
    for count in options.counts:
        lines.append(line(count, "copies of them", [trials.copies(count, seed) for seed in options.seeds]))
        for kinds in options.augment:
            runs = []
            for seed in options.seeds:
                runs.append(trials.run(count, kinds, seed, options.out / f"{count}-{kinds}-{seed}"))
                print(count, kinds, seed, runs[-1], flush=True)
            lines.append(line(count, f"augmented by {kinds}", runs))
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
