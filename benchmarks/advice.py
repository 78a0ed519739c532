"""Continuations of 30 runs of many kinds, by which the advice at the end of a run can be judged.

    python benchmarks/advice.py FOLDER --shared DATA [--cases 0:30]

Makes the pictures of made_pictures.py, trains each case for its budget, copies the run and trains the copy for twice as
long, and compares both with the same real samples; all of it stays in FOLDER. DATA holds mnist/ (IDX), cifar10/
(Parquet) and tables/ (adult.csv).
"""

import argparse
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from made_pictures import write
from rounds import setting

import sparring
from sparring.runs.display import Silent

MADE = 3000
"""Pictures of each kind that are made."""


class Case(NamedTuple):
    """A run whose continuation is measured.

    Args:
        data: name of a data set, or a path in FOLDER ("made/…") or in DATA ("mnist", "cifar10", "tables/…").
        recipe: its recipe.
        samples: real samples of the first run; the second sees twice as many.
        seed: of both.
        options: further ones of `train`.
    """

    data: str
    recipe: str
    samples: int
    seed: int = 0
    options: Mapping[str, int] = MappingProxyType({})


CASES = (
    Case("digits", "images/r3gan", 20_000),
    Case("digits", "images/r3gan", 80_000, 1),
    Case("digits", "images/r3gan", 300_000, 2),
    Case("digits", "images/dcgan", 20_000),
    Case("digits", "images/dcgan", 100_000, 1),
    Case("digits", "images/gan", 100_000),
    Case("digits", "images/vae", 20_000),
    Case("digits", "images/vae", 200_000, 1),
    Case("ring", "points/ring", 30_000),
    Case("ring", "points/ring", 300_000, 1),
    Case("grid", "points/ring", 200_000),
    Case("grid", "points/vae", 100_000),
    Case("mnist", "images/dcgan", 10_000),
    Case("mnist", "images/r3gan", 6_000, 1),
    Case("mnist", "images/r3gan", 20_000, 2),
    Case("mnist", "images/gan", 100_000),
    Case("mnist", "images/vae", 60_000),
    Case("cifar10", "images/dcgan", 10_000),
    Case("cifar10", "images/r3gan", 6_000, 1),
    Case("cifar10", "images/vae", 30_000),
    Case("made/clothes", "images/r3gan", 6_000),
    Case("made/clothes", "images/dcgan", 20_000, 1),
    Case("made/faces", "images/r3gan", 6_000, 0, {"resolution": 32}),
    Case("made/faces", "images/dcgan", 12_000, 1, {"resolution": 32}),
    Case("made/icons", "images/dcgan", 12_000, 0, {"resolution": 32}),
    Case("made/icons", "images/vae", 20_000, 1, {"resolution": 32}),
    Case("tables/adult.csv", "tables/masked", 60_000),
    Case("tables/adult.csv", "tables/tvae", 100_000, 1),
    Case("tables/adult.csv", "tables/ctgan", 100_000, 2),
    Case("tables/adult.csv", "tables/gan", 60_000, 3),
)


def measure(folder: Path, shared: Path, cases: slice) -> None:
    """Train and compare the cases that FOLDER lacks; each takes one to six minutes of one thread."""
    torch.set_num_threads(1)
    if not (folder / "made").exists():
        write(folder / "made", MADE, 0)
    for number in range(*cases.indices(len(CASES))):
        case, place = CASES[number], folder / f"{number:02d}"
        if (place / "row.json").exists():
            continue
        shutil.rmtree(place, ignore_errors=True)
        inside = [root / case.data for root in (folder, shared) if (root / case.data).exists()]
        data, began = str(inside[0]) if inside else case.data, time.monotonic()
        options = {"samples": case.samples, "seed": case.seed, "display": Silent(), **case.options}
        sparring.train(data, recipe=case.recipe, out=place / "first", **options)
        seconds = time.monotonic() - began
        shutil.copytree(place / "first", place / "second", ignore=shutil.ignore_patterns("lock"))
        sparring.resume(place / "second", samples=2 * case.samples, display=Silent())
        comparison = sparring.compare(place / "first", place / "second", data, display=Silent())
        row = {
            "case": [case.data, case.recipe, case.samples, case.seed],
            "seconds": [round(seconds), round(time.monotonic() - began)],
            "setting": setting(),
            "comparison": comparison.model_dump(mode="json"),
        }
        (place / "row.json").write_text(json.dumps(row, indent=1))
        print(f"{number:2} {case.data} {case.recipe} {case.samples:,}: {seconds:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, default=Path())
    parser.add_argument("--cases", default=":")
    options = parser.parse_args()
    first, last = options.cases.split(":")
    measure(options.folder, options.shared, slice(int(first or 0), int(last) if last else None))


if __name__ == "__main__":
    main()
