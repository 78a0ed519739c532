"""Filling holes by a search for the latent of a model that generates images from nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sparring.api.complete import complete, importance
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.model import Model
from sparring.publishing import History
from sparring.randomness import seeded
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

FACTS = Facts("halves", "images", 256, (1, 8, 8), "0" * 64)


def halves(count: int) -> np.ndarray:
    """Grey images of one brightness on the left and another on the right."""
    left, right = np.random.default_rng(0).integers(40, 216, (2, count, 1, 1, 1))
    return np.where(np.arange(8) < 4, left, right).repeat(8, 2).astype(np.uint8)


def model_of(recipe: Recipe, steps: int) -> Model:
    with seeded(0, "weights"):
        game = recipe.game(FACTS)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=lambda seen: 0.05 * seen)
    trainer = Trainer(game, Dataset(halves(256)), plan)
    assert len(list(trainer)) == steps
    return Model(trainer.average, recipe, "images/vae", FACTS, HISTORY)


HISTORY = History(seed=0, samples=0, versions={})
SMALL = {"resolution": 8, "width": 8, "latent_size": 4, "batch": 32, "labels": False}


@pytest.fixture(scope="module")
def trained() -> Model:
    """A decoder of halves: fast and free of chance."""
    return model_of(with_fields(RECIPES["images/vae"], {**SMALL, "spread": 0.2}), 300)


def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Eight images that were not trained on, and a hole that hides their centre."""
    images = Dataset(halves(264)).batch(slice(256, 264)).real
    mask = torch.zeros(1, 1, 8, 8)
    mask[:, :, 2:6, 2:6] = 1
    return images, mask


def test_search_finds_what_the_hole_hides(trained: Model) -> None:
    images, mask = problem()
    filled = complete(trained, images * (1 - mask), mask, steps=100)
    inside = (mask > 0).expand_as(images)
    assert torch.equal(filled[~inside], images[~inside])
    mean = (images * (1 - mask)).sum((2, 3), keepdim=True) / (1 - mask).sum()
    error, trivial = (float((one - images)[inside].abs().mean()) for one in (filled, mean.expand_as(images)))
    assert error < 0.5 * trivial


def test_search_follows_from_the_seed(trained: Model) -> None:
    images, mask = problem()
    first, again, other = (complete(trained, images, mask, steps=3, restarts=1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_known_pixels_count_by_their_distance_from_the_hole() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[0, :, 6:10, 6:10] = 1
    weights = importance(mask)
    assert weights[0, 0, 5, 7] > weights[0, 0, 4, 7] > 0 == weights[0, 0, 7, 7] == weights[0, 0, 0, 0]
    assert torch.equal(weights[1], torch.ones(1, 16, 16)) and float(weights[0].mean()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda images, mask: (images[:, :, :7], mask),
            r"images of shape \(8, 1, 7, 8\), but expected \(count, 1, 8, 8",
        ),
        (lambda images, mask: (images[:0], mask), r"images of shape \(0, 1, 8, 8\)"),
        (
            lambda images, mask: (images, mask[:, :, 1:]),
            r"masks of shape \(1, 1, 7, 8\), but expected \(8, 1, 8, 8\), or",
        ),
        (lambda images, mask: (images, mask.expand(3, -1, -1, -1)), r"masks of shape \(3, 1, 8, 8\)"),
        (lambda images, mask: (images, torch.ones_like(mask)), "a hole that is all of an image"),
    ],
)
def test_what_does_not_fit_is_refused(
    trained: Model, change: Callable[..., tuple[torch.Tensor, torch.Tensor]], sentence: str
) -> None:
    with pytest.raises(SparringError, match=sentence):
        complete(trained, *change(*problem()), steps=1)


def test_models_that_take_images_are_refused() -> None:
    recipe = with_fields(RECIPES["images/fill"], {"resolution": 8, "width": 8})
    model = Model(recipe.game(FACTS), recipe, "images/fill", FACTS, HISTORY)
    with pytest.raises(
        SparringError, match="a model of images/fill, but expected one that generates images from nothing"
    ):
        complete(model, *problem())
