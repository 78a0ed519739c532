"""`sparring apply`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import (
    DomainOption,
    HorizonOption,
    JsonOption,
    MaskOption,
    TemperatureOption,
    WhereOption,
    WholeNumber,
    extra_options,
    given_options,
)
from sparring.text import joined, show


def apply(
    model: Path,
    inputs: list[str],
    /,
    *,
    seed: WholeNumber = 0,
    count: WholeNumber = 1,
    strength: float = 1.0,
    out: Path = Path("applied"),
    device: str = "cpu",
    recipe: str | None = None,
    json: JsonOption = None,
    to: DomainOption = None,
    mask: MaskOption = None,
    where: WhereOption = None,
    horizon: HorizonOption = None,
    temperature: TemperatureOption = None,
    **options: Annotated[str, Parameter(show=False)],
) -> None:
    """Apply a model to files: for each input a result in the folder --out, under the same name.

    This needs a model that takes inputs: one that translates, colours or enlarges images, fills holes, completes
    tables, continues time series or translates texts. Images of any size keep it, and their transparency. The same
    command computes only what is missing.

    Examples:
        sparring apply runs/photos-001 sketches/ --out photographs/

        sparring apply runs/english-chinese-001 sentences.txt --out translations/

    Parameters
    ----------
    model
        A run folder, or a folder written by save_pretrained.
    inputs
        Files, folders or patterns such as "in/*.jpg", of the kind that the model takes; or sentences, for models of
        pairs of texts.
    seed
        Random seed, for models that generate different samples for one input.
    count
        Results for each input, from different latents: name-0.png, name-1.png and so on; of a time series as many
        futures, with a table of their spread.
    strength
        Share of the change that is made, from 0 for the input itself to 1. Models of pairs, domains and colours.
    out
        Folder for the files: empty, or with samples of earlier calls. Those that are up to date are kept, and the
        others replaced.
    device
        Device to compute on: cpu, cuda, cuda:1 or mps.
    recipe
        Needed for a model of your own recipe only: file.py:Name again.
    """
    from sparring.api import apply as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, folder=out) as answer:
        saved = api.apply(
            model,
            inputs,
            seed=seed,
            count=count,
            strength=strength,
            out=out,
            device=device,
            recipe=recipe,
            display=default_display(),
            **given_options(to=to, mask=mask, where=where, horizon=horizon, temperature=temperature),
            **extra_options(options, api.apply),
        )
        show(joined([saved.line(), *saved.remarks]))
        answer(saved.as_json())
