"""Fixtures of all tests: one thread per process, a cache apart from the user's, and tiny games, data and plans."""

import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sparring.data.dataset import Dataset
from sparring.flow import Progress, Verdict
from sparring.games.duel import Duel
from sparring.games.priors import normal
from sparring.layers.dense import Dense
from sparring.metrics.extractors import classifier, self_supervised, small_network
from sparring.objectives.losses import LOSSES
from sparring.objectives.schedules import constant
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Adam
from sparring.rendering import figures
from sparring.training.plan import Plan

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the tests download or prepare out of the user's cache; all workers share one cache."""
    with pytest.MonkeyPatch.context() as patch:
        if "SPARRING_CACHE" not in os.environ:
            patch.setenv("SPARRING_CACHE", str(tmp_path_factory.getbasetemp().parent / "sparring-cache"))
        yield


@pytest.fixture(scope="module")
def brief_extractors() -> Iterator[None]:
    """Train extractors for a tenth of their steps, in a module whose tests do not depend on their quality."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_network, "VERSION", f"{small_network.VERSION}, brief")
        for module in (classifier, self_supervised):
            patch.setattr(module, "STEPS", module.STEPS // 10)
        yield


@pytest.fixture(scope="module")
def undrawn_figures() -> Iterator[None]:
    """Build the figures of reports, but draw none, in a module whose tests do not look at them."""
    blank = io.BytesIO()
    Image.new("RGB", (8, 8)).save(blank, "PNG")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "file_of", lambda figure, kind: blank.getvalue())
        yield


class TinyDiscriminator(nn.Module):
    """Discriminator of points: ``critics`` dense networks with one logit each."""

    def __init__(self, *, width: int = 16, critics: int = 1) -> None:
        super().__init__()
        self.critics = nn.ModuleList(Dense(2, width, 1) for _ in range(critics))

    def forward(self, sample: torch.Tensor, condition: torch.Tensor | None = None) -> Verdict:
        return Verdict([critic(sample).squeeze(1) for critic in self.critics], [sample.tanh(), sample.sin()])


class TinyGenerator(nn.Module):
    """Generator of points: a dense network."""

    def __init__(self, *, latent: int = 4, width: int = 16) -> None:
        super().__init__()
        self.layers = Dense(latent, width, 2)

    def forward(self, latent: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return self.layers(latent)


@pytest.fixture
def random() -> Callable[..., RandomStream]:
    """Random numbers of a whole batch: ``random(8)``."""
    return lambda total, seed=0: RandomStream(seed=seed, step=0, total=total, rows=slice(0, total))


@pytest.fixture
def progress(random: Callable[..., RandomStream]) -> Callable[..., Progress]:
    """Progress in the first step of a run with ``total`` samples per batch: ``progress(8)``."""
    return lambda total, fraction=0.0: Progress(step=0, samples=0, fraction=fraction, random=random(total))


@pytest.fixture
def tiny_duel() -> Callable[..., Duel]:
    """Duel over points with 16 units per layer: ``tiny_duel(loss="hinge", critics=2, …)``."""

    def make(*, seed: int = 0, loss: str = "relativistic", critics: int = 1, **choices: Any) -> Duel:
        with seeded(seed, "weights"):
            players = TinyGenerator(), TinyDiscriminator(critics=critics)
        return Duel(*players, prior=normal(4), loss=LOSSES[loss], **choices)

    return make


@pytest.fixture
def blob() -> Dataset:
    """Two hundred points around (1, -1)."""
    points = np.random.default_rng(0).normal((1.0, -1.0), 0.3, size=(200, 2))
    return Dataset(points.astype(np.float32))


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Plan of a duel: ``plan(samples=640, batch=32, …)``."""

    def make(*, players: tuple[str, ...] = ("generator", "discriminator"), rate: float = 1e-3, **numbers: Any) -> Plan:
        adam = Adam(constant(rate), beta1=0.0, beta2=constant(0.9))
        return Plan(dict.fromkeys(players, adam), **{"batch": 32, "samples": 640, **numbers})

    return make
