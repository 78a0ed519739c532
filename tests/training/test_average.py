"""Averages of the players' weights."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from sparring.games.duel import Duel
from sparring.training.average import copy_into, decay_of, ema_copy, update_ema


def test_the_average_moves_halfway_within_the_half_life() -> None:
    player, average = nn.Linear(2, 2), nn.Linear(2, 2)
    nn.init.zeros_(average.weight)
    nn.init.ones_(player.weight)
    for _ in range(25):
        update_ema(average, player, decay_of(half_life=100, samples=4))
    torch.testing.assert_close(average.weight.detach(), torch.full((2, 2), 0.5))


def test_the_decay_does_not_depend_on_the_batch() -> None:
    assert decay_of(1000, 64) ** 2 == pytest.approx(decay_of(1000, 128))


def test_a_half_life_of_zero_makes_the_average_equal_to_the_player() -> None:
    player, average = nn.Linear(2, 2), nn.Linear(2, 2)
    update_ema(average, player, decay_of(0.0, 64))
    assert torch.equal(average.weight, player.weight)


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    player, average = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    player(torch.randn(8, 2) + 3)
    update_ema(average, player, 0.5)
    torch.testing.assert_close(average.running_mean, player.running_mean / 2)
    assert average.num_batches_tracked == player.num_batches_tracked == 1


def test_a_player_without_floating_point_numbers_can_be_averaged() -> None:
    player, average = nn.Module(), nn.Module()
    player.register_buffer("count", torch.tensor(3))
    average.register_buffer("count", torch.tensor(0))
    update_ema(average, player, 0.5)
    update_ema(nn.Identity(), nn.Identity(), 0.5)
    assert average.count == 3


def test_mirror_copies_exactly_even_where_numbers_are_not_finite() -> None:
    player, average = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    player(torch.randn(8, 2) + 3)
    player.running_mean[0] = torch.inf
    copy_into(average, player)
    for one, other in zip(average.state_dict().values(), player.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_follower_is_a_copy_that_does_not_train(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    average = ema_copy(game)
    for name, player in game.players.items():
        copy = average.players[name]
        assert copy is not player and not copy.training and player.training
        assert not any(weight.requires_grad for weight in copy.parameters())
        assert all(torch.equal(one, other) for one, other in zip(copy.parameters(), player.parameters(), strict=True))
