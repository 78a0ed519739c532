"""Trainers of the toy games, equal in every process."""

from typing import Any

import numpy as np

from sparring.data.dataset import Dataset
from sparring.objectives.schedules import constant
from sparring.randomness import seeded
from sparring.recipe import Adam
from sparring.training.distributed import World
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from toys.exchange_game import ExchangeGame
from toys.mixture_game import MixtureGame

CENTRES = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
SHARES = np.array([0.5, 0.3, 0.2])
SPREADS = np.array([0.3, 0.5])


def clusters(count: int = 600, seed: int = 0) -> Dataset:
    """Return points of three Gaussians, each with a point of a ring as its condition."""
    random = np.random.default_rng(seed)
    points = CENTRES[random.choice(3, count, p=SHARES)] + random.normal(0, SPREADS, (count, 2))
    angles = random.uniform(0, 2 * np.pi, count)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Dataset(points.astype(np.float32), conditions=ring.astype(np.float32))


def exchange(*, world: World | None = None, **numbers: Any) -> Trainer:
    """Return a trainer of the exchange of clusters and ring: ``exchange(micro_batch=7)``."""
    with seeded(0, "weights"):
        game = ExchangeGame(width=16)
    adam = Adam(constant(1e-3), beta1=0.5, beta2=constant(0.9))
    plan = Plan(dict.fromkeys(game.players, adam), **{"batch": 32, "samples": 480, **numbers})
    return Trainer(game, clusters(), plan, world=world)


def mixture(*, world: World | None = None, **numbers: Any) -> Trainer:
    """Return a trainer of the mixture of three Gaussians: ``mixture(samples=10_000)``."""
    plan = Plan({}, **{"batch": 32, "samples": 480, **numbers})
    return Trainer(MixtureGame(), clusters(), plan, world=world)


TOYS = {"exchange": exchange, "mixture": mixture}
