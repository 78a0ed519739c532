"""A small table with a known answer, and recipes that are trained on it for some steps."""

from pathlib import Path

import numpy as np

from sparring.modalities.tables.data import survey
from sparring.randomness import seeded
from sparring.recipe import Recipe
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer


def write_table(path: Path, count: int = 3000) -> Path:
    """Write a table: heights of two kinds, whose means are 10 apart, and a score that a tenth of the rows lacks."""
    random = np.random.default_rng(0)
    kind = random.random(count) < 0.3
    height = np.round(random.normal(np.where(kind, 20, 10), 1), 2)
    score = np.round(2 * height + random.normal(0, 1, count), 1)
    lines = [
        f"{'tall' if tall else 'short'},{one:.2f},{'' if missing else other}"
        for tall, one, other, missing in zip(kind, height, score, random.random(count) < 0.1, strict=True)
    ]
    path.write_text("\n".join(["kind,height,score", *lines]))
    return path


def fitted(recipe: Recipe, table: Path, steps: int) -> Trainer:
    """Train a recipe on the training rows of a table."""
    found = survey(str(table))
    split = found.prepare(recipe.view(found.facts))
    with seeded(0, "weights"):
        game = recipe.game(found.facts)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=recipe.average_half_life)
    trainer = Trainer(game, split.train, plan)
    for _ in trainer:
        pass
    return trainer
