"""Recipes without pairs find a translation whose answer is known: digits into inverted digits, other ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sparring.modalities.images.conditions import Translation
from sparring.modalities.images.data import survey
from sparring.randomness import seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

SMALL = {"resolution": 8, "width": 8, "blocks": 1, "batch": 8, "learning_rate": 1e-3}


def write(folder: Path) -> str:
    """Write 900 digits as they are, and 897 other ones inverted."""
    digits = np.round(load_digits().images * (255 / 16)).astype(np.uint8)
    images = np.concatenate([digits[:900], 255 - digits[900:]])
    np.savez(folder / "domains.npz", images=images, labels=np.array(["plain"] * 900 + ["inverted"] * 897))
    return str(folder / "domains.npz")


@pytest.mark.parametrize(
    ("name", "fields", "steps", "error", "cycle"),
    [
        ("images/cyclegan", {}, 100, 0.75, 0.55),
        ("images/cut", {}, 150, 0.8, None),
        ("images/fastcut", {"width": 16, "contrast": 3}, 250, 0.8, None),
        ("images/stargan", {"critic_turns": 2, "learning_rate": 2e-3}, 400, 0.8, 0.6),
    ],
)
def test_every_unpaired_recipe_inverts_digits(
    name: str, fields: dict[str, Any], steps: int, error: float, cycle: float | None, tmp_path: Path
) -> None:
    """Mean differences in [-1, 1] from the inverted digit; the digit itself differs from it by 1.5."""
    found = survey(write(tmp_path))
    inverted, plain = (found.facts.classes.index(domain) for domain in ("inverted", "plain"))
    recipe = with_fields(RECIPES[name], {**SMALL, **fields})
    if "target" in type(recipe).model_fields:
        recipe = with_fields(recipe, {"target": "inverted"})
    split = found.prepare(recipe.view(found.facts))
    with seeded(0, "weights"):
        game = recipe.game(found.facts)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=recipe.average_half_life)
    trainer = Trainer(game, split.train, plan)

    def difference() -> tuple[float, float]:
        """Return mean differences of held-out plain digits from their inversion and after the way there and back."""
        images = torch.from_numpy(load_digits().images[:100, None]).float() / 8 - 1

        def into(domain: int, images: torch.Tensor) -> torch.Tensor:
            condition = Translation(images, torch.full((len(images),), domain))
            return trainer.average.generate(images.new_empty(len(images), 0), condition)

        with torch.no_grad():
            there = into(inverted, images)
            back = images if cycle is None else into(plain, there)
        return float((there + images).abs().mean()), float((back - images).abs().mean())

    before = difference()
    for _ in trainer:
        pass
    after = difference()
    assert trainer.guard.total == 0
    assert after[0] < error < before[0], (before, after)
    if cycle is not None:
        assert after[1] < cycle < before[1], (before, after)
