"""Ring, grid and lattice with no options, by the protocol of PacGAN: 2,500 samples, good within 3 σ of a mode.

python benchmarks/stability/modes.py --out runs/modes [--data ring grid lattice] [--seeds 0 1 2 3 4 5 6 7 8 9]
python benchmarks/stability/modes.py --out runs/modes --recipe points/vae --data ring --seeds 0 1 2

Lin et al. 2018, section 4.1. A run is a folder under --out; one that is finished is not made again.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

import sparring
from sparring.display import Silent
from sparring.modalities.points.data import MIXTURES
from sparring.modalities.points.metrics import mode_coverage
from sparring.storage import write_json

SAMPLES = 2_500
TARGETS = {"ring": (8, 0.98, 0.07), "grid": (25, 0.95, 0.04), "lattice": (100, 0.986, float("inf"))}
"""Modes, least quality, largest reverse KL."""
FIGURES = ("modes", "quality", "reverse_kl")


def measured(data: str, recipe: str, seed: int, folder: Path) -> dict[str, float]:
    """One run with no options, and what 2,500 of its samples show."""
    found = folder / "modes.json"
    if not found.exists():
        began = time.monotonic()
        sparring.train(data, recipe=recipe, seed=seed, out=folder, display=Silent())
        seconds = time.monotonic() - began
        mixture = MIXTURES[data]
        samples = sparring.load(folder).sample(SAMPLES, seed=1)
        figures = mode_coverage(samples, torch.from_numpy(mixture.centres).float(), mixture.sigma)
        write_json(found, {**figures, "seconds": round(seconds)})
    values: dict[str, float] = json.loads(found.read_text())
    return values


def reaches(data: str, values: dict[str, float]) -> bool:
    """Whether one run is as good as is asked."""
    modes, quality, divergence = TARGETS[data]
    return values["modes"] == modes and values["quality"] >= quality and values["reverse_kl"] <= divergence


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--recipe", default="points/ring", help="default: the one that is taken for points")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [
        f"| data, by {options.recipe} | runs that reach the target | modes | quality | reverse KL | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for data in options.data:
        runs = []
        for seed in options.seeds:
            folder = options.out / f"{options.recipe.replace('/', '-')}-{data}-{seed}"
            runs.append(measured(data, options.recipe, seed, folder))
            print(data, seed, runs[-1], flush=True)
        columns = [[run[name] for run in runs] for name in (*FIGURES, "seconds")]
        ranges = " | ".join(f"{statistics.median(one):.3g} ({min(one):.3g} to {max(one):.3g})" for one in columns)
        lines.append(f"| {data} | {sum(reaches(data, run) for run in runs)} of {len(runs)} | {ranges} |")
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
