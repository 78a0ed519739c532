"""How good a model, or a folder of samples, is: the Python twin of `sparring evaluate`, and the end of every run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError
from sparring.evaluation.extractors import Extractor, Pixels
from sparring.evaluation.memorisation import Memorisation, compare
from sparring.evaluation.metrics import METRICS
from sparring.evaluation.scores import MOST, More, Score, Scores, evaluate_samples
from sparring.evaluation.usefulness import usefulness
from sparring.evaluation.words import better, by_question, interval, words
from sparring.games.game import Game
from sparring.modalities import modality_of
from sparring.modality import Modality
from sparring.model import AT_ONCE, Model, load
from sparring.randomness import Draw, derive, generator
from sparring.recipe import Recipe
from sparring.run import Run
from sparring.storage import read_json, write_json

FEWEST = 1000
QUICK = 2000
COMPARED = 1000
"""Generated and held-out samples whose nearest training sample is looked for."""
PART = 4096
SMALLEST_SAMPLE = 16
"""Values per sample below which all samples are near one another and copying cannot be told."""


@final
@dataclass(frozen=True)
class Judgement:
    """What was found.

    Args:
        subject: the model or folder judged.
        data: the source of the real samples.
        fingerprint: of the real samples.
        count: generated samples.
        seed: of the samples and of the judging.
        scores: one set per extractor, the most telling first.
        measures: what only this modality can measure: name → (value, the same of held-out real samples).
        memorisation: whether training samples were copied, or None where it cannot be told.
        remarks: full sentences to be read beside the scores.
    """

    subject: str
    data: str
    fingerprint: str
    count: int
    seed: int
    scores: tuple[Scores, ...]
    measures: Mapping[str, tuple[float | None, float | None]]
    memorisation: Memorisation | None = None
    remarks: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Plain text: every score beside its floor, by what it asks."""
        lines = [f"Judged {self.count:,} samples of {self.subject} against {self.data}."]
        for scores in self.scores:
            lines += ["", f"{scores.extractor}, {scores.count:,} samples a side", _heading()]
            lines += [_line(question, name, scores.measures[name]) for question, name in by_question(scores.measures)]
        others = self.others()
        if others:
            lines += ["", "all samples", _heading()]
            lines += [_line(question, name, others[name]) for question, name in by_question(others)]
        verdict = [self.memorisation.verdict] if self.memorisation else []
        return [*lines, "", *verdict, *self.remarks]

    def others(self) -> dict[str, Score]:
        """What was not measured in the features of an extractor."""
        found = {**self.measures, **(self.memorisation.measures() if self.memorisation else {})}
        return {name: Score(*pair, words(name).better) for name, pair in found.items()}

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            **{name: vars(self)[name] for name in ("subject", "data", "fingerprint", "count", "seed")},
            "scores": {scores.extractor.split("-")[0]: scores.as_json() for scores in self.scores},
            "measures": {name: {"value": value, "floor": floor} for name, (value, floor) in self.measures.items()},
            "memorisation": self.memorisation.as_json() if self.memorisation else None,
            "remarks": list(self.remarks),
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Judgement":
        """What ``as_json`` gave."""
        found = content["memorisation"]
        return Judgement(
            **{name: content[name] for name in ("subject", "data", "fingerprint", "count", "seed")},
            scores=tuple(Scores.from_json(scores) for scores in content["scores"].values()),
            measures={name: (pair["value"], pair["floor"]) for name, pair in content["measures"].items()},
            memorisation=Memorisation.from_json(found) if found else None,
            remarks=tuple(content["remarks"]),
        )

    @staticmethod
    def from_run(run: Run) -> "Judgement":
        """The judgement at the end of a run.

        Raises:
            SparringError: the run was not judged yet.
        """
        return Judgement.from_json(read_json(run.scores))


def evaluate(
    subject: str | Path,
    data: str | Path,
    *,
    json: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | Recipe | None = None,
    useful: bool = False,
) -> Judgement:
    """Judge a model, or samples that any tool made, against real data.

    Args:
        subject: a run folder, a published folder, or a folder (points: a file) of samples.
        data: the real data, as `sparring inspect` reads it. If it is what a model was trained on, the floor is
            measured with what was held out then.
        json: write everything to this file too.
        count: samples to judge; None for as many as the data allows, at most 10,000.
        seed: of the samples, and of everything that is drawn at random in judging.
        recipe: only for a model of your own recipe.
        useful: measure, too, what a classifier learns from the samples; for models of labelled images. Four small
            classifiers are trained for it.

    Raises:
        SparringError: there is nothing to judge, or it does not fit the data.
    """
    if count is not None and count < 2:
        raise SparringError(found=f"--count {count}", expected="at least 2", remedy="give another number")
    folder = Path(subject)
    if (folder / "recipe.json").is_file() or (folder / "config.json").is_file():
        judgement = _of_model(load(folder, recipe=recipe), str(subject), str(data), count, seed, useful)
    elif useful:
        raise SparringError(
            found=f"no model in {subject}",
            expected="a run or a published folder: files do not say which class they were made for",
            remedy="leave --useful out",
        )
    else:
        judgement = _of_folder(str(subject), str(data), count, seed)
    if json is not None:
        write_json(Path(json), judgement.as_json())
    return judgement


def judge(
    subject: str,
    samples: Tensor,
    labels: Tensor | None,
    split: Split,
    kind: Modality,
    *,
    seed: int = 0,
    more: More | None = None,
) -> Judgement:
    """Samples that are there already, against a split of real data.

    Args:
        subject: what to call them.
        samples: (count, *shape), of the split's shape.
        labels: the classes asked for, (count,), or None.
        split: real data.
        kind: what a sample is.
        seed: of everything that is drawn at random.
        more: other samples of the same generator, for the intervals; see ``evaluate_samples``.
    """
    scores = [
        evaluate_samples(split.train, split.held_out, samples, extractor, seed=seed, more=more)
        for extractor in kind.extractors(split, seed).values()
    ]
    return Judgement(
        subject=subject,
        data=split.facts.source,
        fingerprint=split.facts.fingerprint,
        count=len(samples),
        seed=seed,
        scores=tuple(reversed(scores)),
        measures=_measures(samples, labels, split, kind, seed),
        memorisation=_memorisation(samples, split, seed),
    )


def quick_score(game: Game, split: Split, kind: Modality, metric: str, seed: int) -> tuple[str, float]:
    """One measure of a game while it is played, by the most telling extractor: (its name in words, its value).

    At most 2,000 samples a side. A value that cannot be computed is given as not a number, which passes no goal.
    """
    extractor = list(kind.extractors(split, seed).values())[-1]
    count = min(QUICK, max(len(split.held_out), FEWEST))
    classes = len(split.facts.classes) if split.train.labels is not None else 0
    device = next(iter(game.players[game.generators[0]].parameters())).device
    parts = []
    for start in range(0, count, AT_ONCE):
        rows = slice(0, min(AT_ONCE, count - start))
        draw = Draw(seed, start, AT_ONCE, rows, stream="quick score/", device=device)
        labels = torch.arange(start, start + rows.stop, device=device) % classes if classes else None
        with torch.no_grad():
            parts.append(game.generate(game.noise(draw), labels).float().cpu())
    samples = torch.cat(parts)
    samples = samples.clamp(-1, 1) if kind.name == "images" else samples
    wanted = [one for one in METRICS if metric in one.names]
    train, held_out = split.train, split.held_out
    scores = evaluate_samples(train, held_out, samples, extractor, seed=seed, count=QUICK, metrics=wanted, repeats=0)
    value = scores.measures[metric].value
    name = f"{words(metric).title} ({scores.extractor}, {scores.count} samples a side)"
    return name, float("nan") if value is None else value


def conclude(run: Run, model: Model, split: Split) -> Judgement:
    """Judge a finished run and write scores.json, samples.png, curves.png and report.html into its folder."""
    from sparring.reporting import write_report

    samples, judgement = _judge_model(model, str(run.folder), split, count_for(split), run.record.seed)
    write_json(run.scores, judgement.as_json())
    write_report(run, model, split, samples, judgement)
    return judgement


def count_for(split: Split) -> int:
    """How many samples to generate for a judgement: as many as are held out, from 1,000 to 10,000."""
    return min(max(len(split.held_out), FEWEST), MOST)


def _of_model(model: Model, subject: str, data: str, count: int | None, seed: int, useful: bool) -> Judgement:
    kind = model.modality
    survey = kind.survey(data)
    own = survey.facts.fingerprint == model.facts.fingerprint
    apart = int(model.history.get("seed", seed)) if own else seed
    split = survey.prepare(tuple(model.recipe.shape(model.facts)), labels=True, seed=apart)
    count = count or count_for(split)
    # First, because it may be refused.
    found = usefulness(model.sample(count, seed=seed), model.labels(count), split, seed) if useful else {}
    _, judgement = _judge_model(model, subject, split, count, seed)
    judgement = replace(judgement, measures={**judgement.measures, **found})
    if own:
        return judgement
    remark = f"The model was trained on other data ({model.facts.source}): what is held out here is any part of {data}."
    return replace(judgement, remarks=(remark,))


def _judge_model(model: Model, subject: str, split: Split, count: int, seed: int) -> tuple[Tensor, Judgement]:
    """The samples judged, and what was found."""
    samples = model.sample(count, seed=seed)

    def more(count: int, repeat: int) -> Tensor:
        return model.sample(count, seed=derive(seed, "more samples", repeat))

    return samples, judge(subject, samples, model.labels(count), split, model.modality, seed=seed, more=more)


def _of_folder(subject: str, data: str, count: int | None, seed: int) -> Judgement:
    kind = modality_of(data)
    real = kind.survey(data)
    made = kind.survey(subject)
    shape = (real.facts.shape[0], *made.facts.shape[1:])
    samples = _all_samples(made.prepare(shape, labels=False, seed=seed))
    if count is not None:
        samples = samples[torch.randperm(len(samples), generator=generator(seed, "judged"))[:count]]
    judgement = judge(subject, samples, None, real.prepare(shape, labels=True, seed=seed), kind, seed=seed)
    remarks = [*made.facts.remarks, "Whether these samples were made from training or held-out data is not known here."]
    return replace(judgement, remarks=tuple(remarks))


def _all_samples(split: Split) -> Tensor:
    limits = [slice(0, MOST), slice(0, MOST)]
    parts = [part.batch(rows).real for part, rows in zip((split.train, split.held_out), limits, strict=True)]
    return torch.cat(parts)[:MOST]


def _measures(
    samples: Tensor, labels: Tensor | None, split: Split, kind: Modality, seed: int
) -> dict[str, tuple[float | None, float | None]]:
    real, real_labels = split.held_out.batch(slice(0, len(samples)))
    found = kind.measures(samples, labels, split, seed)
    floors = kind.measures(real, real_labels, split, seed) if found else {}
    return {name: (value, floors.get(name)) for name, value in found.items()}


def _memorisation(samples: Tensor, split: Split, seed: int) -> Memorisation | None:
    if samples[0].numel() < SMALLEST_SAMPLE:
        return None
    pixels = Pixels()
    held_out = split.held_out.batch(slice(0, COMPARED)).real
    try:
        return compare(_Parts(split.train, pixels), pixels(held_out), pixels(samples[:COMPARED]), seed=seed)
    except SparringError:
        return None


@final
class _Parts:
    """Features of a data set in parts, computed anew each time they are gone through."""

    def __init__(self, dataset: Dataset, extractor: Extractor) -> None:
        self.dataset, self.extractor = dataset, extractor

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self.dataset), PART):
            yield self.extractor(self.dataset.batch(slice(start, start + PART)).real)


def _heading() -> str:
    return f"  {'':<10}{'':<19}{'this':<24}{'floor':<24}"


def _line(question: str, name: str, score: Score) -> str:
    value, floor = interval(score.value, score.plus_minus), interval(score.floor, score.floor_plus_minus)
    line = f"  {question:<10}{words(name).title:<19}{value:<24}{floor:<24}{better(name, score.apart)}"
    return f"{line}  {score.remark}" if score.remark else line
