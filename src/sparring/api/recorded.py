"""Training data of runs, with which they are evaluated where no data is named."""

from collections.abc import Sequence
from pathlib import Path

from sparring.api.surveying import is_gone
from sparring.arguments import option
from sparring.data.own_output import RUN, folder_of
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.evaluation.subject import Subject
from sparring.modalities import modality
from sparring.modality import Survey
from sparring.runs.display import Display
from sparring.runs.folder import open_run


def recorded_data(*places: str) -> str:
    """Return the place of the data on which runs were trained.

    Args:
        places: of runs and other subjects; those that are no runs record no place.

    Raises:
        SparringError: none of them is a run, their data is not the same, or it is not there any more.
    """
    runs = [open_run(place) for place in places if _is_run(place)]
    facts = {run.record.facts.source: run.record.facts for run in runs}
    remedy = f"name the real data: {option('data', 'PATH')}"
    if not facts:
        raise SparringError(
            found=f"no data to compare {' and '.join(places)} with",
            expected="real data; only a run records where its own is",
            remedy=remedy,
        )
    if len(facts) > 1:
        raise SparringError(
            found=f"runs on different data ({' and '.join(facts)})", expected="one data set for both", remedy=remedy
        )
    (source, known), *_ = facts.items()
    if is_gone(modality(known.modality), source):
        raise SparringError(
            found=f"nothing at {source}", expected=f"the data of the run {runs[0].folder}", remedy=remedy
        )
    return source


def require_unchanged(opened: Sequence[tuple[Subject, Survey]], given: Reading, display: Display) -> None:
    """Say which data is compared with, after checking that it is the same as when the runs among the subjects began.

    Args:
        opened: subjects, each with its survey of the data.
        given: choices about reading the data; with these it may differ from what was trained on.
        display: shows the sentence.

    Raises:
        SparringError: it has changed.
    """
    runs = [(one, survey) for one, survey in opened if one.model is not None and _is_run(one.name)]
    for subject, survey in runs:
        if not subject.knows(survey.facts) and not given.as_json():
            raise SparringError(
                found=f"other data in {survey.facts.source} than when {subject.name} was trained",
                expected="the same samples, since no data was named",
                remedy=f"restore them, or name the data to compare with as it is: {option('data', 'PATH')}",
            )
    names = " and ".join(subject.name for subject, _ in runs)
    display.say(f"Compared with {runs[0][1].facts.source}, the data that {names} was trained on.")


def _is_run(place: str) -> bool:
    return (folder_of(Path(place)) / RUN).is_file()
