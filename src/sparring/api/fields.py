"""Fields of a recipe by the names that other tools give them."""

from collections.abc import Mapping
from typing import Any

from sparring.arguments import is_number, option
from sparring.data.facts import Facts
from sparring.errors import SparringError, shown
from sparring.recipe import Recipe

ALIASES = {
    "lr": "learning_rate",
    "batch_size": "batch",
    "image_size": "resolution",
    "latent_dim": "latent_size",
    "z_dim": "latent_size",
}
"""Name in other tools → field."""
EPOCHS, STEPS = ("epochs", "epoch", "num_epochs"), ("steps", "iterations", "max_steps")
"""Budgets of other tools: passes over the data, and batches."""


def known_fields(fields: Mapping[str, Any], recipe: Recipe, facts: Facts) -> dict[str, Any]:
    """Return fields by their own names.

    Args:
        fields: as given.
        recipe: whose fields they are; a name that it has itself is no other tool's.
        facts: of the data.

    Raises:
        SparringError: a field is given by two names, or a budget in epochs or steps: the message says how many
            real samples that is.
    """
    known, found = type(recipe).model_fields, dict[str, Any]()
    for name, value in fields.items():
        field = name if name in known else ALIASES.get(name, name)
        if field in found:
            raise SparringError(
                found=f"two values for {field}, one of them as {name}" if name != field else f"two values for {field}",
                expected="one value for it",
                remedy="leave one of them out",
            )
        found[field] = value
        if name not in known and name in (*EPOCHS, *STEPS):
            batch = fields.get("batch", fields.get("batch_size", recipe.batch))
            raise _other_budget(name, value, facts, int(batch) if str(batch).isdecimal() else recipe.batch)
    return found


def _other_budget(name: str, value: Any, facts: Facts, batch: int) -> SparringError:
    """Return the error for a budget in epochs or steps."""
    each, of = (facts.count, f"samples of {facts.source}") if name in EPOCHS else (batch, "samples of a batch")
    if is_number(value) and 0 < float(value) * each < 2**53:
        count = round(float(value) * each)
        remedy = f"give {option('samples', count)}, which is {shown(value).strip(chr(39))} times the {each:,} {of}"
    else:
        remedy = f"give {option('samples', each)} for each time the {each:,} {of} are to be seen"
    return SparringError(
        found=option(name, value),
        expected="a budget in real samples seen, or in minutes",
        remedy=remedy,
    )
