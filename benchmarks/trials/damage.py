"""Damage to every file that is read: thousands of mutations, each followed by the verbs that read the file.

python benchmarks/trials/damage.py [--count 10000] [--seed 0] [--jobs 2] [--only run]
python benchmarks/trials/damage.py --seed 0 --case 1234

Case N of a seed is always the same, whatever the count. Prints a table in Markdown and the failures in groups, and ends
with exit code 1 if there are any; with --failures FILE each of them is listed. See ``outcomes`` for the columns.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import verbs
from bases import Bases, built
from children import Task, run_all
from mutations import SEALED, is_sealed, mutations_of
from outcomes import Judgement, Outcome, Result, failed, grouped, table, worst
from verbs import Seen

Verb = Callable[[Path, Path], Seen]
RARE = (".png", ".html", ".2", ".1", ".3", ".4", ".5")
"""Endings of files of run folders that no verb reads: they are damaged rarely."""


def accept_nothing(path: Path, damaged: Path, healthy: Any, found: Any) -> bool:
    """Accept no other result."""
    return False


@dataclass(frozen=True)
class Target:
    """An input that is damaged.

    Args:
        kind: its row in the table.
        source: what is copied.
        verbs: the verbs that read it, by name; they get (folder of the case, the damaged copy).
        accepts: (damaged file, damaged copy, healthy result, result) → whether another result is nobody's fault.
        twin: another input of the same layout.
        special: start of a path in the input → verbs in place of the others.
    """

    kind: str
    source: Path
    verbs: dict[str, Verb]
    accepts: Callable[[Path, Path, Any, Any], bool] = accept_nothing
    twin: Path | None = None
    special: dict[str, dict[str, Verb]] = field(default_factory=dict)

    def verbs_for(self, file: Path, top: Path) -> dict[str, Verb]:
        """Return the verbs that read one file of the input."""
        relative = file.relative_to(top).as_posix()
        return next((found for start, found in self.special.items() if relative.startswith(start)), self.verbs)

    @property
    def all_verbs(self) -> dict[str, Verb]:
        """All verbs by name."""
        return self.verbs | {name: verb for found in self.special.values() for name, verb in found.items()}


def targets(bases: Bases) -> list[Target]:
    """Return everything that is damaged, in the order of the table."""
    found: list[Target] = []
    for name in ("ring", "pictures"):
        if f"{name}-stopped" not in bases.runs:
            continue
        stopped, finished, twin = (bases.runs[f"{name}-{kind}"] for kind in ("stopped", "finished", "twin"))
        reading: dict[str, Verb] = {"sample": verbs.sample, "diagnose": verbs.diagnose}
        special: dict[str, dict[str, Verb]] = {
            "best/": {"resume to the best": verbs.resume_to_the_best},
            "good/": {"resume with a rollback": verbs.resume_with_a_rollback},
        }
        found.append(Target("stopped run", stopped, reading | {"resume": verbs.resume}, follows_logs, twin, special))
        found.append(Target("finished run", finished, reading | {"close": verbs.close}, follows_logs, twin))
        found.append(
            Target("published folder", finished / "model", {"sample": verbs.sample}, twin=bases.top / f"{name}-twin")
        )

    # A cache is read by a call that gives the same scores and samples without it.
    evaluated, points = bases.runs["ring-finished"], bases.points

    def evaluate(folder: Path, cache: Path) -> Seen:
        os.environ["SPARRING_CACHE"] = str(cache)
        return verbs.evaluate(folder, evaluated, points)

    def prepare(folder: Path, cache: Path) -> Seen:
        os.environ["SPARRING_CACHE"] = str(cache)
        return verbs.train(folder, bases.pictures, *verbs.TINY_PICTURES)

    found.append(Target("cache", bases.cache, {"evaluate": evaluate, "train": prepare}))

    # Data of every format.
    for name, source in bases.data.items():
        points_only = source.suffix == ".csv" or name == "points.npy"
        options = verbs.TINY if points_only else verbs.TINY_PICTURES

        def train(folder: Path, data: Path, options: Sequence[object] = options) -> Seen:
            return verbs.train(folder, data, *options)

        kind = f"data: {name.removeprefix('folder-') if source.is_dir() else name}"
        found.append(Target(kind, source, {"inspect": verbs.inspect, "train": train}, follows_data))
    return found


def follows_logs(file: Path, damaged: Path, healthy: Any, found: Any) -> bool:
    """Accept any diagnosis of a damaged log: nothing else reads one."""
    return file.suffix == ".jsonl" and found is None


def follows_data(file: Path, damaged: Path, healthy: Any, found: Any) -> bool:
    """Accept what unprotected data really says: fewer files, other rows, other numbers of its labels."""
    if not isinstance(found, dict) or found["modality"] != healthy["modality"]:
        return False
    if damaged.suffix == ".csv":
        rows = [line for line in damaged.read_text(errors="replace").splitlines() if line.strip(" ,\t")]
        headed = not rows[0].replace(",", "").replace(".", "").replace("-", "").strip().isdigit()
        return found["count"] == len(rows) - headed and found["shape"] == healthy["shape"]
    labelled = bool(found["classes"]) == bool(healthy["classes"])
    if damaged.is_dir() and not file.exists():
        return True
    if damaged.is_dir() and file.is_dir():
        return found["count"] == healthy["count"] - 1 or labelled
    return found["count"] == healthy["count"] and found["shape"] == healthy["shape"] and labelled


@dataclass(frozen=True)
class Case:
    """One mutation of one file of a target."""

    number: int
    target: Target
    seed: int

    def chosen(self) -> tuple[Path, Any, Random]:
        """Return the file, undamaged, the mutation, and the random numbers of the mutation."""
        random, top = Random(f"{self.seed}/{self.number}"), self.target.source
        files = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
        common = [path for path in files if path.suffix not in RARE and path.name != "lock"]
        run = "run" in self.target.kind
        file = random.choice(common if run and common and random.random() < 0.95 else files)
        return file, random.choice(mutations_of(file, top, self.target.twin)), random

    @property
    def name(self) -> str:
        """File and mutation in words."""
        file, mutation, _ = self.chosen()
        relative = file.relative_to(self.target.source.parent).as_posix()
        return f"{relative}, {mutation.__name__.replace('_', ' ')}"

    def run(self, folder: Path, healthy: dict[str, Any]) -> Judgement:
        """Copy, damage, run every verb, and judge what is seen."""
        copy = folder / "input" / self.target.source.name
        _copied(self.target.source, copy)
        # The mutation is drawn from the undamaged input, so that it is the same in every place.
        file, mutation, random = self.chosen()
        damaged = copy / file.relative_to(self.target.source) if copy.is_dir() else copy
        chosen = self.target.verbs_for(damaged, copy) if copy.is_dir() else self.target.verbs
        mutation(damaged, random)
        sealed = mutation in SEALED and is_sealed(damaged)

        judgements = []
        os.environ["SPARRING_CACHE"] = str(folder / "cache")
        for name, verb in chosen.items():
            before = verbs.listing(folder)
            seen = verb(folder, copy)
            changed = verbs.differences(before, verbs.listing(folder)) if seen.refused else []
            judgement = self._judged(seen, healthy[name], changed, damaged, copy)
            if sealed and judgement.outcome is Outcome.SILENT:
                judgement = Judgement(Outcome.USED)
            judgements.append(judgement._replace(reason=f"{name}: {judgement.reason}"))
        return worst(judgements)

    def _judged(self, seen: Seen, healthy: dict[str, Any], changed: list[str], file: Path, copy: Path) -> Judgement:
        if seen.error is not None:
            return seen.error
        if raw := list(verbs.raw_characters(seen.text)):
            return Judgement(Outcome.SILENT, f"raw characters on the terminal: {raw[0]}")
        if changed:
            return Judgement(Outcome.SILENT, f"refused, but changed {Path(changed[0]).name}")
        if seen.refused:
            return Judgement(Outcome.SENTENCE)
        if seen.result == healthy["result"]:
            return Judgement(Outcome.USED)
        if set(seen.lines) - set(healthy["lines"]):
            return Judgement(Outcome.TOLD)
        if self.target.accepts(file, copy, healthy["result"], seen.result):
            return Judgement(Outcome.USED)
        return Judgement(Outcome.SILENT, f"another result ({_change(healthy['result'], seen.result)})")


def healthy_results(chosen: Sequence[Target], folder: Path) -> dict[str, dict[str, Any]]:
    """Return what every verb gives for every undamaged target, by the target's source."""

    def look(target: Target) -> Callable[[Path], Judgement]:
        def run(own: Path) -> Judgement:
            os.environ["SPARRING_CACHE"] = str(own / "cache")
            found = {}
            for name, verb in target.all_verbs.items():
                copy = own / name / "input" / target.source.name
                _copied(target.source, copy)
                seen = verb(own / name, copy)
                if seen.error or seen.refused:
                    return Judgement(
                        Outcome.TRACEBACK, f"{name} of the undamaged {target.source.name}: {seen.error} {seen.text}"
                    )
                found[name] = {"lines": seen.lines, "result": seen.result}
            kept.joinpath(f"{chosen.index(target)}.json").write_text(json.dumps(found))
            return Judgement(Outcome.USED)

        return run

    kept = folder / "healthy"
    kept.mkdir()
    tasks = [Task(number, look(target), 10) for number, target in enumerate(chosen)]
    for number, judgement in run_all(tasks, folder / "looks", 1):
        if judgement.outcome is not Outcome.USED:
            raise SystemExit(f"{chosen[number].kind}: {judgement.outcome.value}: {judgement.reason}")
    return {
        str(target.source): json.loads((kept / f"{number}.json").read_text()) for number, target in enumerate(chosen)
    }


def cases(chosen: Sequence[Target], seed: int, numbers: Sequence[int]) -> list[Case]:
    """Return cases by their numbers; targets of one row share the cases of that row."""
    kinds = list(dict.fromkeys(target.kind for target in chosen))
    found = []
    for number in numbers:
        random = Random(f"{seed}/target/{number}")
        kind = random.choices(kinds, [_weight(kind) for kind in kinds])[0]
        found.append(Case(number, random.choice([target for target in chosen if target.kind == kind]), seed))
    return found


def play(all_cases: Sequence[Case], healthy: dict[str, dict[str, Any]], folder: Path, jobs: int) -> Iterator[Result]:
    """Run cases, and yield their results as they end."""
    by_number = {case.number: case for case in all_cases}

    def task(case: Case) -> Task:
        return Task(case.number, lambda own: case.run(own, healthy[str(case.target.source)]), len(case.target.verbs))

    for number, judgement in run_all([task(case) for case in all_cases], folder / "cases", jobs):
        case = by_number[number]
        yield Result(number, case.target.kind, case.name, judgement)


def _weight(kind: str) -> float:
    """Return how often a kind is damaged: folders of many kinds of files more often than one file."""
    return {"stopped run": 8.0, "finished run": 4.0, "published folder": 4.0, "cache": 3.0}.get(kind, 1.0)


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _change(before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        return ", ".join(sorted(name for name in before if before[name] != after.get(name)))
    return "other bytes"


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="part of the name of the inputs to damage")
    parser.add_argument("--case", type=int, help="run this case alone")
    parser.add_argument("--bases", type=Path, help="folder that keeps the undamaged inputs between runs")
    parser.add_argument("--failures", type=Path, help="file for a line per failure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="damage-") as name:
        folder, began = Path(name), time.monotonic()
        bases = built(arguments.bases or folder / "bases")
        verbs.prepare()
        everything = targets(bases)
        numbers = range(arguments.count) if arguments.case is None else [arguments.case]
        chosen = [case for case in cases(everything, arguments.seed, numbers) if arguments.only in case.target.kind]
        used = [target for target in everything if any(case.target is target for case in chosen)]
        healthy = healthy_results(used, folder)
        results = []
        for result in play(chosen, healthy, folder, arguments.jobs):
            results.append(result)
            if sys.stderr.isatty():
                print(f"\r{len(results):,} of {len(chosen):,}", end="", file=sys.stderr)
    order = [target.kind for target in everything]
    results.sort(key=lambda one: (order.index(one.kind), one.number))
    print("\n".join([*table(results), "", *grouped(results)]))
    print(f"\n{len(results):,} cases of seed {arguments.seed} in {time.monotonic() - began:.0f} seconds")
    if arguments.case is not None:
        print(*results, sep="\n")
    if arguments.failures is not None:
        lines = [f"{one.number} · {one.kind} · {one.name} · {one.judgement.outcome.value} · {one.judgement.reason}"
                 for one in failed(results)]  # fmt: skip
        arguments.failures.write_text("\n".join(lines) + "\n")
    sys.exit(1 if failed(results) else 0)


if __name__ == "__main__":
    main()
