"""How good samples are: every measure of the protocol, in one judgement."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from sparring.data.cache import cache_key, read_cached, write_cached
from sparring.data.dataset import Dataset, Split
from sparring.data.downloads import OnProgress
from sparring.errors import SparringError
from sparring.evaluation.glossary import metric_info
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.memorisation import compare as compare_with_training
from sparring.evaluation.protocol import MOST, REPEATS, Generated, More, Repeats
from sparring.evaluation.protocol import in_words as shapes_in_words
from sparring.evaluation.result import Judgement
from sparring.evaluation.scores import Score, by_features, evaluate_samples, extremes, half_width, in_words, scored
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.cache import VERSION, digest
from sparring.metrics.extractors.extractor import Extractor, Pixels
from sparring.metrics.measure import Measure, Repeat
from sparring.metrics.metric import METRICS, Measured, metrics_of
from sparring.modality import Modality
from sparring.model import Model
from sparring.randomness import derive, generator, require_seed
from sparring.samples import Sample, batch_size, rows_within, take, tensors
from sparring.sampling import SAMPLES_PER_PASS, conditions_from, generate

FEWEST = 1000
QUICK = 2000
COMPARED = 1000
"""Generated and held-out samples whose nearest training sample is looked for."""
MOST_BYTES = 2 * 2**30
"""Bytes of generated samples, in float32, that are judged at once."""
PART, PART_BYTES = 4096, 2**28
"""Real samples that are looked at together: so many, but no more bytes."""
EXTREMES = 20
"""The best and the worst samples, by density."""
PATHS = 800
"""Between pairs of noise, along which the path length is measured."""
SMALLEST_SAMPLE = 16
"""Values per sample below which all samples are near one another and copying cannot be told."""


def judge(
    subject: str,
    made: Generated | Batch,
    split: Split,
    kind: Modality,
    *,
    seed: int = 0,
    more: More | None = None,
    extractors: Sequence[Extractor] | None = None,
    on_progress: OnProgress | None = None,
) -> Judgement:
    """Samples that are there already, against a split of real data.

    Args:
        subject: what to call them.
        made: samples of the split's shape, their conditions and classes, and the true samples of these conditions.
        split: real data.
        kind: what a sample is.
        seed: of everything that is drawn at random.
        more: other samples of the same generator, for the intervals; see ``Repeats``.
        extractors: by whose features, the most telling last; None for those of the modality.
        tell: called with (done, total) on the way.
    """
    batch = made.batch if isinstance(made, Generated) else made
    rounds = Repeats(split.train, split.held_out, made, seed=seed, more=more)
    seeing = list(extractors or kind.extractors(split, seed).values())[::-1]
    measures = [by_features(extractor, metrics_of(extractor)) for extractor in seeing]
    shape = shapes_in_words(split.train.shapes)
    parts = f"{len(split.train)} to train on and {len(split.held_out)} held out"
    data = f"data {split.facts.fingerprint[:12]}, {parts}, {shape}, {kind.preparation}"
    *found, others, paired = scored(rounds, [*measures, kind.measure(split, seed), _against_truth(kind)], on_progress)
    best, worst = extremes(rounds, seeing[0], EXTREMES)
    return Judgement(
        subject=subject,
        data=split.facts.source,
        fingerprint=split.facts.fingerprint,
        count=batch_size(batch.real),
        seed=seed,
        scores=tuple(in_words(one, extractor, rounds, data) for one, extractor in zip(found, seeing, strict=True)),
        measures={**others, **paired},
        best=best,
        worst=worst,
        classes=kind.by_class(next(iter(rounds)), split, seed),
        memorisation=_memorisation(batch.real, split, kind, seed),
    )


def quick_score(game: Game, split: Split, kind: Modality, metric: str, seed: int) -> tuple[str, float]:
    """One measure of a game while it is played, by the most telling extractor: (its name in words, its value).

    At most 2,000 samples a side. A value that cannot be computed is given as not a number, which passes no goal.
    """
    extractor = list(kind.extractors(split, seed).values())[-1]
    count = min(QUICK, count_for(split))
    device = tensors(tuple(game.players[game.published[0]].state_dict().values()))[0].device
    told = conditions_from(split.held_out, count, seed).condition
    samples = generate(game, count, told, seed=seed, stream="quick score/", device=device, bounds=kind.bounds)
    wanted = [one for one in METRICS if metric in one.names]
    train, held_out = split.train, split.held_out
    scores = evaluate_samples(train, held_out, samples, extractor, seed=seed, count=QUICK, metrics=wanted, repeats=0)
    value = scores.measures[metric].value
    name = f"{metric_info(metric).title} ({scores.extractor}, {scores.count} samples a side)"
    return name, float("nan") if value is None else value


def count_for(split: Split) -> int:
    """How many samples to generate for a judgement: as many as are held out, from 1,000 to 10,000.

    Fewer where they would not fit into ``MOST_BYTES``.
    """
    return rows_within(MOST_BYTES, split.train.shapes, min(max(len(split.held_out), FEWEST), MOST))


def judge_subject(
    subject: Subject,
    split: Split,
    count: int | None,
    seed: int,
    extractors: Sequence[str],
    on_progress: OnProgress | None,
) -> Judgement:
    """Judge a model or samples in files; None as ``count`` for as many as the data allows."""
    if count is None:
        count = count_for(split) if subject.made is None else batch_size(subject.made)
    made, more = subject.batch(split, count, seed), subject.more(split, seed)
    seeing = list(subject.kind.extractors(split, seed, extractors).values())
    found = judge(
        subject.name, made, split, subject.kind, seed=seed, more=more, extractors=seeing, on_progress=on_progress
    )
    measures = dict(found.measures)
    if subject.model is not None:
        if subject.fits:
            measures |= opinions(subject.model.game, split)
        if subject.kind.blends:
            measures["path_length"] = _path_length(subject.model, split, seeing[-1], seed)
    return replace(found, measures=measures, remarks=subject.remarks)


def _against_truth(kind: Modality) -> Measure:
    """Distances of generated samples from the true ones of their conditions; nothing where there are none."""

    def compute(one: Repeat) -> tuple[Measured, Measured]:
        return {} if one.true is None else {**kind.paired(one.fake.batch().real, one.true)}, {}

    return compute


def opinions(game: Game, split: Split) -> dict[str, Score]:
    """What published players themselves say of held-out samples: ``likelihood`` and ``accuracy``, where they can.

    The floor is what they say of as many training samples.
    """
    sides = [_opinion(game, data) for data in (split.held_out, split.train)]
    return {
        name: Score(mean, there, metric_info(name).better, float(f"{1.96 * error:.4g}"))
        for name, (mean, error) in sides[0].items()
        for there, _ in [sides[1][name]]
    }


def _opinion(game: Game, data: Dataset) -> dict[str, tuple[float, float]]:
    """Name → mean and standard error over at most ``COMPARED`` samples."""
    found: dict[str, list[Tensor]] = {}
    for start in range(0, min(len(data), COMPARED), SAMPLES_PER_PASS):
        batch = data.batch(slice(start, min(start + SAMPLES_PER_PASS, COMPARED)))
        with torch.no_grad():
            opinion = game.opinion(batch)
        if opinion.likelihood is not None:
            found.setdefault("likelihood", []).append(opinion.likelihood.double())
        if opinion.classes is not None and batch.label is not None:
            known = batch.label >= 0
            right = opinion.classes[known].argmax(1) == batch.label[known]
            found.setdefault("accuracy", []).append(right.double())
    every = {name: torch.cat(parts) for name, parts in found.items()}
    return {
        name: (float(f"{values.mean():.8g}"), float(values.std()) / math.sqrt(len(values)))
        for name, values in every.items()
        if len(values) > 1
    }


def _path_length(model: Model, split: Split, extractor: Extractor, seed: int) -> Score:
    """Of eight parts of the paths each, which gives the interval, and of all."""
    count, seeds = PATHS // REPEATS, [derive(seed, "paths", part) for part in range(REPEATS)]
    told = [conditions_from(split.held_out, count, one).condition for one in seeds]
    parts = [model.path_length(extractor, count, seed=one, condition=c) for one, c in zip(seeds, told, strict=True)]
    if not all(math.isfinite(part) for part in parts):
        return Score(None, None, metric_info("path_length").better, remark="samples that are not finite")
    mean = statistics.fmean(parts)
    deviations = tuple(float(f"{(part - mean) / math.sqrt(REPEATS):.6g}") for part in parts)
    value = float(f"{mean:.8g}")
    return Score(value, None, metric_info("path_length").better, half_width(deviations), deviations=deviations)


def require_numbers(count: int | None, seed: int) -> None:
    """Refuse fewer than two samples, and what is no seed.

    Raises:
        SparringError: one of the two is so.
    """
    require_seed(seed)
    if count is not None and count < 2:
        raise SparringError(found=f"--count {count}", expected="at least 2", remedy="give another number")


def _memorisation(samples: Sample, split: Split, kind: Modality, seed: int) -> Memorisation | None:
    if sum(math.prod(shape) for shape in split.train.shapes) < SMALLEST_SAMPLE:
        return None
    plainly = Pixels() if _is_plain(samples) else next(iter(kind.extractors(split, seed).values()))
    rows = torch.randperm(batch_size(samples), generator=generator(seed, "compared"))[:COMPARED]
    aside = torch.randperm(len(split.held_out), generator=generator(seed, "compared aside"))[:COMPARED]
    fake, held_out = take(samples, rows), split.held_out.batch(aside.numpy()).real
    key = cache_key(
        [VERSION, split.facts.fingerprint, split.train.shapes, digest(*tensors((held_out, fake))), plainly.name, seed]
    )
    found = read_cached("memorisation", key)
    if found is not None:
        judged = Memorisation.from_json(found)
    else:
        try:
            judged = compare_with_training(_Parts(split.train, plainly), plainly(held_out), plainly(fake), seed=seed)
        except SparringError:
            return None
        write_cached("memorisation", key, judged.as_json())
    return replace(judged, pairs=tuple((int(rows[row]), real, distance) for row, real, distance in judged.pairs))


def _is_plain(samples: Sample) -> bool:
    """True for samples of which the values themselves can be compared."""
    return isinstance(samples, Tensor) and samples.is_floating_point()


@final
class _Parts:
    """Features of a data set in parts, computed anew each time they are gone through."""

    def __init__(self, dataset: Dataset, extractor: Extractor) -> None:
        self.dataset, self.extractor = dataset, extractor

    def __iter__(self) -> Iterator[Tensor]:
        size = rows_within(PART_BYTES, self.dataset.shapes, PART)
        for start in range(0, len(self.dataset), size):
            yield self.extractor(self.dataset.batch(slice(start, start + size)).real)
