"""The Python counterpart of `sparring compare`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sparring.api.evaluate import require_numbers
from sparring.api.outputs import require_writable, write_result
from sparring.api.recorded import recorded_data, require_unchanged
from sparring.arguments import checked_names, separated
from sparring.data.in_memory import place_of, source_of
from sparring.data.own_output import PUBLISHED, RUN
from sparring.data.reading import Columns, Labels, Pairs, Reading, ValueRange, reading
from sparring.errors import SparringError
from sparring.evaluation.comparison import Comparison, compared
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.quick import count_for
from sparring.evaluation.subject import Subject, open_subject, split_for
from sparring.modality import Survey
from sparring.recipe import Recipe
from sparring.recipes import RECIPES
from sparring.runs.display import Display, checked_display
from sparring.storage import read_json


def compare(
    first: Any,
    second: Any,
    data: Any = None,
    *,
    json: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    all: bool = False,
    extractors: str | Sequence[str] = (),
    labels: Labels = None,
    range: ValueRange = None,
    background: str | None = None,
    pairs: Pairs = None,
    to: Any = None,
    columns: Columns = None,
    window: int | None = None,
    tokens: str | None = None,
    recipe: str | Recipe | None = None,
    display: Display | None = None,
) -> Comparison:
    """Evaluate two models, or folders of samples, with the same real samples, and compare them.

    The arguments are those of ``evaluate``. Whatever was held out when the models were trained, the real data is split
    by ``seed`` for both.

    Raises:
        SparringError: there is nothing to evaluate, it does not fit the data, or the two do not fit each other.
    """
    require_numbers(count, seed)
    extractors, display = separated(checked_names("extractors", extractors)), checked_display(display)
    require_writable({"json": json}, data)
    places = [source_of(place) for place in (first, second)]
    choices = reading(labels, range, background, pairs, place_of(to), columns, window=window, tokens=tokens)
    source = recorded_data(*places) if data is None else source_of(data)
    opened = _opened(places, source, recipe, choices)
    if data is None:
        require_unchanged(opened, choices, display)
    subjects, surveys = _in_one_shape(opened, source, recipe, choices)

    # The same rows for both, each with the conditions of its model; equally many samples.
    both = list(zip(subjects, surveys, strict=True))
    is_new = not any(subject.knows(survey.facts) for subject, survey in both)
    splits = [split_for(subject, survey, seed, is_new=is_new) for subject, survey in both]
    available = [len(subject.files) for subject in subjects if subject.files is not None]
    count = min([count or count_for(splits[0]), *available])

    # Two evaluations that differ in nothing but their subject.
    evaluations = []
    for subject, split, name in zip(subjects, splits, ("A", "B"), strict=True):
        on_progress = partial(display.count, f"evaluating {name}")
        evaluator = Evaluator(split, seed, extractors, further=all, on_progress=on_progress)
        evaluations.append(evaluator.evaluate(subject, subject.batch(split, count, seed)))
    comparison = compared(*evaluations)
    if json is not None:
        write_result(json, comparison.model_dump(mode="json"))
    return comparison


def _opened(
    places: Sequence[str],
    source: str,
    recipe: str | Recipe | None,
    choices: Reading,
    shapes: Sequence[tuple[int, ...] | None] = (None, None),
) -> list[tuple[Subject, Survey]]:
    """Open two subjects, each with a survey of the real data.

    Args:
        places: of the subjects.
        source: the real data.
        recipe: of the user's own; it is that of the models which name one.
        choices: about reading the real data.
        shapes: what the natural shape of the real data counts as for each; None for its own.

    Raises:
        SparringError: there is nothing to evaluate.
    """
    needed = [_needs_recipe(place) for place in places]
    return [
        open_subject(place, source, recipe if needs or not any(needed) else None, choices, real_shape=shape)
        for place, needs, shape in zip(places, needed, shapes, strict=True)
    ]


def _in_one_shape(
    opened: Sequence[tuple[Subject, Survey]], source: str, recipe: str | Recipe | None, choices: Reading
) -> tuple[list[Subject], list[Survey]]:
    """Return two subjects in one shape, with one survey of the real data for both, but for their inputs.

    Raises:
        SparringError: the two do not fit each other.
    """
    subjects = [subject for subject, _ in opened]
    # A model that was trained without labels leaves those of the data to the other one.
    common = max((survey for _, survey in opened), key=lambda surveyed: len(surveyed.facts.classes))
    surveys = [survey if subject.takes_inputs else common for subject, survey in opened]

    # One set of real samples has to serve both: in colour, if one of the two is.
    one, other = subjects
    if one.modality is other.modality and one.view.shape != other.view.shape:
        shapes = (other.view.shape, one.view.shape)
        again = _opened([subject.name for subject in subjects], source, recipe, choices, shapes)
        subjects = [subject for subject, _ in again]
    kinds = [f"{subject.modality.name} of shape {subject.view.shape}" for subject in subjects]
    if kinds[0] != kinds[1]:
        raise SparringError(
            found=f"{kinds[0]} and {kinds[1]}",
            expected="samples of one kind and shape",
            remedy="compare models of one resolution, or resize the files of one",
        )
    return subjects, surveys


def _needs_recipe(place: str) -> bool:
    """Return whether a model names a recipe that is not one of ``RECIPES``."""
    records = [path for name in (RUN, PUBLISHED) if (path := Path(place) / name).is_file()]
    content = read_json(records[0]) if records else {}
    name = content.get("recipe") if isinstance(content, dict) else None
    return isinstance(name, str) and name not in RECIPES
