"""A game that the project does not have, built from its public parts: a CycleGAN between two domains of points.

It has two generators and two discriminators (Zhu et al. 2017), and the trainer plays it unchanged.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from sparring.controls import Control
from sparring.data.dataset import Dataset
from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn, Verdict
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.layers.dense import Dense
from sparring.objectives.critic import Critic
from sparring.objectives.losses import relativistic
from sparring.objectives.penalties import r1
from sparring.randomness import RandomStream, derive, seeded
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

RING = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
GRID = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
SIGMA = 0.1


class PointCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(2, 48, 48, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([self.layers(sample).squeeze(1)], [])


class Exchange:
    """CycleGAN from the ring, which is the data, to the grid, which is sampled here, and back."""

    published = ("there", "back")
    critics = ("critic of grids", "critic of rings")
    phases = WHOLE_RUN

    def __init__(self) -> None:
        self.controls: dict[str, Control] = {}
        self.players: dict[str, nn.Module] = {
            "there": Dense(2, 48, 48, 2),
            "back": Dense(2, 48, 48, 2),
            "critic of grids": PointCritic(),
            "critic of rings": PointCritic(),
        }

    def opinion(self, batch: Batch) -> Opinion:
        return Opinion()

    def turns(self, progress: Progress) -> Sequence[Turn]:
        return [
            Turn("critic of grids", self.grid_objective),
            Turn("critic of rings", self.ring_objective),
            Turn("there", self.cycle_objective),
            Turn("back", self.cycle_objective),
        ]

    def grid_objective(self, batch: Batch, progress: Progress) -> Objective:
        return self._critic_objective(
            "critic of grids", grid(progress.random), self.players["there"](batch.real), progress
        )

    def ring_objective(self, batch: Batch, progress: Progress) -> Objective:
        fake = self.players["back"](grid(progress.random))
        return self._critic_objective("critic of rings", batch.real, fake, progress)

    def cycle_objective(self, batch: Batch, progress: Progress) -> Objective:
        there, back, rings, grids = self.players["there"], self.players["back"], batch.real, grid(progress.random)
        as_grids, as_rings = there(rings), back(grids)
        terms = {
            "grids": self._adversarial("critic of grids", grids, as_grids, progress),
            "rings": self._adversarial("critic of rings", rings, as_rings, progress),
            "cycle": l1_loss(back(as_grids), rings) + l1_loss(there(as_rings), grids),
        }
        return Objective(terms)

    def latent(self, random: RandomStream) -> Latent:
        return normal(2)(random)

    def generate(self, latent: Latent, condition: Tensor | None) -> Sample:
        return self.players["there"](latent)

    def _critic_objective(self, player: str, real: Tensor, fake: Tensor, progress: Progress) -> Objective:
        real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
        critic = Critic(self.players[player], None, progress.random)
        adversarial = relativistic.discriminator(critic(real).logits, critic(fake).logits)
        return Objective({"adversarial": adversarial, "r1": 0.1 * r1(critic, real, fake).mean()})

    def _adversarial(self, player: str, real: Tensor, fake: Tensor, progress: Progress) -> Tensor:
        critic = Critic(self.players[player], None, progress.random)
        return relativistic.generator(critic(real).logits, critic(fake).logits)


def grid(random: RandomStream) -> Tensor:
    return GRID[random.integers("corner", 4)] + SIGMA * random.normal("around the corner", 2)


def ring(count: int) -> Dataset:
    random = np.random.default_rng(derive(0, "ring"))
    points = RING.numpy()[random.integers(4, size=count)] + SIGMA * random.standard_normal((count, 2))
    return Dataset(points.astype(np.float32))


def test_the_game_learns_to_translate_one_domain_into_the_other_and_back(plan: Callable[..., Plan]) -> None:
    with seeded(0, "weights"):
        game = Exchange()
    trainer = Trainer(game, ring(4000), plan(players=tuple(game.players), rate=2e-3, batch=128, samples=128 * 900))
    for _ in trainer:
        pass
    rings = torch.from_numpy(ring(4000).samples[:1000])
    with torch.no_grad():
        as_grids = trainer.average.players["there"](rings)
        again = trainer.average.players["back"](as_grids)
    distance, corner = torch.cdist(as_grids, GRID).min(1)
    assert float((distance < 4 * SIGMA).float().mean()) > 0.85
    assert min(torch.bincount(corner, minlength=4).tolist()) > 100
    assert float((again - rings).norm(dim=1).median()) < 0.1


def test_figures_are_grouped_by_turn(plan: Callable[..., Plan]) -> None:
    game = Exchange()
    trainer = Trainer(game, ring(64), plan(players=tuple(game.players), batch=16, samples=32))
    steps = [progress.step for progress in trainer]
    assert all(now == before + 1 for before, now in pairwise(steps))
    terms, gradients = trainer.figures.terms, trainer.figures.gradients
    assert "cycle" in terms["there"] and "grids" in terms["back"] and "r1" in terms["critic of grids"]
    assert set(gradients) == set(terms) == set(game.players)
