"""All recipes, written out."""

from typing import Any

from sparring.data.facts import Facts
from sparring.errors import SparringError, nearest
from sparring.modalities.images.recipes.dcgan import DCGAN
from sparring.modalities.images.recipes.gan import GAN
from sparring.modalities.images.recipes.r3gan import R3GAN
from sparring.modalities.images.recipes.vae import VAE
from sparring.modalities.points.recipes.mixture import Mixture
from sparring.modalities.points.recipes.vae import PointVAE
from sparring.recipe import Recipe
from sparring.user_code import load_user_object

RECIPES: dict[str, Recipe] = {
    "points/ring": Mixture(),
    "points/vae": PointVAE(),
    "images/gan": GAN(),
    "images/dcgan": DCGAN(),
    "images/r3gan": R3GAN(),
    "images/vae": VAE(),
}

DEFAULTS = {"points": "points/ring", "images": "images/r3gan"}


def default_recipe(facts: Facts) -> str:
    """The recipe for a person who has no opinion."""
    return DEFAULTS[facts.modality]


def find_recipe(name: str) -> Recipe:
    """The recipe called ``name``, or the value or class ``name`` = ``file.py:Name`` of the user's own.

    Raises:
        SparringError: there is none; the message names the nearest.
    """
    if name in RECIPES:
        return RECIPES[name]
    if ".py:" in name:
        return _own_recipe(name)
    raise SparringError(
        found=f"no recipe {name!r}",
        expected=f"one of {', '.join(RECIPES)}, or your own as file.py:Name",
        remedy=f"look at `sparring recipes`{nearest(name, list(RECIPES))}",
    )


def _own_recipe(name: str) -> Recipe:
    """Execute the user's own file: only ever for a name typed by the user, never for one found in a run folder."""
    expected = "a Recipe value or class in a Python file, as file.py:Name"
    found = load_user_object(name, expected).value
    recipe: Any = found() if isinstance(found, type) else found
    if not isinstance(recipe, Recipe):
        raise SparringError(found=f"{type(found).__name__} as {name!r}", expected=expected, remedy="check the name")
    return recipe
