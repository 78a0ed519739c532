"""`sparring compare`"""

from pathlib import Path

from sparring.cli.options import (
    BackgroundOption,
    ColumnsOption,
    JsonOption,
    LabelsOption,
    PairsOption,
    ToOption,
    ValueRangeOption,
    WholeNumber,
    WindowOption,
)
from sparring.text import joined, show


def compare(
    first: Path,
    second: Path,
    /,
    *,
    data: str | None = None,
    json: JsonOption = None,
    count: WholeNumber | None = None,
    seed: WholeNumber = 0,
    recipe: str | None = None,
    all: bool = False,
    extractor: list[str] | None = None,
    labels: LabelsOption = None,
    range: ValueRangeOption = None,
    background: BackgroundOption = None,
    pairs: PairsOption = None,
    to: ToOption = None,
    columns: ColumnsOption = None,
    window: WindowOption = None,
) -> None:
    """Evaluate two models, or folders of samples, with the same real data, and compare them.

    Examples:
        sparring compare runs/photos-001 runs/photos-002 --data photos/

    Parameters
    ----------
    first
        A run folder, a published model, or a folder or file of samples: A.
    second
        Another: B.
    data
        The real data: a folder, a file or a name. Default: that on which the run was trained.
    count
        Samples of each. Default: as many as the data allows, at most 10,000.
    seed
        Random seed of the samples and of the evaluation.
    recipe
        Only for models of your own recipe: file.py:Name again.
    all
        Compute and compare all metrics (takes several times longer).
    extractor
        As for `sparring evaluate`.
    """
    from sparring.api import compare as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, data) as answer:
        comparison = api.compare(
            first,
            second,
            data,
            count=count,
            seed=seed,
            recipe=recipe,
            all=all,
            extractors=extractor or (),
            labels=labels,
            range=range,
            background=background,
            pairs=pairs,
            to=to,
            columns=columns,
            window=window,
            display=default_display(),
        )
        show(joined(comparison.lines(further=all)))
        answer(comparison.model_dump(mode="json"))
