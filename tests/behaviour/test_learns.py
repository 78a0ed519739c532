"""The ring of eight Gaussians is learned: by every pair of loss and penalty that is said to work, and by the VAE.

The others are left out because they do not work here. Without a penalty or with clipped weights a generator this small
stays with one mode or two; R1 alone and DRAGAN, which smooth the discriminator at the reals only, find six to eight of
them, as chance has it; least squares with the gradient penalty finds all, but very unevenly.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from sparring.evaluation.distances import frechet
from sparring.modalities.points import metrics
from sparring.modalities.points.data import MIXTURES, survey
from sparring.objectives.losses import LOSSES
from sparring.randomness import Draw, seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

SMALL = {"batch": 128, "width": 64, "noise": 2, "learning_rate": 3e-3}
PENALTIES = ("r1+r2", "finite r1+r2", "gradient penalty")
WORKING = [(loss, penalty) for loss in LOSSES for penalty in PENALTIES]
WORKING.remove(("least_squares", "gradient penalty"))
FAST = [("relativistic", "r1+r2"), ("non_saturating", "finite r1+r2"), ("wasserstein", "gradient penalty")]
RING = survey("ring").prepare((2,))


def learned(recipe: str, *, steps: int, seed: int = 0, **fields: Any) -> torch.Tensor:
    """2,500 samples of the averaged generator."""
    chosen = with_fields(RECIPES[recipe], {**SMALL, **fields})
    with seeded(seed, "weights"):
        game = chosen.game(RING.facts)
    numbers = {"batch": chosen.batch, "samples": steps * chosen.batch, "seed": seed}
    trainer = Trainer(
        game, RING.train, Plan(chosen.optimisers(), average_half_life=chosen.average_half_life, **numbers)
    )
    for _ in trainer:
        pass
    assert trainer.watchdog.word == "healthy"
    with torch.no_grad():
        return trainer.average.generate(game.noise(Draw(seed, 0, 2500, slice(0, 2500), "judged/")), None)


def measured(samples: torch.Tensor) -> Mapping[str, float]:
    return metrics.measures(samples, None, RING, 0)


@pytest.mark.parametrize(("loss", "penalty"), FAST)
def test_the_ring(loss: str, penalty: str) -> None:
    found = measured(learned("points/ring", steps=1500, loss=loss, penalty=penalty))
    assert found["modes"] == 8 and found["quality"] > 0.3, found


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "penalty"), WORKING)
def test_the_ring_with_every_pair_that_works(loss: str, penalty: str) -> None:
    found = measured(learned("points/ring", steps=3000, loss=loss, penalty=penalty))
    assert found["modes"] == 8 and found["quality"] > 0.4 and found["reverse_kl"] < 0.3, found


def test_a_gan_without_a_penalty_loses_modes() -> None:
    """The measure can fail."""
    found = measured(learned("points/ring", steps=400, loss="minimax", penalty="none"))
    assert found["modes"] < 8 or found["quality"] < 0.3


def test_the_autoencoder() -> None:
    """Blurred, but everywhere: each mode holds samples, and the moments are right."""
    samples = learned("points/vae", steps=1500, learning_rate=2e-3)
    centres = torch.from_numpy(MIXTURES["ring"].centres).float()
    distance, mode = torch.cdist(samples, centres).min(1)
    near = distance < 0.15
    assert float(near.float().mean()) > 0.25
    assert int(torch.bincount(mode[near], minlength=8).min()) > 25
    assert frechet(torch.from_numpy(RING.held_out.samples).double(), samples.double()) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", ["points/ring", "points/grid"])
def test_recipes_as_they_are_given(name: str) -> None:
    """With all their defaults, at the number of samples that is theirs."""
    recipe = RECIPES[name]
    split = survey(name.split("/")[1]).prepare((2,))
    with seeded(0, "weights"):
        game = recipe.game(split.facts)
    numbers = {"batch": recipe.batch, "samples": recipe.samples}
    plan = Plan(recipe.optimisers(), average_half_life=recipe.average_half_life, **numbers)
    trainer = Trainer(game, split.train, plan)
    for _ in trainer:
        pass
    with torch.no_grad():
        samples = trainer.average.generate(game.noise(Draw(0, 0, 2500, slice(0, 2500), "judged/")), None)
    found = metrics.measures(samples, None, split, 0)
    assert found["modes"] == len(split.facts.details["modes"]) and found["quality"] > 0.8, found
