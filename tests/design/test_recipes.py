"""Every recipe is a value that can be stored, and a game that can be trained, with every loss that fits it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Figures
from sparring.objectives.losses import LOSSES
from sparring.randomness import seeded
from sparring.recipe import LIPSCHITZ_LOSSES, LOG_ODDS_LOSSES, AdversarialRecipe, Machine, Recipe, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.samples import floats, shapes
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from toys.small_recipes import small, toy

MACHINE = Machine("cpu", 8 * 1024**3, 2, False)
ADVERSARIAL = [name for name, recipe in RECIPES.items() if isinstance(recipe, AdversarialRecipe)]
UNCONSTRAINED: Mapping[str, Mapping[str, Any]] = {
    "images/gan": {},
    "images/dcgan": {},
    "images/pix2pix": {},
    "images/pix2pix-hd": {},
    "images/r3gan": {"penalty": "none"},
    "series/rcgan": {},
    "points/ring": {"penalty": "none"},
}
"""Adversarial recipe → fields with which it has no Lipschitz constraint; recipes not listed always have one."""
FITTING = [
    (name, loss)
    for name in ADVERSARIAL
    for loss in LOSSES
    if UNCONSTRAINED.get(name) != {} or loss not in LIPSCHITZ_LOSSES
]
"""Recipes, with their defaults otherwise, and losses that fit them."""


def trained(recipe: Recipe, facts: Facts, data: Dataset, steps: int) -> Trainer:
    with seeded(0, "weights"):
        game = recipe.game(facts)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=recipe.average_half_life)
    trainer = Trainer(game, data, plan)
    assert len(list(trainer)) == steps and trainer.guard.total == 0
    return trainer


def numbers(figures: Figures) -> Iterator[float]:
    """All numbers among the figures of a step."""
    for named in (*figures.terms.values(), *figures.notes.values(), figures.gradients, figures.controls):
        yield from named.values()


@pytest.mark.parametrize("name", RECIPES)
def test_json_round_trip(name: str) -> None:
    recipe = RECIPES[name]
    facts, _ = toy(recipe)
    for one in (recipe, resolve(recipe, facts, MACHINE)[0], small(name)):
        text = json.dumps(one.model_dump(mode="json"), allow_nan=False)
        assert with_fields(recipe, json.loads(text)) == type(recipe).model_validate(json.loads(text)) == one


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("name", RECIPES)
def test_two_steps_on_toy_data(name: str, labels: bool) -> None:
    recipe = small(name)
    facts, data = toy(recipe)
    if "labels" in type(recipe).model_fields:
        recipe = with_fields(recipe, {"labels": labels})
        data = Dataset(data.samples, data.labels, data.labels if labels else None)
    trainer = trained(recipe, facts, data, steps=2)
    players = trainer.game.players
    assert set(recipe.optimisers()) == {name for name, player in players.items() if [*player.parameters()]}
    assert set(trainer.game.published) <= set(trainer.game.players)
    assert all(np.isfinite(number) for number in numbers(trainer.figures))
    batch = data.batch(slice(0, 4))
    with torch.no_grad():
        samples = trainer.average.generate(trainer.game.latent(trainer.progress.random), batch.condition)
    assert shapes(samples) == data.shapes and shapes(samples)[0] == recipe.view(facts).shape
    assert floats(samples) or not samples.is_floating_point()
    assert all(part.isfinite().all() for part in floats(samples))


def test_every_recipe_with_a_discriminator_chooses_its_loss() -> None:
    assert set(ADVERSARIAL) == {
        "images/gan", "images/dcgan", "images/r3gan", "images/pix2pix", "images/pix2pix-hd", "images/spade",
        "images/fill", "images/super-resolution", "images/colourise", "points/ring", "tables/gan",
        "tables/ctgan", "series/gan", "series/rcgan", "molecules/molgan",
        "molecules/gan",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "loss"), FITTING)
def test_a_step_with_every_loss_that_fits(name: str, loss: str) -> None:
    recipe = small(name, loss=loss)
    trainer = trained(recipe, *toy(recipe), steps=1)
    # Weights of the adversarial loss are on the generator's side alone.
    assert trainer.game.loss.discriminator is LOSSES[loss].discriminator
    assert all(np.isfinite(number) for number in numbers(trainer.figures))


@pytest.mark.parametrize("loss", LIPSCHITZ_LOSSES)
@pytest.mark.parametrize("name", UNCONSTRAINED)
def test_losses_that_need_a_constraint_are_refused_without_one(name: str, loss: str) -> None:
    recipe = small(name, loss=loss, **UNCONSTRAINED[name])
    with pytest.raises(SparringError, match=f"the {loss} loss without a Lipschitz constraint"):
        recipe.game(toy(recipe)[0])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("name", "constant"), [("images/r3gan", 0.3), ("points/ring", 0.1)])
def test_gamma_is_found_for_losses_of_log_odds_and_constant_for_others(name: str, constant: float, loss: str) -> None:
    """The rule of an automatic γ is enabled; for other losses "auto" is a constant weight of the penalties."""
    duel = small(name, loss=loss).game(toy(RECIPES[name])[0])
    weights = {duel.penalties[penalty].weight(0.5) for penalty in ("r1", "r2")}
    assert duel.controls["gamma"].enabled is (loss in LOG_ODDS_LOSSES)
    assert weights == ({1.0} if loss in LOG_ODDS_LOSSES else {constant})
    given = small(name, loss=loss, gamma=0.5).game(toy(RECIPES[name])[0])
    assert not given.controls["gamma"].enabled and given.penalties["r1"].weight(0.5) == 0.5


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_its_paper_and_is_documented(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.paper and (type(recipe).__doc__ or "").strip().endswith(".")
    assert name.split("/")[0] == recipe.modality
    assert Path(name).name.islower()
