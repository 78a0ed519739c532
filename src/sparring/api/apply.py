"""The Python twin of `sparring apply`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.api.sample import COLUMNS, Made, written
from sparring.flow import Batch
from sparring.model import load
from sparring.recipe import Recipe


def apply(
    model: str | Path,
    inputs: str | Path | Sequence[str],
    *,
    seed: int = 0,
    out: str | Path = "applied",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    **asked: Any,
) -> Made:
    """Make a sample for each input and write them; the same as `sparring apply`.

    Raises:
        SparringError: there is no model, it takes no inputs, or they cannot be read.
    """
    loaded = load(model, recipe=recipe, asked=asked)
    made = loaded.apply(inputs, seed=seed, device=device, **asked)
    told = loaded.conditions(input=inputs, **asked)
    return written(loaded, Batch(made, told), Path(out), COLUMNS)
