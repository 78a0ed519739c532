"""A stopped and resumed run equals an uninterrupted one in every tensor, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.games.duel import Duel
from sparring.games.likelihood import Likelihood, Normal
from sparring.modalities.points.networks.dense import Autoencoder
from sparring.objectives.penalties import finite_r1, gradient_penalty, r1, sparse
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.randomness import seeded
from sparring.recipes import RECIPES
from sparring.training.checkpoint import load_checkpoint, restore, save_checkpoint, take
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from toys.small_recipes import small, toy

PENALTIES = {"r1": Weighted(r1, cosine(1.0, 0.1)), "gp": Weighted(gradient_penalty, constant(0.3))}
GAMES: dict[str, dict[str, Any]] = {
    "duel": {},
    "penalties": {"penalties": PENALTIES},
    "random directions": {"penalties": {"r1": Weighted(sparse(finite_r1(), 2), constant(1.0))}},
    "two turns of the discriminator": {"discriminator_turns": 2, "penalties": PENALTIES},
}


def likelihood(seed: int = 0) -> Likelihood:
    with seeded(seed, "weights"):
        player = Autoencoder(dimensions=2, latent_size=3, width=8)
    return Likelihood(player, latent_size=3, observation=Normal(0.1), divergence_weight=constant(1.0))


def assert_same(one: Trainer, other: Trainer) -> None:
    left, right = take(one), take(other)
    assert {**left.state, "seconds": 0} == {**right.state, "seconds": 0}
    for before, after in ((left.players, right.players), (left.optimisers, right.optimisers)):
        assert before.keys() == after.keys() and before
        assert all(torch.equal(before[name], after[name]) for name in before)


def check(make: Callable[[], Trainer], folder: Path, *, steps: int) -> None:
    """Compare ``steps`` steps in a row with the same steps interrupted twice by a checkpoint and a new trainer."""
    whole, stopped = make(), make()
    for _ in range(steps):
        whole.advance()
    for part in (steps // 3, steps // 3, steps - 2 * (steps // 3)):
        for _ in range(part):
            stopped.advance()
        save_checkpoint(folder, stopped)
        stopped = make()
        snapshot, _, complaints = load_checkpoint(folder)
        assert not complaints
        restore(stopped, snapshot)
    assert_same(whole, stopped)


@pytest.mark.parametrize("micro_batch", [None, 5])
@pytest.mark.parametrize("game", GAMES)
def test_duels_resume_bit_for_bit(
    game: str,
    micro_batch: int | None,
    tiny_duel: Callable[..., Duel],
    blob: Dataset,
    plan: Callable[..., Plan],
    tmp_path: Path,
) -> None:
    """There are 200 samples in batches of 32, so every stop falls within an epoch."""
    numbers = plan(samples=10_000, micro_batch=micro_batch)
    check(lambda: Trainer(tiny_duel(**GAMES[game]), blob, numbers), tmp_path, steps=13)


@pytest.mark.parametrize("micro_batch", [None, 5])
def test_the_vae_resumes_bit_for_bit(
    micro_batch: int | None, blob: Dataset, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    numbers = plan(players=("autoencoder",), samples=10_000, micro_batch=micro_batch)
    check(lambda: Trainer(likelihood(), blob, numbers), tmp_path, steps=13)


def test_networks_with_batch_norm_and_dropout_resume_bit_for_bit(
    blob: Dataset, plan: Callable[..., Plan], tiny_duel: Callable[..., Duel], tmp_path: Path
) -> None:
    """Running statistics are part of the checkpoint; the masks of dropout follow from the step."""

    def make() -> Trainer:
        duel = tiny_duel(loss="hinge")
        generator = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(), torch.nn.Linear(8, 2)
        )
        with seeded(1, "weights"):
            for layer in (generator[0], generator[3]):
                layer.reset_parameters()

        class Layers(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = generator

            def forward(self, latent: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
                return self.layers(latent)

        game = Duel(Layers(), duel.players["discriminator"], prior=duel.prior, loss=duel.loss)
        return Trainer(game, blob, plan(samples=10_000))

    check(make, tmp_path, steps=9)


@pytest.mark.parametrize("micro_batch", [None, 3])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_resumes_bit_for_bit(name: str, micro_batch: int | None, tmp_path: Path) -> None:
    """Batches of 8 samples of 64, with the masks, partners and pools that the recipe has."""
    recipe = small(name, batch=8)
    facts, data = toy(recipe)
    numbers = Plan(recipe.optimisers(), recipe.batch, 10_000, micro_batch=micro_batch)

    def make() -> Trainer:
        with seeded(0, "weights"):
            return Trainer(recipe.game(facts), data, numbers)

    check(make, tmp_path, steps=6)


def test_optimiser_moments_keep_their_channels_last_layout(plan: Callable[..., Plan], tmp_path: Path) -> None:
    """Moments need the channels-last layout of their convolutions: another order of summation gives other bits."""
    import numpy as np

    from sparring.modalities.images.networks.autoencoder import Autoencoder as Convolutions

    images = Dataset(np.random.default_rng(0).integers(0, 256, size=(40, 3, 8, 8), dtype=np.uint8))

    def make() -> Trainer:
        with seeded(0, "weights"):
            player = Convolutions(size=(8, 8), channels=3, latent_size=4, width=8)
        game = Likelihood(player, latent_size=4, observation=Normal(0.3), divergence_weight=constant(1.0))
        return Trainer(game, images, plan(players=("autoencoder",), batch=16, samples=10_000))

    check(make, tmp_path, steps=9)
