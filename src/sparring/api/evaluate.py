"""The Python counterpart of `sparring evaluate`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from sparring.api.outputs import output_path, require_writable, write_result
from sparring.api.recorded import recorded_data, require_unchanged
from sparring.arguments import checked_names, separated, whole_number
from sparring.data.dataset import Split
from sparring.data.in_memory import place_of, source_of
from sparring.data.reading import Columns, Labels, Pairs, ValueRange, reading
from sparring.errors import SparringError, nearest
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.protocol import MAX_SAMPLES, Protocol
from sparring.evaluation.quick import MIN_SAMPLES, count_for
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject, open_subject, split_for
from sparring.evaluation.usefulness import not_useful, usefulness
from sparring.modality import Survey
from sparring.randomness import require_seed
from sparring.recipe import Recipe
from sparring.report.report import write_evaluation
from sparring.runs.display import Display, checked_display

MAX_COUNT = 1_000_000
"""Largest number of samples that can be asked for."""


def evaluate(
    subject: Any,
    data: Any = None,
    *,
    json: str | Path | None = None,
    report: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | Recipe | None = None,
    all: bool = False,
    protocol: Protocol = "floor",
    useful: bool = False,
    extractors: str | Sequence[str] = (),
    labels: Labels = None,
    range: ValueRange = None,
    background: str | None = None,
    pairs: Pairs = None,
    to: Any = None,
    columns: Columns = None,
    window: int | None = None,
    tokens: str | None = None,
    target: str | None = None,
    display: Display | None = None,
) -> Evaluation:
    """Evaluate a model, or samples that any tool has generated, against real data.

    Args:
        subject: a run folder, a published folder, a folder or file of samples, or samples as ``train`` takes data.
        data: the real data, as ``train`` takes it. If the model was trained on it, the floor is measured with
            what was held out then. None for the training data of a run, where it is still there and unchanged.
        json: also write the result to this file; its folders are created.
        report: also write a page with pictures to this file.
        count: samples to evaluate; None for as many as the data allows, at most 10,000.
        seed: of the samples, and of everything that is drawn at random.
        recipe: needed for a model of your own recipe only.
        all: compute all metrics, not only those of the default verdict.
        protocol: "floor" compares equal numbers of samples, beside a floor and intervals; "standard" compares all
            samples with all real ones, as most published numbers do.
        useful: train classifiers on the samples and test them on real ones; for models of labelled images.
        extractors: features for the metrics, for images "pixels", "own" (a small network trained on the real data),
            "inception" and "inception-legacy" (FID), "dinov2", the last three optionally with ":" and a file or folder
            of weights, and "file.py:function": one or a list; none for the most sensitive one that needs no download.
        labels: False to use none, True to require some, a file of them (FILE or FILE:COLUMN), or a column of Parquet
            files; None to take them from tables of labels, folders or columns.
        range: stored values that stand for black and for white; None to find them.
        background: colour under transparent pixels, a name or "#rrggbb"; None for white, "ignore" to drop that channel.
        pairs: "halves" of each image, "folders" with equal names, a CSV file with two columns of files, or False for
            none; None to find pairs.
        to: images of another domain, as ``data``, into which those of ``data`` are to be translated without pairs.
        columns: kinds of columns of a table, as {"age": "continuous", "note": "drop"} or text; None to find them.
        window: steps of the windows that time series are cut into; None for whole series, and 24 for a single one; or
            tokens of a text at most.
        tokens: units of texts: "characters", "words", "bytes" or "pairs"; None to choose them by the texts.
        target: column of a table that learners are to predict, which are trained on generated rows and tested on real
            ones; then all metrics are computed. None for the last column of 2 to 20 categories, or else of numbers.
        display: shows the progress; None for a bar in terminals and notebooks, else lines.

    Raises:
        SparringError: there is nothing to evaluate, it does not fit the data, or an output cannot be written, which is
            checked first.
    """
    require_numbers(count, seed)
    _require_protocol(protocol)
    extractors, display = separated(checked_names("extractors", extractors)), checked_display(display)
    require_writable({"json": json, "report": report}, data)
    choices = reading(
        labels, range, background, pairs, place_of(to), columns, window=window, target=target, tokens=tokens
    )
    place = source_of(subject)
    source = recorded_data(place) if data is None else source_of(data)
    opened, survey = open_subject(place, source, recipe, choices)
    if data is None:
        require_unchanged([(opened, survey)], choices, display)
    if useful:
        _require_model(opened)

    # Draw as many samples as the data or the files allow.
    split = _split(opened, survey, seed)
    if count is None:
        least = MIN_SAMPLES if protocol == "floor" else MAX_SAMPLES
        count = count_for(split, least) if opened.files is None else len(opened.files)
    generated = opened.batch(split, count, seed)
    # Before the other metrics, because samples without classes are refused.
    useful_scores = usefulness(generated.batch.real, generated.batch.label, split, seed) if useful else {}

    on_progress = partial(display.count, "evaluating")
    evaluator = Evaluator(split, seed, extractors, further=all or target is not None, on_progress=on_progress)
    compute = evaluator.evaluate if protocol == "floor" else evaluator.compare_all
    evaluation = compute(opened, generated)
    evaluation = evaluation.model_copy(update={"metrics": evaluation.metrics | useful_scores})
    if json is not None:
        write_result(json, evaluation.model_dump(mode="json"))
    if report is not None:
        write_evaluation(output_path(report), opened.modality, split, generated.batch, evaluation, opened.model)
    return evaluation


def require_numbers(count: int | None, seed: int) -> None:
    """Refuse fewer than two samples, far more than can be compared, and invalid seeds.

    Raises:
        SparringError: one of the two is invalid.
    """
    require_seed(seed)
    if count is not None:
        whole_number("count", count, least=2, most=MAX_COUNT)


def _split(subject: Subject, survey: Survey, seed: int) -> Split:
    """Split the real data, as in training where the model was trained on it."""
    model = subject.model
    known = subject.knows(survey.facts)
    if model is not None and known:
        seed = int(model.history.get("seed", seed))
    return split_for(subject, survey, seed, is_new=not known)


def _require_model(subject: Subject) -> None:
    if subject.model is None:
        raise SparringError(
            found=f"no model in {subject.name}",
            expected="a run or a published folder: files do not say which class they were generated for",
            remedy=not_useful(),
        )


def _require_protocol(protocol: str) -> None:
    known = list(get_args(Protocol))
    if protocol not in known:
        raise SparringError(
            found=f"the protocol {protocol!r}",
            expected=f"one of {', '.join(known)}",
            remedy=f"check the spelling{nearest(protocol, known)}",
        )
