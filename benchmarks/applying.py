"""Speed and memory of `sparring apply`: untrained generators as they are chosen without a GPU, pictures of noise.

    python benchmarks/applying.py [--recipes images/pix2pix …] [--megapixels 1 4] [--side 64]

Every picture is applied in a process of its own on two threads, from which the peak of memory comes. Overhead is the
time beside the network itself: cutting and blending tiles, and writing PNG.
"""

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from restoring import facts_of
from rounds import setting

import sparring
from sparring.model import Model
from sparring.randomness import seeded
from sparring.recipe import Machine, with_fields
from sparring.recipes import RECIPES
from sparring.samples import Sample

NAMES = ["images/pix2pix", "images/pix2pix-hd", "images/cyclegan", "images/cut", "images/fill", "images/colourise"]
DOMAINS = ("first", "second")


def untrained(name: str, side: int) -> Model:
    """Return a model with the fields that are chosen without a GPU."""
    coding = {"pair": {"sides": list(DOMAINS), "channels": [3, 3]}}
    facts = replace(facts_of(np.zeros((400, 3, side, side), np.uint8)), classes=DOMAINS, coding=coding)
    chosen = RECIPES[name].choose(facts, Machine("cpu", 24 * 2**30, 2, bfloat16=False))
    recipe = with_fields(RECIPES[name], {field: value for field, (value, _) in chosen.items()})
    with seeded(0, "weights"):
        return Model(recipe.game(facts), recipe, name, facts, {})


def apply_one(folder: Path, megapixels: float) -> None:
    """Print the seconds of one picture, those of them in the network, and the peak of memory in MB."""
    torch.set_num_threads(2)
    side = math.isqrt(round(megapixels * 1e6))
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    model, inside = sparring.load(folder), 0.0
    model.apply(picture[:64, :64])  # The first call is slower than the others.
    listed = model.inputs(picture)
    assert listed is not None
    with model.on("cpu") as device, tempfile.TemporaryDirectory() as out:
        generator = model.any_size(0, 0, device)

        def generated(condition: Sample) -> Sample:
            nonlocal inside
            began = time.perf_counter()
            sample = generator.generate(condition)
            inside += time.perf_counter() - began
            return sample

        began = time.perf_counter()
        listed[0][0].write(generator._replace(generate=generated), Path(out) / "made.png")
        print(time.perf_counter() - began, inside, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipes", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--megapixels", nargs="+", type=float, default=[1, 4])
    parser.add_argument("--side", type=int, default=64, help="of the images that a model is made for")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        apply_one(options.one, options.megapixels[0])
        return
    print(f"{setting()}\n\n| recipe | megapixels | megapixels per s | overhead | peak, MB |\n|---|---:|---:|---:|---:|")
    for name in options.recipes:
        with tempfile.TemporaryDirectory() as place:
            folder = untrained(name, options.side).save_pretrained(Path(place) / "model")
            for megapixels in options.megapixels:
                words = [sys.executable, __file__, "--one", str(folder), "--megapixels", str(megapixels)]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                seconds, inside, peak = map(float, done.stdout.split())
                speed, overhead = megapixels / seconds, 100 * (seconds / inside - 1)
                print(f"| {name} | {megapixels:g} | {speed:.2f} | {overhead:.0f} % | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
