"""Recipes as values: fields, choices and reasons."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.randomness import generator
from sparring.recipe import Machine, Recipe, resolve, with_fields
from sparring.recipes import DEFAULTS, RECIPES, default_recipe, find_recipe

FACTS = Facts(source="points.npy", modality="points", count=100, shape=(2,), fingerprint="0" * 64)
MACHINE = Machine("cpu", 8 * 1024**3, 2, False)


def facts_for(recipe: Recipe) -> Facts:
    images: dict[str, Any] = {"modality": "images", "shape": (3, 32, 32), "classes": ("cat", "dog")}
    return replace(FACTS, **images) if recipe.modality == "images" else FACTS


def test_what_is_asked_for_wins_and_every_choice_has_a_reason() -> None:
    ring = with_fields(RECIPES["points/ring"], {"width": 16})
    resolved, reasons = resolve(ring, FACTS, MACHINE)
    assert reasons["width"] == "given" and vars(resolved)["width"] == 16
    assert resolved.batch == 100 and "100 points" in reasons["batch"]
    assert reasons["noise"] == "the recipe's default"
    asked, reasons = resolve(with_fields(ring, {"batch": 50}), FACTS, MACHINE)
    assert asked.batch == 50 and reasons["batch"] == "given"


@pytest.mark.parametrize("name", RECIPES)
def test_every_choice_is_a_field_and_every_field_has_a_sentence(name: str) -> None:
    recipe = RECIPES[name]
    assert set(recipe.choose(facts_for(recipe), MACHINE)) <= set(type(recipe).model_fields)
    for field, information in type(recipe).model_fields.items():
        assert information.description and information.description.endswith("."), field
    resolved, reasons = resolve(recipe, facts_for(recipe), MACHINE)
    assert set(reasons) == set(type(recipe).model_fields)
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
def test_the_default_recipe_adapts_unless_asked(fields: Mapping[str, Any], chosen: Mapping[str, float]) -> None:
    recipe = with_fields(RECIPES["images/r3gan"], fields)
    resolved, _ = resolve(recipe, facts_for(recipe), MACHINE)
    assert chosen.items() <= vars(resolved).items()


def test_packs_have_no_labels() -> None:
    recipe = with_fields(RECIPES["images/r3gan"], {"packing": 2, "labels": True})
    with pytest.raises(SparringError, match="packing 2 together with labels"):
        resolve(recipe, facts_for(recipe), MACHINE)


@pytest.mark.parametrize("name", ["images/r3gan", "images/dcgan", "images/gan", "points/ring"])
def test_every_duel_can_be_packed(name: str) -> None:
    """The discriminator has one score for each sample, and another for other companions."""
    small: dict[str, Any] = {"width": 8, "packing": 2}
    recipe, _ = resolve(with_fields(RECIPES[name], small), facts_for(RECIPES[name]), MACHINE)
    game = recipe.game(facts_for(recipe))
    judge = game.players["discriminator"].eval()
    samples = torch.randn(6, *recipe.view(facts_for(recipe)).shape, generator=generator(0, "samples"))
    (scores,), (others,) = judge(samples).scores, judge(samples.roll(1, 0)).scores
    assert scores.shape == (6,) and scores[::2].equal(scores[1::2]) and not scores.allclose(others.roll(-1))


def test_words_from_the_command_line_become_values() -> None:
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
    ],
)
def test_other_words_are_one_sentence(fields: Mapping[str, Any], words: str) -> None:
    with pytest.raises(SparringError, match=words):
        with_fields(RECIPES["points/ring"], fields, options=("minutes",))


def test_recipes_are_frozen() -> None:
    with pytest.raises(ValueError):
        RECIPES["points/ring"].batch = 3  # type: ignore[misc]


def test_defaults_exist() -> None:
    for modality, name in DEFAULTS.items():
        assert RECIPES[name].modality == modality
    assert default_recipe(FACTS) == "points/ring"


def test_the_nearest_name() -> None:
    with pytest.raises(SparringError, match="did you mean 'images/r3gan'"):
        find_recipe("images/r3gn")


OWN = """
from sparring.modalities.points.recipes.mixture import Mixture

VALUE = Mixture(width=16)
NUMBER = 3
"""


@pytest.mark.parametrize(("name", "width"), [("VALUE", 16), ("Mixture", 128)])
def test_ones_own_recipe(name: str, width: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    assert vars(find_recipe(f"{tmp_path / 'mine.py'}:{name}"))["width"] == width


@pytest.mark.parametrize(
    ("name", "words"), [("mine.py:NUMBER", "int as"), ("mine.py:NOTHING", "no 'NOTHING' in"), ("other.py:X", "no file")]
)
def test_ones_own_mistakes(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    with pytest.raises(SparringError, match=words):
        find_recipe(str(tmp_path / name))
