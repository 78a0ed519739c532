"""Policy gradients: rewards reach the tokens that earn them."""

from typing import Any

import pytest
import torch
from torch import nn

from sparring.data.dataset import Dataset
from sparring.flow import Batch, Progress
from sparring.games.policy import PerToken, Policy, Rollouts, Whole, probability_of_real, with_objective
from sparring.layers.tokens.critics import ConvolutionalCritic, RecurrentCritic
from sparring.layers.tokens.lstm import LSTMPredictor
from sparring.objectives.schedules import constant
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Adam
from sparring.tokens import no_prompt
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

LENGTH, VOCABULARY = 4, 6


def game(rewards: Any, **fields: Any) -> Policy:
    with seeded(0, "weights"):
        player = LSTMPredictor(vocabulary=VOCABULARY, length=LENGTH, has_end=False, embedding=8, width=16)
        per_token = isinstance(rewards, PerToken)
        critic: nn.Module = (
            RecurrentCritic(vocabulary=VOCABULARY, width=8)
            if per_token
            else ConvolutionalCritic(vocabulary=VOCABULARY, filters={1: 8, 2: 8})
        )
    numbers = {"mean_tokens": float(LENGTH), "likelihood_until": 0.0, "discriminator_until": 0.0, **fields}
    return Policy(player, critic, rewards=rewards, **numbers)


def count_of_threes(critic: Any) -> Any:
    return lambda tokens, prompt: (tokens == 3).float().mean(-1)


def test_the_generator_learns_what_is_rewarded() -> None:
    """A reward of its own, the share of one token: it rises from a quarter to nearly all."""
    played = game(Rollouts(4, count_of_threes), discriminator_turns=0)
    adam = Adam(constant(0.01), 0.9, constant(0.999))
    plan = Plan({"generator": adam, "discriminator": adam}, 32, 32 * 120, average_half_life=lambda samples: 64)
    data = Dataset(torch.full((64, LENGTH), 2).numpy(), read=lambda stored, random: Batch(stored.real))
    list(Trainer(played, data, plan))
    made = played.generate(played.latent(RandomStream(0, 0, 200, slice(0, 200))), no_prompt(200, LENGTH))
    assert float((made == 3).float().mean()) > 0.9


def test_rollouts_reward_a_token_by_what_follows_it() -> None:
    played = game(Rollouts(64, count_of_threes))
    tokens = torch.tensor([[3, 3, 3, 3], [2, 2, 2, 2]])
    random = RandomStream(0, 0, 2, slice(0, 2))
    rewards = played.rewards(played.player, played.players["discriminator"], tokens, no_prompt(2, LENGTH), random)
    assert (rewards[0].diff() > 0).all() and (rewards[1].diff() < 0).all()
    assert rewards[:, -1].tolist() == [1.0, 0.0]


def test_an_objective_is_mixed_with_the_discriminator() -> None:
    """R = λ D + (1 − λ) O, for every draw: with λ = 0 it is the objective, with λ = 1 the discriminator."""
    critic = game(Whole()).players["discriminator"].eval()
    tokens, prompt = torch.randint(2, VOCABULARY, (3, 5, LENGTH)), no_prompt(5, LENGTH)
    of = {weight: with_objective(count_of_threes(None), weight)(critic)(tokens, prompt) for weight in (0.0, 0.3, 1.0)}
    assert of[0.3].shape == (3, 5)
    torch.testing.assert_close(of[0.0], probability_of_real(critic)(tokens, prompt))
    torch.testing.assert_close(of[1.0], (tokens == 3).float().mean(-1))
    torch.testing.assert_close(of[0.3], 0.7 * of[0.0] + 0.3 * of[1.0])


def test_rollouts_keep_the_sequences_of_a_draw_together() -> None:
    """Rewards may compare sequences of one batch: each draw has one completion of every row."""
    seen = list[torch.Tensor]()

    def distinct(critic: Any) -> Any:
        def reward(tokens: torch.Tensor, prompt: Any) -> torch.Tensor:
            seen.extend(tokens)
            return torch.ones(tokens.shape[:2])

        return reward

    played, tokens = game(Rollouts(3, distinct)), torch.tensor([[2, 3, 4, 5], [5, 4, 3, 2]])
    random = RandomStream(0, 0, 2, slice(0, 2))
    played.rewards(played.player, played.players["discriminator"], tokens, no_prompt(2, LENGTH), random)
    assert len(seen) == 3 * (LENGTH - 1) + 1
    assert all(draw[:, 0].tolist() == [2, 5] for draw in seen)


def test_a_reward_of_the_whole_goes_to_every_token() -> None:
    played = game(Whole(count_of_threes))
    tokens = torch.tensor([[3, 3, 2, 3], [2, 2, 2, 2]])
    rewards = played.rewards(played.player, played.players["discriminator"], tokens, no_prompt(2, LENGTH), None)
    assert rewards.tolist() == [[0.75] * LENGTH, [0.0] * LENGTH]


def test_the_training_data_is_taken_before_the_first_step() -> None:
    taken = list[torch.Tensor]()
    played = game(Whole(), on_data=lambda batches: taken.extend(batch.real for batch in batches))
    adam = Adam(constant(0.01), 0.9, constant(0.999))
    plan = Plan({"generator": adam, "discriminator": adam}, 2, 2, average_half_life=lambda samples: 64)
    rows = torch.randint(2, VOCABULARY, (5, LENGTH))
    Trainer(played, Dataset(rows.numpy(), read=lambda stored, random: Batch(stored.real)), plan)
    assert torch.equal(torch.cat(taken), rows)


def test_rewards_of_tokens_are_discounted_sums() -> None:
    class Sure(nn.Module):
        def forward(self, sample: torch.Tensor, condition: Any = None) -> Any:
            return type("Verdict", (), {"logits": [torch.where(sample == 3, 100.0, -100.0)]})

    tokens = torch.tensor([[3, 2, 3, 3]])
    found = PerToken(0.5)(game(PerToken(0.5)).player, Sure(), tokens, no_prompt(1, LENGTH), None)
    assert found.tolist() == [[0.875, -0.25, 1.5, 1.0]]


@pytest.mark.parametrize("rewards", [Rollouts(2), Whole(), PerToken(0.3)])
def test_micro_batches_give_the_gradient_of_the_whole_batch(rewards: Any) -> None:
    played = game(rewards)
    played.players["discriminator"].eval()
    parameters = list(played.players["generator"].parameters())
    found = []
    for parts in ([slice(0, 8)], [slice(0, 4), slice(4, 8)]):
        total = [torch.zeros_like(one) for one in parameters]
        for rows in parts:
            progress = Progress(0, 0, 1.0, RandomStream(0, 0, 8, rows))
            size = rows.stop - rows.start
            batch = Batch(torch.full((size, LENGTH), 2), no_prompt(size, LENGTH))
            loss = sum(played.policy_objective(batch, progress).terms.values()) * size / 8
            total = [a + b for a, b in zip(total, torch.autograd.grad(loss, parameters), strict=True)]
        found.append(torch.cat([one.flatten() for one in total]))
    torch.testing.assert_close(found[0], found[1], atol=1e-6, rtol=1e-4)


def test_phases_follow_the_budget() -> None:
    played = game(Rollouts(2), likelihood_until=0.5, discriminator_until=0.6)
    random = RandomStream(0, 0, 2, slice(0, 2))
    turns = [[turn.name for turn in played.turns(Progress(0, 0, at, random))] for at in (0.0, 0.55, 0.7, 1.0)]
    assert turns == [["generator"], ["discriminator"], ["generator", "discriminator"], ["generator", "discriminator"]]
    assert [phase.name for phase in played.phases] == ["maximum likelihood", "discriminator alone", "policy gradients"]
