"""Unusual samples: areas under ROC curves of f-AnoGAN, the nearest training sample and an isolation forest.

    python benchmarks/detecting.py [--digits 0 1 8] [--mnist] [--cancer] [--samples 60000] [--seeds 1] [--device cpu]

Of the digits of scikit-learn (8 × 8), or of the first 10,000 of MNIST (28 × 28), one class is normal; half of it is
trained on, and the other half is tested with all other classes. Of the breast cancer of scikit-learn the benign rows
are normal. Images by images/r3gan, rows by tables/ctgan.
"""

import argparse
import csv
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rounds import setting
from sklearn.datasets import load_breast_cancer, load_digits

import sparring
from sparring.data.view import View
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent

MNIST_IMAGES = 10_000
"""Images of MNIST that are used, the first ones."""


def digits(mnist: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images and their classes."""
    if not mnist:
        loaded: Any = load_digits()
        return (loaded.images * 255 / 16).astype(np.uint8), loaded.target
    whole = survey("mnist").whole(View((1, 28, 28)))
    assert whole.labels is not None
    return np.array(whole.samples[:MNIST_IMAGES])[:, 0], whole.labels[:MNIST_IMAGES]


def one_digit(folder: Path, normal: int, mnist: bool, seed: int, further: dict[str, Any]) -> dict[str, float]:
    """Return the area of each method where one digit is normal."""
    images, labels = digits(mnist)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(labels == normal))
    train, test = order[: len(order) // 2], np.setdiff1d(np.arange(len(labels)), order[: len(order) // 2])
    np.save(folder / "train.npy", images[train])
    names = np.where(labels[test] == normal, "normal", "unusual")
    np.savez(folder / "test.npz", images=images[test], labels=names)
    further = {"recipe": "images/r3gan", **further}
    return areas(folder, str(folder / "train.npy"), str(folder / "test.npz"), None, seed, further)


def cancer(folder: Path, seed: int, further: dict[str, Any]) -> dict[str, float]:
    """Return the area of each method where benign rows are normal."""
    loaded: Any = load_breast_cancer()
    order = np.random.default_rng(seed).permutation(np.flatnonzero(loaded.target == 1))
    train, test = order[: len(order) // 2], np.setdiff1d(np.arange(len(loaded.target)), order[: len(order) // 2])
    kinds = np.where(loaded.target == 1, "normal", "unusual")
    for name, rows in (("train", train), ("test", test)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*loaded.feature_names, *(["kind"] if name == "test" else [])])
            writer.writerows([*loaded.data[row], *([kinds[row]] if name == "test" else [])] for row in rows)
    further = {"recipe": "tables/ctgan", **further}
    return areas(folder, str(folder / "train.csv"), str(folder / "test.csv"), "kind", seed, further)


def areas(
    folder: Path, train: str, test: str, labels: str | None, seed: int, further: dict[str, Any]
) -> dict[str, float]:
    """Train on normal samples, and return the area under the ROC curve of each method."""
    run = sparring.train(train, out=folder / "run", seed=seed, display=Silent(), **further)
    found = sparring.detect(run.folder, test, normal="normal", labels=labels, seed=seed, display=Silent())
    for remark in found.remarks:
        print(f"  {remark}", flush=True)
    return {name: one.auroc or 0.0 for name, one in found.methods.items()}


def table(rows: dict[str, Sequence[dict[str, float]]]) -> None:
    """Print the mean area of each method over the seeds, with the standard deviation where there are several."""
    methods = list(next(iter(rows.values()))[0])
    print(f"| normal | {' | '.join(methods)} |\n|---|{'---|' * len(methods)}")
    for name, found in rows.items():
        values = [[one[method] for one in found] for method in methods]
        cells = [
            f"{statistics.fmean(one):.3f}" + (f" ± {statistics.stdev(one):.3f}" if len(one) > 1 else "")
            for one in values
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, nargs="*", default=[0, 1, 8])
    parser.add_argument("--mnist", action="store_true")
    parser.add_argument("--cancer", action="store_true")
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    print(setting())
    further = {"samples": given.samples, "device": given.device}
    rows = dict[str, list[dict[str, float]]]()
    for seed in range(given.seeds):
        for digit in given.digits:
            with tempfile.TemporaryDirectory() as place:
                found = one_digit(Path(place), digit, given.mnist, seed, further)
            rows.setdefault(f"digit {digit}", []).append(found)
            print(f"  digit {digit}, seed {seed}: {found}", flush=True)
        if given.cancer:
            with tempfile.TemporaryDirectory() as place:
                found = cancer(Path(place), seed, further)
            rows.setdefault("benign", []).append(found)
            print(f"  benign, seed {seed}: {found}", flush=True)
    table(dict(rows))


if __name__ == "__main__":
    main()
