"""Runs for the watchdog to observe: a duel over points, a game with two critics, and their data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sparring.controls import Control, hold, note
from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.flow import Batch, Objective, Opinion, Progress, Sample, Turn
from sparring.games.duel import Duel
from sparring.games.game import WHOLE_RUN
from sparring.modalities.points.rooms import POINTS
from sparring.objectives.gamma import LEAD
from sparring.randomness import RandomStream, seeded
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer


class TwoCritics:
    """One maker of points and two critics with a turn each: least squares, each with controls of its own."""

    published = ("maker",)
    critics = ("near", "far")
    phases = WHOLE_RUN

    def __init__(self) -> None:
        self.players: dict[str, nn.Module] = {
            "maker": nn.Linear(2, 2),
            **{name: nn.Sequential(nn.Linear(2, 1)) for name in self.critics},
        }
        named = [f"{kind} {name}" for kind in ("gamma", "lecam") for name in self.critics]
        rule = hold(note("near", LEAD), 1.0, 0.01)
        self.controls = {name: Control(float("gamma" in name), rule=rule, enabled=False) for name in named}
        self.controls["augmentations"] = Control(0.0, enabled=False)

    def turns(self, progress: Progress) -> list[Turn]:
        return [
            Turn("near", self.critic_objective("near")),
            Turn("from afar", self.critic_objective("far"), players=("far",)),
            Turn("to please both", self.maker_objective, players=("maker",)),
        ]

    def critic_objective(self, name: str) -> Callable[[Batch, Progress], Objective]:
        def objective(batch: Batch, progress: Progress) -> Objective:
            real, fake = (
                self.players[name](side) for side in (batch.real, self.generate(self.latent(progress.random)))
            )
            penalty = self.controls[f"gamma {name}"].value * self.players[name][0].weight.square().sum()
            terms = {"adversarial": (real - 1).square().mean() + fake.square().mean(), "decay": penalty}
            return Objective(terms, {LEAD: (real - fake).detach().mean()})

        return objective

    def maker_objective(self, batch: Batch, progress: Progress) -> Objective:
        fake = self.generate(self.latent(progress.random))
        losses = [(self.players[name](fake) - 1).square().mean() for name in self.critics]
        return Objective({"adversarial": sum(losses)})

    def opinion(self, batch: Batch) -> Opinion:
        return Opinion(sum(self.players[name](batch.real).squeeze(1) for name in self.critics))

    def latent(self, random: RandomStream) -> torch.Tensor:
        return random.normal("noise", 2)

    def generate(self, latent: torch.Tensor, condition: Sample | None = None) -> Sample:
        return self.players["maker"](latent)


@pytest.fixture
def two_critics() -> TwoCritics:
    """A game of three players and turns, none of which is called as those of a duel are."""
    with seeded(0, "weights"):
        return TwoCritics()


@pytest.fixture
def split() -> Callable[..., Split]:
    """Training and held-out samples: ``split(samples, labels, classes=2, held_out=100)``, by default 700 points."""

    def make(samples: Any = None, labels: Any = None, *, classes: int = 0, held_out: int = 100) -> Split:
        if samples is None:
            samples = np.random.default_rng(0).normal((1.0, -1.0), 0.3, size=(700, 2)).astype(np.float32)
        sides = slice(held_out, None), slice(held_out)
        train, rest = (Dataset(samples[side], *([None if labels is None else labels[side]] * 2)) for side in sides)
        names = tuple(str(number) for number in range(classes))
        facts = Facts("made up", "points", len(samples), samples.shape[1:], "", classes=names)
        return Split(train, rest, facts)

    return make


@pytest.fixture
def observed(
    tiny_duel: Callable[..., Duel], split: Callable[..., Split], plan: Callable[..., Plan]
) -> Callable[..., Observer]:
    """An observer of a trainer: ``observed(game, data, steps=64)``; both at the same step."""

    def make(game: Any = None, data: Split | None = None, *, steps: int = 0, modality: Any = POINTS) -> Observer:
        data = data or split()
        game = game or tiny_duel()
        trainer = Trainer(game, data.train, plan(players=tuple(game.players), samples=100_000))
        observer = Observer(trainer, data, modality, seed=0)
        for _ in range(steps):
            trainer.advance()
            observer.step()
        return observer

    return make
