"""Sensitivity of every metric of an evaluation: its change when real digits are corrupted in known ways and amounts.

    python benchmarks/sensitivity.py PATH_TO_MNIST [--count 2000] [--seeds 0 1 2] [--json out.json] [--kinds blur …]

For each seed the digits are split anew: 9,000 to train on, 3,000 held out, and the rest, which is used neither for
training nor for floors. Samples are digits of the rest with their own labels, corrupted and then rounded to 8 bits, as
in files. They are evaluated like a model, with new samples in every repeat. For the column of rounding all digits are
shifted by 0.3 pixels first, the real ones too, because whole numbers have nothing to round.

A score differs significantly if its difference from the floor is larger than its 95 % interval. Memorisation has no
intervals of its own: shares get binomial ones, C_T differs significantly beyond ± 3, and copies follow the verdict.
Left out: metrics that need a model (path length) or train classifiers (--useful), metrics of points and of stacks, and
extractors that are downloaded.
"""

import argparse
import itertools
import math
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from corruptions import KINDS, Kind, parts_of
from rounds import setting

from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.glossary import metric_info, number
from sparring.evaluation.memorisation import CLOSE_SHARE, MAX_C_T, Memorisation
from sparring.evaluation.protocol import Generated
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import Score
from sparring.evaluation.subject import Subject
from sparring.modalities import modality
from sparring.randomness import generator
from sparring.storage import write_json

NORMAL_QUANTILE = 1.96
"""The 97.5 % quantile of the normal distribution."""
TITLES = {"copies": "copies", "closest": "share of closest"}
"""Titles of the two figures of memorisation that the glossary lacks; for both lower is better."""


class Task(NamedTuple):
    """One evaluation."""

    data: str
    samples: int
    seed: int
    kind: str
    level: str


Scored: TypeAlias = dict[str, Score]
"""Metric → score; a metric of features has the name of their extractor behind a comma."""
Results: TypeAlias = dict[tuple[str, str], list[Scored]]
"""(kind, level) → the scores of each seed."""


def evaluate_task(task: Task) -> tuple[Task, Scored, float]:
    """Return the scores of one task, and the seconds that it took."""
    began = time.perf_counter()
    kind = KINDS[task.kind]
    parts, corrupt = parts_of(task.data, task.seed, kind.shifted), kind.levels[task.level]

    def fresh_samples(count: int, repeat: int) -> Generated:
        return Generated(corrupt(parts, count, generator(task.seed, "more", repeat)))

    batch = corrupt(parts, task.samples, generator(task.seed, "samples"))
    subject = Subject(task.level, modality("images"), fresh=fresh_samples)
    found = Evaluator(parts.split, task.seed).evaluate(subject, batch)
    return task, all_scores(found), time.perf_counter() - began


def all_scores(found: Evaluation) -> Scored:
    """Return every score of an evaluation."""
    scores = {
        f"{name}, {one.extractor.partition('-')[0]}": score
        for one in found.scores
        for name, score in one.metrics.items()
    }
    return {**scores, **found.metrics, **(of_memorisation(found.memorisation) if found.memorisation else {})}


def of_memorisation(found: Memorisation) -> Scored:
    """Return the figures of memorisation as scores with intervals."""
    n, m = found.count, found.count_held_out
    value, floor, near = found.authenticity, found.authenticity_held_out, found.share
    of_value, of_near = (NORMAL_QUANTILE * math.sqrt(share * (1 - share) / n) for share in (value, near))
    around = math.hypot(of_value, NORMAL_QUANTILE * math.sqrt(floor * (1 - floor) / m))
    by_chance = NORMAL_QUANTILE * math.sqrt(found.copies)

    def score(name: str, value: float, floor: float, plus_minus: float, significant: bool) -> Score:
        better = metric_info(name).better
        return Score(value=value, floor=floor, better=better, plus_minus=plus_minus, significant=significant)

    return {
        "authenticity": score("authenticity", value, floor, of_value, abs(value - floor) > around),
        "c_t": score("c_t", found.c_t, 0.0, NORMAL_QUANTILE, abs(found.c_t) > MAX_C_T),
        "closest": score("copies", near, CLOSE_SHARE, of_near, found.closer),
        "copies": score("copies", float(found.copies), found.expected_copies, by_chance, found.copied),
    }


def evaluate_all(tasks: Sequence[Task], processes: int) -> Results:
    """Evaluate all tasks in processes of one thread each.

    The first task of each split comes first, because it fills the cache of floors for the others.
    """
    # One thread for numpy as well, which reads these variables when it is imported.
    os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    found: dict[Task, Scored] = {}
    first = list({(task.seed, KINDS[task.kind].shifted): task for task in reversed(tasks)}.values())[::-1]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as workers:
        for some in (first, [task for task in tasks if task not in first]):
            for done in as_completed([workers.submit(evaluate_task, task) for task in some]):
                task, scores, seconds = done.result()
                found[task] = scores
                note = f"{len(found)}/{len(tasks)} seed {task.seed} {task.kind} {task.level}: {seconds:.0f} s"
                print(note, file=sys.stderr, flush=True)
    results: Results = {}
    for task in tasks:
        results.setdefault((task.kind, task.level), []).append(found[task])
    return results


def worse(score: Score) -> float:
    """Return the distance from the floor towards the side that counts as worse; negative on the other side."""
    if score.value is None or score.floor is None:
        return math.nan
    way = -1 if score.better == "higher" else 1
    return (
        abs(score.value - score.floor) if score.better == "nearer to the floor" else way * (score.value - score.floor)
    )


def verdict(scores: Sequence[Score]) -> Literal["✓", "✗", "?", ""]:
    """Return ✓ if all seeds are significantly worse than the floor, ✗ if better, ? if only some differ, else ""."""
    sides = [math.copysign(1, worse(score)) if score.significant else 0 for score in scores]
    if all(side == 0 for side in sides):
        return ""
    return "✓" if all(side > 0 for side in sides) else "✗" if all(side < 0 for side in sides) else "?"


def monotone(levels: Sequence[Sequence[Score]]) -> str:
    """Return "yes" if medians over seeds get worse with every level; steps back within intervals do not count."""
    if not any(verdict(scores) in ("✓", "✗") for scores in levels):
        return "–"
    moved = [0.0, *(statistics.median(worse(score) for score in scores) for scores in levels)]
    slack = [0.0, *(statistics.median(score.plus_minus or 0 for score in scores) for scores in levels)]
    steps = [after - before for before, after in itertools.pairwise(moved)]
    within = [math.hypot(*pair) for pair in itertools.pairwise(slack)]
    way = math.copysign(1, moved[-1])
    if any(way * step < -some for step, some in zip(steps, within, strict=True)):
        return "no"
    return "yes" if way > 0 else "the other way"


def title(name: str) -> str:
    """Return the title of a metric, with the extractor of its features."""
    metric, _, features = name.partition(", ")
    return TITLES.get(metric, metric_info(metric).title) + (f", {features}" if features else "")


def middle(values: Iterable[float | None]) -> str:
    """Return the median over seeds."""
    known = [value for value in values if value is not None]
    return number(statistics.median(known)) if known else "–"


def in_full(kind: Kind, levels: Mapping[str, Sequence[Scored]]) -> str:
    """Return a Markdown table of all values under one kind of corruption."""
    lines = [
        f"| {kind.title} | floor | {' | '.join(levels)} | better | gets worse from level to level |",
        f"|---|---:|{'---:|' * len(levels)}---|---|",
    ]
    for name in next(iter(levels.values()))[0]:
        mine = [[scores[name] for scores in of_level] for of_level in levels.values()]
        floor = middle(score.floor for score in mine[0])
        values = [f"{middle(score.value for score in scores)} {verdict(scores)}".strip() for scores in mine]
        lines.append(f"| {title(name)} | {floor} | {' | '.join(values)} | {mine[0][0].better} | {monotone(mine)} |")
    return "\n".join(lines)


def weakest(levels: Mapping[str, Sequence[Scored]], name: str, sign: Literal["✓", "✗"]) -> str | None:
    """Return the weakest level at which a metric differs significantly from its floor on that side in all seeds."""
    return next((level for level, seeds in levels.items() if verdict([one[name] for one in seeds]) == sign), None)


def in_short(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> str:
    """Return a Markdown table: the weakest level at which each metric detects a kind, or rates it better than real."""
    lines = [f"| metric | {' | '.join(KINDS[kind].title for kind in found)} |", f"|---|{'---:|' * len(found)}"]
    for name in names_of(found):
        cells = []
        for levels in found.values():
            right, wrong = weakest(levels, name, "✓"), weakest(levels, name, "✗")
            cells.append(" · ".join(level for level in (right, wrong and f"✗ {wrong}") if level) or "–")
        lines.append(f"| {title(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unseen(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> str:
    """Return a Markdown list of the kinds that each metric misses at all levels or rates better than real."""
    lines = []
    for name in names_of(found):
        missed = [kind for kind in found if not any(weakest(found[kind], name, sign) for sign in ("✓", "✗"))]
        praised = [kind for kind in found if weakest(found[kind], name, "✗")]
        clauses = [f"misses {', '.join(missed)}"] if missed else []
        clauses += [f"rates {', '.join(praised)} better than real"] if praised else []
        lines.append(f"- {title(name)}: {'; '.join(clauses) or 'detects every kind'}.")
    return "\n".join(lines)


def names_of(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> list[str]:
    """Return the names of all metrics."""
    return list(next(iter(next(iter(found.values())).values()))[0])


def false_alarms(seeds: Sequence[Scored]) -> str:
    """Return a sentence on the significant differences of samples that were not corrupted."""
    apart = [name for scores in seeds for name, score in scores.items() if score.significant]
    named = ", ".join(f"{title(name)} ({apart.count(name)})" for name in dict.fromkeys(apart)) or "none"
    total = sum(score.significant is not None for scores in seeds for score in scores.values())
    return f"False alarms on uncorrupted samples: {len(apart)} of {total} scores of {len(seeds)} seeds: {named}."


def report(results: Results) -> str:
    """Return all tables as Markdown."""
    kinds: dict[str, dict[str, list[Scored]]] = {}
    for (kind, level), scores in results.items():
        kinds.setdefault(kind, {})[level] = scores
    uncorrupted = kinds.pop("nothing")["nothing"]
    parts = [
        "Medians over seeds. ✓ significantly worse than the floor in all seeds; ✗ significantly better; ? a "
        "significant difference in some seeds only.",
        *(in_full(KINDS[kind], levels) for kind, levels in kinds.items()),
        false_alarms(uncorrupted),
        "The weakest level that is significantly worse than the floor in all seeds; – none; ✗ the weakest level that "
        "is significantly better.",
        in_short(kinds),
        unseen(kinds),
    ]
    return "\n\n".join(parts)


def as_json(results: Results) -> list[dict[str, Any]]:
    """Return one entry for each evaluation."""
    return [
        {
            "kind": kind,
            "level": level,
            "place": place,
            "scores": {name: one.model_dump(mode="json") for name, one in scores.items()},
        }
        for (kind, level), seeds in results.items()
        for place, scores in enumerate(seeds)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--count", type=int, default=2000, help="samples per side, at most 3,000")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS)[1:], choices=list(KINDS)[1:])
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    # Evaluate uncorrupted samples, too, for the rate of false alarms.
    began = time.perf_counter()
    tasks = [
        Task(options.data, options.count, seed, kind, level)
        for kind in ["nothing", *options.kinds]
        for level in KINDS[kind].levels
        for seed in options.seeds
    ]
    results = evaluate_all(tasks, options.processes)
    if options.json:
        write_json(options.json, {"seeds": options.seeds, "count": options.count, "found": as_json(results)})
    command = f"python benchmarks/sensitivity.py {' '.join(sys.argv[1:])}"
    minutes = (time.perf_counter() - began) / 60
    torch.set_num_threads(1)
    print(f"`{command}`\n\n{setting()}, {options.processes} processes · {minutes:.0f} min\n\n{report(results)}")


if __name__ == "__main__":
    main()
