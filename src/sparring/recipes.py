"""All recipes, written out."""

import re
from typing import Any

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.errors import SparringError, nearest
from sparring.modalities.images.recipes.completion import Fill
from sparring.modalities.images.recipes.dcgan import DCGAN
from sparring.modalities.images.recipes.gan import GAN
from sparring.modalities.images.recipes.ganomaly import GANomaly
from sparring.modalities.images.recipes.pairs import Pix2Pix, Pix2PixHD, Spade
from sparring.modalities.images.recipes.r3gan import R3GAN
from sparring.modalities.images.recipes.restoration import Colourise, SuperResolution
from sparring.modalities.images.recipes.unpaired import CUT, CycleGAN, FastCUT, StarGAN
from sparring.modalities.images.recipes.vae import VAE
from sparring.modalities.molecules.recipes.graph_gans import MoleculeGAN, MolGAN
from sparring.modalities.molecules.recipes.language_model import MoleculeLSTM
from sparring.modalities.molecules.recipes.policy_gradients import ORGAN, Reinforce
from sparring.modalities.points.recipes.gan import PointGAN
from sparring.modalities.points.recipes.vae import PointVAE
from sparring.modalities.series.recipes.gan import SeriesGAN
from sparring.modalities.series.recipes.rcgan import RCGAN
from sparring.modalities.series.recipes.timegan import TimeGAN
from sparring.modalities.tables.recipes.ctgan import CTGAN
from sparring.modalities.tables.recipes.gan import TableGAN
from sparring.modalities.tables.recipes.ganomaly import TableGANomaly
from sparring.modalities.tables.recipes.masked import Masked
from sparring.modalities.tables.recipes.tvae import TVAE
from sparring.modalities.text.recipes.adversarial import RelGAN, ScratchGAN, SeqGAN, TextGAN
from sparring.modalities.text.recipes.language_model import TextLSTM, TextTransformer
from sparring.modalities.text.recipes.translation import Translate, TranslateGAN
from sparring.recipe import Recipe, is_own
from sparring.user_code import failures_reported, load_user_object

RECIPES: dict[str, Recipe] = {
    "points/ring": PointGAN(),
    "points/vae": PointVAE(),
    "images/gan": GAN(),
    "images/dcgan": DCGAN(),
    "images/r3gan": R3GAN(),
    "images/vae": VAE(),
    "images/pix2pix": Pix2Pix(),
    "images/pix2pix-hd": Pix2PixHD(),
    "images/spade": Spade(),
    "images/fill": Fill(),
    "images/super-resolution": SuperResolution(),
    "images/colourise": Colourise(),
    "images/cyclegan": CycleGAN(),
    "images/cut": CUT(),
    "images/fastcut": FastCUT(),
    "images/stargan": StarGAN(),
    "images/ganomaly": GANomaly(),
    "tables/masked": Masked(),
    "tables/gan": TableGAN(),
    "tables/ctgan": CTGAN(),
    "tables/tvae": TVAE(),
    "tables/ganomaly": TableGANomaly(),
    "series/gan": SeriesGAN(),
    "series/rcgan": RCGAN(),
    "series/timegan": TimeGAN(),
    "text/lstm": TextLSTM(),
    "text/transformer": TextTransformer(),
    "text/seqgan": SeqGAN(),
    "text/relgan": RelGAN(),
    "text/textgan": TextGAN(),
    "text/scratchgan": ScratchGAN(),
    "text/translate": Translate(),
    "text/translate-gan": TranslateGAN(),
    "molecules/lstm": MoleculeLSTM(),
    "molecules/molgan": MolGAN(),
    "molecules/gan": MoleculeGAN(),
    "molecules/organ": ORGAN(),
    "molecules/reinforce": Reinforce(),
}

DEFAULTS = {
    "points": "points/ring",
    "images": "images/r3gan",
    "tables": "tables/masked",
    "series": "series/gan",
    "text": "text/lstm",
    "molecules": "molecules/lstm",
}
"""Modality → name of its default recipe."""


BY_CONDITION = {
    ("images", "pair"): "images/pix2pix",
    ("images", "domain"): "images/cyclegan",
    ("text", "source"): "text/translate",
}
"""Modality and the condition that data is meant for → name of the default recipe in place of that of the modality."""


def default_recipe(facts: Facts) -> str:
    """Return the name of the default recipe for data of ``facts``, by the first condition that it offers."""
    name = BY_CONDITION.get((facts.modality, facts.offers[0] if facts.offers else ""), "")
    return name if name in RECIPES else DEFAULTS[facts.modality]


def reason_for(facts: Facts) -> str:
    """Return the sentence on why ``default_recipe`` is chosen for data of ``facts``."""
    name = default_recipe(facts)
    offered = f" with the condition {facts.offers[0]!r}" if name != DEFAULTS[facts.modality] else ""
    return f"No recipe was given: {name} is the default for {facts.modality}{offered}."


def find_recipe(name: str) -> Recipe:
    """Return the recipe called ``name``, or the user's own where ``name`` is ``file.py:Name`` of a value or class.

    Raises:
        SparringError: there is none; the message names the nearest.
    """
    name = recipe_key(name if isinstance(name, str) else repr(name))  # Python callers give any type.
    if name in RECIPES:
        return RECIPES[name]
    if is_own(name):
        return _own_recipe(name)
    if several := _meant(name):
        raise SparringError(
            found=f"the recipe {name!r}, of which there are {len(several)}",
            expected=f"one of {', '.join(several)}",
            remedy="give its name with the folder",
        )
    raise SparringError(
        found=f"no recipe {name!r}",
        expected=f"one of {', '.join(RECIPES)}, or your own as file.py:Name",
        remedy=f"run `sparring recipes` for the list{nearest(name, list(RECIPES))}",
    )


def recipe_key(name: str) -> str:
    """Return the name in RECIPES that ``name`` stands for, such as images/super-resolution for super_resolution.

    Letter case, dashes and underscores do not count, and the folder may be left out where one recipe has the name. A
    name that stands for none, or for several, stays as it is.
    """
    if name in RECIPES or is_own(name):
        return name
    known = _meant(name)
    return known[0] if len(known) == 1 else name


def _meant(name: str) -> list[str]:
    """Return the recipes that a name may stand for."""
    word = _letters(name)
    return [known for known in RECIPES if word in (_letters(known), _letters(known.rpartition("/")[2]))]


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9/]", "", name.lower()).strip("/")


def recipe_named(name: str, own: str | Recipe | None) -> Recipe:
    """Return the recipe that a folder names, or the user's own, which must be given again: no folder runs code.

    Args:
        name: the name in the folder.
        own: the recipe that the user gave, or its name; None where the user gave none.

    Raises:
        SparringError: there is no such recipe, or it is the user's own and was not given.
    """
    if own is not None:
        return own if isinstance(own, Recipe) else find_recipe(own)
    if is_own(name):
        raise SparringError(
            found=f"a model of your own recipe {name!r}",
            expected="that recipe to be given again: code is never run because a folder names it",
            remedy=f"add {option('recipe', name)}",
        )
    return find_recipe(name)


def _own_recipe(name: str) -> Recipe:
    """Run the user's own file and return its recipe: only for a name that the user typed, never for one in a folder."""
    expected = "a Recipe value or class in a Python file, as file.py:Name"
    found = load_user_object(name, expected).value
    with failures_reported(name):
        recipe: Any = found() if isinstance(found, type) else found
    if not isinstance(recipe, Recipe):
        raise SparringError(found=f"{type(found).__name__} as {name!r}", expected=expected, remedy="check the name")
    return recipe
