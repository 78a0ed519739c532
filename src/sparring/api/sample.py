"""`sparring sample` in Python: from a model to files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sparring.data.conditions import INPUT
from sparring.data.own_output import earlier_files, record_own, replace_own
from sparring.flow import Batch
from sparring.model import Model, load, order_by_class
from sparring.recipe import Recipe
from sparring.samples import batch_size, take

DEFAULT_COUNT = 64
"""Samples that are generated without a count and without inputs."""
COLUMNS = 8
"""Samples per row of the overview."""


@final
@dataclass(frozen=True)
class SavedSamples:
    """Samples in files.

    Args:
        count: number of samples.
        folder: folder of the files, which holds nothing else, so that it can be evaluated.
        files: files with one or several samples each.
        overview: files that show all samples together, beside the folder.
    """

    count: int
    folder: Path
    files: tuple[Path, ...]
    overview: tuple[Path, ...]

    def line(self) -> str:
        """Return one line that names the folder and the overview."""
        overview = ", ".join(map(str, self.overview))
        return f"Wrote {self.count} samples to {self.folder} ({len(self.files)} files); overview: {overview}"


def sample(
    model: str | Path,
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float = 1.0,
    out: str | Path = "samples",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    **options: Any,
) -> SavedSamples:
    """Generate samples and write them as files; the same as `sparring sample`.

    Args:
        model: a run folder or a published folder.
        count: number of samples; None for one per input, or 64 without inputs.
        seed: as for ``Model.sample``.
        truncation: as for ``Model.sample``.
        out: folder of the files: empty, or with samples of an earlier call, which are replaced.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        **options: condition options of the model, such as ``label="cats"``.

    Raises:
        SparringError: there is no model, it does not have an option, or ``out`` holds other files.
    """
    # Check the folder; generate the samples under the conditions that the options describe.
    earlier_files(Path(out), overview_stem(Path(out)))
    loaded = load(model, recipe=recipe, options=options)
    count = count if count is not None or options.get(INPUT) is not None else DEFAULT_COUNT
    condition = loaded.conditions(count, **options)
    samples = loaded.sample(count, condition=condition, seed=seed, truncation=truncation, device=device)

    # Without options classes come in turn: then each has its rows in the overview.
    batch, columns = Batch(samples, condition), COLUMNS
    in_turn = not any(value is not None for value in options.values()) and 1 < len(loaded.classes) <= batch_size(batch)
    if in_turn:
        columns = batch_size(batch) // len(loaded.classes)
    return write_samples(loaded, batch, Path(out), columns, in_turn=in_turn)


def write_samples(model: Model, batch: Batch, out: Path, columns: int, *, in_turn: bool = False) -> SavedSamples:
    """Write samples as files into ``out`` in place of those of an earlier call, and an overview beside it.

    Args:
        model: the model that generated them.
        batch: the samples with their conditions.
        out: the folder.
        columns: samples per row of the overview.
        in_turn: whether the classes come in turn; the overview then shows them class by class.

    Raises:
        SparringError: ``out`` holds files that no earlier call wrote.
    """
    stem = overview_stem(out)
    replace_own(out, earlier_files(out, stem))
    files = model.save(batch.real, out)
    if in_turn:
        batch = take(batch, order_by_class(batch_size(batch), len(model.classes)))
    overview = model.show(batch.real, stem, columns=columns, condition=batch.condition)
    record_own(out, files, overview)
    return SavedSamples(batch_size(batch), out, tuple(files), tuple(overview))


def overview_stem(out: Path) -> Path:
    """Return the path without extension of the overview of the samples in ``out``, beside that folder."""
    return out.resolve().parent / f"{out.resolve().name}-grid"
