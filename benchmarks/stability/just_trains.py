"""Every recipe on data of its kind, with no option but a budget: number of runs that reach their target.

python benchmarks/stability/just_trains.py --shared PATH --out runs/just-trains [--pairs r3gan/mnist …] [--seeds 0 … 4]

Targets: for points with known modes, all modes and a quality above 0.4 (this script tries only the autoencoder on them,
which blurs; modes.py tries the duel); for other data, at least half of the coverage of held-out samples, in the most
informative features, and no finding at the end. "grey" is CIFAR-10 without colours at 28 × 28, the format of
Fashion-MNIST. Every run has a folder; finished runs are not repeated.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

import sparring
from sparring.data.view import View
from sparring.evaluation.result import Evaluation
from sparring.modalities.images.data import survey
from sparring.runs.display import Plain
from sparring.runs.folder import Run

MIN_QUALITY = 0.4
"""Smallest share of points near a mode."""


@dataclass(frozen=True)
class Pair:
    """A recipe, data (a name, or a path below the folder of shared data), and minutes."""

    recipe: str
    data: str
    minutes: float


PAIRS = {
    "points/stocks": Pair("points/ring", "tables/stock.csv", 2.0),
    "points/vae": Pair("points/vae", "ring", 2.0),
    "r3gan/digits": Pair("images/r3gan", "digits", 2.0),
    "r3gan/mnist": Pair("images/r3gan", "mnist", 3.0),
    "r3gan/cifar10": Pair("images/r3gan", "cifar10", 3.0),
    "r3gan/grey": Pair("images/r3gan", "grey", 3.0),
    "r3gan/facades": Pair("images/r3gan", "facades", 3.0),
    "dcgan/mnist": Pair("images/dcgan", "mnist", 15.0),
    "gan/digits": Pair("images/gan", "digits", 5.0),
    "vae/mnist": Pair("images/vae", "mnist", 2.0),
}


def source(data: str, shared: Path, out: Path) -> str:
    """Return the path of shared data or of what is derived from them, or the name unchanged."""
    if data == "grey":
        return str(grey(shared / "cifar10", out / "grey.npz"))
    return str(shared / data) if (shared / data).exists() else data


def grey(coloured: Path, file: Path) -> Path:
    """Write images without colours, 28 × 28, with their classes, into one file; return its path."""
    if not file.exists():
        split = survey(str(coloured)).prepare(View((1, 28, 28)))
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=split.train.samples[:, 0], labels=np.array(split.train.labels))
    return file


def outcome(pair: Pair, shared: Path, seed: int, folder: Path) -> tuple[bool, str]:
    """Return whether one run reaches its target, and its figures in words."""
    data = source(pair.data, shared, folder.parent)
    if not (folder / "report.html").exists():
        sparring.train(data, recipe=pair.recipe, minutes=pair.minutes, seed=seed, out=folder, display=Plain(every=60))
    evaluation = Evaluation.from_run(Run(folder))

    # Points with known modes have a quality; other data are compared by coverage.
    if "quality" in evaluation.metrics:
        found = {name: score.value for name, score in evaluation.metrics.items()}
        modes = evaluation.metrics["modes"]
        good = modes.value == modes.floor and found["quality"] > MIN_QUALITY
        return good, f"modes {found['modes']:.0f}, quality {found['quality']:.3f}"
    scores = evaluation.scores[0]
    coverage = scores.metrics["coverage"]
    text = f"coverage {coverage.value:.2f} of {coverage.floor:.2f} ({scores.extractor.split('-')[0]})"
    open_problems = sparring.diagnose(folder).open_problems
    reached = coverage.value >= coverage.floor / 2 and not open_problems
    return reached, text + (", open problems" if open_problems else "")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = ["| pair | budget | runs that reach the target | each |", "|---|---|---|---|"]
    for name in options.pairs:
        pair = PAIRS[name]
        folders = {seed: options.out / f"{name.replace('/', '-')}-{seed}" for seed in options.seeds}
        outcomes = [outcome(pair, options.shared, seed, folder) for seed, folder in folders.items()]
        each = "; ".join(text for _, text in outcomes)
        reached = f"{sum(good for good, _ in outcomes)} of {len(outcomes)}"
        lines.append(f"| {name} | {pair.minutes:g} min | {reached} | {each} |")
        print(lines[-1], flush=True)
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
