"""`sparring inspect`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import (
    BackgroundOption,
    ColumnsOption,
    JsonOption,
    KeepOption,
    LabelsOption,
    PairsOption,
    TokensOption,
    ToOption,
    ValueRangeOption,
    WindowOption,
)
from sparring.data.catalogue import NAMES
from sparring.text import joined, show

DATA_HELP = (
    "A folder or a zip archive of images, where sub-folders are classes, and train beside test, masks, shards, "
    "dataset.json, metadata.csv, pairs and domains are understood; an IDX, Parquet, .npy or .npz file; a table: "
    ".csv, .tsv, .xlsx, Parquet, or a folder of these, also of time series; or the "
    f"name of a data set: {', '.join(NAMES)}."
)


def inspect(
    data: Annotated[str, Parameter(help=DATA_HELP)],
    /,
    *,
    json: JsonOption = None,
    sheet: Path | None = None,
    recipe: str | None = None,
    labels: LabelsOption = None,
    range: ValueRangeOption = None,
    background: BackgroundOption = None,
    pairs: PairsOption = None,
    to: ToOption = None,
    columns: ColumnsOption = None,
    window: WindowOption = None,
    tokens: TokensOption = None,
    keep: KeepOption = None,
) -> None:
    """Describe your data before you train: content, problems, and the training run that would follow.

    Nothing is changed. The description includes the reason for every choice, and the expected time and memory.

    Examples:
        sparring inspect photos/ --sheet contact.png --json facts.json

    Parameters
    ----------
    sheet
        Write a contact sheet, an image of many samples, to this file.
    recipe
        Describe training with this recipe. Default: chosen for the data.
    """
    from sparring.api import inspect as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, data, sheet=sheet) as answer:
        inspection = api.inspect(
            data,
            sheet=sheet,
            recipe=recipe,
            labels=labels,
            range=range,
            background=background,
            pairs=pairs,
            to=to,
            columns=columns,
            window=window,
            tokens=tokens,
            keep=keep,
            display=default_display(),
        )
        show(joined(inspection.lines()))
        answer(inspection.as_json())
