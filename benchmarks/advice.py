"""Continuations of 30 runs of many kinds, by which the advice at the end of a run can be judged.

    python benchmarks/advice.py FOLDER --shared DATA [--cases 0:30]
    python benchmarks/advice.py FOLDER --judge

Makes the pictures of made_pictures.py, trains each case for its budget, copies the run and trains the copy for twice as
long, and compares both with the same real samples; all of it stays in FOLDER. DATA holds mnist/ (IDX), cifar10/
(Parquet) and tables/ (adult.csv).

With --judge nothing is trained: the advice of each first run, by the present code, is set beside its continuation.
"Train longer" is right where the second run is better, and "will hardly help" where it is not; "not known" is
never wrong, and counts as not right. Better is a significantly smaller Fréchet distance, or, where the distances do
not differ, metrics that are better and none that is worse.
"""

import argparse
import json
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from made_pictures import write
from rounds import setting

import sparring
from sparring.evaluation.comparison import Comparison
from sparring.evaluation.glossary import metric_info
from sparring.report.diagnosis import RunHistory
from sparring.runs.display import Silent
from sparring.runs.folder import Run

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


def is_better(comparison: Comparison) -> bool:
    """Return whether the second run is better; see the head of this file."""
    verdicts = {
        name: one.verdict
        for differences in comparison.differences.values()
        for name, one in differences.items()
        if metric_info(name).question != "New?"
    }
    if verdicts["frechet"] in ("first", "second"):
        return verdicts["frechet"] == "second"
    return "second" in verdicts.values() and "first" not in verdicts.values()


def judge(folder: Path) -> None:
    """Print the advice of every first run in FOLDER beside what its continuation gave, and how often it was right."""
    counts: Counter[str] = Counter()
    for place in sorted(folder.glob("*/row.json")):
        row = json.loads(place.read_text())
        better = is_better(Comparison.model_validate_json(json.dumps(row["comparison"])))
        advice = RunHistory(Run(place.parent / "first")).advice
        prospect = "unknown" if advice is None else advice.prospect
        outcome = "right" if prospect == ("longer" if better else "enough") else "wrong"
        outcome = "not told" if prospect == "unknown" else outcome
        counts[outcome] += 1
        data, recipe, samples, _ = row["case"]
        words = "the training had problems" if advice is None else advice.sentence
        went = "better" if better else "not better"
        print(f"{place.parent.name} {data} {recipe} {samples:,}: {outcome}; {went}; {words}")
    print(f"{counts['right']} of {counts.total()} right, {counts['wrong']} wrong, {counts['not told']} not told")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, default=Path())
    parser.add_argument("--cases", default=":")
    parser.add_argument("--judge", action="store_true")
    options = parser.parse_args()
    if options.judge:
        judge(options.folder)
        return
    first, last = options.cases.split(":")
    measure(options.folder, options.shared, slice(int(first or 0), int(last) if last else None))


if __name__ == "__main__":
    main()
