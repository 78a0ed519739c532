"""Anomalies: how well recipes that learn from ordinary samples alone rank ordinary and other samples.

    python benchmarks/anomalies.py [--sets digits-0 digits-8 cancer] [--rows …] [--seeds 3] [--samples N]

"digits-0" is the digits of scikit-learn, 8 × 8 pixels enlarged to 16 × 16, of which zeros are ordinary, and so on;
"cancer" is its table of breast cancer, of which benign cases are ordinary. One half of the ordinary samples is for
training; the other half and all other samples are ranked. Values are the area under the ROC curve, mean ± standard
deviation over splits and seeds, and the seconds of training and scoring. ``--samples`` is the budget of recipes.
"""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from rounds import setting
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from torch.nn.functional import interpolate

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.games.game import Detecting
from sparring.modalities.tables.coding import Column, Rows, TableCoding
from sparring.modalities.tables.conditions import nothing_known
from sparring.randomness import seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.samples import Sample
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

SIDE = 16
DIGITS = tuple(f"digits-{digit}" for digit in range(10))
SETS = (*DIGITS, "cancer")
CHUNK = 500
"""Samples that are scored at once."""


class Split(NamedTuple):
    """One problem.

    Args:
        facts: of the training samples.
        train: ordinary samples.
        test: ordinary samples and others.
        unusual: which of the test samples are unusual, (count,) bool.
        vectors: the samples of both sides as vectors of comparable numbers, (count, size) float64 each.
    """

    facts: Facts
    train: Sample
    test: Sample
    unusual: np.ndarray
    vectors: tuple[np.ndarray, np.ndarray]


Detector = Callable[[Split, int], np.ndarray]
"""(split, seed) → score of each test sample, higher for unusual ones."""


def sides(ordinary: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the samples for training, and of those to rank."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(ordinary))
    train = order[: len(order) // 2]
    return train, np.setdiff1d(np.arange(len(ordinary)), train)


def digits(digit: int, seed: int) -> Split:
    """Return the digits, of which ``digit`` is ordinary."""
    loaded = load_digits()
    pixels = torch.from_numpy(loaded.images)[:, None].float() * (255 / 16)
    images = interpolate(pixels, size=(SIDE, SIDE), mode="bilinear").round().to(torch.uint8).numpy()
    train, test = sides(loaded.target == digit, seed)
    facts = Facts("digits", "images", len(train), (1, SIDE, SIDE), "0" * 64)
    vectors = images.reshape(len(images), -1) / 255.0
    return Split(facts, images[train], images[test], loaded.target[test] != digit, (vectors[train], vectors[test]))


def cancer(seed: int) -> Split:
    """Return the table of breast cancer without the diagnosis, of which benign cases are ordinary."""
    loaded = load_breast_cancer()
    train, test = sides(loaded.target == 1, seed)
    quantiles = np.quantile(loaded.data[train], np.linspace(0, 1, min(len(train), 1001)), axis=0)
    columns = tuple(
        Column(str(name), "continuous", quantiles=tuple(quantiles[:, at].tolist()))
        for at, name in enumerate(loaded.feature_names)
    )
    facts = Facts("cancer", "tables", len(train), (len(columns),), "0" * 64, coding=TableCoding(columns).as_json())
    rows = [Rows(loaded.data[one], np.zeros((len(one), len(columns)), dtype=bool)) for one in (train, test)]
    mean, spread = loaded.data[train].mean(0), loaded.data[train].std(0)
    vectors = ((loaded.data[train] - mean) / spread, (loaded.data[test] - mean) / spread)
    return Split(facts, rows[0], rows[1], loaded.target[test] != 1, vectors)


def split(name: str, seed: int) -> Split:
    """Return one of ``SETS``."""
    return cancer(seed) if name == "cancer" else digits(int(name.removeprefix("digits-")), seed)


def isolation_forest(found: Split, seed: int) -> np.ndarray:
    """Return the scores of an isolation forest (Liu et al. 2008)."""
    forest = IsolationForest(random_state=seed).fit(found.vectors[0])
    return -forest.score_samples(found.vectors[1])


def nearest_neighbour(found: Split, seed: int) -> np.ndarray:
    """Return the Euclidean distance to the nearest training sample."""
    train, test = map(torch.from_numpy, found.vectors)
    return torch.cdist(test, train).min(1).values.numpy()


def recipe_detector(name: str, samples: int | None, device: str) -> Detector:
    """Return a recipe at its defaults, trained on ``samples`` samples, or as many as it chooses."""

    def detect(found: Split, seed: int) -> np.ndarray:
        fields = {} if samples is None else {"samples": samples}
        recipe, _ = resolve(with_fields(RECIPES[name], fields), found.facts, Machine(device, 8 * 2**30, 2, False))
        with seeded(seed, "weights"):
            game = recipe.game(found.facts)
        plan = Plan(
            recipe.optimisers(), recipe.batch, recipe.samples, average_half_life=recipe.average_half_life, seed=seed
        )
        conditional = bool(recipe.view(found.facts).condition)
        trainer = Trainer(game, dataset(found.train, conditional), plan, device=device)
        for _ in trainer:
            pass
        return scores(trainer.average, dataset(found.test, conditional), device)

    return detect


def dataset(samples: Sample, conditional: bool) -> Dataset:
    """Return the data set of samples, of rows with the condition that no cell is known."""
    if not conditional:
        return Dataset(samples)
    known = nothing_known(Rows(*map(torch.from_numpy, samples)))
    return Dataset(samples, None, type(known)(*(part.numpy() for part in known)))


def scores(game: object, data: Dataset, device: str) -> np.ndarray:
    """Return the scores of all samples."""
    assert isinstance(game, Detecting)
    batches = [slice(at, min(at + CHUNK, len(data))) for at in range(0, len(data), CHUNK)]
    found = [game.anomaly(data.batch(rows, torch.device(device))).score for rows in batches]
    return torch.cat(found).cpu().numpy()


def detectors(samples: int | None, device: str) -> dict[str, Detector]:
    """Return all rows of the benchmark."""
    simple = {"isolation forest": isolation_forest, "nearest neighbour": nearest_neighbour}
    recipes = ("images/ganomaly", "images/vae", "tables/masked", "tables/ganomaly", "tables/tvae")
    return {**simple, **{name: recipe_detector(name, samples, device) for name in recipes}}


def line(row: str, name: str, detector: Detector, seeds: int) -> str:
    """Return a line of the table: AUROC and seconds."""
    areas, seconds = [], []
    for seed in range(seeds):
        found = split(name, seed)
        began = time.perf_counter()
        ranked = detector(found, seed)
        seconds.append(time.perf_counter() - began)
        areas.append(roc_auc_score(found.unusual, ranked))
    return f"| {row} | {np.mean(areas):.3f} ± {np.std(areas):.3f} | {np.mean(seconds):.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["digits-0", "digits-8", "cancer"])
    parser.add_argument("--rows", nargs="+", choices=detectors(None, "cpu"), help="all that fit, by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, help="real samples that recipes see; their own choice by default")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(setting(), flush=True)
    for name in options.sets:
        modality = "tables" if name == "cancer" else "images"
        print(f"\n## {name}\n\n| detector | AUROC | seconds |\n|---|---:|---:|", flush=True)
        for row, detector in detectors(options.samples, options.device).items():
            fits = "/" not in row or row.startswith(modality)
            if fits and (options.rows is None or row in options.rows):
                print(line(row, name, detector, options.seeds), flush=True)


if __name__ == "__main__":
    main()
