"""The Python twin of `sparring sample`: from a model to files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sparring.data.conditions import INPUT
from sparring.flow import Batch
from sparring.model import Model, class_by_class, load
from sparring.recipe import Recipe
from sparring.samples import batch_size, take

COUNT, COLUMNS = 64, 8


@final
@dataclass(frozen=True)
class SavedSamples:
    """Samples as files.

    Args:
        count: how many samples.
        folder: where they lie.
        files: one or several samples each.
        shown: all of them for a person, beside the folder, so that the folder holds samples alone and can be judged.
    """

    count: int
    folder: Path
    files: tuple[Path, ...]
    shown: tuple[Path, ...]

    def line(self) -> str:
        """One line for a person."""
        where = ", ".join(map(str, self.shown))
        return f"{self.count} samples in {self.folder} ({len(self.files)} files), all of them in {where}"


def sample(
    model: str | Path,
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float = 1.0,
    out: str | Path = "samples",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    **asked: Any,
) -> SavedSamples:
    """Make samples and write them; the same as `sparring sample`.

    Raises:
        SparringError: there is no model, or it does not know what was asked.
    """
    loaded = load(model, recipe=recipe, asked=asked)
    count = count if count is not None or asked.get(INPUT) is not None else COUNT
    told = loaded.conditions(count, **asked)
    made = loaded.sample(count, condition=told, seed=seed, truncation=truncation, device=device)
    batch, columns = Batch(made, told), COLUMNS
    in_turn = not any(value is not None for value in asked.values()) and 1 < len(loaded.classes) <= batch_size(batch)
    if in_turn:
        columns = batch_size(batch) // len(loaded.classes)
    return written(loaded, batch, Path(out), columns, in_turn=in_turn)


def written(model: Model, batch: Batch, out: Path, columns: int, *, in_turn: bool = False) -> SavedSamples:
    """Write the samples as files into ``out``, and for a person beside it, classes that came in turn together."""
    out.mkdir(parents=True, exist_ok=True)
    files = model.save(batch.real, out)
    if in_turn:
        batch = take(batch, class_by_class(batch_size(batch), len(model.classes)))
    stem = out.resolve().parent / f"{out.resolve().name}-grid"
    shown = model.show(batch.real, stem, columns=columns, condition=batch.condition)
    return SavedSamples(batch_size(batch), out, tuple(files), tuple(shown))
