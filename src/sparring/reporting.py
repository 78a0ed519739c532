"""The end of a run for people: samples.png, curves.png, signals.png and report.html."""

import io
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.diagnosis import Traces
from sparring.evaluation.curves import curves
from sparring.evaluation.report import Picture, Report, Table, Training, page
from sparring.evaluation.words import interval, titled
from sparring.judgement import Judgement
from sparring.modality import Modality
from sparring.model import Model, class_by_class
from sparring.run import Record, Run
from sparring.storage import read_lines, write_bytes, write_text

COLUMNS = 10
MOST_ROWS = 32
PATHS = 8
MOST_EVENTS = 40


def write_report(run: Run, model: Model, split: Split, samples: Tensor, judgement: Judgement) -> None:
    """Write the pictures and the page into the run folder.

    Args:
        run: where.
        model: what was trained.
        split: the data it was trained on.
        samples: what was judged, classes in turn if there are classes.
        judgement: what was found.
    """
    gallery = Gallery(model.modality, split, samples, model)
    generated, drawn = gallery.generated(), curves(read_lines(run.folder / "log.jsonl"))
    write_bytes(run.picture, generated.content)
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
    path: Path, kind: Modality, split: Split, samples: Tensor, judgement: Judgement, model: Model | None = None
) -> None:
    """Write the page of a judgement alone, without a run.

    Args:
        path: of the page.
        kind: what the samples are.
        split: the data they were judged by.
        samples: what was judged, classes in turn if a model with classes made them.
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
        pictures=(gallery.generated(), gallery.real(), *gallery.extremes(judgement), *gallery.interpolations()),
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
    """The pictures of a report."""

    def __init__(self, kind: Modality, split: Split, samples: Tensor, model: Model | None = None) -> None:
        self.model, self.kind, self.split = model, kind, split
        self.samples = torch.nan_to_num(samples)
        self.classes = len(model.classes) if model else 0
        self.by_class = 1 < self.classes <= MOST_ROWS
        self.count = self.classes * COLUMNS if self.by_class else self.kind.shown

    def generated(self) -> Picture:
        """The first samples."""
        samples = self.samples[: self.count]
        if self.by_class:
            samples = samples[class_by_class(len(samples), self.classes)]
        order = ", one row a class" if self.by_class else ""
        return self._picture(samples, f"Generated{order}; not selected.", "Generated samples")

    def real(self) -> Picture:
        """Real samples in the same order."""
        samples = self.split.train.batch(self._real_rows()).real
        return self._picture(samples, "Real, from the training data.", "Real samples")

    def pairs(self, judgement: Judgement) -> Picture | None:
        """The closest pairs, generated above, training below."""
        found = judgement.memorisation
        if found is None:
            return None
        rows = np.array([row for _, row, _ in found.pairs])
        real = self.split.train.batch(rows).real
        fake = self.samples[[row for row, _, _ in found.pairs]]
        caption = "Above: the generated samples closest to the training data. Below: their nearest training samples."
        picture = self.kind.picture(torch.cat([fake, real]), columns=len(rows))
        return Picture(_png(picture), caption, "Closest pairs of generated and training samples", sharp=True)

    def extremes(self, judgement: Judgement) -> list[Picture]:
        """The best and the worst samples by density."""
        if not judgement.best:
            return []
        by = f"by the density of real samples around them ({judgement.scores[0].extractor})"
        best, worst = (self.samples[list(rows)] for rows in (judgement.best, judgement.worst))
        return [
            self._picture(best, f"The best {len(best)} {by}, best first.", "Best samples"),
            self._picture(worst, f"The worst {len(worst)}, worst last.", "Worst samples"),
        ]

    def interpolations(self) -> list[Picture]:
        """Paths from one noise to another, for what can be looked at one by one."""
        if self.model is None or self.kind.name != "images":
            return []
        samples = torch.nan_to_num(self.model.interpolate(PATHS, COLUMNS, seed=1))
        order = " of one class" if self.classes else ""
        return [self._picture(samples, f"From one noise to another, a path a row, each{order}.", "Interpolations")]

    def _picture(self, samples: Tensor, caption: str, title: str) -> Picture:
        picture = self.kind.picture(samples, columns=COLUMNS)
        words = f"{title}: {len(samples)} in one picture."
        return Picture(_png(picture), caption, words, sharp=self.kind.name == "images")

    def _real_rows(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        train: Dataset = self.split.train
        if self.by_class and train.labels is not None:
            places = [np.flatnonzero(train.labels == label)[:COLUMNS] for label in range(self.classes)]
            if all(len(place) == COLUMNS for place in places):
                return np.concatenate(places)
        return np.arange(min(self.count, len(train)))


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


def _tables(judgement: Judgement) -> list[Table]:
    """One for all questions, by the most telling features; then one for each other extractor."""
    others = judgement.others()
    return [
        Table(
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


def _png(picture: Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()
