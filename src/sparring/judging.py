"""How good a model, or a folder of samples, is: the Python twin of `sparring evaluate`, and the end of every run."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from sparring.comparison import Comparison
from sparring.data.cache import joined, recall, remember
from sparring.data.dataset import Dataset, Split
from sparring.data.known import Tell
from sparring.display import Display, Plain
from sparring.errors import SparringError
from sparring.evaluation.extractors import Extractor, Pixels
from sparring.evaluation.kept import VERSION, digest
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.memorisation import compare as compare_with_training
from sparring.evaluation.metrics import METRICS, Measured, metrics_of
from sparring.evaluation.scores import (
    Measure,
    Score,
    by_features,
    evaluate_samples,
    extremes,
    half_width,
    in_words,
    scored,
)
from sparring.evaluation.sides import MOST, REPEATS, Generated, More, Round, Rounds
from sparring.evaluation.sides import in_words as shapes_in_words
from sparring.evaluation.usefulness import usefulness
from sparring.evaluation.words import words
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.judgement import Judgement, plain
from sparring.modality import Modality
from sparring.model import Model
from sparring.randomness import derive, generator
from sparring.recipe import Recipe
from sparring.reporting import write_judgement, write_report
from sparring.run import Run
from sparring.samples import Sample, batch_size, take, tensors
from sparring.sampling import AT_ONCE, conditions_from, generate
from sparring.storage import write_json
from sparring.subject import Subject, of_model, open_subject

FEWEST = 1000
QUICK = 2000
COMPARED = 1000
"""Generated and held-out samples whose nearest training sample is looked for."""
MOST_BYTES = 2 * 2**30
"""Bytes of generated samples, in float32, that are judged at once."""
PART = 4096
EXTREMES = 20
"""The best and the worst samples, by density."""
PATHS = 800
"""Between pairs of noise, along which the path length is measured."""
SMALLEST_SAMPLE = 16
"""Values per sample below which all samples are near one another and copying cannot be told."""


def evaluate(
    subject: str | Path,
    data: str | Path,
    *,
    json: str | Path | None = None,
    report: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | Recipe | None = None,
    useful: bool = False,
    extractors: Sequence[str] = (),
    display: Display | None = None,
) -> Judgement:
    """Judge a model, or samples that any tool made, against real data.

    Args:
        subject: a run folder, a published folder, or a folder (points: a file) of samples.
        data: the real data, as `sparring inspect` reads it. If it is what a model was trained on, the floor is
            measured with what was held out then.
        json: write everything to this file too.
        report: write a page for a person to this file, with pictures.
        count: samples to judge; None for as many as the data allows, at most 10,000.
        seed: of the samples, and of everything that is drawn at random in judging.
        recipe: only for a model of your own recipe.
        useful: measure, too, what a classifier learns from the samples; for models of labelled images. Four small
            classifiers are trained for it.
        extractors: by whose features to judge, of images "pixels", "own" (a small network trained on the real data),
            "inception" and "inception-legacy" (FID), "dinov2", each of these three with ":" and a file or folder of
            weights or without, and "file.py:function"; None for those that need no download.
        display: where progress is shown; None for plain lines.

    Raises:
        SparringError: there is nothing to judge, or it does not fit the data.
    """
    _require_count(count)
    judged, survey = open_subject(subject, data, recipe)
    model = judged.model
    if useful and model is None:
        raise SparringError(
            found=f"no model in {subject}",
            expected="a run or a published folder: files do not say which class they were made for",
            remedy="leave --useful out",
        )
    own = model is not None and survey.facts.fingerprint == model.facts.fingerprint
    apart = int(model.history.get("seed", seed)) if model is not None and own else seed
    split = survey.prepare(judged.view, seed=apart)
    # First, because it may be refused.
    found = _usefulness(judged.batch(split, count or count_for(split), seed).batch, split, seed) if useful else {}
    judgement = _judged(judged, split, count, seed, extractors, partial((display or Plain()).count, "judging"))
    judgement = replace(judgement, measures={**judgement.measures, **plain(found)})
    if model is not None and not own:
        remark = f"The model was trained on other data ({model.facts.source}): what is held out here is any part of "
        judgement = replace(judgement, remarks=(f"{remark}{data}.",))
    if json is not None:
        write_json(Path(json), judgement.as_json())
    if report is not None:
        samples = judged.batch(split, judgement.count, seed).batch
        write_judgement(Path(report), judged.kind, split, samples, judgement, model)
    return judgement


def compare(
    first: str | Path,
    second: str | Path,
    data: str | Path,
    *,
    json: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    extractors: Sequence[str] = (),
    recipe: str | Recipe | None = None,
    display: Display | None = None,
) -> Comparison:
    """Judge two models, or folders of samples, by the same real samples, and say which is better where it can be told.

    The arguments are those of ``evaluate``. Whatever was held out when the models were trained, here the real data is
    split by ``seed`` for both.

    Raises:
        SparringError: there is nothing to judge, it does not fit the data, or the two do not fit each other.
    """
    _require_count(count)
    (one, survey), (other, _) = (open_subject(place, data, recipe) for place in (first, second))
    subjects = (one, other)
    if (one.kind.name, one.view.shape) != (other.kind.name, other.view.shape):
        raise SparringError(
            found=f"{one.kind.name} of shape {one.view.shape} and {other.kind.name} of shape {other.view.shape}",
            expected="samples of one kind and shape",
            remedy="compare models of one resolution, or resize the files of one",
        )
    split = survey.prepare(one.view, seed=seed)
    there = [batch_size(one.made) for one in subjects if one.made is not None]
    count = min([count or count_for(split), *there])

    display = display or Plain()
    tells = (partial(display.count, f"judging {name}") for name in ("A", "B"))
    both = [_judged(each, split, count, seed, extractors, tell) for each, tell in zip(subjects, tells, strict=True)]
    comparison = Comparison(*both)
    if json is not None:
        write_json(Path(json), comparison.as_json())
    return comparison


def judge(
    subject: str,
    made: Generated | Batch,
    split: Split,
    kind: Modality,
    *,
    seed: int = 0,
    more: More | None = None,
    extractors: Sequence[Extractor] | None = None,
    tell: Tell | None = None,
) -> Judgement:
    """Samples that are there already, against a split of real data.

    Args:
        subject: what to call them.
        made: samples of the split's shape, their conditions and classes, and the true samples of these conditions.
        split: real data.
        kind: what a sample is.
        seed: of everything that is drawn at random.
        more: other samples of the same generator, for the intervals; see ``Rounds``.
        extractors: by whose features, the most telling last; None for those of the modality.
        tell: called with (done, total) on the way.
    """
    batch = made.batch if isinstance(made, Generated) else made
    rounds = Rounds(split.train, split.held_out, made, seed=seed, more=more)
    seeing = list(extractors or kind.extractors(split, seed).values())[::-1]
    measures = [by_features(extractor, metrics_of(extractor)) for extractor in seeing]
    shape = shapes_in_words(split.train.shapes)
    parts = f"{len(split.train)} to train on and {len(split.held_out)} held out"
    data = f"data {split.facts.fingerprint[:12]}, {parts}, {shape}, {kind.preparation}"
    *found, others, paired = scored(rounds, [*measures, kind.measure(split, seed), _against_truth(kind)], tell)
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
    name = f"{words(metric).title} ({scores.extractor}, {scores.count} samples a side)"
    return name, float("nan") if value is None else value


def conclude(run: Run, model: Model, split: Split, tell: Tell | None = None) -> Judgement:
    """Judge a finished run and write scores.json, samples.png, curves.png and report.html into its folder."""
    subject, seed = of_model(model, str(run.folder)), run.record.seed
    judgement = _judged(subject, split, None, seed, (), tell)
    write_json(run.scores, judgement.as_json())
    write_report(run, model, split, subject.batch(split, judgement.count, seed).batch, judgement)
    return judgement


def count_for(split: Split) -> int:
    """How many samples to generate for a judgement: as many as are held out, from 1,000 to 10,000.

    Fewer where they would not fit into ``MOST_BYTES``.
    """
    size = 4 * sum(math.prod(shape) for shape in split.train.shapes)
    return min(max(len(split.held_out), FEWEST), MOST, max(MOST_BYTES // size, REPEATS))


def _judged(
    subject: Subject, split: Split, count: int | None, seed: int, extractors: Sequence[str], tell: Tell | None
) -> Judgement:
    if count is None:
        count = count_for(split) if subject.made is None else batch_size(subject.made)
    made, more = subject.batch(split, count, seed), subject.more(split, seed)
    seeing = list(subject.kind.extractors(split, seed, extractors).values())
    found = judge(subject.name, made, split, subject.kind, seed=seed, more=more, extractors=seeing, tell=tell)
    measures = dict(found.measures)
    if subject.model is not None:
        measures |= opinions(subject.model.game, split)
        if subject.kind.blends:
            measures["path_length"] = _path_length(subject.model, split, seeing[-1], seed)
    return replace(found, measures=measures, remarks=subject.remarks)


def _against_truth(kind: Modality) -> Measure:
    """Distances of generated samples from the true ones of their conditions; nothing where there are none."""

    def compute(one: Round) -> tuple[Measured, Measured]:
        return {} if one.true is None else {**kind.paired(one.fake.batch().real, one.true)}, {}

    return compute


def opinions(game: Game, split: Split) -> dict[str, Score]:
    """What published players themselves say of held-out samples: ``likelihood`` and ``accuracy``, where they can.

    The floor is what they say of as many training samples.
    """
    sides = [_opinion(game, data) for data in (split.held_out, split.train)]
    return {
        name: Score(mean, there, words(name).better, float(f"{1.96 * error:.4g}"))
        for name, (mean, error) in sides[0].items()
        for there, _ in [sides[1][name]]
    }


def _opinion(game: Game, data: Dataset) -> dict[str, tuple[float, float]]:
    """Name → mean and standard error over at most ``COMPARED`` samples."""
    found: dict[str, list[Tensor]] = {}
    for start in range(0, min(len(data), COMPARED), AT_ONCE):
        batch = data.batch(slice(start, min(start + AT_ONCE, COMPARED)))
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
        return Score(None, None, words("path_length").better, remark="samples that are not finite")
    mean = statistics.fmean(parts)
    deviations = tuple(float(f"{(part - mean) / math.sqrt(REPEATS):.6g}") for part in parts)
    value = float(f"{mean:.8g}")
    return Score(value, None, words("path_length").better, half_width(deviations), deviations=deviations)


def _usefulness(batch: Batch, split: Split, seed: int) -> dict[str, tuple[float, float]]:
    return usefulness(batch.real, batch.label, split, seed)


def _require_count(count: int | None) -> None:
    if count is not None and count < 2:
        raise SparringError(found=f"--count {count}", expected="at least 2", remedy="give another number")


def _memorisation(samples: Sample, split: Split, kind: Modality, seed: int) -> Memorisation | None:
    if sum(math.prod(shape) for shape in split.train.shapes) < SMALLEST_SAMPLE:
        return None
    plainly = Pixels() if _is_plain(samples) else next(iter(kind.extractors(split, seed).values()))
    rows = torch.randperm(batch_size(samples), generator=generator(seed, "compared"))[:COMPARED]
    aside = torch.randperm(len(split.held_out), generator=generator(seed, "compared aside"))[:COMPARED]
    fake, held_out = take(samples, rows), split.held_out.batch(aside.numpy()).real
    key = joined(
        [VERSION, split.facts.fingerprint, split.train.shapes, digest(*tensors((held_out, fake))), plainly.name, seed]
    )
    found = recall("memorisation", key)
    if found is not None:
        judged = Memorisation.from_json(found)
    else:
        try:
            judged = compare_with_training(_Parts(split.train, plainly), plainly(held_out), plainly(fake), seed=seed)
        except SparringError:
            return None
        remember("memorisation", key, judged.as_json())
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
        for start in range(0, len(self.dataset), PART):
            yield self.extractor(self.dataset.batch(slice(start, start + PART)).real)
