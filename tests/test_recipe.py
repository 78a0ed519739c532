"""Recipes as values: fields, choices and reasons."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.objectives.losses import LOSSES
from sparring.randomness import generator
from sparring.recipe import (
    LIPSCHITZ_LOSSES,
    LOG_ODDS_LOSSES,
    LossName,
    Machine,
    Recipe,
    resolve,
    with_fields,
    with_stored_fields,
)
from sparring.recipes import DEFAULTS, RECIPES, default_recipe, find_recipe
from toys.small_recipes import toy

FACTS = Facts(source="points.npy", modality="points", count=100, shape=(2,), fingerprint="0" * 64)
PAIRS = {"pair": {"sides": ["labels", "photographs"], "channels": [3, 3]}}
MACHINE = Machine("cpu", 8 * 1024**3, 2, False)


def facts_for(recipe: Recipe) -> Facts:
    images: dict[str, Any] = {"modality": "images", "shape": (3, 32, 32), "classes": ("cat", "dog"), "coding": PAIRS}
    if recipe.modality == "text":
        return toy(recipe)[0]
    return replace(FACTS, **images) if recipe.modality == "images" else FACTS


def test_given_fields_are_kept_and_every_choice_has_a_reason() -> None:
    ring = with_fields(RECIPES["points/ring"], {"width": 16})
    resolved, choices = resolve(ring, FACTS, MACHINE)
    assert choices["width"] == {"value": 16, "reason": "given"} and vars(resolved)["width"] == 16
    assert resolved.batch == 100 and "100 points" in choices["batch"]["reason"]
    assert choices["latent_size"]["reason"] == "the recipe's default"
    asked, choices = resolve(with_fields(ring, {"batch": 50}), FACTS, MACHINE)
    assert asked.batch == 50 and choices["batch"] == {"value": 50, "reason": "given"}


@pytest.mark.parametrize("name", RECIPES)
def test_choices_are_fields_and_every_field_is_documented(name: str) -> None:
    recipe = RECIPES[name]
    assert set(recipe.choose(facts_for(recipe), MACHINE)) <= set(type(recipe).model_fields)
    for field, information in type(recipe).model_fields.items():
        assert information.description and information.description.endswith("."), field
    resolved, choices = resolve(recipe, facts_for(recipe), MACHINE)
    assert set(choices) == set(type(recipe).model_fields)
    assert with_fields(recipe, resolved.model_dump(mode="json")) == resolved


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({}, {"gamma": "auto", "learning_rate": 3e-3}),
        ({"labels": False, "gamma": 1}, {"gamma": 1.0}),
        ({"blocks": 1}, {"gamma": "auto", "learning_rate": 1e-3}),
        ({"blocks": 1, "learning_rate": 2e-3}, {"learning_rate": 2e-3}),
        ({"packing": 2}, {"packing": 2, "labels": False}),
        ({"packing": 2, "labels": False}, {"labels": False}),
    ],
)
def test_default_recipe_adapts_only_fields_that_were_not_given(
    fields: Mapping[str, Any], chosen: Mapping[str, float]
) -> None:
    recipe = with_fields(RECIPES["images/r3gan"], fields)
    resolved, _ = resolve(recipe, facts_for(recipe), MACHINE)
    assert chosen.items() <= vars(resolved).items()


def test_packing_with_labels_is_refused() -> None:
    recipe = with_fields(RECIPES["images/r3gan"], {"packing": 2, "labels": True})
    with pytest.raises(SparringError, match="packing 2 together with labels"):
        resolve(recipe, facts_for(recipe), MACHINE)


@pytest.mark.parametrize("name", ["images/r3gan", "images/dcgan", "images/gan", "points/ring"])
def test_every_duel_can_score_packs(name: str) -> None:
    """Each sample gets the logit of its pack, which changes with the other samples of the pack."""
    small: dict[str, Any] = {"width": 8, "packing": 2}
    recipe, _ = resolve(with_fields(RECIPES[name], small), facts_for(RECIPES[name]), MACHINE)
    game = recipe.game(facts_for(recipe))
    discriminator = game.players["discriminator"].eval()
    samples = torch.randn(6, *recipe.view(facts_for(recipe)).shape, generator=generator(0, "samples"))
    (logits,), (others,) = discriminator(samples).logits, discriminator(samples.roll(1, 0)).logits
    assert logits.shape == (6,) and logits[::2].equal(logits[1::2]) and not logits.allclose(others.roll(-1))


def test_strings_from_the_command_line_are_parsed() -> None:
    ring = with_fields(RECIPES["points/ring"], {"batch": "32", "gamma": "0.5", "penalty": "r1"})
    assert (ring.batch, vars(ring)["gamma"], vars(ring)["penalty"]) == (32, 0.5, "r1")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"widht": 3}, "did you mean 'width'"),
        ({"minuts": 3}, "did you mean 'minutes'"),
        ({"batch": 0}, "greater than 0"),
        ({"batch": "many"}, "'many' for batch"),
        ({"gamma": float("nan")}, "gamma"),
        ({"gamma": float("inf")}, "finite"),
        ({"loss": "hing"}, "'hing' for loss"),
        ({"width": 10**5000}, "of hundreds of digits for width"),
    ],
)
def test_unknown_fields_and_bad_values_are_refused(fields: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SparringError, match=words):
        with_fields(RECIPES["points/ring"], fields, options=("minutes",))


def test_stored_fields_are_read_by_their_former_names() -> None:
    stored = with_stored_fields(RECIPES["points/ring"], {"noise": 3, "highest_wave": 64.0, "width": 8})
    assert stored == with_fields(RECIPES["points/ring"], {"latent_size": 3, "max_frequency": 64.0, "width": 8})


def test_names_of_losses_are_those_of_the_objectives() -> None:
    assert list(get_args(LossName)) == list(LOSSES)
    assert {*LIPSCHITZ_LOSSES, *LOG_ODDS_LOSSES} <= set(LOSSES)


def test_recipes_are_frozen() -> None:
    with pytest.raises(ValueError):
        RECIPES["points/ring"].batch = 3  # type: ignore[misc]


def test_every_modality_has_its_default_recipe() -> None:
    for modality, name in DEFAULTS.items():
        assert RECIPES[name].modality == modality
    assert default_recipe(FACTS) == "points/ring"


def test_unknown_recipe_suggests_the_nearest_name() -> None:
    with pytest.raises(SparringError, match="did you mean 'images/r3gan'"):
        find_recipe("images/r3gn")


OWN = """
from sparring.modalities.points.recipes.gan import PointGAN

VALUE = PointGAN(width=16)
NUMBER = 3
"""


@pytest.mark.parametrize(("name", "width"), [("VALUE", 16), ("PointGAN", 128)])
def test_recipe_from_the_users_own_file(name: str, width: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    assert vars(find_recipe(f"{tmp_path / 'mine.py'}:{name}"))["width"] == width


@pytest.mark.parametrize(
    ("name", "words"), [("mine.py:NUMBER", "int as"), ("mine.py:NOTHING", "no 'NOTHING' in"), ("other.py:X", "no file")]
)
def test_mistakes_in_the_users_own_file_are_refused(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    with pytest.raises(SparringError, match=words):
        find_recipe(str(tmp_path / name))


def test_folders_of_earlier_versions_keep_their_upsampling() -> None:
    recipe = RECIPES["images/r3gan"]
    assert with_stored_fields(recipe, {"width": 8}).upsampling == "bilinear"  # type: ignore[attr-defined]
    assert with_stored_fields(recipe, {"upsampling": "rectified"}).upsampling == "rectified"  # type: ignore[attr-defined]
    assert with_fields(recipe, {"width": 8}).upsampling == "rectified"  # type: ignore[attr-defined]
