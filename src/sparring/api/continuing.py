"""`sparring train --continue`: one command that begins a run, goes on with it, or finds it finished."""

from pathlib import Path
from typing import Any

from sparring.api.config import is_same_recipe
from sparring.api.fields import known_fields
from sparring.api.resume import with_data
from sparring.api.run import Run
from sparring.api.surveying import lasting
from sparring.arguments import checked_folder, option
from sparring.data.reading import Reading
from sparring.errors import SparringError, shown
from sparring.recipe import Recipe, with_fields
from sparring.recipes import default_recipe, recipe_named
from sparring.runs.budget import TrainingBudget, is_finished
from sparring.text import command

GIVEN = ("given", "given when the run was resumed")
"""Reasons for a field that the user chose."""


def begun_run(out: str | Path | None) -> Run | None:
    """Return the run in ``out``; None if there is none yet.

    Raises:
        SparringError: no folder was given, or it holds files of another kind, which are not touched.
    """
    if out is None:
        raise SparringError(
            found=f"{option('continue')} without {option('out')}",
            expected="the folder of the run, by which the same command finds it again",
            remedy=f"add {option('out', 'RUN')}",
        )
    begun = (checked_folder("the run", out) / "recipe.json").is_file()
    return Run(Path(out)) if begun else None


def is_finished_run(out: str | Path | None) -> bool:
    """Return whether ``out`` is the folder of a run that is finished."""
    run = begun_run(out)
    return run is not None and is_finished(run, run.record)


def require_same_options(
    run: Run,
    source: str,
    recipe: str | Recipe | None,
    budget: TrainingBudget | None,
    fields: dict[str, Any],
    wanted: Reading,
    **numbers: Any,
) -> None:
    """Refuse options that differ from those with which a run began, and other data for one that is finished.

    Args:
        run: in the folder that was given.
        source: data that was given.
        recipe: recipe that was given, or None.
        budget: budget that was given, or None.
        fields: fields of the recipe that were given.
        wanted: choices about reading the data.
        **numbers: further options by the names that they have in the record.

    Raises:
        SparringError: they differ; the message names the first difference.
    """
    record = run.record
    name = default_recipe(record.facts) if recipe is None else recipe
    if not is_same_recipe(name, record.recipe):
        raise _differs(run, "recipe", record.recipe, name if isinstance(name, str) else type(name).__name__)

    # What was given then and now; everything else was chosen, and stays as it is.
    known = recipe_named(record.recipe, recipe)
    own = with_fields(known, known_fields(fields, known, record.facts))
    values = own.model_dump(mode="json")
    now = {field: values[field] for field in own.model_fields_set} | numbers
    now |= {"minutes": None} if budget is None else {"samples": budget.samples, "minutes": budget.minutes}
    then = {field: choice["value"] for field, choice in record.choices.items() if choice["reason"] in GIVEN}
    then |= {one: vars(record)[one] for one in (*numbers, "minutes")}
    # How labels are read decides about the field of that name, too.
    now |= {"labels": None} | wanted.as_json()
    then |= {"labels": None} | record.facts.reading
    for name in sorted(dict.fromkeys([*now, *then]), key=lambda name: now.get(name) is None):
        if now.get(name) != then.get(name):
            raise _differs(run, name, then.get(name), now.get(name))

    # The data of an unfinished run is compared when it goes on.
    if lasting(source) != record.facts.source and is_finished(run, record):
        with_data(run, record, source, wanted)


def _differs(run: Run, name: str, then: Any, now: Any) -> SparringError:
    """Return the error for an option that is another than when the run began."""
    values = now if isinstance(now, list | tuple) else [_typed(now) if isinstance(now, dict) else now]
    found = f"no {option(name)}" if now is None else option(name, *values)
    expected = f"none, as when the run in {run.folder} began" if then is None else f"{_typed(then)}, as in {run.folder}"
    other = f"give another {option('out')} for a new run"
    if name in ("samples", "minutes", "judge") and now:
        deed = "evaluate it" if name == "judge" else "continue it with another budget"
        other = f"{deed} by `{command('sparring', 'resume', run.folder, f'--{name}', now)}`"
    return SparringError(found=found, expected=expected, remedy=f"give the options of the run, or {other}")


def _typed(value: Any) -> str:
    """Return a value as it is typed."""
    if isinstance(value, dict):
        return ",".join(f"{name}={kind}" for name, kind in value.items())
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else shown(str(value)).strip("'")
