"""Exponential moving averages of the published players: these are evaluated, sampled from and published."""

import copy

import torch
from torch import nn

from sparring.games.game import Game


def ema_copy(game: Game) -> Game:
    """Return a copy of the game whose published players will hold the moving averages."""
    average = copy.deepcopy(game)
    for player in average.players.values():
        player.eval().requires_grad_(False)
    return average


@torch.no_grad()
def update_ema(average: nn.Module, player: nn.Module, decay: float) -> None:
    """Update θ̄ ← decay θ̄ + (1 - decay) θ, for weights and running statistics; counters are copied."""
    slow = [*average.parameters(), *average.buffers()]
    fast = [*player.parameters(), *player.buffers()]
    floating = [(a, b) for a, b in zip(slow, fast, strict=True) if a.is_floating_point()]
    if floating:
        torch._foreach_lerp_([a for a, _ in floating], [b for _, b in floating], 1 - decay)
    for a, b in zip(slow, fast, strict=True):
        if not a.is_floating_point():
            a.copy_(b)


@torch.no_grad()
def copy_into(average: nn.Module, player: nn.Module) -> None:
    """Copy θ̄ ← θ, for a player without an optimiser: its statistics and counters are published as they are."""
    slow = [*average.parameters(), *average.buffers()]
    fast = [*player.parameters(), *player.buffers()]
    for a, b in zip(slow, fast, strict=True):
        a.copy_(b)


def decay_of(half_life: float, samples: int) -> float:
    """Return the decay per step at which a weight counts half after ``half_life`` samples (Karras et al. 2018)."""
    return 0.5 ** (samples / half_life) if half_life > 0 else 0.0
