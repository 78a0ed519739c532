"""The end of a run for people: samples.png, curves.png, signals.png and report.html."""

from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
import torch

from sparring.data.dataset import Split, by_class
from sparring.diagnosis import Traces
from sparring.evaluation.curves import curves
from sparring.evaluation.report import Report, ScoreTable, Training, page
from sparring.evaluation.words import interval, titled
from sparring.flow import Batch
from sparring.judgement import Judgement
from sparring.modality import Modality
from sparring.model import Model
from sparring.rendering.exhibits import Exhibit, Picture, write_exhibits
from sparring.run import Record, Run
from sparring.samples import batch_size, concatenate, map_floats, take
from sparring.sampling import conditions_from
from sparring.storage import read_lines, write_bytes, write_text

COLUMNS = 10
MOST_ROWS = 32
PATHS = 8
MOST_EVENTS = 40


def write_report(run: Run, model: Model, split: Split, samples: Batch, judgement: Judgement) -> None:
    """Write the exhibits and the page into the run folder.

    Args:
        run: where.
        model: what was trained.
        split: the data it was trained on.
        samples: what was judged, with their conditions and classes.
        judgement: what was found.
    """
    gallery = Gallery(model.modality, split, samples, model)
    drawn = curves(read_lines(run.folder / "log.jsonl"))
    write_exhibits(gallery.generated(), run.picture.with_suffix(""))
    write_bytes(run.folder / "curves.png", drawn)
    record = run.record
    report = replace(
        _report(f"{record.recipe} on {_short(record.facts.source)}", gallery, judgement),
        summary=_summary(model, split, judgement),
        training=_training(run),
        curves=Picture(drawn, "Figures of the run; thick lines are averages.", "Curves of losses and penalties."),
        choices=[(field, str(one["value"]), str(one["reason"])) for field, one in record.choices.items()],
        happened=[str(event["said"]) for event in read_lines(run.folder / "events.jsonl")][-MOST_EVENTS:],
        facts=_facts(record, model),
    )
    write_text(run.report, page(report))


def write_judgement(
    path: Path, kind: Modality, split: Split, samples: Batch, judgement: Judgement, model: Model | None = None
) -> None:
    """Write the page of a judgement alone, without a run.

    Args:
        path: of the page.
        kind: what the samples are.
        split: the data they were judged by.
        samples: what was judged, with their conditions and classes.
        judgement: what was found.
        model: what made them, if it is at hand.
    """
    gallery = Gallery(kind, split, samples, model)
    write_text(path, page(_report(f"{_short(judgement.subject)} against {_short(judgement.data)}", gallery, judgement)))


def _report(title: str, gallery: "Gallery", judgement: Judgement) -> Report:
    """All that needs no run."""
    found = judgement.memorisation
    return Report(
        title=title,
        summary=[f"{judgement.count:,} samples.", *_first(judgement), *judgement.remarks],
        exhibits=[
            *gallery.generated(),
            *gallery.real(),
            *gallery.extremes(judgement),
            *gallery.interpolations(judgement.seed),
        ],
        verdict=found.verdict if found else "",
        alarming=bool(found and found.copied),
        pairs=gallery.pairs(judgement),
        tables=_tables(judgement),
        classes=judgement.classes,
        facts=[
            ("data", judgement.data),
            ("fingerprint of the data", judgement.fingerprint),
            ("seed", str(judgement.seed)),
        ],
    )


@final
class Gallery:
    """What a report shows."""

    def __init__(self, kind: Modality, split: Split, samples: Batch, model: Model | None = None) -> None:
        self.model, self.kind, self.split = model, kind, split
        self.samples = samples._replace(real=map_floats(torch.nan_to_num, samples.real))
        # A row for each class where players are told classes.
        self.labels = samples.label if model is not None and model.classes else None

    def generated(self) -> list[Exhibit]:
        """The first samples."""
        rows = by_class(self.labels, COLUMNS, MOST_ROWS)
        order = "" if rows is None else ", one row a class"
        first = slice(0, self.kind.shown) if rows is None else rows
        return self._shown(take(self.samples, first), f"Generated{order}; not selected.", "Generated samples")

    def real(self) -> list[Exhibit]:
        """Real samples in the same order."""
        train = self.split.train
        rows = by_class(train.labels, COLUMNS, MOST_ROWS) if self.labels is not None else None
        first = np.arange(min(self.kind.shown, len(train))) if rows is None else rows
        return self._shown(train.batch(first), "Real, from the training data.", "Real samples")

    def pairs(self, judgement: Judgement) -> list[Exhibit]:
        """The closest pairs, generated above, training below."""
        found = judgement.memorisation
        if found is None or not found.pairs:
            return []
        rows = np.array([row for _, row, _ in found.pairs])
        fake = take(self.samples, [row for row, _, _ in found.pairs]).real
        both = Batch(concatenate([fake, self.split.train.batch(rows).real]))
        caption = "Above: the generated samples closest to the training data. Below: their nearest training samples."
        title = "Closest pairs of generated and training samples"
        return self._shown(both, caption, title, columns=len(rows))

    def extremes(self, judgement: Judgement) -> list[Exhibit]:
        """The best and the worst samples by density."""
        if not judgement.best:
            return []
        by = f"by the density of real samples around them ({judgement.scores[0].extractor})"
        best, worst = (take(self.samples, list(rows)) for rows in (judgement.best, judgement.worst))
        return [
            *self._shown(best, f"The best {batch_size(best)} {by}, best first.", "Best samples"),
            *self._shown(worst, f"The worst {batch_size(worst)}, worst last.", "Worst samples"),
        ]

    def interpolations(self, seed: int) -> list[Exhibit]:
        """Paths from one noise to another, where the modality blends."""
        if self.model is None or not self.kind.blends:
            return []
        told = conditions_from(self.split.held_out, PATHS, seed).condition
        samples = map_floats(torch.nan_to_num, self.model.interpolate(PATHS, COLUMNS, seed=1, condition=told))
        order = "" if told is None else " under one condition"
        caption = f"From one noise to another, a path a row, each{order}."
        return self._shown(Batch(samples), caption, "Interpolations")

    def _shown(self, batch: Batch, caption: str, title: str, *, columns: int = COLUMNS) -> list[Exhibit]:
        words = f"{title}: {batch_size(batch)} in all."
        exhibits = self.kind.show(batch, self.split.facts, columns=columns)
        return [replace(exhibit, caption=caption, words=words) for exhibit in exhibits]


def _summary(model: Model, split: Split, judgement: Judgement) -> list[str]:
    facts = split.facts
    seen = int(model.history.get("samples", 0))
    remark = f"Trained on {len(split.train):,} samples of {_short(facts.source)} ({len(split.held_out):,} held out)"
    sentences = [f"{remark}; {seen:,} real samples were seen."]
    return [*sentences, *_first(judgement), *judgement.remarks]


def _training(run: Run) -> Training:
    """What the watchdog's diagnosis is; its picture is written beside curves.png."""
    traces = Traces(run)
    diagnosis, drawn = traces.diagnosis(), traces.picture()
    if drawn is not None:
        write_bytes(run.folder / "signals.png", drawn)
    caption = "What the watchdog saw; dashed lines where something was found (red) or had helped (green)."
    told = [diagnosis.told(episode) for episode in diagnosis.episodes]
    return Training(
        verdict=diagnosis.verdict,
        alarming=diagnosis.ails,
        sentences=[diagnosis.improvement.sentence, *diagnosis.remarks],
        episodes=[(heading, sentences) for heading, *sentences in told],
        picture=Picture(drawn, caption, "Signals of the run, and what happened.") if drawn is not None else None,
    )


def _first(judgement: Judgement) -> list[str]:
    """The distance in the most telling features."""
    return [
        f"{titled('frechet', scores.extractor)} {interval(score.value, score.plus_minus)}, floor "
        f"{interval(score.floor, score.floor_plus_minus)} ({scores.extractor}, {scores.count:,} samples a side; lower "
        "is better)."
        for scores in judgement.scores[:1]
        for score in [scores.measures["frechet"]]
    ]


def _tables(judgement: Judgement) -> list[ScoreTable]:
    """One for all questions, by the most telling features; then one for each other extractor."""
    others = judgement.others()
    return [
        ScoreTable(
            heading=f"{scores.extractor}, {scores.count:,} samples a side",
            floor=f"{scores.floor}; of what a classifier says, held-out samples" if place == 0 else scores.floor,
            scores={**scores.measures, **others} if place == 0 else scores.measures,
            protocol=scores.protocol,
            extractor=scores.extractor,
        )
        for place, scores in enumerate(judgement.scores)
    ]


def _facts(record: Record, model: Model) -> list[tuple[str, str]]:
    return [
        ("data", record.facts.source),
        ("fingerprint of the data", record.facts.fingerprint),
        ("seed", str(record.seed)),
        ("device", record.device),
        *model.history.get("versions", {}).items(),
    ]


def _short(source: str) -> str:
    return Path(source).name or source
