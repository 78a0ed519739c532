"""`sparring apply` in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.api.sample import SavedSamples, write_samples
from sparring.data.conditions import INPUT
from sparring.recipe import Recipe


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
        out: folder of the files: empty, or with samples of an earlier call, which are replaced.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        **options: further condition options of the model.

    Raises:
        SparringError: there is no model, it takes no inputs, they cannot be read, or ``out`` holds other files.
    """
    return write_samples(model, {INPUT: inputs, **options}, out, recipe, device, seed=seed)
