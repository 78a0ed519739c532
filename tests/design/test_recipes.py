"""Every recipe is a value that can be written down, and that plays."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.randomness import seeded
from sparring.recipe import Machine, Recipe, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

MACHINE = Machine("cpu", 8 * 1024**3, 2, False)
SMALL = {"batch": 4, "width": 8, "resolution": (16, 16), "noise": 4, "labels": True}


def toy(recipe: Recipe) -> tuple[Facts, Dataset]:
    random = np.random.default_rng(0)
    if recipe.modality == "points":
        facts = Facts("toy", "points", 64, (2,), "0" * 64, details={"scale": 1.0})
        return facts, Dataset(random.normal(size=(64, 2)).astype(np.float32))
    facts = Facts("toy", "images", 64, (3, 16, 16), "0" * 64, classes=("even", "odd"))
    samples = random.integers(0, 256, size=(64, 3, 16, 16), dtype=np.uint8)
    return facts, Dataset(samples, np.arange(64, dtype=np.int64) % 2)


def small(recipe: Recipe) -> Recipe:
    fields = type(recipe).model_fields
    return with_fields(recipe, {name: value for name, value in SMALL.items() if name in fields})


@pytest.mark.parametrize("name", RECIPES)
def test_through_json_and_back(name: str) -> None:
    recipe = RECIPES[name]
    facts, _ = toy(recipe)
    for one in (recipe, resolve(recipe, facts, MACHINE)[0], small(recipe)):
        text = json.dumps(one.model_dump(mode="json"), allow_nan=False)
        assert with_fields(recipe, json.loads(text)) == type(recipe).model_validate(json.loads(text)) == one


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("name", RECIPES)
def test_two_steps_on_toy_data(name: str, labels: bool) -> None:
    recipe = small(RECIPES[name])
    facts, data = toy(recipe)
    if "labels" in type(recipe).model_fields:
        recipe = with_fields(recipe, {"labels": labels})
        data = Dataset(data.samples, data.labels, data.labels if labels else None)
    with seeded(0, "weights"):
        game = recipe.game(facts)
    assert set(recipe.optimisers()) == set(game.players)
    assert set(game.published) <= set(game.players)
    plan = Plan(recipe.optimisers(), batch=4, samples=8, average_half_life=recipe.average_half_life)
    trainer = Trainer(game, data, plan)
    assert len(list(trainer)) == 2
    assert all(np.isfinite(value) for value in trainer.figures.values())
    batch = data.batch(slice(0, 4))
    with torch.no_grad():
        made = trainer.average.generate(game.latent(trainer.progress.random), batch.condition)
    assert made.shape == (4, *recipe.view(facts).shape) and made.dtype == torch.float32 and made.isfinite().all()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_its_paper_and_says_what_it_is(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.paper and (type(recipe).__doc__ or "").strip().endswith(".")
    assert name.split("/")[0] == recipe.modality
    assert Path(name).name.islower()
