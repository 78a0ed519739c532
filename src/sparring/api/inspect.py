"""Looking at data before training on it: what is there, what would be trained on it, and why."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from sparring.data.facts import Facts
from sparring.runs.display import clock
from sparring.storage import write_json

if TYPE_CHECKING:
    import torch

    from sparring.data.dataset import Split
    from sparring.recipe import Recipe

MOST_SHOWN = 64
"""Samples on a contact sheet."""
MOST_LISTED = 10
"""Names, classes or counts of one kind in the printed text; JSON has them all."""


@final
@dataclass(frozen=True)
class Prospect:
    """What would be trained.

    Args:
        recipe: its name.
        shape: of one sample as the networks see it.
        batch: samples per batch.
        samples: real samples to see.
        device: where.
        choices: field → its value and the reason for it.
        seconds: expected time of the whole run, from two steps that were timed; None if they were not.
        memory: expected peak memory in bytes, likewise.
        obstacle: why this cannot be trained, in one sentence; None if it can.
    """

    recipe: str
    shape: tuple[int, ...]
    batch: int
    samples: int
    device: str
    choices: dict[str, dict[str, Any]]
    seconds: float | None = None
    memory: int | None = None
    obstacle: str | None = None


@final
@dataclass(frozen=True)
class Inspection:
    """What was found, and what would be trained."""

    facts: Facts
    prospect: Prospect

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {"facts": self.facts.as_json(), "training": asdict(self.prospect)}

    def lines(self) -> list[str]:
        """The inspection as plain lines of text; long lists are cut short."""
        return [*_about(self.facts), "", *_ahead(self.prospect)]


def inspect(
    data: str | Path,
    *,
    json: Path | None = None,
    sheet: Path | None = None,
    recipe: str | None = None,
    device: str | None = None,
    measure: bool = True,
) -> Inspection:
    """Look at ``data`` and plan for it; the same as `sparring inspect`.

    Args:
        data: a folder, a file or a name.
        json: write everything that was found to this file.
        sheet: write a contact sheet, samples as they would be trained on, class by class, to this file.
        recipe: plan for this recipe; None for what suits the data.
        device: plan for this device; None for the best there is.
        measure: time two real steps, to say how long the run would take.

    Raises:
        SparringError: nothing in ``data`` can be used, or there is no such recipe.
    """
    from sparring.api.surveying import surveyed
    from sparring.training.devices import pick

    name, chosen, survey = surveyed(str(data), recipe)
    resolved, prospect = _plan(survey.facts, name, chosen, pick(device))
    if sheet is not None or (measure and prospect.obstacle is None):
        split = survey.prepare(resolved.view(survey.facts))
        if sheet is not None:
            _write_sheet(sheet, split)
        if measure and prospect.obstacle is None:
            prospect = _measured(prospect, resolved, split, pick(device))
    inspection = Inspection(survey.facts, prospect)
    if json is not None:
        write_json(json, inspection.as_json())
    return inspection


def _plan(facts: Facts, name: str, recipe: "Recipe", device: "torch.device") -> tuple["Recipe", Prospect]:
    from sparring.recipe import resolve
    from sparring.training.devices import describe

    recipe, reasons = resolve(recipe, facts, describe(device))
    values = recipe.model_dump(mode="json")
    too_few = f"There are {facts.count} readable samples, fewer than a batch of {recipe.batch}."
    return recipe, Prospect(
        recipe=name,
        shape=recipe.view(facts).shape,
        batch=recipe.batch,
        samples=recipe.samples,
        device=device.type,
        choices={field: {"value": values[field], "reason": reason} for field, reason in reasons.items()},
        obstacle=too_few if facts.count < recipe.batch else None,
    )


def _measured(prospect: Prospect, recipe: "Recipe", split: "Split", device: "torch.device") -> Prospect:
    """The prospect with expected time and memory: two real steps are made, and the second is timed."""
    from dataclasses import replace

    from sparring.randomness import seeded
    from sparring.training.plan import Plan
    from sparring.training.trainer import Trainer

    with seeded(0, "weights"):
        game = recipe.game(split.facts)
    plan = Plan(recipe.optimisers(), recipe.batch, recipe.samples, bfloat16=recipe.precision == "bfloat16")
    trainer = Trainer(game, split.train, plan, device=device)
    trainer.advance()
    seen, began = trainer.samples, time.perf_counter()
    trainer.advance()
    each = (time.perf_counter() - began) / (trainer.samples - seen)
    return replace(prospect, seconds=each * recipe.samples, memory=_peak_memory(device))


def _peak_memory(device: "torch.device") -> int | None:
    """Bytes: of the GPU where there is one, else the most that this process has held."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _write_sheet(path: Path, split: "Split") -> None:
    """Write what a person sees of the data, class by class, to ``path``, or beside it where there are several files."""
    from sparring.data.dataset import by_class
    from sparring.modalities import modality
    from sparring.rendering.exhibits import Picture, write_exhibits

    kind, data = modality(split.facts.modality), split.train
    columns = max(1, MOST_SHOWN // max(len(split.facts.classes), 1))
    rows = by_class(data.labels, columns, MOST_SHOWN)
    batch = data.batch(np.arange(min(max(MOST_SHOWN, kind.samples_per_picture), len(data))) if rows is None else rows)
    exhibits = kind.show(batch, split.facts, columns=8 if rows is None or columns == 1 else columns)
    first, *_ = write_exhibits(exhibits, path.with_suffix(""))
    if isinstance(exhibits[0], Picture) and first != path:
        first.replace(path)


def _about(facts: Facts) -> Iterator[str]:
    shape = " × ".join(str(side) for side in facts.shape)
    yield f"{facts.source}: {facts.count:,} {facts.modality}, most of shape {shape}"
    for name, value in facts.details.items():
        if name == "unreadable":
            yield from _set_aside(value)
        elif name == "duplicates":
            yield from _copies(value)
        elif said := _in_words(value):
            yield f"  {name}: {said}"
    for remark in facts.remarks:
        yield f"  {remark}"


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        shown = [f"{key} ({number})" for key, number in list(value.items())[:MOST_LISTED]]
        more = [f"and {len(value) - MOST_LISTED} more"] if len(value) > MOST_LISTED else []
        return ", ".join(shown + more)
    if isinstance(value, list):
        return f"{len(value)} values" if value else ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _set_aside(files: list[dict[str, str]]) -> Iterator[str]:
    if files:
        yield f"  unreadable: {len(files):,}"
    for file in files[:MOST_LISTED]:
        yield f"    {file['name']}: {file['reason']}"
    if len(files) > MOST_LISTED:
        yield f"    and {len(files) - MOST_LISTED:,} more (all of them with --json)"


def _copies(found: dict[str, Any]) -> Iterator[str]:
    yield f"  duplicates: {found['count']:,}"
    for again, first in found["first"][:3]:
        yield f"    {again} is the same as {first}"


def _ahead(prospect: Prospect) -> Iterator[str]:
    shape = " × ".join(str(side) for side in prospect.shape)
    yield f"would train {prospect.recipe} on {prospect.device} at {shape}, batches of {prospect.batch}"
    for field, choice in prospect.choices.items():
        if choice["reason"] != "the recipe's default":
            yield f"  {field} = {choice['value']}: {choice['reason']}"
    if prospect.seconds is not None:
        rate = prospect.samples / prospect.seconds
        yield f"  expected time: {clock(prospect.seconds)} for {prospect.samples:,} samples ({rate:,.0f} per second)"
    if prospect.memory is not None:
        yield f"  expected memory: {prospect.memory / 2**30:.1f} GiB"
    if prospect.obstacle is not None:
        yield f"  cannot be trained: {prospect.obstacle}"
