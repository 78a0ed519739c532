"""`sparring sample`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import (
    BalanceOption,
    DomainOption,
    HorizonOption,
    InputOption,
    JsonOption,
    LabelOption,
    LengthOption,
    MaskOption,
    ObjectiveOption,
    PrefixOption,
    TemperatureOption,
    WhereOption,
    WholeNumber,
    extra_options,
    given_options,
)
from sparring.text import joined, show


def sample(
    model: Path,
    /,
    *,
    count: WholeNumber | None = None,
    seed: WholeNumber = 0,
    truncation: float = 1.0,
    out: Path = Path("samples"),
    device: str = "cpu",
    recipe: str | None = None,
    json: JsonOption = None,
    label: LabelOption = None,
    input: InputOption = None,
    to: DomainOption = None,
    mask: MaskOption = None,
    where: WhereOption = None,
    length: LengthOption = None,
    horizon: HorizonOption = None,
    prefix: PrefixOption = None,
    temperature: TemperatureOption = None,
    balance: BalanceOption = None,
    objective: ObjectiveOption = None,
    **options: Annotated[str, Parameter(show=False)],
) -> None:
    """Generate samples: one file each in the folder --out, and an overview of all of them beside it.

    Examples:
        sparring sample runs/photos-001 --count 64 --label cats --out cats/

        sparring sample runs/patients-001 --count 1000 --where "sex=Female,age>=65" --out women/

    Parameters
    ----------
    model
        A run folder, or a folder written by save_pretrained.
    count
        Number of samples. Default: one for each --input, or 64 without inputs.
    seed
        Random seed. The same seed gives the same samples.
    truncation
        Factor on the latents, from 0 to 2. Below 1, samples are more typical and less diverse.
    out
        Folder for the files: empty, or with samples of an earlier call, which are replaced.
    device
        Device to compute on: cpu, cuda, cuda:1 or mps.
    recipe
        Needed for a model of your own recipe only: file.py:Name again.
    """
    from sparring.api import sample as api
    from sparring.cli.json_output import json_output
    from sparring.runs.display import default_display

    with json_output(json, folder=out) as answer:
        saved = api.sample(
            model,
            count=count,
            seed=seed,
            truncation=truncation,
            out=out,
            device=device,
            recipe=recipe,
            display=default_display(),
            **given_options(label=label, input=input, to=to, mask=mask, where=where, balance=balance),
            **given_options(
                objective=objective, length=length, horizon=horizon, prefix=prefix, temperature=temperature
            ),
            **extra_options(options, api.sample),
        )
        show(joined([saved.line(), *saved.remarks]))
        answer(saved.as_json())
