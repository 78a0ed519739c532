"""Spectra of samples of images/r3gan by the interpolation to the finest grid of its generator.

    python benchmarks/made_pictures.py made
    python benchmarks/spectra.py made/clothes --out runs/spectra [--samples 50000] [--seeds 0 1 2]

Prints the spectrum distance, the Fréchet distance in pixels, and the narrowest peak, which the watchdog looks for, of
1,000 samples against 1,000 images of the data. Every run has a folder; finished runs are not repeated.
"""

import argparse
from pathlib import Path

import torch

import sparring
from sparring.metrics.distances import frechet
from sparring.modalities.images.data import survey
from sparring.modalities.images.spectrum import narrow_peak, spectrum_distance
from sparring.recipe import resolve
from sparring.recipes import RECIPES
from sparring.runs.display import Plain
from sparring.training import devices

COUNT, WATCHED = 1_000, 64
"""Images a side of distances, and of peaks, as the watchdog has them."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    whole = survey(options.data)
    recipe, _ = resolve(RECIPES["images/r3gan"], whole.facts, devices.describe(torch.device("cpu")))
    images = whole.prepare(recipe.view(whole.facts)).train.batch(slice(None)).real
    real = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))][:COUNT]
    print("| upsampling | seed | spectrum | pixels | peak | peak power |\n|---|---|---|---|---|---|")
    for upsampling in ("bilinear", "rectified"):
        for seed in options.seeds:
            out = options.out / f"{upsampling}-{seed}"
            if not (out / "model").exists():
                fields = {"samples": options.samples, "seed": seed, "upsampling": upsampling}
                sparring.train(options.data, recipe="images/r3gan", out=out, display=Plain(), **fields)
            fake = sparring.load(out).sample(COUNT, seed=1).clamp(-1, 1)
            distance, pixels = (
                spectrum_distance(real, fake),
                frechet(real.flatten(1).double(), fake.flatten(1).double()),
            )
            peak, power = narrow_peak(real[:WATCHED], fake[:WATCHED])
            print(f"| {upsampling} | {seed} | {distance:.3f} | {pixels:.2f} | {peak:.2f} | {power:.2f} |")


if __name__ == "__main__":
    main()
