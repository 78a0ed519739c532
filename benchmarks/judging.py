"""Time and memory of the metrics, and of an evaluation.

    python benchmarks/judging.py [--count 10000] [--features 2048] [--rounds 5] [--neighbours 50000] [--data mnist]

Fréchet distance: sparring against covariances and scipy's square root of their product, interleaved in one process, on
random features. Precision, recall, density and coverage: peak memory above that of the features, in a separate process.
With ``--data``: seconds of a first and of a second `evaluate` on 3,000 of its images, with the default features, and
with those of an Inception network (200 images against 500 others; its weights are random, which costs the same).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rounds import interleaved, setting, table
from scipy.linalg import sqrtm

import sparring
from sparring.data.view import View
from sparring.metrics.distances import frechet, prdc
from sparring.metrics.extractors.inception import build
from sparring.modalities import modality_of


def features(count: int, size: int, seed: int) -> torch.Tensor:
    """Return random features with correlations, (count, size) float32."""
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=torch.Generator().manual_seed(99)) / size**0.5
    return torch.randn(count, size, generator=random) @ mixing


def by_square_root(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Return the Fréchet distance as most implementations compute it, with a matrix square root."""
    first, second = (np.cov(side.double().numpy(), rowvar=False) for side in (real, fake))
    shift = np.square((real.double().mean(0) - fake.double().mean(0)).numpy()).sum()
    return float(shift + np.trace(first + second - 2 * sqrtm(first @ second).real))


def neighbours(count: int, size: int) -> None:
    """Print the seconds and the additional MiB that precision, recall, density and coverage take."""
    real, fake = features(count, size, 0), features(count, size, 1)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found = prdc(real, fake)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{time.perf_counter() - began:.0f} s, {added:.0f} MiB added, {before / 1024:.0f} before, {found}")


def evaluate_twice(data: str) -> None:
    """Print the seconds of a first and of a second evaluation that share a new cache."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["SPARRING_CACHE"] = str(folder / "cache")
        # The samples are training images; the real data are all images, or a few held-out ones for the slow Inception.
        kind = modality_of(data)
        survey = kind.survey(data)
        split = survey.prepare(View(survey.facts.shape), seed=1)
        kind.save(split.train.batch(slice(0, 3000)).real, split.facts, folder / "samples")
        torch.save(build().state_dict(), folder / "inception.pth")
        kind.save(split.held_out.batch(slice(0, 500)).real, split.facts, folder / "few")
        weights = f"inception:{folder / 'inception.pth'}"

        # Evaluate each pair twice; only the first time fills the cache.
        for name, real, count, extractors in (
            ("default features", data, 3000, ()),
            ("Inception", folder / "few", 200, (weights,)),
        ):
            times = []
            for _ in range(2):
                began = time.perf_counter()
                sparring.evaluate(folder / "samples", real, count=count, extractors=extractors)
                times.append(time.perf_counter() - began)
            ratio = times[0] / times[1]
            print(f"{name}, {count} images: {times[0]:.1f} s, then {times[1]:.2f} s, {ratio:.0f} × as fast")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--neighbours", type=int, default=50_000, help="number of samples; 0 to skip this part")
    parser.add_argument("--data", help="images to evaluate twice")
    parser.add_argument("--only-neighbours", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.only_neighbours:
        neighbours(options.neighbours, options.features)
        return
    if options.data:
        evaluate_twice(options.data)
        return

    # Time both implementations of the Fréchet distance, and compare their values.
    real, fake = features(options.count, options.features, 0), features(options.count, options.features, 1)
    values: dict[str, float] = {}
    medians = interleaved(
        {
            "scipy's square root": lambda: values.update(scipy=by_square_root(real, fake)),
            "sparring": lambda: values.update(sparring=frechet(real, fake)),
        },
        rounds=options.rounds,
        steps=1,
    )
    difference = abs(values["sparring"] / values["scipy"] - 1)
    print(
        f"{setting()}\n\n{table(medians, next(iter(medians)))}\n\nrelative difference of the values: {difference:.1e}"
    )

    # Measure the memory of the metrics of neighbours in a process of its own.
    if options.neighbours:
        command = [sys.executable, __file__, "--only-neighbours", "--neighbours", str(options.neighbours)]
        print("precision … coverage:", subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
