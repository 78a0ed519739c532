"""Objectives of the game of TimeGAN in its three phases."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sparring.flow import Batch, Progress, Verdict
from sparring.games.embedded import Embedded, Networks, distance_in_moments
from sparring.games.priors import uniform

At = Callable[..., Progress]


class Times(nn.Module):
    """Multiplies by a weight."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, values: Tensor, condition: Any = None) -> Tensor:
        return self.factor * values.unflatten(1, (3, -1)) if values.dim() == 2 else self.factor * values


class FirstNumber(Times):
    """Has the first number of each step as its logit."""

    def forward(self, values: Tensor, condition: Any = None) -> Verdict:
        return Verdict([self.factor * values[..., 0]], [])


@pytest.fixture
def game() -> Embedded:
    """Codes are half of the samples, recovered exactly; the supervisor adds a fifth."""
    players = Networks(Times(0.5), Times(2.0), Times(1.0), Times(1.2), FirstNumber(1.0))
    return Embedded(players, prior=uniform(6))


@pytest.fixture
def batch() -> Batch:
    return Batch(torch.linspace(0, 1, 24).view(4, 3, 2))


def test_the_autoencoder_minimises_ten_roots_of_the_squared_error(game: Embedded, batch: Batch, progress: At) -> None:
    terms = game.reconstruction_objective(batch, progress(4)).terms
    assert list(terms) == ["reconstruction"] and terms["reconstruction"].item() < 0.01
    game.players["recovery"].factor.data.fill_(1.0)
    found = game.reconstruction_objective(batch, progress(4)).terms["reconstruction"].item()
    assert found == pytest.approx(10 * float((batch.real / 2).square().mean().sqrt()), rel=1e-4)


def test_the_supervisor_predicts_the_next_code(game: Embedded, batch: Batch, progress: At) -> None:
    codes = batch.real / 2
    expected = (1.2 * codes[:, :-1] - codes[:, 1:]).square().mean()
    torch.testing.assert_close(game.supervised_objective(batch, progress(4)).terms["supervised"], expected)
    joint = game.autoencoder_objective(batch, progress(4)).terms
    torch.testing.assert_close(joint["supervised"], 0.1 * expected)
    assert set(joint) == {"reconstruction", "supervised"}


def test_samples_of_one_step_have_no_supervised_loss(game: Embedded, progress: At) -> None:
    terms = game.supervised_objective(Batch(torch.ones(4, 1, 2)), progress(4)).terms
    assert terms["supervised"].item() == 0


def test_the_generator_minimises_contest_supervision_and_moments(game: Embedded, batch: Batch, progress: At) -> None:
    now = progress(4)
    first = game.latent(now.random).unflatten(1, (3, 2))
    second, codes = 1.2 * first, batch.real / 2
    terms = game.generator_objective(batch, now).terms
    torch.testing.assert_close(terms["adversarial"], softplus(-second[..., 0]).mean())
    torch.testing.assert_close(terms["unsupervised"], softplus(-first[..., 0]).mean())
    expected = 100 * (1.2 * codes[:, :-1] - codes[:, 1:]).square().mean().sqrt()
    torch.testing.assert_close(terms["supervised"], expected, rtol=1e-3, atol=0)
    torch.testing.assert_close(terms["moments"], 100 * distance_in_moments(batch.real, 2 * second))


def test_the_discriminator_judges_codes_with_and_without_the_supervisor(
    game: Embedded, batch: Batch, progress: At
) -> None:
    now = progress(4)
    first = game.latent(now.random).unflatten(1, (3, 2))
    objective = game.discriminator_objective(batch, now)
    real = softplus(-batch.real[..., 0] / 2).mean()
    torch.testing.assert_close(objective.terms["adversarial"], real + softplus(1.2 * first[..., 0]).mean())
    torch.testing.assert_close(objective.terms["unsupervised"], softplus(first[..., 0]).mean())
    assert {"lead", "overlap", "paired"} <= set(objective.notes)


def test_each_turn_gives_gradients_to_its_players_alone(game: Embedded, batch: Batch, progress: At) -> None:
    for turn in game.turns(progress(4, fraction=0.9)):
        for name, player in game.players.items():
            player.requires_grad_(name in turn.trained)
            player.factor.grad = None
        sum(turn.objective(batch, progress(4)).terms.values()).backward()
        assert {name for name, player in game.players.items() if player.factor.grad is not None} == set(turn.trained)


def test_phases_follow_one_another(game: Embedded, progress: At) -> None:
    turns = [[(turn.name, turn.times) for turn in game.turns(progress(4, fraction=at))] for at in (0, 0.3, 0.7)]
    assert turns == [
        [("autoencoder", 1)],
        [("supervisor", 1)],
        [("generator", 2), ("autoencoder", 2), ("discriminator", 1)],
    ]


def test_samples_pass_generator_supervisor_and_recovery(game: Embedded, batch: Batch) -> None:
    latent = torch.ones(4, 6)
    torch.testing.assert_close(game.generate(latent, None), torch.full((4, 3, 2), 2.4))
    torch.testing.assert_close(game.opinion(batch).score, (batch.real[..., 0] / 2).mean(1))
