"""Modes of ring, grid and lattice without options, by the protocol of PacGAN: 2,500 samples, good within 3 σ of a mode.

python benchmarks/stability/modes.py --out runs/modes [--data ring grid lattice] [--seeds 0 1 2 3 4 5 6 7 8 9]
python benchmarks/stability/modes.py --out runs/modes --recipe points/vae --data ring --seeds 0 1 2
python benchmarks/stability/modes.py --out runs/modes --data ring grid --seeds 0 1 2 3 4
                                     --options loss=non_saturating penalty=none places=0 [watchdog=off]

The protocol is that of Lin et al. 2018, section 4.1. The last command trains the GAN of 2014, to see how the watchdog
repairs it. Every run has a folder under --out; finished runs are not repeated.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

import sparring
from sparring.modalities.points.data import MIXTURES
from sparring.modalities.points.metrics import mode_coverage
from sparring.runs.display import Silent
from sparring.storage import write_json

SAMPLES = 2_500
TARGETS = {"ring": (8, 0.98, 0.07), "grid": (25, 0.95, 0.04), "lattice": (100, 0.986, float("inf"))}
"""Number of modes, smallest quality, largest reverse KL divergence."""
FIGURES = ("modes", "quality", "reverse_kl")


def measured(data: str, folder: Path, **options: Any) -> dict[str, float]:
    """Train, unless a finished run is there; return the modes, quality and divergence of 2,500 samples."""
    found = folder / "modes.json"
    if not found.exists():
        began = time.monotonic()
        sparring.train(data, out=folder, display=Silent(), **options)
        seconds = time.monotonic() - began
        mixture = MIXTURES[data]
        samples = sparring.load(folder).sample(SAMPLES, seed=1)
        figures = mode_coverage(samples, torch.from_numpy(mixture.centres).float(), mixture.sigma)
        write_json(found, {**figures, "seconds": round(seconds)})
    values: dict[str, float] = json.loads(found.read_text())
    return values


def reaches(data: str, values: dict[str, float]) -> bool:
    """Return whether one run reaches its target."""
    modes, quality, divergence = TARGETS[data]
    return values["modes"] == modes and values["quality"] >= quality and values["reverse_kl"] <= divergence


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--recipe", default="points/ring", help="default: the default recipe of points")
    parser.add_argument("--options", nargs="*", default=[], metavar="NAME=VALUE", help="options of the training")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    choices = {"recipe": options.recipe, **dict(field.split("=", 1) for field in options.options)}
    title = " ".join([options.recipe, *options.options])
    lines = [
        f"| data, by {title} | runs that reach the target | modes | quality | reverse KL | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for data in options.data:
        runs = []
        for seed in options.seeds:
            folder = options.out / f"{title.replace('/', '-').replace(' ', '-')}-{data}-{seed}"
            runs.append(measured(data, folder, seed=seed, **choices))
            print(data, seed, runs[-1], flush=True)
        columns = [[run[name] for run in runs] for name in (*FIGURES, "seconds")]
        ranges = " | ".join(f"{statistics.median(one):.3g} ({min(one):.3g} to {max(one):.3g})" for one in columns)
        lines.append(f"| {data} | {sum(reaches(data, run) for run in runs)} of {len(runs)} | {ranges} |")
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
