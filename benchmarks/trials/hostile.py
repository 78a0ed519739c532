"""Hostile input: links, pipes, devices, bombs, sizes, escapes, markup, shell syntax, layouts, tables and options.

python benchmarks/trials/hostile.py [--jobs 2] [--only bomb]
python benchmarks/trials/hostile.py --case 123

Prints a table in Markdown and the failures in groups, and ends with exit code 1 if there are any; with --failures FILE
each of them is listed. Bombs are made at run time in a temporary folder. See ``outcomes`` for the columns.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import bombs
import layouts
import links
import names
import options
import tables
import verbs
from attacks import Attack, Materials
from bases import built
from children import Task, run_all
from outcomes import Result, failed, grouped, table, worst


def everything() -> list[Attack]:
    """Return all attacks, always in the same order."""
    return [attack for room in (links, bombs, names, layouts, tables, options) for attack in room.attacks()]


def play(chosen: Sequence[tuple[int, Attack]], materials: Materials, folder: Path, jobs: int) -> list[Result]:
    """Run attacks by their numbers, and return their results in order."""
    attacks = dict(chosen)

    def task(number: int, attack: Attack) -> Task:
        return Task(number, lambda own: worst(attack.play(own, materials)), 8)

    found = run_all([task(*one) for one in chosen], folder / "cases", jobs)
    results = [Result(number, attacks[number].kind, attacks[number].name, judged) for number, judged in found]
    return sorted(results, key=lambda one: one.number)


def make_bombs(top: Path) -> Path:
    """Write the bombs in a child, so that this process does not grow."""
    if not top.exists():
        process = os.fork()
        if process == 0:
            code = 1
            try:
                bombs.make(top)
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(process, 0)[1]:
            raise SystemExit("The bombs cannot be made.")
    return top


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="part of the name of the kinds of attack to run")
    parser.add_argument("--case", type=int, help="run this case alone")
    parser.add_argument("--bases", type=Path, help="folder that keeps the undamaged inputs between runs")
    parser.add_argument("--failures", type=Path, help="file for a line per failure")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        bases = built(arguments.bases or folder / "bases")
        verbs.prepare()
        chosen = [
            (number, attack)
            for number, attack in enumerate(everything())
            if arguments.only in attack.kind and arguments.case in (None, number)
        ]
        materials = Materials(bases, make_bombs((arguments.bases or folder).absolute() / "bombs"))
        results = play(chosen, materials, folder, arguments.jobs)
    print("\n".join([*table(results), "", *grouped(results)]))
    print(f"\n{len(results):,} cases in {time.monotonic() - began:.0f} seconds")
    if arguments.case is not None:
        print(*results, sep="\n")
    if arguments.failures is not None:
        lines = [f"{one.number} · {one.kind} · {one.name} · {one.judgement.outcome.value} · {one.judgement.reason}"
                 for one in failed(results)]  # fmt: skip
        arguments.failures.write_text("\n".join(lines) + "\n")
    sys.exit(1 if failed(results) else 0)


if __name__ == "__main__":
    main()
