"""The Python twin of `sparring apply`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.api.sample import COLUMNS, SavedSamples, written
from sparring.data.conditions import INPUT
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
) -> SavedSamples:
    """Make a sample for each input and write them; the same as `sparring apply`.

    Raises:
        SparringError: there is no model, it takes no inputs, or they cannot be read.
    """
    asked = {INPUT: inputs, **asked}
    loaded = load(model, recipe=recipe, asked=asked)
    told = loaded.conditions(**asked)
    made = loaded.sample(condition=told, seed=seed, device=device)
    return written(loaded, Batch(made, told), Path(out), COLUMNS)
