"""`sparring apply`"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import free


def apply(
    model: Path,
    inputs: list[str],
    /,
    *,
    seed: int = 0,
    out: Path = Path("applied"),
    device: str = "cpu",
    recipe: str | None = None,
    **asked: Annotated[str, Parameter(show=False)],
) -> None:
    """Apply a model to files: one sample for each input, in the same order, in the folder --out.

    For models whose condition is a sample: one picture becomes another, a gap is filled, a spectrum becomes sound.

    Examples:
        sparring apply runs/facades-001 sketches/ --out photographs/

    Parameters
    ----------
    model
        A run folder, or a folder made by save_pretrained.
    inputs
        Files or folders, as the model's kind of input is read.
    seed
        Of the noise, for models that have several answers.
    out
        The folder for the files; files of the same name are replaced.
    device
        Where to compute.
    recipe
        Only for a model of your own recipe: file.py:Name again.
    """
    from sparring.api import apply as api

    made = api.apply(model, inputs, seed=seed, out=out, device=device, recipe=recipe, **free(asked, api.apply))
    print(made.line())
