"""Schedules of a run, read from its record."""

from sparring.recipe import with_stored_fields
from sparring.recipes import RECIPES
from sparring.runs.folder import Record


def anneals(record: Record) -> bool | None:
    """Return whether a learning rate falls over the run; None for a recipe of the user's own, whose code is not run."""
    if record.recipe not in RECIPES:
        return None
    optimisers = with_stored_fields(RECIPES[record.recipe], record.fields).optimisers()
    return any(one.learning_rate(1.0) < one.learning_rate(0.0) for one in optimisers.values())
