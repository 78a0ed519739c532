"""A duel with an objective: the reward network, the loss of the generator in both phases, and the roles."""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset
from sparring.flow import Batch, Progress, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Role, TakesData, roles
from sparring.games.rewarded import Rewarded
from sparring.layers.dense import Dense
from sparring.randomness import seeded
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

Make = Callable[..., Duel]
At = Callable[..., Progress]


class Reward(nn.Module):
    """A logit for each point."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(2, 16, 1)

    def forward(self, sample: Tensor) -> Verdict:
        return Verdict([self.layers(sample)[:, 0]], [])


class Rightness:
    """1 right of the vertical axis and 0 left of it, which has no gradient."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, sample: Tensor) -> Tensor:
        return (sample[:, 0] > 0).float()

    def take_data(self, batches: Iterable[Batch]) -> None:
        self.taken = sum(len(batch.real) for batch in batches)


@pytest.fixture
def game(tiny_duel: Make) -> Rewarded:
    with seeded(1, "weights"):
        return Rewarded(tiny_duel(loss="wasserstein"), Reward(), score=Rightness(), share=0.25, duel_until=0.5)


@pytest.fixture
def batch() -> Batch:
    """Eight points."""
    return Batch(torch.linspace(-1, 1, 16).view(8, 2))


def test_the_reward_network_learns_the_objective_of_real_and_generated_samples(
    game: Rewarded, batch: Batch, progress: At
) -> None:
    now, network = progress(8), game.players["reward"]
    fake = game.generate(game.latent(now.random), None)
    true = [(side[:, 0] > 0).float() for side in (batch.real, fake)]
    found = [network(side).logits[0].sigmoid() for side in (batch.real, fake)]
    objective = game.reward_objective(batch, now)
    expected = sum((one - other).square().mean() for one, other in zip(found, true, strict=True))
    torch.testing.assert_close(objective.terms["error"], expected)
    assert objective.notes["real"] == true[0].mean() and objective.notes["generated"] == true[1].mean()


@pytest.mark.parametrize(("fraction", "share"), [(0.4, 1.0), (0.6, 0.25)])
def test_the_generator_mixes_the_duel_and_the_reward_in_the_second_phase(
    game: Rewarded, batch: Batch, progress: At, fraction: float, share: float
) -> None:
    now = progress(8, fraction=fraction)
    fake = game.generate(game.latent(now.random), None)
    terms = game.generator_objective(batch, now).terms
    critic = game.players["discriminator"]
    torch.testing.assert_close(terms["adversarial"], -share * critic(fake).logits[0].mean())
    if share == 1:
        assert list(terms) == ["adversarial"]
    else:
        value = game.players["reward"](fake).logits[0].sigmoid().mean()
        torch.testing.assert_close(terms["reward"], -(1 - share) * value)


def test_the_reward_network_is_no_critic_and_is_not_published(game: Rewarded, progress: At) -> None:
    assert roles(game, progress(8)) == {
        "discriminator": Role.CRITIC,
        "reward": Role.OTHER,
        "generator": Role.PUBLISHED,
    }


def test_samples_move_to_where_the_objective_is_high(game: Rewarded, blob: Dataset, plan: Callable[..., Plan]) -> None:
    left = Dataset(blob.samples - 1.0)  # Half of the points are right of the axis.
    trainer = Trainer(game, left, plan(players=("generator", "discriminator", "reward"), rate=1e-2, samples=6400))
    for _ in trainer:
        pass
    assert isinstance(game, TakesData) and game.score.taken == len(left)
    with torch.no_grad():
        samples = trainer.average.generate(torch.randn(500, 4), None)
    assert game.score(samples).mean() > 0.9
