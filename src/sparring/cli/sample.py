"""`sparring sample`"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import free


def sample(
    model: Path,
    /,
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float = 1.0,
    out: Path = Path("samples"),
    device: str = "cpu",
    recipe: str | None = None,
    **asked: Annotated[str, Parameter(show=False)],
) -> None:
    """Make samples: files in the folder --out, and all of them in one picture beside it.

    What a model can be asked for depends on its condition: --label for classes, --input for inputs, …

    Examples:
        sparring sample runs/digits-001 --count 64 --label 3 --out threes/

    Parameters
    ----------
    model
        A run folder, or a folder made by save_pretrained.
    count
        How many. Default: one for each --input, 64 without.
    seed
        The same seed gives the same pixels.
    truncation
        Below 1: more typical and less various.
    out
        The folder for the files; files of the same name are replaced.
    device
        Where to compute.
    recipe
        Only for a model of your own recipe: file.py:Name again.
    """
    from sparring.api import sample as api

    made = api.sample(
        model,
        count=count,
        seed=seed,
        truncation=truncation,
        out=out,
        device=device,
        recipe=recipe,
        **free(asked, api.sample),
    )
    print(made.line())
