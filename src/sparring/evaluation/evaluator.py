"""Evaluation of generated samples against real data: every metric of a protocol, in one result."""

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.evaluation.budget import Budget
from sparring.evaluation.copying import COMPARED, memorisation_of
from sparring.evaluation.glossary import metric_info
from sparring.evaluation.protocol import MIN_REPEAT_SAMPLES, REPEATS, Generated, Repeats, require_shapes, shapes_text
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import (
    OnProgress,
    Score,
    Scores,
    by_features,
    extremes,
    half_width,
    plain_scores,
    scored,
)
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.small_network import training_limit
from sparring.metrics.metric import METRICS, MetricValues, compute_metrics, metrics_of
from sparring.metrics.paired import feature_distance, unchanged
from sparring.metrics.sample_sets import Repeat, SampleMetrics, SampleSet, Subset, in_memory
from sparring.modality import ConditionedOnSamples, HasComparators, Modality
from sparring.model import Model
from sparring.randomness import derive
from sparring.samples import batch_size, floats
from sparring.sampling import SAMPLES_PER_PASS, conditions_from

EXTREMES = 20
"""Best and worst samples, by density."""
FEW = 300
"""Samples a side of the comparison that tells how long that of all takes."""
ANSWERED = 64
"""Conditions that a model answers twice, to tell how much its answers vary."""
AHEAD = 0.8
"""Share of metrics by which a simple model has to be better to be named."""
PATHS = 800
"""Paths between latents along which the path length is measured."""


@final
@dataclass(frozen=True)
class Evaluator:
    """Evaluates generated samples against a split of real data.

    Args:
        split: real data.
        seed: of everything that is drawn at random.
        extractors: names of extractors, the most sensitive last; none for those of the modality.
        further: compute the further metrics and extractors too, not only those of the default verdict.
        budget: time that may be spent; no limit by default.
        on_progress: called with (done, total).
    """

    split: Split
    seed: int = 0
    extractors: Sequence[str] = ()
    further: bool = True
    budget: Budget = field(default_factory=Budget)
    on_progress: OnProgress | None = None

    def evaluate(self, subject: Subject, generated: Generated | Batch) -> Evaluation:
        """Evaluate samples of a subject, beside a floor and with intervals."""
        split, modality, model = self.split, subject.modality, subject.model
        samples = (generated.batch if isinstance(generated, Generated) else generated).real
        with training_limit(self.budget.training_deadline) as limit:
            extractors = self._extractors(subject)
            memorisation = memorisation_of(samples, subject, split, self.seed, self.budget)

            # Values and floors of all samples, then repeats for the intervals while there is time.
            fresh_samples = subject.fresh_samples(split, self.seed)
            metrics = [by_features(one, metrics_of(one, further=self.further)) for one in extractors]
            measure = modality.measure(split, self.seed, further=self.further)
            metrics.append(_metrics_of_samples(modality, measure))
            size = self._comparable(generated, metrics)
            repeats = Repeats(
                split.train, split.held_out, generated, seed=self.seed, count=size, fresh_samples=fresh_samples
            )
            (*found, own), done = scored(repeats, metrics, self.budget.repeats_deadline, self.on_progress)

            first = next(iter(repeats))
            spec = None if model is None else model.condition_spec
            inputs = first.fake.batch().condition if spec is not None and spec.required else None
            found_rows = extremes(first, extractors[0], EXTREMES, inputs)
            best, worst = (repeats.rows[torch.tensor(rows, dtype=torch.int64)].tolist() for rows in found_rows)
            classes = modality.by_class(first, split, self.seed)
            beside = self._baselines(modality, first, extractors[0]) or self._comparators(modality, first, measure, own)

        if "label_accuracy" in beside.get("this", {}):
            value, floor = (beside[row]["label_accuracy"] for row in ("this", "truth"))
            own["label_accuracy"] = Score(value=value, floor=floor, better=metric_info("label_accuracy").better)

        # What only a model can tell.
        own |= memorisation.metrics() if memorisation else {}
        own_shape = model is not None and not subject.converted
        if model is not None and own_shape and subject.conditional:
            own |= opinions(model.game, split) | cycles(model, split) | diversity(model, split, self.seed)
        if model is not None and own_shape and modality.blends and self.further:
            own["path_length"] = self._path_length(model, extractors[0])

        # What was left out, and everything else that decides the numbers.
        if limit.exceeded:
            self.budget.limits.append(f"features and classifiers that need little training ({extractors[0].name})")
        if done < len(repeats) - 1:
            self.budget.limits.append(f"{done} of {len(repeats) - 1} repeats")
        parts = f"{len(split.train)} to train on and {len(split.held_out)} held out"
        shape = f"{shapes_text(split.train.shapes)}, {modality.preparation}"
        data = f"data {split.facts.fingerprint[:12]}, {parts}, {shape}"
        named = zip(extractors, found, strict=True)
        return self._result(
            replace(
                subject, remarks=(*subject.remarks, *better_comparators(beside), *_without_intervals(repeats, done))
            ),
            count=batch_size(samples),
            scores=[Scores.of_repeats(one.name, repeats, done, data, values) for one, values in named],
            metrics=own,
            best=best,
            worst=worst,
            classes=classes,
            baselines=beside,
            memorisation=memorisation,
        )

    def compare_all(self, subject: Subject, generated: Generated) -> Evaluation:
        """Compare all samples with all real ones, train and held out: no floor, no intervals, no subsampling.

        Computes the Fréchet distance, or all metrics of features where ``further`` is set.
        """
        require_shapes(self.split.train, generated.batch.real)
        fake = SampleSet(subject.files or in_memory(generated.batch))
        real = [SampleSet(part) for part in (self.split.train, self.split.held_out)]
        sizes: dict[str, Any] = {"count": len(fake), "real_count": sum(map(len, real))}
        data = f"{shapes_text(self.split.train.shapes)}, {subject.modality.preparation}"
        scores = []
        for one in self._extractors(subject):
            features = torch.cat([part.features(one) for part in real])
            metrics = metrics_of(one) if self.further else METRICS[:1]
            values = plain_scores(compute_metrics(features, fake.features(one), metrics, self.seed))
            protocol = f"{one.name} · {data} · all samples against all real ones, train and held out"
            scores.append(Scores(extractor=one.name, protocol=protocol, metrics=values, **sizes))
        return self._result(subject, protocol="standard", count=len(fake), scores=scores)

    def _result(self, subject: Subject, **fields: Any) -> Evaluation:
        return Evaluation(
            subject=subject.name,
            data=self.split.facts.source,
            fingerprint=self.split.facts.fingerprint,
            seed=self.seed,
            remarks=(*subject.remarks, *self.budget.remarks),
            **fields,
        )

    def _extractors(self, subject: Subject) -> list[Extractor]:
        """Return those that are named, else those of the modality or the most sensitive of these; it comes first."""
        found = list(subject.modality.extractors(self.split, self.seed, self.extractors).values())[::-1]
        return found if self.further or self.extractors else found[:1]

    def _baselines(self, modality: Modality, first: Repeat, extractor: Extractor) -> dict[str, dict[str, float]]:
        """Return metrics of the samples and of answers to the same conditions that need no model."""
        batch = first.fake.batch()
        if not isinstance(modality, ConditionedOnSamples) or not (answers := modality.baselines(batch, self.split)):
            return {}
        true, given, real = first.true, modality.given(batch), first.real.features(extractor)
        truth = {} if true is None else {"truth": true}
        beside = {
            name: extractor(one) for name, one in (("perceptual", true), ("input_distance", given)) if one is not None
        }
        accuracy = modality.label_accuracy(self.split, self.seed) if self.further and true is not None else None
        found = {}
        for name, samples in {"this": batch.real, **answers, **truth}.items():
            features = extractor(samples)
            values: MetricValues = {} if true is None else {**modality.paired(samples, true, batch.condition)}
            values |= compute_metrics(real, features, METRICS[:1], self.seed)
            values |= {metric: feature_distance(features, other) for metric, other in beside.items()}
            if accuracy is not None:
                values["label_accuracy"] = accuracy(samples, batch._replace(real=true))
            if given is not None and modality.bounds:
                values["unchanged"] = unchanged(samples, given, modality.bounds)
            found[name] = _finite(values)
        return found

    def _comparators(
        self, modality: Modality, first: Repeat, measure: SampleMetrics, own: Mapping[str, Score]
    ) -> dict[str, dict[str, float]]:
        """Return the modality's metrics of the samples, of simple models and of real samples, while there is time."""
        if not isinstance(modality, HasComparators):
            return {}
        if time.monotonic() > self.budget.repeats_deadline:
            self.budget.limits.append("no simple models beside it")
            return {}
        rows: dict[str, MetricValues] = {"this": {}}
        size, real = batch_size(first.fake.batch()), MetricValues()
        for name, samples in modality.comparators(self.split, size, self.seed).items():
            fake = Subset(SampleSet(in_memory(Batch(samples))), torch.arange(size))
            rows[name], real = measure(first._replace(fake=fake, true=None))
        rows["real"] = real
        rows["this"] = {name: value for name in real if (value := own[name].value) is not None}
        return {name: _finite(values) for name, values in rows.items()}

    def _path_length(self, model: Model, extractor: Extractor) -> Score:
        """Return the mean path length of as many parts as there are repeats, which give the interval."""
        parts = []
        for part in range(REPEATS):
            seed = derive(self.seed, "paths", part)
            condition = conditions_from(self.split.held_out, PATHS // REPEATS, seed).condition
            parts.append(model.path_length(extractor, PATHS // REPEATS, seed=seed, condition=condition))
        better = metric_info("path_length").better
        if not all(math.isfinite(part) for part in parts):
            return Score(value=None, better=better, remark="samples that are not finite")
        mean = statistics.fmean(parts)
        deviations = tuple(float(f"{(part - mean) / math.sqrt(REPEATS):.6g}") for part in parts)
        value = float(f"{mean:.8g}")
        return Score(value=value, better=better, plus_minus=half_width(deviations), deviations=deviations)

    def _comparable(self, generated: Generated | Batch, metrics: Sequence[SampleMetrics]) -> int:
        """Return how many samples a side there is time to compare, as a comparison of a few of them shows."""
        train, held_out = self.split.train, self.split.held_out
        every = Repeats(train, held_out, generated, seed=self.seed, repeats=0).size
        if math.isinf(self.budget.seconds) or every < 2 * FEW:
            return every
        few, seconds = Repeats(train, held_out, generated, seed=self.seed, count=FEW, repeats=0), 0.0
        for _ in range(2):  # The first call is slower than the others.
            began = time.monotonic()
            scored(few, metrics)
            seconds = time.monotonic() - began
        return self.budget.comparable(every, few.size, seconds)


def _metrics_of_samples(modality: Modality, measure: SampleMetrics) -> SampleMetrics:
    """Return the metrics of the modality, and those against the true samples where these are known."""

    def compute(repeat: Repeat) -> tuple[MetricValues, MetricValues]:
        fake, floor = measure(repeat)
        if repeat.true is None:
            return fake, floor
        batch = repeat.fake.batch()
        return {**fake, **modality.paired(batch.real, repeat.true, batch.condition)}, floor

    return compute


def _finite(values: MetricValues) -> dict[str, float]:
    return {key: value for key, value in values.items() if isinstance(value, float) and math.isfinite(value)}


def better_comparators(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a sentence on each simple model that is better than the model by nearly all of their common metrics.

    Args:
        rows: row → metric → value: "this" for the model, "real" for real samples, and simple models; without real
            samples, nothing is returned.
    """
    sentences = []
    for name, values in rows.items() if "real" in rows else ():
        common = [metric for metric in values if metric in rows["this"] and metric in rows["real"]]
        ahead = [metric for metric in common if _loss(metric, values, rows) < _loss(metric, rows["this"], rows)]
        if name not in ("this", "real") and len(ahead) >= AHEAD * len(common):
            titles = ", ".join(metric_info(metric).title for metric in ahead)
            count = f"{len(ahead)} of {len(common)} metrics ({titles})"
            sentences.append(f"A simple model, {name}, is better than this one by {count}.")
    return sentences


def _loss(metric: str, values: Mapping[str, float], rows: Mapping[str, Mapping[str, float]]) -> float:
    """Return a number that is lower for better values of a metric."""
    better, value = metric_info(metric).better, values[metric]
    if better == "nearer to the floor":
        return abs(value - rows["real"][metric])
    return value if better == "lower" else -value


def _without_intervals(repeats: Repeats, done: int) -> list[str]:
    """Return a sentence on why there are no intervals, if there are none."""
    if done:
        return []
    if repeats.size >= MIN_REPEAT_SAMPLES:
        reason = "There are no intervals"
    else:
        samples = f"{repeats.size} {repeats.smallest} sample{' is' if repeats.size == 1 else 's are'}"
        reason = f"Only {samples} compared, and {MIN_REPEAT_SAMPLES} are needed for intervals"
    return [f"{reason}: small differences mean nothing."]


def opinions(game: Game, split: Split) -> dict[str, Score]:
    """Return ``likelihood`` and ``accuracy`` of held-out samples by published players, where they have an opinion.

    The floor is that of as many training samples.
    """
    found, floors = (_opinion(game, data) for data in (split.held_out, split.train))
    return {name: _mean_score(name, values, floors[name]) for name, values in found.items() if name in floors}


def cycles(model: Model, split: Split) -> dict[str, Score]:
    """Return ``cycle_error``, of held-out samples there and back, where the game has a way back.

    The floor is that of as many training samples.
    """
    modality, sides = model.modality, []
    if not isinstance(modality, ConditionedOnSamples):
        return {}
    for data in (split.held_out, split.train):
        errors = []
        for start in range(0, min(len(data), COMPARED), SAMPLES_PER_PASS):
            cycle = next(
                iter(model.there_and_back(data.batch(slice(start, min(start + SAMPLES_PER_PASS, COMPARED))))), None
            )
            if cycle is None:
                return {}
            errors.append(modality.difference(cycle.given, cycle.back))
        sides.append(torch.cat(errors))
    return {"cycle_error": _mean_score("cycle_error", *sides)}


def diversity(model: Model, split: Split, seed: int) -> dict[str, Score]:
    """Return ``answer_diversity``: the difference of two answers to one held-out condition by different latents.

    There is none for a model without latents, whose only answer is meant, for conditions that are no samples, or for
    discrete samples, of which the most likely one is meant.
    """
    spec, modality = model.condition_spec, model.modality
    if spec is None or not spec.required or not isinstance(modality, ConditionedOnSamples) or not model.has_latents:
        return {}
    condition = conditions_from(split.held_out, min(ANSWERED, len(split.held_out)), seed).condition
    first, second = (model.sample(condition=condition, seed=derive(seed, "answers", again)) for again in (0, 1))
    if not floats(first):
        return {}
    differences = modality.difference(first, second, condition)
    return {"answer_diversity": _mean_score("answer_diversity", differences)}


def _mean_score(name: str, values: Tensor, floors: Tensor | None = None) -> Score:
    """Return the mean of values, (count,), with its interval, beside the mean of the floors."""
    return Score(
        value=float(f"{values.mean():.8g}"),
        floor=None if floors is None else float(f"{floors.mean():.8g}"),
        better=metric_info(name).better,
        plus_minus=float(f"{1.96 * float(values.std()) / math.sqrt(len(values)):.4g}") if len(values) > 1 else None,
    )


def _opinion(game: Game, data: Dataset) -> dict[str, Tensor]:
    """Return the opinion of at most ``COMPARED`` samples, (samples,) each."""
    found: dict[str, list[Tensor]] = {}
    for start in range(0, min(len(data), COMPARED), SAMPLES_PER_PASS):
        batch = data.batch(slice(start, min(start + SAMPLES_PER_PASS, COMPARED)))
        with torch.no_grad():
            opinion = game.opinion(batch)
        if opinion.likelihood is not None:
            found.setdefault("likelihood", []).append(opinion.likelihood.double())
        if opinion.classes is not None and batch.label is not None:
            # Negative labels are unknown, and left out of the accuracy.
            known = batch.label >= 0
            correct = opinion.classes[known].argmax(1) == batch.label[known]
            found.setdefault("accuracy", []).append(correct.double())
        # A game without an opinion on the first samples has none on the others.
        if not found:
            break
    return {name: torch.cat(parts) for name, parts in found.items() if sum(map(len, parts)) > 1}
