"""`sparring apply` in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.api.sample import COLUMNS, SavedSamples, write_overview
from sparring.arguments import checked_path
from sparring.data.conditions import INPUT
from sparring.flow import Batch
from sparring.model import load
from sparring.recipe import Recipe
from sparring.samples import batch_size


def apply(
    model: str | Path,
    inputs: str | Path | Sequence[str],
    *,
    seed: int = 0,
    out: str | Path = "applied",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    **options: Any,
) -> SavedSamples:
    """Generate one sample for each input and write them as files; the same as `sparring apply`.

    Args:
        model: a run folder or a published folder.
        inputs: files or folders, as the modality reads them; or texts.
        seed: seed of the latents.
        out: folder of the files.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        **options: further condition options of the model.

    Raises:
        SparringError: there is no model, it takes no inputs, or they cannot be read.
    """
    options, folder = {INPUT: inputs, **options}, checked_path("the samples", out)
    loaded = load(model, recipe=recipe, options=options)
    condition = loaded.conditions(**options)
    samples = loaded.sample(condition=condition, seed=seed, device=device)
    files, batch = loaded.save(samples, folder), Batch(samples, condition)
    return SavedSamples(batch_size(batch), folder, tuple(files), write_overview(loaded, batch, folder, COLUMNS))
