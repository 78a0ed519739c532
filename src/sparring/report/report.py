"""Pictures and pages about samples: curves.png, signals.png and report.html of a run, or a page alone."""

from dataclasses import replace
from pathlib import Path

from sparring.data.dataset import Split
from sparring.evaluation.result import Evaluation
from sparring.flow import Batch
from sparring.modality import Modality
from sparring.model import Model
from sparring.rendering.exhibits import Picture, picture_of
from sparring.rendering.moments import MOMENTS, evenly, film_strip
from sparring.report.curves import curves
from sparring.report.diagnosis import RunHistory
from sparring.report.gallery import Gallery
from sparring.report.page import Report, page
from sparring.runs.folder import Run
from sparring.runs.pictures import moments
from sparring.runs.suggestions import suggestion
from sparring.storage import write_bytes, write_text
from sparring.text import number_of
from sparring.watchdog.convergence import percent

MAX_EVENTS = 40
FILM_CAPTION = (
    "Samples of the same latents during the run; the share of the training that was done by then stands above them."
)
NOT_JUDGED = "Not evaluated: this report has pictures and curves, and no verdict. To evaluate the model:"
SIGNALS_CAPTION = "Signals of the watchdog; dashed lines: a finding (red), a remedy that had helped (green)."


def write_report(run: Run, model: Model, split: Split, samples: Batch, evaluation: Evaluation | None) -> None:
    """Write curves, signals and the page into the folder of a finished run.

    Args:
        run: the run.
        model: its model.
        split: the data it was trained on.
        samples: the samples that were evaluated, with their conditions and labels.
        evaluation: its result; None for a report of pictures and curves alone.
    """
    gallery = Gallery(model.modality, split, samples, model, seed=run.record.seed)
    history = RunHistory(run)
    drawn = curves(history.log)

    # Pictures as separate files, for use elsewhere.
    write_bytes(run.folder / "curves.png", drawn)
    signals = history.picture()
    if signals:
        write_bytes(run.folder / "signals.png", signals)

    # The page embeds all pictures, so that it can be sent as a single file.
    record, name = run.record, _short(split.facts.source)
    evaluate = suggestion(record, "resume", run.folder, "--judge", "quick")
    trained = f"Trained on {number_of(len(split.train), 'sample')} of {name} ({len(split.held_out):,} held out)"
    report = Report(
        title=f"{record.recipe_name} on {name}",
        summary=[
            f"{trained}; {int(model.history.get('samples', 0)):,} real samples were seen.",
            *_direction(model),
            *(evaluation.remarks if evaluation else ()),
        ],
        verdict=[*(evaluation.verdict if evaluation else (NOT_JUDGED, evaluate)), *history.prospect],
        exhibits=[*gallery.exhibits(evaluation), *film(run)],
        evaluation=evaluation,
        pairs=gallery.pairs(evaluation) if evaluation else (),
        diagnosis=history.diagnosis(),
        signals=Picture(signals, SIGNALS_CAPTION, "Signals of the run, and what happened.") if signals else None,
        curves=Picture(
            drawn,
            "Figures of the run; thick lines are averages. Blue generates, red judges.",
            "Curves of losses and penalties.",
        ),
        choices=[(field, str(one["value"]), str(one["reason"])) for field, one in record.choices.items()],
        happened=[event.sentence for event in history.events][-MAX_EVENTS:],
        facts=[*_facts(split, record.seed), ("device", record.device), *model.history.get("versions", {}).items()],
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
    gallery = Gallery(modality, split, samples, model)
    report = Report(
        title=f"{_short(evaluation.subject)} against {_short(evaluation.data)}",
        verdict=evaluation.verdict,
        summary=[f"{number_of(evaluation.count, 'sample')}.", *_direction(model), *evaluation.remarks],
        exhibits=gallery.exhibits(evaluation),
        evaluation=evaluation,
        pairs=gallery.pairs(evaluation),
        facts=_facts(split, evaluation.seed),
    )
    write_text(path, page(report))


def film(run: Run) -> list[Picture]:
    """Return samples of the same latents at several moments of a run, in one picture, if there are any."""
    pictures = moments(run)
    if len(pictures) < 2:
        return []
    last = max(1, pictures[-1][0])
    chosen = [pictures[place] for place in evenly(len(pictures), MOMENTS)]
    strip = film_strip([picture for _, picture in chosen], [percent(seen, last) for seen, _ in chosen])
    return [replace(picture_of(strip), caption=FILM_CAPTION, words="Samples at moments of the run.", wide=True)]


def _facts(split: Split, seed: int) -> list[tuple[str, str]]:
    facts = split.facts
    return [("data", facts.source), ("fingerprint of the data", facts.fingerprint), ("seed", str(seed))]


def _direction(model: Model | None) -> list[str]:
    return [f"Direction: {model.direction}."] if model is not None and model.direction else []


def _short(source: str) -> str:
    return Path(source).name or source
