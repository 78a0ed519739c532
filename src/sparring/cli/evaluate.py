"""`sparring evaluate`"""

from pathlib import Path
from typing import Literal

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


def evaluate(
    subject: Path,
    /,
    *,
    data: str | None = None,
    json: JsonOption = None,
    report: Path | None = None,
    count: WholeNumber | None = None,
    seed: WholeNumber = 0,
    recipe: str | None = None,
    all: bool = False,
    protocol: Literal["floor", "standard"] = "floor",
    useful: bool = False,
    extractor: list[str] | None = None,
    labels: LabelsOption = None,
    range: ValueRangeOption = None,
    background: BackgroundOption = None,
    pairs: PairsOption = None,
    to: ToOption = None,
    columns: ColumnsOption = None,
    window: WindowOption = None,
    target: str | None = None,
) -> None:
    """Evaluate a model, or a folder of samples that any tool has generated, against real data.

    Every score is shown beside real against real: the score of real samples against other real samples, equally many.

    Examples:
        sparring evaluate runs/photos-001 --data photos/ --json scores.json

    Parameters
    ----------
    subject
        A run folder, a published model, or a folder or file of samples.
    data
        The real data: a folder, a file or a name. Default: that on which the run was trained.
    report
        Also write a page with pictures to this file; it needs no other file.
    count
        Samples to evaluate. Default: as many as the data allows, at most 10,000.
    seed
        Random seed of the samples and of the evaluation.
    recipe
        Only for a model of your own recipe: file.py:Name again.
    all
        Compute and show all metrics (takes several times longer).
    protocol
        floor: equal numbers of samples, beside real against real and with 95 % intervals. standard: all samples against
        all real ones, as most published numbers are computed; shows the Fréchet distance.
    useful
        Also train classifiers on the samples and test them on real ones (models of labelled images; takes longer).
    extractor
        Features for the metrics; repeat the option for several: pixels, own (a small network trained on the real data),
        inception[:weights] (FID, resized as by clean-fid), inception-legacy[:weights] (FID, resized as by the original
        program), dinov2[:folder], or your own file.py:function. Default: own where possible, else pixels.
    target
        Tables: the column that learners predict, which are trained on generated rows and tested on real ones; shows all
        metrics. Default, with --all: the last column of 2 to 20 categories, or else of numbers.
    """
    from sparring.api import evaluate as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, data, report=report) as answer:
        evaluation = api.evaluate(
            subject,
            data,
            report=report,
            count=count,
            seed=seed,
            recipe=recipe,
            all=all,
            protocol=protocol,
            useful=useful,
            extractors=extractor or (),
            labels=labels,
            range=range,
            background=background,
            pairs=pairs,
            to=to,
            columns=columns,
            window=window,
            target=target,
            display=default_display(),
        )
        show(joined(evaluation.lines(further=all or target is not None)))
        answer(evaluation.model_dump(mode="json"))
