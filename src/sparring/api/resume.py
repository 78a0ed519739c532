"""`sparring resume` in Python."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sparring.api.conclude import conclude
from sparring.api.run import Run
from sparring.api.surveying import is_gone, lasting, lasting_recipe
from sparring.arguments import checked_path, option
from sparring.building import blank_game
from sparring.data.in_memory import place_of, source_of
from sparring.data.parallel import shown_by
from sparring.data.reading import Reading, reading
from sparring.errors import SparringError
from sparring.evaluation.quick import quick_score
from sparring.metrics.own_score import permit_score
from sparring.modalities import modality, surveyed
from sparring.modality import Survey
from sparring.recipe import Choice, Recipe, is_own, with_stored_fields
from sparring.recipes import recipe_named
from sparring.report.watch import watched
from sparring.runs.budget import TrainingBudget, with_budget
from sparring.runs.display import Display, Silent, checked_display
from sparring.runs.folder import Record, checked_judge
from sparring.runs.goal import Goal
from sparring.runs.session import Session
from sparring.runs.suggestions import suggestion
from sparring.training import devices, distributed
from sparring.training.checkpoint import checkpoints, require_fitting, require_players


def resume(
    run: str | Path,
    *,
    samples: int | None = None,
    minutes: float | None = None,
    data: Any = None,
    labels: str | Path | None = None,
    pairs: str | Path | None = None,
    to: Any = None,
    recipe: str | Recipe | None = None,
    objective: str | None = None,
    device: str | None = None,
    judge: str | None = None,
    watch: bool = False,
    display: Display | None = None,
) -> Run:
    """Continue a run from its newest intact checkpoint; the same as `sparring resume`.

    On the same CPU, a run with a budget in samples ends bit for bit as if it had never been interrupted. With another
    budget an interrupted run and a finished one continue alike; all schedules then run over the new budget.

    Args:
        run: the run folder.
        samples: new budget of real samples, counted from the beginning of the run; None to keep the old budget.
        minutes: new budget of wall time, likewise; with ``samples`` too, whichever is spent first ends the run.
        data: present place of the data, if it was moved, or the data itself, if it was in memory; None for where it was
            when the run began.
        labels: present place of the file of labels, likewise.
        pairs: present place of the table of pairs, likewise.
        to: present place of the second domain, likewise.
        recipe: needed for a run of your own recipe only: its value, or file.py:Name.
        objective: needed for a run with an objective of your own only: file.py:function.
        device: as for ``train``; None for the device that the run began on.
        judge: evaluation at the end, as for ``train``; it also evaluates a finished run again. None as the run began.
        watch: as for ``train``; a page that is there already is kept up to date in any case.
        display: shows the progress; None for a bar in terminals and notebooks, else lines.

    Returns:
        The finished run.

    Raises:
        SparringError: there is no such run, it is finished, it has spent the new budget, or its data has changed.
        Interrupted: Ctrl-C or SIGTERM; the run was saved again.
    """
    # Open the run, and find out what is left of its budget.
    budget = TrainingBudget.given(samples, minutes)
    opened = Run(checked_path("the run", run))
    record = opened.record
    target = devices.pick(record.device if device is None else device)
    world = distributed.join(target)
    display = checked_display(display) if world.is_main else Silent()
    record = with_budget(opened, record, budget, again=judge is not None)
    record = replace(record, judge=record.judge if judge is None else checked_judge(judge))

    # Take the recipe with the recorded fields, and code of the user as it is given; check that the data is the same.
    record = _with_objective(record, objective)
    resolved = with_stored_fields(recipe_named(record.recipe, recipe), record.fields)
    game = blank_game(resolved, record.facts)
    if checkpoints(opened.checkpoints):
        # Networks of other shapes than the checkpoints are refused before memory is taken for them.
        require_fitting(opened.checkpoints, record.identity, partial(require_players, game))
    with shown_by(display.count):
        record, survey = with_data(opened, record, data, reading(labels, pairs=pairs, to=place_of(to)))
    if isinstance(recipe, str) and is_own(recipe):
        record = replace(record, recipe=lasting_recipe(recipe))  # The file may have moved.

    # Continue training.
    with shown_by(display.count):
        split = survey.prepare(resolved.view(record.facts), seed=record.seed)
    goal = Goal.parse(record.until) if record.until else None
    wanted = world.is_main and (watch or opened.watch.is_file())
    with watched(display, opened, wanted=wanted) as shown:
        session = Session(opened, record, resolved, split, target, world, shown, goal, quick_score, conclude)
        session.play(resumed=True)
    return opened


def _with_objective(record: Record, objective: str | None) -> Record:
    """Return the record with the present place of an objective of the user's own, which is loaded.

    Raises:
        SparringError: the run has one and it was not given, or has none.
    """
    stored = record.choices.get("objective")
    is_users = stored is not None and is_own(str(stored["value"]))
    if objective is None:
        if stored is not None and is_users:
            raise SparringError(
                found=f"a run with your own objective {stored['value']!r}",
                expected="that function to be given again: code is never run because a folder names it",
                remedy=f"add {option('objective', stored['value'])}",
            )
        return record
    if stored is None or not is_users:
        raise SparringError(
            found=option("objective", objective),
            expected="none: the run has no objective of your own"
            if stored is None
            else f"that of the run, {stored['value']}",
            remedy="leave it out, or start a new run",
        )
    choice: Choice = {"value": permit_score(objective).place, "reason": stored["reason"]}
    return replace(record, choices={**record.choices, "objective": choice})


def with_data(run: Run, record: Record, data: Any, given: Reading) -> tuple[Record, Survey]:
    """Survey the data of a run, and return the record with its present place.

    Args:
        run: the run.
        record: its record.
        data: present place of the data, or None.
        given: present places of labels, pairs and a second domain.

    Raises:
        SparringError: there is no data, or it is not that with which the run began.
    """
    old, kind = record.facts.source, modality(record.facts.modality)
    source = old if data is None else lasting(source_of(data))
    if data is None and is_gone(kind, source):
        raise SparringError(
            found=f"no {kind.name} at {source}",
            expected="the data of the run, where it was when the run began",
            remedy=f"give its present place: {suggestion(record, 'resume', run.folder, '--data', 'PATH')}",
        )
    choices = _moved(Reading.recorded(record.facts.reading), old, source)
    choices = choices.model_copy(update=given.as_json())
    survey = surveyed(kind, source, choices)
    if (survey.facts.fingerprint, survey.facts.classes) != (record.facts.fingerprint, record.facts.classes):
        raise SparringError(
            found=f"other data in {source} than when the run began",
            expected=f"the same {record.facts.count} samples",
            remedy=f"restore the data, give its present place by {option('data')}, or start a new run",
        )
    return replace(record, facts=replace(record.facts, source=source, reading=choices.as_json())), survey


def _moved(choices: Reading, old: str, new: str) -> Reading:
    """Return choices in which a file of labels or of pairs has moved with the data that it lies in."""
    moved = {
        name: str(Path(new) / Path(place).relative_to(old))
        for name, place in (("labels", choices.labels), ("pairs", choices.pairs))
        if isinstance(place, str) and Path(place).is_relative_to(old)
    }
    return choices.model_copy(update=moved)
