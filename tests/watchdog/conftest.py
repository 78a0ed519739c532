"""What the watchdog looks at: a duel over points, and their split."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.games.duel import Duel
from sparring.modalities.points.rooms import POINTS
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer


@pytest.fixture
def split() -> Callable[..., Split]:
    """Training and held-out samples: ``split(samples, labels, classes=2, held_out=100)``, by default 700 points."""

    def make(samples: Any = None, labels: Any = None, *, classes: int = 0, held_out: int = 100) -> Split:
        if samples is None:
            samples = np.random.default_rng(0).normal((1.0, -1.0), 0.3, size=(700, 2)).astype(np.float32)
        sides = slice(held_out, None), slice(held_out)
        train, aside = (Dataset(samples[side], *([None if labels is None else labels[side]] * 2)) for side in sides)
        names = tuple(str(number) for number in range(classes))
        facts = Facts("made up", "points", len(samples), samples.shape[1:], "", classes=names)
        return Split(train, aside, facts)

    return make


@pytest.fixture
def observed(
    tiny_duel: Callable[..., Duel], split: Callable[..., Split], plan: Callable[..., Plan]
) -> Callable[..., Observer]:
    """An observer of a trainer: ``observed(game, data, steps=64)``; both at the same step."""

    def make(game: Any = None, data: Split | None = None, *, steps: int = 0, sight: Any = POINTS) -> Observer:
        data = data or split()
        trainer = Trainer(game or tiny_duel(), data.train, plan(samples=100_000))
        observer = Observer(trainer, data, sight, seed=0)
        for _ in range(steps):
            trainer.advance()
            observer.step()
        return observer

    return make
