"""Every image recipe learns handwritten digits conditioned on their class."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.view import View
from sparring.flow import Batch
from sparring.metrics.distances import frechet
from sparring.modalities.images import metrics
from sparring.modalities.images.data import survey
from sparring.recipe import with_fields
from sparring.recipes import RECIPES

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


@pytest.mark.parametrize(
    ("name", "size", "steps", "fields", "agreement", "distance"),
    [
        ("images/r3gan", 8, 400, {}, 0.95, 2.5),
        pytest.param(*("images/r3gan", 8, 400, {"blocks": 1, "learning_rate": 1e-3}, 0.9, 5.0), marks=pytest.mark.slow),
        ("images/dcgan", 16, 500, {"width": 32}, 0.9, 9.0),
        ("images/gan", 8, 1000, {"width": 600, "learning_rate": 4e-4}, 0.3, 10.0),
        ("images/vae", 8, 400, {}, 0.95, 6.0),
    ],
)
def test_every_image_recipe_learns_the_digits(
    name: str,
    size: int,
    steps: int,
    fields: dict[str, Any],
    agreement: float,
    distance: float,
    learned: Callable[..., torch.Tensor],
) -> None:
    """Agreement by chance is 0.1; two sets of 500 real digits have a distance of 1.7 at 8 × 8 and of 5.4 at 16 × 16."""
    split = survey("digits").prepare(View((1, size, size), "label"))
    recipe = with_fields(RECIPES[name], {"resolution": size, "labels": True, **fields})
    samples = learned(recipe, split, steps, count=1000)
    found = metrics.classifier_metrics(
        Batch(samples, None, torch.arange(1000) % 10), metrics.label_classifier(split, 0)
    )
    assert found["agreement"] > agreement and found["classes"] >= (10 if agreement > 0.5 else 9), found
    real = split.train.batch(slice(0, 1000)).real
    assert frechet(real.flatten(1).double(), samples.flatten(1).double()) < distance


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "steps", "agreement"),
    [("images/r3gan", 500, 0.9), ("images/dcgan", 500, 0.6), ("images/vae", 1000, 0.9)],
)
def test_image_recipes_learn_mnist(
    name: str, steps: int, agreement: float, learned: Callable[..., torch.Tensor]
) -> None:
    """Its thin strokes on black are where a weak generator stays all black."""
    if not MNIST.exists():
        pytest.skip("the real data mnist is not here")
    split = survey(str(MNIST)).prepare(View((1, 32, 32), "label"))
    samples = learned(with_fields(RECIPES[name], {"resolution": 32, "labels": True}), split, steps, count=1000)
    found = metrics.classifier_metrics(
        Batch(samples, None, torch.arange(1000) % 10), metrics.label_classifier(split, 0)
    )
    assert found["agreement"] > agreement and found["classes"] == 10, found
