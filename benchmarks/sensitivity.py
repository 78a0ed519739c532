"""What each measure of a judgement sees: how it moves as real digits are spoilt, a known way and by known amounts.

    python benchmarks/sensitivity.py PATH_TO_MNIST [--count 2000] [--seeds 0 1 2] [--json out.json] [--kinds blur …]

For each seed the digits are parted anew: 9,000 to train on, 3,000 held out, and the rest, which nothing was trained on
and no floor was measured with. Samples are digits of the rest with their own labels, spoilt and then rounded to 8 bits
as in files. They are judged as a model is, with fresh samples in the repeats. For the column of rounding all digits are
shifted by .3 pixels first, the real ones, too: whole numbers have nothing to round.

Told apart is what the judgement calls so: the difference to the floor is larger than its 95 % interval. Memorisation
gives no intervals: here the shares have those of shares, C_T is told apart beyond ± 3, and copies are by the verdict.
Left out: what a model is needed for (path length), what classifiers are trained for (--useful), measures of points and
of stacks, and extractors that are downloaded.
"""

import argparse
import functools
import io
import itertools
import math
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rounds import setting
from torch import Generator, Tensor
from torch.nn.functional import conv2d

from sparring.data.dataset import Dataset, Split
from sparring.data.view import View
from sparring.evaluation.glossary import number, words
from sparring.evaluation.judging import judge
from sparring.evaluation.memorisation import CLOSEST, TOO_FAR, Memorisation
from sparring.evaluation.protocol import Generated
from sparring.evaluation.result import Judgement
from sparring.evaluation.scores import Score
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.randomness import generator
from sparring.storage import write_json

TRAINED_ON = 9000
SHIFT = 0.3
NORMAL = 1.96
"""The 97.5 % quantile of the normal distribution."""
TITLES = {"copies": "copies", "closest": "share of closest"}
"""Of what memorisation says beside its measures; less is better."""


class Parts(NamedTuple):
    """Real digits: those to judge by, others that become samples, in random order, and the classes in such an order."""

    split: Split
    rest: Dataset
    classes: Tensor


Spoil: TypeAlias = Callable[[Parts, int, Generator], Batch]
"""So many samples."""


class Kind(NamedTuple):
    """A way of spoiling samples, in levels from weak to strong; ``shifted`` where all digits are shifted first."""

    title: str
    levels: Mapping[str, Spoil]
    shifted: bool = False


class Task(NamedTuple):
    """One judgement."""

    data: str
    samples: int
    seed: int
    kind: str
    level: str


Scored: TypeAlias = dict[str, Score]
"""Measure → score; the name of a measure of features is followed by a comma and whose they are."""
Found: TypeAlias = dict[tuple[str, str], list[Scored]]
"""(kind, level) → what was said for each seed."""


def drawn(dataset: Dataset, count: int, random: Generator) -> Batch:
    """So many of them, none twice."""
    return dataset.batch(torch.randperm(len(dataset), generator=random)[:count].numpy())


def rounded(images: Tensor, steps: int) -> Tensor:
    """In so many equal steps from -1 to 1."""
    return ((images.clamp(-1, 1) + 1) * (steps / 2)).round() / (steps / 2) - 1


def changed(change: Callable[[Tensor, Generator], Tensor], steps: int = 255) -> Spoil:
    """Other digits, each changed."""

    def spoil(parts: Parts, count: int, random: Generator) -> Batch:
        images, _, labels = drawn(parts.rest, count, random)
        return Batch(rounded(change(images, random), steps), None, labels)

    return spoil


def blurred(images: Tensor, _: Generator, *, deviation: float) -> Tensor:
    """Under a Gaussian; beyond the border lies black."""
    reach = math.ceil(4 * deviation)
    window = (-torch.arange(-reach, reach + 1).square() / (2 * deviation**2)).exp()
    window = window / window.sum()
    down = conv2d((images + 1) / 2, window.view(1, 1, -1, 1), padding=(reach, 0))
    return 2 * conv2d(down, window.view(1, 1, 1, -1), padding=(0, reach)) - 1


def noisy(images: Tensor, random: Generator, *, deviation: float) -> Tensor:
    """White and Gaussian."""
    return images + deviation * torch.randn(images.shape, generator=random)


def compressed(images: Tensor, _: Generator, *, quality: int) -> Tensor:
    """Written as grey JPEG and read again."""

    def again(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    grey = ((images[:, 0] + 1) * 127.5).round().to(torch.uint8).numpy()
    return torch.from_numpy(np.stack([again(image) for image in grey]))[:, None].float() / 127.5 - 1


def shifted(images: Tensor) -> Tensor:
    """To the right by a part of a pixel, linear between neighbours."""
    return (1 - SHIFT) * images + SHIFT * torch.cat([torch.full_like(images[..., :1], -1), images[..., :-1]], -1)


def without(parts: Parts, count: int, random: Generator, *, dropped: int) -> Batch:
    """Other digits of all classes but so many."""
    assert parts.rest.labels is not None
    rows = np.flatnonzero(np.isin(parts.rest.labels, parts.classes[dropped:].numpy()))
    return parts.rest.batch(rows[torch.randperm(len(rows), generator=random)[:count].numpy()])


def repeated(parts: Parts, count: int, random: Generator, *, times: int) -> Batch:
    """Other digits, each so many times."""
    return shuffled([drawn(parts.rest, math.ceil(count / times), random)] * times, count, random)


def from_few(parts: Parts, count: int, random: Generator, *, distinct: int) -> Batch:
    """Always the same other digits, again and again."""
    return shuffled([parts.rest.batch(slice(0, distinct))] * math.ceil(count / distinct), count, random)


def copied(parts: Parts, count: int, random: Generator, *, share: float) -> Batch:
    """This share of training digits, and other ones."""
    copies = round(share * count)
    both = [drawn(parts.split.train, copies, random), drawn(parts.rest, count - copies, random)]
    return shuffled(both, count, random)


def shuffled(batches: Sequence[Batch], count: int, random: Generator) -> Batch:
    """So many of all of them in random order."""
    images = torch.cat([batch.real for batch in batches])
    labels = torch.cat([batch.label for batch in batches if batch.label is not None])
    order = torch.randperm(len(images), generator=random)[:count]
    return Batch(images[order], None, labels[order])


KINDS = {
    "nothing": Kind("nothing", {"nothing": changed(lambda images, _: images)}),
    "blur": Kind("blur, σ in pixels", {f"{s:g}": changed(partial(blurred, deviation=s)) for s in (0.5, 1, 2)}),
    "noise": Kind("noise, s.d. of [-1, 1]", {f"{s:g}": changed(partial(noisy, deviation=s)) for s in (0.1, 0.2, 0.4)}),
    "dropped": Kind("dropped classes", {f"{n} of 10": partial(without, dropped=n) for n in (1, 3, 5, 7, 9)}),
    "duplicates": Kind(
        "duplicates",
        {
            "× 2": partial(repeated, times=2),
            "× 10": partial(repeated, times=10),
            "50 distinct": partial(from_few, distinct=50),
        },
    ),
    "memorised": Kind("memorised", {f"{100 * share:.0f} %": partial(copied, share=share) for share in (0.1, 0.5, 1)}),
    "rounding": Kind(
        "rounding",
        {f"{bits} bits": changed(lambda images, _: shifted(images), 2**bits - 1) for bits in (8, 4, 2)},
        shifted=True,
    ),
    "jpeg": Kind("JPEG, quality", {f"{q}": changed(partial(compressed, quality=q)) for q in (90, 75, 50)}),
}


@functools.lru_cache(maxsize=2)
def parted(data: str, seed: int, move: bool) -> Parts:
    """The parts of a seed; with ``move`` those that samples are judged by are shifted."""
    survey = modality("images").survey(data)
    split = survey.prepare(View(survey.facts.shape), seed=seed)
    assert split.train.labels is not None
    order = torch.randperm(len(split.train), generator=generator(seed, "parts")).numpy()
    train, rest = (
        Dataset(split.train.samples[rows], split.train.labels[rows])
        for rows in (order[:TRAINED_ON], order[TRAINED_ON:])
    )
    # What is kept in the cache for all of the data, or for other digits of as many, is not for these.
    facts = replace(split.facts, fingerprint=f"{split.facts.fingerprint} {seed} {SHIFT if move else 0}")
    held_out = split.held_out
    if move:
        train, held_out = (
            Dataset(shifted(side.batch(slice(None)).real).numpy(), side.labels) for side in (train, held_out)
        )
    return Parts(Split(train, held_out, facts), rest, torch.randperm(10, generator=generator(seed, "classes")))


def carried_out(task: Task) -> tuple[Task, Scored, float]:
    """What the judgement said, and the seconds it took."""
    began = time.perf_counter()
    kind = KINDS[task.kind]
    parts, spoil = parted(task.data, task.seed, kind.shifted), kind.levels[task.level]

    def more(count: int, repeat: int) -> Generated:
        return Generated(spoil(parts, count, generator(task.seed, "more", repeat)))

    batch = spoil(parts, task.samples, generator(task.seed, "samples"))
    found = judge(task.level, batch, parts.split, modality("images"), seed=task.seed, more=more)
    return task, all_scores(found), time.perf_counter() - began


def all_scores(found: Judgement) -> Scored:
    """Every score of a judgement."""
    scores = {
        f"{name}, {one.extractor.partition('-')[0]}": score
        for one in found.scores
        for name, score in one.measures.items()
    }
    return {**scores, **found.measures, **(of_memorisation(found.memorisation) if found.memorisation else {})}


def of_memorisation(found: Memorisation) -> Scored:
    """As scores that can be told apart."""
    n, m = found.count, found.count_held_out
    value, floor, near = found.authenticity, found.authenticity_held_out, found.share
    of_value, of_near = (NORMAL * math.sqrt(share * (1 - share) / n) for share in (value, near))
    around = math.hypot(of_value, NORMAL * math.sqrt(floor * (1 - floor) / m))
    by_chance = NORMAL * math.sqrt(found.copies)
    return {
        "authenticity": Score(value, floor, "nearer to the floor", of_value, None, abs(value - floor) > around),
        "c_t": Score(found.c_t, 0.0, words("c_t").better, NORMAL, None, abs(found.c_t) > TOO_FAR),
        "closest": Score(near, CLOSEST, "lower", of_near, None, found.closer),
        "copies": Score(float(found.copies), found.expected_copies, "lower", by_chance, None, found.copied),
    }


def carry_out(tasks: Sequence[Task], processes: int) -> Found:
    """All of them, one thread each. First those without which each of the others would compute the same floors."""
    # One thread for numpy, too, which is asked for before it is imported.
    os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    found: dict[Task, Scored] = {}
    first = list({(task.seed, KINDS[task.kind].shifted): task for task in reversed(tasks)}.values())[::-1]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as workers:
        for some in (first, [task for task in tasks if task not in first]):
            for done in as_completed([workers.submit(carried_out, task) for task in some]):
                task, scores, seconds = done.result()
                found[task] = scores
                note = f"{len(found)}/{len(tasks)} seed {task.seed} {task.kind} {task.level}: {seconds:.0f} s"
                print(note, file=sys.stderr, flush=True)
    together: Found = {}
    for task in tasks:
        together.setdefault((task.kind, task.level), []).append(found[task])
    return together


def worse(score: Score) -> float:
    """How far from the floor on the side that is worse by what the measure claims; below 0 on the other side."""
    if score.value is None or score.floor is None:
        return math.nan
    way = -1 if score.better == "higher" else 1
    return (
        abs(score.value - score.floor) if score.better == "nearer to the floor" else way * (score.value - score.floor)
    )


def verdict(scores: Sequence[Score]) -> Literal["✓", "✗", "?", ""]:
    """Told apart from the floor on the side claimed in all seeds, on the other side, in some seeds only, in none."""
    sides = [math.copysign(1, worse(score)) if score.apart else 0 for score in scores]
    if all(side == 0 for side in sides):
        return ""
    return "✓" if all(side > 0 for side in sides) else "✗" if all(side < 0 for side in sides) else "?"


def monotone(levels: Sequence[Sequence[Score]]) -> str:
    """Whether medians over seeds get worse, or better, with every level; steps back within intervals do not count."""
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
    """Of a measure, with whose features."""
    measure, _, features = name.partition(", ")
    return TITLES.get(measure, words(measure).title) + (f", {features}" if features else "")


def middle(values: Iterable[float | None]) -> str:
    """Median over seeds."""
    known = [value for value in values if value is not None]
    return number(statistics.median(known)) if known else "–"


def in_full(kind: Kind, levels: Mapping[str, Sequence[Scored]]) -> str:
    """A Markdown table of all values under one kind of spoiling."""
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
    """The weakest level at which the measure is told apart from its floor on that side in all seeds."""
    return next((level for level, seeds in levels.items() if verdict([one[name] for one in seeds]) == sign), None)


def in_short(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> str:
    """A Markdown table: from which level on each measure sees a kind, or takes it for better than real."""
    lines = [f"| measure | {' | '.join(KINDS[kind].title for kind in found)} |", f"|---|{'---:|' * len(found)}"]
    for name in names_of(found):
        cells = []
        for levels in found.values():
            right, wrong = weakest(levels, name, "✓"), weakest(levels, name, "✗")
            cells.append(" · ".join(said for said in (right, wrong and f"✗ {wrong}") if said) or "–")
        lines.append(f"| {title(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unseen(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> str:
    """A Markdown list: what each measure does not see at any level, and what it takes for better."""
    lines = []
    for name in names_of(found):
        blind = [kind for kind in found if not any(weakest(found[kind], name, sign) for sign in ("✓", "✗"))]
        praised = [kind for kind in found if weakest(found[kind], name, "✗")]
        said = [f"does not see {', '.join(blind)}"] if blind else []
        said += [f"takes {', '.join(praised)} for better than real"] if praised else []
        lines.append(f"- {title(name)}: {'; '.join(said) or 'sees every kind'}.")
    return "\n".join(lines)


def names_of(found: Mapping[str, Mapping[str, Sequence[Scored]]]) -> list[str]:
    """Of all measures."""
    return list(next(iter(next(iter(found.values())).values()))[0])


def false_alarms(seeds: Sequence[Scored]) -> str:
    """A sentence on samples to which nothing was done."""
    apart = [name for scores in seeds for name, score in scores.items() if score.apart]
    named = ", ".join(f"{title(name)} ({apart.count(name)})" for name in dict.fromkeys(apart)) or "none"
    total = sum(score.apart is not None for scores in seeds for score in scores.values())
    return f"Told apart though nothing was done: {len(apart)} of {total} scores of {len(seeds)} seeds: {named}."


def report(found: Found) -> str:
    """All tables."""
    kinds: dict[str, dict[str, list[Scored]]] = {}
    for (kind, level), scores in found.items():
        kinds.setdefault(kind, {})[level] = scores
    calm = kinds.pop("nothing")["nothing"]
    parts = [
        "Medians over seeds. ✓ told apart from the floor in all seeds, on the side that is worse; ✗ on the side that "
        "is better; ? in some seeds only.",
        *(in_full(KINDS[kind], levels) for kind, levels in kinds.items()),
        false_alarms(calm),
        "The weakest level told apart from the floor in all seeds; – none; ✗ from which level on it is told apart as "
        "better than real.",
        in_short(kinds),
        unseen(kinds),
    ]
    return "\n\n".join(parts)


def as_json(found: Found) -> list[dict[str, Any]]:
    """One entry for each judgement."""
    return [
        {"kind": kind, "level": level, "place": place, "scores": {name: one.as_json() for name, one in scores.items()}}
        for (kind, level), seeds in found.items()
        for place, scores in enumerate(seeds)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--count", type=int, default=2000, help="samples a side, at most 3,000")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS)[1:], choices=list(KINDS)[1:])
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    began = time.perf_counter()
    tasks = [
        Task(options.data, options.count, seed, kind, level)
        for kind in ["nothing", *options.kinds]
        for level in KINDS[kind].levels
        for seed in options.seeds
    ]
    found = carry_out(tasks, options.processes)
    if options.json:
        write_json(options.json, {"seeds": options.seeds, "count": options.count, "found": as_json(found)})
    command = f"python benchmarks/sensitivity.py {' '.join(sys.argv[1:])}"
    minutes = (time.perf_counter() - began) / 60
    torch.set_num_threads(1)
    print(f"`{command}`\n\n{setting()}, {options.processes} processes · {minutes:.0f} min\n\n{report(found)}")


if __name__ == "__main__":
    main()
