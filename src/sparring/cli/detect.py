"""`sparring detect`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import JsonOption, WholeNumber
from sparring.text import joined, show


def detect(
    run: Path,
    data: str,
    /,
    *,
    false_alarms: float = 0.01,
    method: str | None = None,
    out: Path | None = None,
    json: JsonOption = None,
    maps: Path | None = None,
    normal: Annotated[list[str] | None, Parameter(negative_iterable=())] = None,
    labels: str | None = None,
    reference: str | None = None,
    seed: WholeNumber = 0,
    device: str = "cpu",
    recipe: str | None = None,
) -> None:
    """Find the samples in DATA that are unlike the data that a model was trained on.

    Each sample gets a score. The threshold is chosen so that of normal samples only the share --false-alarms is above
    it. Two simple methods are computed beside, since they are sometimes better.

    Examples:
        sparring detect runs/screws-001 new-photos/ --out scores.csv

        sparring detect runs/screws-001 test/ --normal good --maps maps/

    Parameters
    ----------
    run
        A run folder. Methods that need no discriminator take a published folder, too.
    data
        The samples: a folder, a file or a name.
    false_alarms
        Share of normal samples that may count as unusual, between 0 and 1.
    method
        own (what the model says itself), f-anogan (an encoder for models with a generator and a discriminator; trained
        once, and stored in the run), nearest (distance to the nearest training sample) or isolation-forest. Default:
        own where the model has it, else f-anogan.
    out
        Write the score of each sample to this CSV file; of images also a picture of the most unusual ones.
    maps
        Write each image beside a heat map to this folder, by the methods own and f-anogan.
    normal
        Class of DATA that is normal, once for each, to measure how well the others are found. Default: the classes of
        the training data.
    labels
        Classes of DATA: a file of labels of images, or the name of a column of a table.
    reference
        Normal samples by which the threshold is chosen. Default: the training data, where it was.
    seed
        Random seed of the detector and of the threshold.
    device
        Device to compute on: cpu, cuda, cuda:1 or mps.
    recipe
        Needed for a model of your own recipe only: file.py:Name again.
    """
    from sparring.api import detect as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, data, out=out) as answer:
        detection = api.detect(
            run,
            data,
            false_alarms=false_alarms,
            method=method,
            out=out,
            maps=maps,
            normal=normal or (),
            labels=labels,
            reference=reference,
            seed=seed,
            device=device,
            recipe=recipe,
            display=default_display(),
        )
        show(joined(detection.lines()))
        answer(detection.model_dump(mode="json"))
