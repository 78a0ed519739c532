"""`sparring apply`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import WholeNumber, extra_options
from sparring.text import show


def apply(
    model: Path,
    inputs: list[str],
    /,
    *,
    seed: WholeNumber = 0,
    out: Path = Path("applied"),
    device: str = "cpu",
    recipe: str | None = None,
    **options: Annotated[str, Parameter(show=False)],
) -> None:
    """Apply a model to files: one sample for each input, in the same order, in the folder --out.

    This needs a model that takes inputs: one that translates images, fills gaps or turns spectra into sound.

    Examples:
        sparring apply runs/photos-001 sketches/ --out photographs/

    Parameters
    ----------
    model
        A run folder, or a folder written by save_pretrained.
    inputs
        Files or folders of the kind that the model takes.
    seed
        Random seed, for models that generate different samples for one input.
    out
        Folder for the files: empty, or with samples of an earlier call, which are replaced.
    device
        Device to compute on: cpu, cuda, cuda:1 or mps.
    recipe
        Needed for a model of your own recipe only: file.py:Name again.
    """
    from sparring.api import apply as api

    extra = extra_options(options, api.apply)
    saved = api.apply(model, inputs, seed=seed, out=out, device=device, recipe=recipe, **extra)
    show(saved.line())
