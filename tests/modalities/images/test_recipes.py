"""Recipes for images with another loss than their own learn a toy."""

from typing import Any

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.randomness import RandomStream, seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer


def halves(count: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey images, bright in the left or in the right half with a little noise, and which half it is."""
    random = np.random.default_rng(0)
    labels = random.integers(2, size=count)
    bright = (np.arange(side) >= side // 2)[None, :] == labels[:, None]  # (count, side)
    pixels = np.where(bright[:, None, None, :], 200, 50) + random.integers(-20, 21, size=(count, 1, side, side))
    return pixels.astype(np.uint8), labels


@pytest.mark.parametrize(
    ("name", "side", "steps", "fields"),
    [("images/r3gan", 8, 250, {}), ("images/dcgan", 16, 120, {"learning_rate": 1e-3})],
)
def test_hinge_learns_which_half_is_bright(name: str, side: int, steps: int, fields: dict[str, float]) -> None:
    """For each class the mean image is right, where the halves differ by 1.2, and samples vary as real images do."""
    samples, labels = halves(512, side)
    facts = Facts("halves", "images", 512, (1, side, side), "0" * 64, classes=("left", "right"))
    small = {"loss": "hinge", "labels": True, "resolution": (side, side), "width": 16, "batch": 32, **fields}
    recipe = with_fields(RECIPES[name], small)
    with seeded(0, "weights"):
        game = recipe.game(facts)
    plan = Plan(recipe.optimisers(), 32, steps * 32, average_half_life=lambda samples: 0.1 * samples)
    trainer = Trainer(game, Dataset(samples, labels, labels), plan)
    assert len(list(trainer)) == steps
    asked = torch.arange(64) % 2
    with torch.no_grad():
        found = trainer.average.generate(game.latent(RandomStream(0, 0, 64, slice(0, 64))), asked)
    for label in (0, 1):
        real, fake = Dataset(samples).batch(np.flatnonzero(labels == label)).real, found[asked == label]
        assert float((fake.mean(0) - real.mean(0)).abs().mean()) < 0.15
        assert 0.5 < float(fake.std(0).mean() / real.std(0).mean()) < 2.5


@pytest.mark.parametrize("value", [16, 16.0, "16", "16x16", (16, 16), [16, 16.0], np.int64(16), np.float32(16)])
def test_a_resolution_may_be_a_number_of_any_type(value: Any) -> None:
    assert with_fields(RECIPES["images/r3gan"], {"resolution": value}).resolution == (16, 16)


@pytest.mark.parametrize("value", [8.5, True, None, {}, [], "8x", "²", (8, 8, 8), float("nan"), "7", "8x257"])
def test_anything_else_is_no_resolution(value: Any) -> None:
    with pytest.raises(SparringError, match="for resolution, but expected 64, or 64x96"):
        with_fields(RECIPES["images/r3gan"], {"resolution": value})
