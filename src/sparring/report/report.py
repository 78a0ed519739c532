"""The end of a run for people: samples.png, curves.png, signals.png and report.html."""

from dataclasses import replace
from pathlib import Path

from sparring.data.dataset import Split
from sparring.evaluation.glossary import interval, titled
from sparring.evaluation.result import Judgement
from sparring.events import read_events
from sparring.flow import Batch
from sparring.modality import Modality
from sparring.model import Model
from sparring.rendering.exhibits import Picture, write_exhibits
from sparring.report.curves import curves
from sparring.report.diagnosis import RunHistory
from sparring.report.gallery import Gallery
from sparring.report.page import Report, ScoreTable, Training, page
from sparring.runs.folder import Record, Run
from sparring.storage import read_lines, write_bytes, write_text

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
        happened=[event.sentence for event in read_events(run.folder / "events.jsonl")][-MOST_EVENTS:],
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


def _summary(model: Model, split: Split, judgement: Judgement) -> list[str]:
    facts = split.facts
    seen = int(model.history.get("samples", 0))
    remark = f"Trained on {len(split.train):,} samples of {_short(facts.source)} ({len(split.held_out):,} held out)"
    sentences = [f"{remark}; {seen:,} real samples were seen."]
    return [*sentences, *_first(judgement), *judgement.remarks]


def _training(run: Run) -> Training:
    """Return the diagnosis of the run, and write its picture beside curves.png."""
    history = RunHistory(run)
    diagnosis, drawn = history.diagnosis(), history.picture()
    if drawn is not None:
        write_bytes(run.folder / "signals.png", drawn)
    caption = "Signals of the watchdog; dashed lines: a finding (red), a remedy that had helped (green)."
    told = [diagnosis.sentences(incident) for incident in diagnosis.incidents]
    return Training(
        verdict=diagnosis.verdict,
        alarming=diagnosis.open_problems,
        sentences=[diagnosis.improvement.sentence, *diagnosis.remarks],
        incidents=[(heading, sentences) for heading, *sentences in told],
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
