"""The point recipes with all their defaults, as `sparring train` trains and judges them.

python benchmarks/points.py [--seeds 0 1 2] [--contestants points/ring …]
"""

import argparse
import tempfile
from pathlib import Path

import torch
from rounds import setting

import sparring
from sparring.display import Plain
from sparring.judgement import Judgement
from sparring.recipes import RECIPES

DATA = {"points/ring": "ring", "points/grid": "grid", "points/vae": "ring"}
FIGURES = ("modes", "quality", "reverse_kl")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--contestants", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [f"| recipe | data | samples seen | seed | {' | '.join(FIGURES)} |", f"|---|---|---:|---:|{'---:|' * 3}"]
    with tempfile.TemporaryDirectory() as folder:
        for name in options.contestants:
            for seed in options.seeds:
                out = Path(folder) / f"{name}-{seed}".replace("/", "-")
                run = sparring.train(DATA[name], recipe=name, seed=seed, out=out, display=Plain(every=60))
                found = Judgement.from_run(run).measures
                figures = " | ".join(f"{found[figure][0]:.3g}" for figure in FIGURES)
                lines.append(f"| {name} | {DATA[name]} | {RECIPES[name].samples:,} | {seed} | {figures} |")
    print("\n".join([setting(), "", *lines]))


if __name__ == "__main__":
    main()
