"""What adaptive augmentation does for few images: MNIST or CIFAR-10, 100, 500 and 2,000 of them, with it and without.

python benchmarks/stability/augmentation.py PATH --out runs/augmentation [--counts 100 500 2000] [--seeds 0 1 2]
    [--augment none geometry,colour,cutout]

Scores are distances to 5,000 images that no run has seen, in pixels and in the features of a classifier trained on
10,000 others. A run is a folder; one that is finished is not made again.
"""

import argparse
import json
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playing import played, samples_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

from sparring.data.dataset import Dataset, Split
from sparring.evaluation.classifier import train_classifier
from sparring.evaluation.distances import coverage, frechet
from sparring.modalities.images.data import survey
from sparring.recipe import resolve, with_fields
from sparring.recipes import RECIPES
from sparring.storage import write_json
from sparring.training import devices

JUDGED, TAUGHT = 5_000, 10_000
"""Images that are judged by, and images that the classifier is trained on."""


def rows(dataset: Dataset, start: int, stop: int) -> Dataset:
    """A part of a data set."""
    order = np.random.default_rng(0).permutation(len(dataset))[start:stop]
    return Dataset(dataset.samples[order], None if dataset.labels is None else dataset.labels[order])


def measured(source: str, count: int, kinds: str, seed: int, samples: int, folder: Path) -> dict[str, float]:
    """One run on ``count`` images, augmented by ``kinds``."""
    found = folder / "scores.json"
    if not found.exists():
        whole = survey(source)
        facts = replace(whole.facts, count=count)
        recipe = with_fields(RECIPES["images/r3gan"], {"labels": False, "augment": kinds})
        recipe, _ = resolve(recipe, facts, devices.describe(torch.device("cpu")))
        everything = whole.prepare(recipe.shape(facts)).train
        judged, taught = rows(everything, 0, JUDGED), rows(everything, JUDGED, JUDGED + TAUGHT)
        few = rows(everything, JUDGED + TAUGHT + 2000 * seed, JUDGED + TAUGHT + 2000 * seed + count)
        aside = max(1, count // 10)
        split = Split(Dataset(few.samples[aside:]), Dataset(few.samples[:aside]), facts)
        numbers: dict[str, Any] = {"samples": samples, "seed": seed, "watchdog": "repair"}
        experiment, ended = played(recipe, split, folder, **numbers)
        classifier = train_classifier(Split(taught, rows(everything, 0, 2000), whole.facts), 0)
        reals, fakes = judged.batch(slice(None)).real, samples_of(experiment, JUDGED).clamp(-1, 1)
        pixels = frechet(reals.flatten(1).double(), fakes.flatten(1).double())
        features = [classifier(side).double() for side in (reals, fakes)]
        write_json(
            found,
            {
                "pixels": pixels,
                "classifier": frechet(*features),
                "coverage": coverage(*features),
                "probability": experiment.trainer.dials["augmentation"].value,
                "ended": ended,
            },
        )
    values: dict[str, float] = json.loads(found.read_text())
    return values


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--augment", nargs="+", default=["none", "geometry,colour,cutout"])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = ("pixels", "classifier", "coverage", "probability")
    lines = [f"| images | augmented by | {' | '.join(names)} |", "|---|---|---|---|---|---|"]
    for count in options.counts:
        for kinds in options.augment:
            runs = []
            for seed in options.seeds:
                folder = options.out / f"{count}-{kinds}-{seed}"
                runs.append(measured(options.source, count, kinds, seed, options.samples, folder))
                print(count, kinds, seed, runs[-1], flush=True)
            columns = [[run[name] for run in runs] for name in names]
            cells = [f"{statistics.median(one):.3g} ({min(one):.3g} to {max(one):.3g})" for one in columns]
            lines.append(f"| {count} | {kinds} | {' | '.join(cells)} |")
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
