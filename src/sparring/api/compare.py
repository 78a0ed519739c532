"""The Python twin of `sparring compare`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sparring.errors import SparringError
from sparring.evaluation.comparison import Comparison
from sparring.evaluation.judging import count_for, judge_subject, require_numbers
from sparring.evaluation.subject import open_subject
from sparring.recipe import Recipe
from sparring.runs.display import Display, Plain
from sparring.samples import batch_size
from sparring.storage import write_json


def compare(
    first: str | Path,
    second: str | Path,
    data: str | Path,
    *,
    json: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    extractors: Sequence[str] = (),
    recipe: str | Recipe | None = None,
    display: Display | None = None,
) -> Comparison:
    """Judge two models, or folders of samples, by the same real samples, and say which is better where it can be told.

    The arguments are those of ``evaluate``. Whatever was held out when the models were trained, here the real data is
    split by ``seed`` for both.

    Raises:
        SparringError: there is nothing to judge, it does not fit the data, or the two do not fit each other.
    """
    require_numbers(count, seed)
    (one, survey), (other, _) = (open_subject(place, data, recipe) for place in (first, second))
    subjects = (one, other)
    if (one.kind.name, one.view.shape) != (other.kind.name, other.view.shape):
        raise SparringError(
            found=f"{one.kind.name} of shape {one.view.shape} and {other.kind.name} of shape {other.view.shape}",
            expected="samples of one kind and shape",
            remedy="compare models of one resolution, or resize the files of one",
        )
    # The same rows for both, each with the conditions that its model takes.
    splits = [survey.prepare(each.view, seed=seed) for each in subjects]
    there = [batch_size(one.made) for one in subjects if one.made is not None]
    count = min([count or count_for(splits[0]), *there])

    display = display or Plain()
    both = [
        judge_subject(each, split, count, seed, extractors, partial(display.count, f"judging {name}"))
        for each, split, name in zip(subjects, splits, ("A", "B"), strict=True)
    ]
    comparison = Comparison(*both)
    if json is not None:
        write_json(Path(json), comparison.as_json())
    return comparison
