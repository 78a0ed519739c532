"""Recipes for images with another loss than their own learn a toy."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.modalities.images.recipes.image_recipe import fitted_resolution, share_kept
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Machine, resolve, with_fields
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


@pytest.mark.parametrize(
    ("size", "multiple", "expected"),
    [
        ((28, 23), 1, (28, 23)),
        ((28, 23), 4, (28, 24)),
        ((28, 23), 16, (32, 32)),  # The nearest multiples, 32 × 16, are a strip that crops 40 %.
        ((28, 28), 16, (32, 32)),
        ((640, 427), 1, (64, 43)),
        ((640, 427), 16, (64, 48)),
        ((218, 178), 16, (64, 48)),
        ((8, 8), 16, (16, 16)),
        ((200, 20), 1, (64, 8)),
    ],
)
def test_the_resolution_crops_as_little_as_multiples_allow(
    size: tuple[int, int], multiple: int, expected: tuple[int, int]
) -> None:
    assert fitted_resolution(*size, 64, multiple) == expected


@given(height=st.integers(8, 900), width=st.integers(8, 900), multiple=st.sampled_from([1, 4, 8, 16]))
def test_the_resolution_has_sides_that_the_recipe_allows(height: int, width: int, multiple: int) -> None:
    found = fitted_resolution(height, width, 64, multiple)
    assert all(side % multiple == 0 and 8 <= side <= 64 for side in found)
    if max(height, width) <= 2 * min(height, width):
        assert share_kept(found, height, width) > 0.7


@pytest.mark.parametrize("name", ["images/r3gan", "images/dcgan"])
def test_the_resolution_of_small_upright_images_says_what_is_lost(name: str) -> None:
    facts = Facts("made up", "images", 1000, (1, 28, 23), "0" * 64)
    recipe, choices = resolve(RECIPES[name], facts, Machine("cpu", 2**33, 2, bfloat16=False))
    assert recipe.view(facts).shape == ((1, 28, 23) if name == "images/r3gan" else (1, 32, 32))
    assert ("keeps the central 82.1% of them" in choices["resolution"]["reason"]) == (name == "images/dcgan")


@pytest.mark.parametrize(("count", "batch"), [(3, 2), (10, 2), (40, 8), (100, 16), (1000, 64)])
def test_a_batch_of_few_images_is_at_most_a_quarter_of_them(count: int, batch: int) -> None:
    facts = Facts("made up", "images", count, (1, 28, 28), "0" * 64)
    recipe, choices = resolve(RECIPES["images/dcgan"], facts, Machine("cpu", 2**33, 2, bfloat16=False))
    assert recipe.batch == batch and (f"only {count} images" in choices["batch"]["reason"]) == (count < 256)
