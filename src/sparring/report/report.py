"""Pictures and pages about samples: samples.png, curves.png, signals.png and report.html of a run, or a page alone."""

from dataclasses import replace
from pathlib import Path

from sparring.data.dataset import Split
from sparring.evaluation.result import Evaluation
from sparring.events import read_events
from sparring.flow import Batch
from sparring.modality import Modality
from sparring.model import Model
from sparring.rendering.exhibits import Picture, write_exhibits
from sparring.report.curves import curves
from sparring.report.diagnosis import RunHistory
from sparring.report.gallery import Gallery
from sparring.report.page import Report, ScoreTable, Training, page
from sparring.runs.folder import Run
from sparring.runs.logbook import read_log
from sparring.storage import write_bytes, write_text

MAX_EVENTS = 40


def write_report(run: Run, model: Model, split: Split, samples: Batch, evaluation: Evaluation) -> None:
    """Write samples, curves, signals and the page into the folder of a finished run.

    Args:
        run: the run.
        model: its model.
        split: the data it was trained on.
        samples: the samples that were evaluated, with their conditions and labels.
        evaluation: its result.
    """
    gallery = Gallery(model.modality, split, samples, model)
    drawn = curves(read_log(run.folder / "log.jsonl"))
    write_exhibits(gallery.generated(), run.picture.with_suffix(""))
    write_bytes(run.folder / "curves.png", drawn)

    record, facts = run.record, split.facts
    trained = f"Trained on {len(split.train):,} samples of {_short(facts.source)} ({len(split.held_out):,} held out)"
    report = _report(f"{record.recipe} on {_short(record.facts.source)}", gallery, evaluation)
    report = replace(
        report,
        summary=[f"{trained}; {int(model.history.get('samples', 0)):,} real samples were seen.", *evaluation.remarks],
        training=_training(run),
        curves=Picture(drawn, "Figures of the run; thick lines are averages.", "Curves of losses and penalties."),
        choices=[(field, str(one["value"]), str(one["reason"])) for field, one in record.choices.items()],
        happened=[event.sentence for event in read_events(run.folder / "events.jsonl")][-MAX_EVENTS:],
        facts=[*report.facts, ("device", record.device), *model.history.get("versions", {}).items()],
    )
    write_text(run.report, page(report))


def write_evaluation(
    path: Path, modality: Modality, split: Split, samples: Batch, evaluation: Evaluation, model: Model | None = None
) -> None:
    """Write the page of an evaluation without a run.

    Args:
        path: of the page.
        modality: what the samples are.
        split: the data that they were evaluated with.
        samples: the samples that were evaluated, with their conditions and labels.
        evaluation: its result.
        model: the model that generated them, if it is known.
    """
    title = f"{_short(evaluation.subject)} against {_short(evaluation.data)}"
    write_text(path, page(_report(title, Gallery(modality, split, samples, model), evaluation)))


def _report(title: str, gallery: Gallery, evaluation: Evaluation) -> Report:
    """Return the parts of a report that need no run."""
    found = evaluation.memorisation
    return Report(
        title=title,
        summary=[f"{evaluation.count:,} samples.", *evaluation.remarks],
        exhibits=[
            *gallery.generated(),
            *gallery.real(),
            *gallery.extremes(evaluation),
            *gallery.interpolations(evaluation.seed),
        ],
        verdict=found.verdict if found else "",
        alarming=bool(found and found.copied),
        pairs=gallery.pairs(evaluation),
        tables=[
            ScoreTable(
                heading=f"{one.extractor}, {one.samples}",
                floor=one.floor and f"{one.floor}; of predicted classes, held-out samples",
                scores=scores,
                protocol=one.protocol,
                extractor=one.extractor,
            )
            for one, scores in evaluation.tables()
        ],
        classes=evaluation.classes,
        facts=[
            ("data", evaluation.data),
            ("fingerprint of the data", evaluation.fingerprint),
            ("seed", str(evaluation.seed)),
        ],
    )


def _training(run: Run) -> Training:
    """Return the diagnosis of the run, and write its picture beside curves.png."""
    history = RunHistory(run)
    diagnosis, drawn = history.diagnosis(), history.picture()
    if drawn is not None:
        write_bytes(run.folder / "signals.png", drawn)
    caption = "Signals of the watchdog; dashed lines: a finding (red), a remedy that had helped (green)."
    incidents = [diagnosis.sentences(incident) for incident in diagnosis.incidents]
    return Training(
        verdict=diagnosis.verdict,
        alarming=diagnosis.open_problems,
        sentences=[diagnosis.improvement.sentence, *diagnosis.remarks],
        incidents=[(heading, sentences) for heading, *sentences in incidents],
        picture=Picture(drawn, caption, "Signals of the run, and what happened.") if drawn is not None else None,
    )


def _short(source: str) -> str:
    return Path(source).name or source
