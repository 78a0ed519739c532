"""Choice of the modality that reads a source: the recipe's, or without a recipe the one that claims it."""

from sparring.errors import SparringError
from sparring.modalities import modality, modality_of
from sparring.modality import Survey
from sparring.recipe import Recipe
from sparring.recipes import default_recipe, find_recipe


def surveyed(data: str, recipe: str | Recipe | None = None) -> tuple[str, Recipe, Survey]:
    """Look at ``data``; the recipe for it, and its name.

    Args:
        data: a folder, a file or a name.
        recipe: the name of a recipe, file.py:Name, or a value; None for what suits the data.

    Raises:
        SparringError: nothing in ``data`` can be used, or there is no such recipe.
    """
    if recipe is None:
        survey = modality_of(data).survey(data)
        name = default_recipe(survey.facts)
        return name, find_recipe(name), survey
    chosen = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    name = recipe if isinstance(recipe, str) else type(recipe).__name__
    kind, other = modality(chosen.modality), modality_of(data)
    if kind.claims(data) == 0 and other.claims(data) > 0:
        raise SparringError(
            found=f"{other.name} in {data}",
            expected=f"{kind.name}, which is what the recipe {name} is for",
            remedy="choose another --recipe, or leave it out",
        )
    return name, chosen, kind.survey(data)
