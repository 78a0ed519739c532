"""The ring of eight Gaussians is learned by every working pair of loss and penalty, and by the VAE.

Other pairs are left out because they fail here: without a penalty or with clipped weights a generator this small
collapses to one or two modes, and R1 alone and DRAGAN smooth the discriminator near real samples only.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.metrics.distances import frechet
from sparring.modalities.points import metrics
from sparring.modalities.points.data import MIXTURES, survey
from sparring.objectives.losses import LOSSES
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES

Learned = Callable[..., torch.Tensor]

SMALL = {"batch": 128, "width": 64, "latent_size": 4, "learning_rate": 3e-3}
PENALTIES = ("r1+r2", "finite r1+r2", "gradient penalty")
WORKING = [(loss, penalty) for loss in LOSSES for penalty in PENALTIES]
STEPS = {("least_squares", "r1+r2"): 2500}
"""Steps of pairs that balance the modes late, because their γ is fixed; the others take 1,500."""
FAST = [
    ("relativistic", "r1+r2", 500),
    ("non_saturating", "finite r1+r2", 800),
    ("wasserstein", "gradient penalty", 500),
]
"""Pairs, and the steps in which each learns the ring."""
RING = survey("ring").prepare(View((2,)))


def small(name: str, **fields: Any) -> Recipe:
    places = {"places": 100} if name == "points/ring" else {}
    return with_fields(RECIPES[name], {**SMALL, **places, **fields})


def measured(samples: torch.Tensor, split: Split = RING) -> Mapping[str, float]:
    return metrics.measures(samples, split)


@pytest.mark.parametrize(("loss", "penalty", "steps"), FAST)
def test_fast_pairs_learn_the_ring(loss: str, penalty: str, steps: int, learned: Learned) -> None:
    found = measured(learned(small("points/ring", loss=loss, penalty=penalty), RING, steps))
    assert found["modes"] == 8 and found["quality"] > 0.8 and found["reverse_kl"] < 0.1, found


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "penalty"), WORKING)
def test_every_working_pair_learns_the_ring(loss: str, penalty: str, learned: Learned) -> None:
    found = measured(learned(small("points/ring", loss=loss, penalty=penalty), RING, STEPS.get((loss, penalty), 1500)))
    assert found["modes"] == 8 and found["quality"] > 0.7 and found["reverse_kl"] < 0.15, found


def test_a_gan_without_a_penalty_loses_modes(learned: Learned) -> None:
    """So the criterion of these tests can fail."""
    found = measured(learned(small("points/ring", loss="minimax", penalty="none"), RING, 400))
    assert found["modes"] < 8 or found["quality"] < 0.3


@pytest.mark.slow
def test_packing_keeps_all_modes_without_a_penalty(learned: Learned) -> None:
    """With packs of four, samples are spread over all modes; without packing, some modes have nearly none."""
    centres = torch.from_numpy(MIXTURES["ring"].centres).float()

    def smallest_share(packing: int) -> float:
        fields = {"loss": "non_saturating", "penalty": "none", "places": 0, "packing": packing}
        samples = learned(small("points/ring", **fields), RING, 800, seed=1)
        nearest = torch.cdist(samples, centres).argmin(1)
        return int(torch.bincount(nearest, minlength=8).min()) / len(samples)

    assert smallest_share(1) < 0.03 and smallest_share(4) > 0.06


def test_the_vae_covers_every_mode_of_the_ring(learned: Learned) -> None:
    """Its samples are blurry, but every mode has some and the moments match."""
    samples = learned(small("points/vae", learning_rate=2e-3), RING, 1500)
    centres = torch.from_numpy(MIXTURES["ring"].centres).float()
    distance, mode = torch.cdist(samples, centres).min(1)
    near = distance < 0.15
    assert float(near.float().mean()) > 0.25
    assert int(torch.bincount(mode[near], minlength=8).min()) > 25
    assert frechet(torch.from_numpy(RING.held_out.samples).double(), samples.double()) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("data", list(MIXTURES))
def test_the_default_recipe_learns_every_mixture(data: str, learned: Learned) -> None:
    """All its fields are defaults; a perfect sampler has a quality of 0.989."""
    recipe, split = RECIPES["points/ring"], survey(data).prepare(View((2,)))
    found = measured(learned(recipe, split, recipe.samples // recipe.batch), split)
    assert found["modes"] == len(split.facts.details["modes"]) and found["quality"] > 0.97, found
