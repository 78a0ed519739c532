"""The Python twin of `sparring train`: from data to a run folder."""

import math
from pathlib import Path
from typing import Any

import torch

from sparring.api.conclude import conclude
from sparring.api.surveying import surveyed
from sparring.data.facts import Facts
from sparring.errors import SparringError, nearest
from sparring.evaluation.quick import quick_score
from sparring.randomness import require_seed
from sparring.recipe import Recipe, resolve, with_fields
from sparring.runs.display import Display, Plain, Silent
from sparring.runs.folder import Record, Run, create, new_folder, versions
from sparring.runs.goal import SETTLED, Goal
from sparring.runs.session import Session
from sparring.training import devices, distributed
from sparring.watchdog.monitor import MODES

OPTIONS = ("recipe", "minutes", "samples", "out", "seed", "until", "device", "micro_batch", "watchdog")
"""What can be asked of every run, beside its recipe's fields."""


def train(
    data: str | Path,
    *,
    recipe: str | Recipe | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    until: str | None = None,
    device: str | None = None,
    micro_batch: int | None = None,
    watchdog: str = "repair",
    display: Display | None = None,
    **fields: Any,
) -> Run:
    """Train on ``data`` and judge the result; the same as `sparring train`.

    Args:
        data: a folder, a file or a name, as `sparring inspect` reads them.
        recipe: a name of `sparring recipes`, file.py:Name, or a value; None for what suits the data.
        minutes: wall time to train for; the schedules are laid over it.
        samples: real samples to see; with ``minutes`` too, whichever is spent first.
        out: the run folder, which must not exist yet; None for the next free one under runs/.
        seed: of all random numbers: the same seed and samples give the same bytes on the same CPU.
        until: stop when this is reached, such as "fd<0.4"; "settled" for when no further gain can be told.
        device: "cpu", "cuda", "cuda:1" or "mps"; None for the best there is.
        micro_batch: samples computed at once by one process, to save memory; the mathematics stays the same.
        watchdog: "repair" what goes wrong, only "warn" of it, or "off".
        display: where progress is shown; None for plain lines.
        **fields: the recipe's own fields, as in `sparring recipes NAME`.

    Returns:
        The finished run.

    Raises:
        SparringError: something given cannot be used; nothing was overwritten.
        Interrupted: Ctrl-C or SIGTERM; the run was saved and can be resumed.
    """
    place = devices.pick(device)
    world = distributed.join(place)
    display = (display or Plain()) if world.is_main else Silent()
    require_seed(seed)
    _check_budget(minutes, samples, micro_batch)
    _check_mode(watchdog)
    goal = Goal.parse(until) if until else None
    _check_watched(goal, watchdog)
    folder = Path(world.broadcast(str(new_folder(out, str(data))) if world.is_main else ""))

    name, chosen, survey = surveyed(str(data), recipe)
    facts = survey.facts
    asked = fields | ({"samples": samples} if samples else {})
    resolved, reasons = resolve(with_fields(chosen, asked, OPTIONS), facts, devices.describe(place))
    if minutes and not samples:
        reasons["samples"] = "not used: the budget is in minutes"
    _check_count(resolved, facts)
    _check_condition(resolved, name, facts)
    display.say(_introduction(name, resolved, reasons, facts, place))

    record = Record(
        recipe=name,
        choices={
            field: {"value": value, "reason": reasons[field]}
            for field, value in resolved.model_dump(mode="json").items()
        },
        facts=facts,
        seed=seed,
        samples=samples if samples or minutes else resolved.samples,
        minutes=minutes,
        until=until,
        device=place.type,
        micro_batch=micro_batch,
        versions=versions(),
        watchdog=watchdog,
    )
    run = create(folder, record) if world.is_main else Run(folder)
    world.broadcast("begun")
    split = survey.prepare(resolved.view(facts), seed=seed)
    return Session(run, record, resolved, split, place, world, display, goal, quick_score, conclude).play()


def _introduction(name: str, recipe: Recipe, reasons: dict[str, str], facts: Facts, device: torch.device) -> str:
    lines = [f"Training {name} on {facts.count:,} samples of {facts.source} ({device.type})."]
    lines += [f"  {remark}" for remark in facts.remarks]
    for field, reason in reasons.items():
        if reason != "the recipe's default" and not reason.startswith("not used"):
            lines.append(f"  {field} = {getattr(recipe, field)} ({reason})")
    return "\n".join(lines)


def _check_condition(recipe: Recipe, name: str, facts: Facts) -> None:
    condition = recipe.view(facts).condition
    if condition and condition not in facts.offers:
        raise SparringError(
            found=f"no condition {condition!r} in {facts.source}, which the recipe {name} tells its players",
            expected=f"data that offers it (this offers {' and '.join(facts.offers) or 'none'})",
            remedy="choose another --recipe, or leave it out",
        )


def _check_count(recipe: Recipe, facts: Facts) -> None:
    if facts.count < recipe.batch:
        raise SparringError(
            found=f"{facts.count} readable samples in {facts.source}",
            expected=f"at least a batch of {recipe.batch}",
            remedy="add samples or choose a smaller --batch",
        )


def _check_watched(goal: Goal | None, watchdog: str) -> None:
    if goal is not None and goal.metric == SETTLED and watchdog == "off":
        raise SparringError(
            found=f"--until {SETTLED} with --watchdog off",
            expected="a watchdog, which sees that nothing more is gained",
            remedy="leave one of the two out",
        )


def _check_mode(watchdog: str) -> None:
    if watchdog not in MODES:
        raise SparringError(
            found=f"--watchdog {watchdog}",
            expected=f"one of {', '.join(MODES)}",
            remedy=f"look at the spelling{nearest(watchdog, list(MODES))}",
        )


def _check_budget(minutes: float | None, samples: int | None, micro_batch: int | None) -> None:
    for name, value in (("minutes", minutes), ("samples", samples), ("micro-batch", micro_batch)):
        if value is not None and not 0 < value < math.inf:
            raise SparringError(found=f"--{name} {value}", expected="a number above zero", remedy="give another number")
