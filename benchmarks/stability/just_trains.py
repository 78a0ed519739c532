"""Every recipe on data of its kind, with no option but a budget: how many runs end above their target.

python benchmarks/stability/just_trains.py --shared PATH --out runs/just-trains [--pairs r3gan/mnist …] [--seeds 0 … 4]

Targets: points with known modes, all modes and a quality above 0.4 (only the autoencoder is tried on them here, which
blurs; modes.py tries the duel); other data, at least half of the coverage that held-out samples have, in the most
telling features, and no finding at the end. "grey" is CIFAR-10 without its colours, 28 × 28, as Fashion-MNIST has its
images. A run is a folder; one that is finished is not made again.
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
from sparring.evaluation.result import Judgement
from sparring.modalities.images.data import survey
from sparring.runs.display import Plain
from sparring.runs.folder import Run

QUALITY = 0.4
"""Share of points that have to lie near a mode."""


@dataclass(frozen=True)
class Pair:
    """A recipe, data (a name, or a place below the folder of shared data), and minutes."""

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
    """The place of shared data or of what is made from it, or the name as it is."""
    if data == "grey":
        return str(grey(shared / "cifar10", out / "grey.npz"))
    return str(shared / data) if (shared / data).exists() else data


def grey(coloured: Path, file: Path) -> Path:
    """Images without their colours, 28 × 28, with their classes, in one file."""
    if not file.exists():
        split = survey(str(coloured)).prepare(View((1, 28, 28)))
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=split.train.samples[:, 0], labels=np.array(split.train.labels))
    return file


def ended(pair: Pair, shared: Path, seed: int, folder: Path) -> tuple[bool, str]:
    """Whether one run reaches its target, and its figures in words."""
    data = source(pair.data, shared, folder.parent)
    if not (folder / "report.html").exists():
        sparring.train(data, recipe=pair.recipe, minutes=pair.minutes, seed=seed, out=folder, display=Plain(every=60))
    judgement = Judgement.from_run(Run(folder))
    ails = sparring.diagnose(folder).ails
    if "quality" in judgement.measures:
        found = {name: score.value for name, score in judgement.measures.items()}
        modes = judgement.measures["modes"]
        good = modes.value == modes.floor and found["quality"] > QUALITY
        return good, f"modes {found['modes']:.0f}, quality {found['quality']:.3f}"
    scores = judgement.scores[0]
    coverage = scores.measures["coverage"]
    words = f"coverage {coverage.value:.2f} of {coverage.floor:.2f} ({scores.extractor.split('-')[0]})"
    return coverage.value >= coverage.floor / 2 and not ails, words + (", ailing" if ails else "")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = ["| pair | budget | runs above the target | each |", "|---|---|---|---|"]
    for name in options.pairs:
        pair = PAIRS[name]
        folders = {seed: options.out / f"{name.replace('/', '-')}-{seed}" for seed in options.seeds}
        outcomes = [ended(pair, options.shared, seed, folder) for seed, folder in folders.items()]
        each = "; ".join(words for _, words in outcomes)
        reached = f"{sum(good for good, _ in outcomes)} of {len(outcomes)}"
        lines.append(f"| {name} | {pair.minutes:g} min | {reached} | {each} |")
        print(lines[-1], flush=True)
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
