"""A loss of your own in a duel over points, with the training loop in your hands: about fifteen seconds on one core.

    python examples/own_loss.py

The data are eight Gaussians on a ring. A collapsed generator covers only some of them; this one covers them all.
"""

import argparse
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu

from sparring import Adam, Dataset, Duel, Plan, Trainer
from sparring.games.priors import normal
from sparring.modalities.points.metrics import mode_coverage
from sparring.modalities.points.networks.dense import Discriminator, Generator
from sparring.objectives.losses import Loss, total
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant, cosine, geometric_cosine
from sparring.randomness import RandomStream, seeded


def hinge(high: list[Tensor], low: list[Tensor]) -> Tensor:
    """Return the mean of max(0, 1 - (high - low)) over pairs of logits, summed over critics, here one."""
    return total(relu(1 - (one - other)) for one, other in zip(high, low, strict=True))


relativistic_hinge = Loss(
    discriminator=hinge,
    generator=lambda real, fake: hinge(fake, real),
    paired=True,
)

ANGLES = torch.arange(8) * (2 * math.pi / 8)
CENTRES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)
SIGMA = 0.05


def ring(count: int) -> Dataset:
    """Return points around the centres, (count, 2)."""
    random = np.random.default_rng(0)
    points = CENTRES.numpy()[random.integers(8, size=count)] + SIGMA * random.standard_normal((count, 2))
    return Dataset(points.astype(np.float32))


def duel(seed: int) -> Duel:
    """Return the game: two networks, the prior of the latents, the loss, and the penalties with their weights."""
    with seeded(seed, "weights"):
        generator, discriminator = Generator(), Discriminator()
    gamma = geometric_cosine(0.3, 0.03)
    penalties = {"r1": Weighted(r1, gamma), "r2": Weighted(r2, gamma)}
    return Duel(generator, discriminator, prior=normal(8), loss=relativistic_hinge, penalties=penalties)


def quality(game: Duel) -> str:
    """Return the number of modes found, and the share of points within three standard deviations of one."""
    latent = game.latent(RandomStream(seed=1, step=0, total=2500, rows=slice(0, 2500)))
    with torch.no_grad():
        found = mode_coverage(game.generate(latent, None), CENTRES, SIGMA)
    return f"modes {found['modes']:.0f} of 8, quality {found['quality']:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=250_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    # The numbers: optimisers with their schedules, batch and budget.
    adam = Adam(cosine(2e-3, 1e-4), beta1=0.0, beta2=constant(0.9))
    optimisers = {"generator": adam, "discriminator": adam}
    plan = Plan(optimisers, batch=256, samples=options.samples, seed=options.seed)
    trainer = Trainer(duel(options.seed), ring(20_000), plan)

    # The loop: each iteration is one step of both players. ``average`` is the game with the averaged generator.
    for progress in trainer:
        if progress.step % 200 == 0:
            print(f"{progress.fraction:4.0%}  {quality(trainer.average)}")
    print(f" end  {quality(trainer.average)}")


if __name__ == "__main__":
    main()
