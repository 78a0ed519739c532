"""Remedies for findings: they move controls, which can be reverted, roll the run back, or reinitialise weights."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import final

import torch
from torch import nn

from sparring.games.game import Role, controls_named, phase_at
from sparring.randomness import generator as seeded_generator
from sparring.training.trainer import Trainer

RATES, CRITIC_RATES, PUBLISHED_RATES = "rates", "critic rates", "published rates"
"""Stand for the learning rates of all players, of the critics, and of the published players."""
MAX_RATE_FACTOR = 32.0
"""Factor on a learning rate beyond which remedies raise none, all together."""
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""Layers that make a sample's output depend on the others of its batch."""
MAX_REINITIALISATION_STEP = 2000
"""Step from which on weights are not reinitialised: too much would be lost."""


@final
@dataclass(frozen=True)
class Remedy:
    """One thing to try.

    A control's name stands for all controls of the game that have it ("gamma a", "gamma b").

    Args:
        description: what is done, for the user.
        factors: control → factor on its value.
        minimums: control → value to which a lower one is raised.
        enables: controls whose rules apply from now on.
        disables: controls whose rules do not apply any more.
        rolls_back: whether the last good state is restored first.
        reinitialises: roles of the players whose weights are redrawn.
        gain: standard deviation of these weights, relative to He et al. (2015).
        risky: whether it may ruin the run, which is then rolled back to the state before the remedy.
        trial: observations after which it is judged.
    """

    description: str
    factors: Mapping[str, float] = field(default_factory=dict)
    minimums: Mapping[str, float] = field(default_factory=dict)
    enables: tuple[str, ...] = ()
    disables: tuple[str, ...] = ()
    rolls_back: bool = False
    reinitialises: tuple[Role, ...] = ()
    gain: float = 1.0
    risky: bool = False
    trial: int = 6

    def fits(self, trainer: Trainer) -> bool:
        """Return whether it would change anything, and suits the networks."""
        if "gamma" in self.enables and _mixes_samples(trainer):
            return False
        if self.reinitialises:
            # Later too much would be lost: what was learned so far, or in the phase before.
            first_phase = phase_at(trainer.game, trainer.progress.fraction) == 0
            trainable = all(_players(role, trainer) for role in self.reinitialises)
            return trainer.step < MAX_REINITIALISATION_STEP and first_phase and trainable
        if self.rolls_back and not (self.factors or self.minimums or self.enables):
            return True

        # Any other remedy has to move at least one control.
        controls, minimums = trainer.controls, _controls(self.minimums, trainer)
        raises = any(
            controls[one].value < min(self.minimums[name], controls[one].highest) for one, name in minimums.items()
        )
        enables = any(not controls[one].enabled for one in _controls(self.enables, trainer))
        factors = _controls(self.factors, trainer).items()
        moves = any(controls[one].value < limit for one, name in factors if (limit := self._limit(name)))
        return raises or enables or moves or any(self._limit(name) is None for _, name in factors)

    def _limit(self, name: str) -> float | None:
        """Return the bound on what a factor raises; None where there is none."""
        rates = name in (RATES, CRITIC_RATES, PUBLISHED_RATES)
        return MAX_RATE_FACTOR if rates and self.factors[name] > 1 else None

    def moved(self, trainer: Trainer) -> list[str]:
        """Return the names of the controls that it moves."""
        return list(_controls([*self.factors, *self.minimums, *self.enables], trainer))

    def apply(self, trainer: Trainer) -> None:
        """Move the controls, and reinitialise the weights; a control at 0 starts at 1 when its rule is enabled."""
        controls = trainer.controls
        for one, name in _controls(self.factors, trainer).items():
            value, limit = controls[one].value, self._limit(name)
            moved = value * self.factors[name]
            controls[one].set(moved if limit is None else max(value, min(moved, limit)))
        for one, name in _controls(self.minimums, trainer).items():
            controls[one].set(max(controls[one].value, self.minimums[name]))
        for one in _controls(self.enables, trainer):
            controls[one].enabled = True
            controls[one].set(controls[one].value or 1.0)
        for one in _controls(self.disables, trainer):
            controls[one].enabled = False
        for role in self.reinitialises:
            for player in _players(role, trainer):
                reinitialise(trainer, player, self.gain)


SLOW_DOWN = Remedy(
    "learning rates × 1/4, penalties × 2", factors={RATES: 0.25, "gamma": 2.0}, disables=(RATES,), rolls_back=True
)
SLOW_RESTART = replace(
    SLOW_DOWN,
    description="learning rates × 1/4, from where they recover, and penalties × 2",
    enables=(RATES,),
    disables=(),
)
AUTOMATIC_GAMMA = Remedy("automatic γ, which holds the lead at its set point", enables=("gamma",), trial=10)
AUGMENT = Remedy("augmentation of one sample in five", minimums={"augmentation": 0.2})
REMEDIES: Mapping[str, tuple[Remedy, ...]] = {
    "non-finite numbers": (
        SLOW_RESTART,
        Remedy("discriminator reinitialised, at half scale", rolls_back=True, reinitialises=(Role.CRITIC,), gain=0.5),
        SLOW_RESTART,
        SLOW_DOWN,
    ),
    "divergence": (AUTOMATIC_GAMMA, SLOW_DOWN, SLOW_DOWN, SLOW_DOWN, SLOW_DOWN),
    "vanishing gradient": (
        Remedy("all weights reinitialised (He et al. 2015)", reinitialises=(Role.PUBLISHED, Role.CRITIC)),
        AUTOMATIC_GAMMA,
        Remedy("learning rate of the generator × 4", factors={PUBLISHED_RATES: 4.0}, risky=True),
    ),
    "mode collapse": (AUTOMATIC_GAMMA, SLOW_DOWN, SLOW_DOWN),
    "imbalance": (
        AUTOMATIC_GAMMA,
        Remedy("learning rate of the discriminator × 1/2", factors={CRITIC_RATES: 0.5}),
        AUGMENT,
    ),
    "weak discriminator": (
        Remedy(
            "discriminator reinitialised, and automatic γ from a tenth of its value",
            factors={"gamma": 0.1},
            enables=("gamma",),
            reinitialises=(Role.CRITIC,),
            trial=10,
        ),
        Remedy("penalties × 1/4", factors={"gamma": 0.25}),
        Remedy("learning rate of the discriminator × 2", factors={CRITIC_RATES: 2.0}),
    ),
    "discriminator overfitting": (
        AUGMENT,
        Remedy("augmentation of two samples in five, and LeCam", minimums={"augmentation": 0.4, "lecam": 0.3}),
        Remedy("augmentation of three samples in five", minimums={"augmentation": 0.6}),
    ),
    "oscillation": (AUTOMATIC_GAMMA, Remedy("learning rates × 1/2", factors={RATES: 0.5})),
    "stagnation": (Remedy("learning rates × 32", factors={RATES: MAX_RATE_FACTOR}, risky=True, trial=3),),
}
"""Finding → remedies in the order in which they are tried. Other findings are left to the user."""


@torch.no_grad()
def reinitialise(trainer: Trainer, player: str, gain: float = 1.0) -> None:
    """Draw weights as He et al. (2015) do, times ``gain``, and reset all else that the player has learned."""
    network = trainer.game.players[player]
    generator = seeded_generator(trainer.plan.seed, f"anew/{player}", trainer.step)
    for module in network.modules():
        # A value that a transposed convolution writes comes from one in prod(stride) of its weights.
        transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
        strides = module.stride if isinstance(module, transposed) else ()
        for name, weight in module.named_parameters(recurse=False):
            if weight.dim() > 1:
                inputs = weight[:, 0].numel() / math.prod(strides) if strides else weight[0].numel()
                weight.copy_(torch.randn(weight.shape, generator=generator) * gain * (2 / inputs) ** 0.5)
            else:
                weight.fill_(1.0 if name == "weight" else 0.0)  # One-dimensional weights are gains of normalisation.
        if isinstance(module, BATCH_NORM):
            module.reset_running_stats()
    if player in trainer.optimisers:
        trainer.optimisers[player].state.clear()
    if player in trainer.game.published:
        trainer.average.players[player].load_state_dict(network.state_dict())


def keep_adjusted(trainer: Trainer, former: Mapping[str, tuple[float, bool]]) -> None:
    """After a rollback, move controls back to ``former`` positions, unless their rule was and is enabled."""
    for name, (value, enabled) in former.items():
        control = trainer.controls[name]
        if not (enabled and control.enabled):
            control.value, control.enabled = value, enabled


def _mixes_samples(trainer: Trainer) -> bool:
    """Return whether a sample's logit depends on others of its batch, so that ∇D is not that of one sample."""
    critics = [trainer.game.players[name] for name in trainer.game.critics]
    return any(isinstance(layer, BATCH_NORM) for critic in critics for layer in critic.modules())


def _controls(names: Iterable[str], trainer: Trainer) -> dict[str, str]:
    """Return the trainer's controls that the names stand for → the name."""
    game, found = trainer.game, dict[str, str]()
    rates = {RATES: tuple(game.players), CRITIC_RATES: game.critics, PUBLISHED_RATES: game.published}
    for name in names:
        own = [f"{player} rate" for player in rates[name]] if name in rates else controls_named(game, name)
        found |= {control: name for control in own if control in trainer.controls}
    return found


def _players(role: Role, trainer: Trainer) -> list[str]:
    """Return the players of a role that have an optimiser."""
    named = trainer.game.critics if role == Role.CRITIC else trainer.game.published
    return [player for player in named if player in trainer.optimisers]
