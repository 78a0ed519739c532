"""Surveys of data: by the modality of the recipe, or without a recipe by the modality that claims the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.arguments import option
from sparring.data.catalogue import NAMES
from sparring.data.facts import Facts
from sparring.data.in_memory import source_words
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.metrics.own_score import permit_score
from sparring.modalities import modality, modality_of, other_than, surveyed
from sparring.modality import BY_NAME, Modality, Survey
from sparring.recipe import Recipe, batch_for, is_own
from sparring.recipes import default_recipe, find_recipe, recipe_key
from sparring.text import number_of

FEW_SAMPLES = 100
"""Samples below which a model hardly learns more than copies."""


def about_count(facts: Facts) -> str:
    """Return a sentence on data of so few samples that little can be learned from it; "" for other data."""
    if facts.count >= FEW_SAMPLES:
        return ""
    return (
        f"{number_of(facts.count, 'sample')}: too few to learn more than copies of them, or a blur. "
        f"Collect at least {FEW_SAMPLES}, better 1,000 and more."
    )


def require_count(recipe: Recipe, facts: Facts) -> None:
    """Refuse data of fewer samples than a batch.

    Raises:
        SparringError: it is.
    """
    if facts.count < recipe.batch:
        smaller = f"give {option('batch', batch_for(facts.count))}, or " if facts.count > 1 else ""
        raise SparringError(
            found=f"{number_of(facts.count, 'readable sample')} in {source_words(facts.source)}",
            expected=f"at least a batch of {recipe.batch}",
            remedy=f"{smaller}add samples: at least {FEW_SAMPLES} for a model that is more than a copy of them",
        )


def survey_data(data: str, recipe: str | Recipe | None, reading: Reading) -> tuple[str, Recipe, Survey]:
    """Survey ``data`` and return the name of its recipe, the recipe and the survey.

    Args:
        data: a folder, a file or the name of a data set.
        recipe: name of a recipe, file.py:Name, or a value; None to choose one for the data.
        reading: choices about reading the data.

    Raises:
        SparringError: nothing in ``data`` can be used, there is no such recipe, or it is for other data.
    """
    # Without a recipe, infer the modality from the source, and the recipe from the facts.
    if recipe is None:
        survey = surveyed(modality_of(data, reading), data, reading)
        name = default_recipe(survey.facts)
        return name, find_recipe(name), survey

    # With a recipe, its modality reads the data, unless only another modality claims it.
    chosen = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    name = recipe_key(recipe) if isinstance(recipe, str) else type(recipe).__name__
    kind = modality(chosen.modality)
    if other := other_than(kind, data):
        raise SparringError(
            found=f"{other.name} in {data}",
            expected=f"{kind.name}, which is what the recipe {name} is for",
            remedy="choose another recipe, or none, so that one is chosen for the data",
        )
    return name, chosen, surveyed(kind, data, reading)


def lasting_recipe(name: str) -> str:
    """Return the name of a recipe; with the absolute path of the file where it is the user's own."""
    file, _, value = name.rpartition(":")
    return f"{Path(file).absolute()}:{value}" if is_own(name) else name


def lasting_fields(fields: Mapping[str, Any], recipe: str | Recipe | None) -> dict[str, Any]:
    """Return fields that the user gave; the user's own functions are loaded, and named with absolute paths.

    Args:
        fields: the fields.
        recipe: that the user gave; a value may name such functions, too.

    Raises:
        SparringError: such a function cannot be loaded.
    """
    valued = dict(recipe) if isinstance(recipe, Recipe) else {}
    own = {name: value for name, value in (valued | dict(fields)).items() if isinstance(value, str) and is_own(value)}
    return dict(fields) | {name: permit_score(value).place for name, value in own.items()}


def lasting(place: str) -> str:
    """Return the absolute path of a file or folder, by which it is found from any folder; a name stays as it is."""
    return str(Path(place).absolute()) if place not in NAMES and Path(place).exists() else place


def is_gone(kind: Modality, place: str) -> bool:
    """Return whether nothing is at the place of recorded data any more, which is no name of a built-in data set."""
    return not Path(place).exists() and kind.claims(place) < BY_NAME
