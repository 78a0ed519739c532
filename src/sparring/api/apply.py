"""`sparring apply` in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.api.sample import COLUMNS, SavedSamples, overview_stem, write_overview
from sparring.arguments import checked_folder
from sparring.data.conditions import INPUT
from sparring.data.own_output import earlier_files, record_own, replace_own
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
        out: folder of the files: empty, or with samples of an earlier call, which are replaced.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        **options: further condition options of the model.

    Raises:
        SparringError: there is no model, it takes no inputs, they cannot be read, or ``out`` holds other files.
    """
    options, folder = {INPUT: inputs, **options}, checked_folder("the samples", out)
    earlier = earlier_files(folder, overview_stem(folder))
    loaded = load(model, recipe=recipe, options=options)
    condition = loaded.conditions(**options)
    samples = loaded.sample(condition=condition, seed=seed, device=device)

    # Write them in place of those of an earlier call.
    replace_own(folder, earlier)
    files, batch = loaded.save(samples, folder), Batch(samples, condition)
    overview = write_overview(loaded, batch, folder, COLUMNS)
    record_own(folder, files, overview)
    return SavedSamples(batch_size(batch), folder, tuple(files), overview)
