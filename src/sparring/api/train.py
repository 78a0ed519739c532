"""`sparring train` in Python: from data to a finished run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sparring.api.conclude import conclude
from sparring.api.config import with_config
from sparring.api.continuing import GIVEN, begun_run, require_same_options
from sparring.api.fields import known_fields
from sparring.api.resume import resume
from sparring.api.run import Run
from sparring.api.surveying import (
    about_count,
    lasting,
    lasting_fields,
    lasting_recipe,
    require_count,
    survey_data,
)
from sparring.arguments import checked_folder, option, whole_number
from sparring.building import Uninitialised
from sparring.data.facts import Facts
from sparring.data.in_memory import place_of, source_of, source_words
from sparring.data.labels import listed
from sparring.data.parallel import shown_by
from sparring.data.reading import Columns, Keep, Labels, Pairs, Reading, ValueRange, reading
from sparring.errors import SparringError, nearest
from sparring.evaluation.quick import quick_score
from sparring.modality import Survey
from sparring.opening import size_words
from sparring.randomness import require_seed, seeded
from sparring.recipe import BY_DEFAULT, AdversarialRecipe, Choice, Recipe, is_own, resolve, with_fields
from sparring.recipes import reason_for
from sparring.report.watch import watched
from sparring.runs.budget import NOT_USED, TrainingBudget, is_finished
from sparring.runs.display import Display, Silent, checked_display
from sparring.runs.folder import Record, checked_judge, create, new_folder, new_identity, versions
from sparring.runs.goal import SETTLED, Goal
from sparring.runs.session import Session
from sparring.text import joined
from sparring.training import devices, distributed
from sparring.training.distributed import World
from sparring.watchdog.monitor import MODES

COPIES_OF_WEIGHTS = 5
"""Arrays of the size of the weights in a run: weights, gradients, averages and two moments of Adam."""
OPTIONS = (
    "recipe",
    "minutes",
    "samples",
    "out",
    "seed",
    "until",
    "device",
    "micro_batch",
    "watchdog",
    "judge",
    "watch",
)
"""Options of every run; all others are fields of the recipe."""
CONFIG_OPTIONS = ("data", *OPTIONS, *(name for name in Reading.model_fields if name != "target"))
"""Options that a config can have, beside fields of the recipe."""


def train(
    data: Any = None,
    *,
    config: str | Path | None = None,
    recipe: str | Recipe | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    out: str | Path | None = None,
    continued: bool = False,
    seed: int | None = None,
    until: str | None = None,
    device: str | None = None,
    micro_batch: int | None = None,
    watchdog: str | None = None,
    judge: str | None = None,
    watch: bool | None = None,
    labels: Labels = None,
    range: ValueRange = None,
    background: str | None = None,
    pairs: Pairs = None,
    to: Any = None,
    columns: Columns = None,
    window: int | None = None,
    tokens: str | None = None,
    keep: Keep = None,
    display: Display | None = None,
    **fields: Any,
) -> Run:
    """Train a model on ``data``, evaluate it and write a report; the same as `sparring train`.

    Args:
        data: a folder, a file or the name of a data set, as for `sparring inspect`; or what ``source_of`` takes: an
            array, a tensor, a list of pictures, a data frame, or (samples, labels). None where ``config`` names it.
        config: JSON file with names of these arguments as keys, or the folder or the recipe.json of an earlier run;
            arguments that are given win over it.
        recipe: a name of `sparring recipes`, file.py:Name, or a value; None to choose one for the data.
        minutes: budget of wall time, over which the schedules run.
        samples: budget of real samples; with ``minutes`` too, whichever is spent first.
        out: run folder, which must not exist yet; None for the next free one under runs/.
        continued: go on with the run in ``out`` if there is one with the same arguments, from its newest checkpoint;
            return it if it is finished. So the same call can be repeated until the run is finished.
        seed: random seed, by default 0; with a budget in samples, equal seeds give equal weights on the same CPU, bit
            for bit.
        until: goal at which training stops, such as "fd<0.4", or "settled": no further improvement is detectable.
        device: "cpu", "cuda", "cuda:1" or "mps"; None for the best available.
        micro_batch: samples that a rank computes at once, to save memory; the mathematics stays the same.
        watchdog: "repair" training failures, as by default, only "warn" of them, or "off".
        judge: evaluation at the end: "quick", the default, for the metrics of the default verdict in a tenth of the
            training time or 20 s, "full" for all metrics without a limit, "none" for a report of pictures and curves.
        watch: keep a page in the run folder up to date while the run is training, watch.html.
        labels: False to use none, True to require some, a file of them (FILE or FILE:COLUMN), or a column of Parquet
            files; None to take them from tables of labels, folders or columns.
        range: stored values that stand for black and for white; None to find them.
        background: colour under transparent pixels, a name or "#rrggbb"; None for white, "ignore" to drop that channel.
        pairs: "halves" of each image, "folders" with equal names, a CSV file with two columns of files, or False for
            none; None to find pairs.
        to: images of another domain, as ``data``, into which those of ``data`` are to be translated without pairs.
        columns: kinds of columns of a table, as {"age": "continuous", "note": "drop"} or text; None to find them.
        window: steps of the windows that time series are cut into; None for whole series, and 24 for a single one; or
            tokens of a text at most.
        tokens: units of texts: "characters", "words", "bytes" or "pairs"; None to choose them by the texts.
        keep: rules that all rows of a table keep, as "start<=end" or a list of rules; no generated row breaks one.
        display: shows the progress; None for a bar in terminals and notebooks, else lines.
        **fields: fields of the recipe, as `sparring recipes NAME` lists them.

    Raises:
        SparringError: an option or the data cannot be used; nothing was overwritten.
        Interrupted: Ctrl-C or SIGTERM; the run was saved and can be resumed.
    """
    # Options of a config are added to those that were given.
    named = {name: value for name, value in locals().items() if name in CONFIG_OPTIONS and value is not None}
    if config is not None:
        options = with_config(config, named | fields, CONFIG_OPTIONS, checked_display(display))
        return train(continued=continued, display=display, **options)
    _require_data(data)
    fields = lasting_fields(fields, recipe)

    # Check the options before any data is read. Several ranks agree on one run folder.
    out = None if out is None else checked_folder("the run", out)
    begun = begun_run(out) if continued else None
    target = devices.pick(device if begun is None or device is not None else begun.record.device)
    world = distributed.join(target)
    display = checked_display(display) if world.is_main else Silent()
    seed, watchdog = require_seed(0 if seed is None else seed), MODES[0] if watchdog is None else watchdog
    budget = TrainingBudget.given(samples, minutes)
    micro_batch = None if micro_batch is None else whole_number("micro-batch", micro_batch)
    goal, judge = _checked_goal(until, watchdog), checked_judge("quick" if judge is None else judge)
    source = source_of(data)
    wanted = reading(labels, range, background, pairs, place_of(to), columns, keep, window, tokens=tokens)

    # A run that has begun goes on, if it is the one that these options describe.
    if begun is not None:
        numbers = {"seed": seed, "until": until, "micro_batch": micro_batch, "watchdog": watchdog, "judge": judge}
        require_same_options(begun, source, recipe, budget, fields, wanted, **numbers)
        return _resumed(begun, data, recipe, device, watch, display, fields.get("objective"))
    folder = Path(world.broadcast(str(new_folder(out, source)) if world.is_main else ""))

    # Survey the data, then resolve every field of the recipe, each with the reason for its value.
    with shown_by(display.count):
        name, resolved, choices, survey = _resolved(source, wanted, recipe, fields, budget, target)
    facts, budget = survey.facts, budget or TrainingBudget(resolved.samples, None)
    world.require_rows(resolved.batch)
    _check_packs(resolved, micro_batch)
    display.say(_introduction(name, resolved, choices, facts, target, reason_for(facts) if recipe is None else ""))

    # Create the run folder with its record: from here on, the run can be resumed.
    record = Record(
        recipe=lasting_recipe(name),
        choices=choices,
        facts=replace(facts, source=lasting(facts.source)),
        seed=seed,
        samples=budget.samples,
        minutes=budget.minutes,
        until=until,
        device=target.type,
        micro_batch=micro_batch,
        versions=versions(),
        watchdog=watchdog,
        identity=world.broadcast(new_identity()),
        judge=judge,
    )
    run = _created(folder, record, world)
    with watched(display, run, wanted=world.is_main and bool(watch)) as shown:
        with _removed_on_error(run, world):
            with shown_by(display.count):
                split = survey.prepare(resolved.view(facts), seed=seed)
            session = Session(run, record, resolved, split, target, world, shown, goal, quick_score, conclude)
        session.play()
    return run


def _created(folder: Path, record: Record, world: World) -> Run:
    """Create the folder of a run in one process, and return the run in all."""
    if world.is_main:
        create(folder, record)
    world.barrier()
    return Run(folder)


def _require_data(data: Any) -> None:
    if data is None:
        raise SparringError(
            found="no data",
            expected="DATA: a folder, a file or the name of a data set",
            remedy=f"name it, as in `sparring train photos/`, or give a {option('config')} that has it",
        )


def _resumed(
    run: Run,
    data: Any,
    recipe: str | Recipe | None,
    device: str | None,
    watch: bool | None,
    display: Display,
    objective: str | None,
) -> Run:
    """Go on with a run that has begun; one that is finished is returned as it is."""
    if is_finished(run, run.record):
        display.say(f"The run in {run.folder} is finished: nothing to do.")
        return run
    own = objective if objective is not None and is_own(objective) else None
    options: dict[str, Any] = {"data": data, "recipe": recipe, "objective": own, "device": device}
    return resume(run.folder, watch=bool(watch), display=display, **options)


@contextmanager
def _removed_on_error(run: Run, world: World) -> Iterator[None]:
    """Remove the folder of the run if data or game cannot be prepared."""
    try:
        yield
    except Exception:
        if world.is_main:
            shutil.rmtree(run.folder, ignore_errors=True)
        raise


def _resolved(
    data: str,
    reading: Reading,
    recipe: str | Recipe | None,
    fields: dict[str, Any],
    budget: TrainingBudget | None,
    device: torch.device,
) -> tuple[str, Recipe, dict[str, Choice], Survey]:
    """Survey the data and resolve the fields of its recipe.

    Returns:
        The name of the recipe, the recipe with every field resolved, each field with its reason, and the survey.

    Raises:
        SparringError: the data cannot be used, or not by this recipe, or its networks do not fit into memory.
    """
    name, chosen, survey = survey_data(data, recipe, reading)
    if budget is not None and budget.samples:
        fields = fields | {"samples": budget.samples}
    if reading.labels is not None:
        fields = fields | {"labels": reading.labels is not False}
    if "labels" not in type(chosen).model_fields:
        # How labels are read may be chosen for data of every recipe, also of one that does not use them.
        fields = {field: value for field, value in fields.items() if field != "labels"}
    fields = known_fields(fields, chosen, survey.facts)
    resolved, choices = resolve(with_fields(chosen, fields, OPTIONS), survey.facts, devices.describe(device))
    require_count(resolved, survey.facts)
    _check_condition(resolved, name, survey.facts)
    if isinstance(resolved, AdversarialRecipe):
        resolved.loss_function()  # Refuses a loss that does not fit.
    _check_memory(resolved, survey.facts, device)

    # Complete the reasons of fields that other options decide.
    if isinstance(reading.labels, str) and "labels" in choices:
        choices["labels"]["reason"] = f"as given: {reading.labels}"
    if budget is not None and budget.samples is None:
        choices["samples"]["reason"] = NOT_USED
    return name, resolved, choices, survey


def _introduction(
    name: str, recipe: Recipe, choices: dict[str, Choice], facts: Facts, device: torch.device, reason: str
) -> str:
    """Return the first lines of a run: recipe and the reason for it, data, remarks, and every field that was chosen."""
    lines = [f"Training {name} on {facts.count:,} samples of {source_words(facts.source)} ({device.type})."]
    lines += [f"  {reason}"] * bool(reason)
    lines += [f"  {len(facts.classes)} classes: {listed(facts.classes)}."] * bool(facts.classes)
    lines += [f"  {remark}" for remark in (*facts.remarks, about_count(facts)) if remark]
    if choices["samples"]["reason"] == NOT_USED:
        lines.append(f"  Without --minutes, it would train on {recipe.samples:,} samples of this data.")
    for field, choice in choices.items():
        # The progress shows how much of the budget is spent.
        is_given_budget = field == "samples" and choice["reason"] in GIVEN
        if choice["reason"] not in (BY_DEFAULT, NOT_USED) and not is_given_budget:
            lines.append(f"  {field} = {getattr(recipe, field)} ({choice['reason']})")
    return joined(lines)


def _check_condition(recipe: Recipe, name: str, facts: Facts) -> None:
    condition = recipe.view(facts).condition
    if condition and condition not in facts.offers:
        raise SparringError(
            found=f"no condition {condition!r} in {facts.source}",
            expected=f"data with one, for the recipe {name} (this data has {' and '.join(facts.offers) or 'none'})",
            remedy="choose another recipe, or none, so that one is chosen for the data",
        )


def _checked_goal(until: str | None, watchdog: str) -> Goal | None:
    """Parse the goal, and check that the watchdog has a known mode in which it can detect the goal.

    Raises:
        SparringError: it has not, or the goal is not valid.
    """
    if watchdog not in MODES:
        raise SparringError(
            found=f"the mode {watchdog!r} of the watchdog",
            expected=f"one of {', '.join(MODES)}",
            remedy=f"check the spelling{nearest(watchdog, list(MODES))}",
        )

    # Only the watchdog detects that a run has settled: without it this goal is never reached.
    goal = None if until is None else Goal.parse(until)
    if goal is not None and goal.metric == SETTLED and watchdog == "off":
        raise SparringError(
            found=f"the goal {SETTLED!r} with the watchdog off",
            expected="a watchdog, which detects that a run has settled",
            remedy="give another goal, or leave the watchdog on",
        )
    return goal


def _check_memory(recipe: Recipe, facts: Facts, device: torch.device) -> None:
    """Check that the networks of a recipe fit into memory, before they take any.

    Raises:
        SparringError: they do not.
    """
    # Networks on the device "meta" have shapes and no memory. Those of the user's own may need some: they are let pass.
    # Random numbers on this device would import PyTorch's compiler, which takes seconds.
    try:
        with seeded(0, "weights"), torch.device("meta"), Uninitialised():
            game = recipe.game(facts)
    except SparringError:
        raise
    except Exception:
        return
    weights = sum(weight.nbytes for player in game.players.values() for weight in player.parameters())
    needed, memory = COPIES_OF_WEIGHTS * weights, devices.describe(device).memory
    if needed > memory:
        raise SparringError(
            found=f"networks that take {size_words(needed)} with their gradients, averages and optimisers",
            expected=f"what fits into {size_words(memory)} of memory",
            remedy="choose smaller networks, as by a smaller width",
        )


def _check_packs(recipe: Recipe, micro_batch: int | None) -> None:
    """Check that micro-batches are of whole packs.

    Raises:
        SparringError: they are not.
    """
    # Recipes that score samples in packs have a field for the size of one.
    pack = dict(recipe).get("packing", 1)
    if micro_batch is not None and micro_batch % pack:
        raise SparringError(
            found=f"micro-batches of {micro_batch} samples for packs of {pack} samples",
            expected="a number of whole packs",
            remedy=f"give a multiple of {pack}",
        )
