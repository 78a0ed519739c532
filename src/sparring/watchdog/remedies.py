"""What the watchdog does about a finding: turn dials, mostly, so that everything can be put back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import final

import torch
from torch import nn

from sparring.games.game import controls_named, phase_at
from sparring.randomness import generator as seeded_generator
from sparring.training.trainer import Trainer

JUDGES, PUBLISHED = "judges", "published"
"""Stand for the players of these roles."""
RATES, JUDGES_RATES, PUBLISHED_RATES = "rates", f"rates of {JUDGES}", f"rates of {PUBLISHED}"
"""Stand for the learning rates of all players, or of those of one role."""


@final
@dataclass(frozen=True)
class Remedy:
    """One thing to try.

    Args:
        says: what is done, in plain words.
        back: whether to go back to the last good state first.
        turns: dial → factor. A dial's name stands for all that the game has of this name ("strength a", "strength b"),
            ``RATES`` and its kin for the learning rates of players.
        sets: dial → value, where it is lower.
        steers: dials that follow their rule from now on.
        stays: dials that do not follow it any more.
        fresh: roles whose players' weights are drawn anew.
        spread: of these weights, that of He et al. (2015) being 1.
        bold: whether it may break a run that is alive: the present state is kept first, to come back to.
        trial: looks after which it is judged.
    """

    says: str
    back: bool = False
    turns: Mapping[str, float] = field(default_factory=dict)
    sets: Mapping[str, float] = field(default_factory=dict)
    steers: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    spread: float = 1.0
    bold: bool = False
    trial: int = 6

    def fits(self, trainer: Trainer) -> bool:
        """Whether it would change anything, and goes together with the networks."""
        if "strength" in self.steers and _mixes_samples(trainer):
            return False
        if self.fresh:
            # Later too much would be lost: what was learned so far, or in the phase before.
            early = trainer.step < FRESH_BEFORE and phase_at(trainer.game, trainer.progress.fraction) == 0
            return early and all(_players(role, trainer) for role in self.fresh)
        controls = trainer.controls
        steered = any(not controls[one].enabled for name in self.steers for one in _called(name, trainer))
        turned = any(_called(name, trainer) for name in self.turns)
        raised = any(
            controls[one].value < min(value, controls[one].highest)
            for name, value in self.sets.items()
            for one in _called(name, trainer)
        )
        return steered or turned or raised or (self.back and not self.steers and not self.turns and not self.sets)

    def touched(self, trainer: Trainer) -> list[str]:
        """The dials that it turns."""
        return [one for name in (*self.turns, *self.sets, *self.steers) for one in _called(name, trainer)]

    def apply(self, trainer: Trainer) -> None:
        """Turn the dials, or draw the weights anew."""
        controls = trainer.controls
        for name, factor in self.turns.items():
            for one in _called(name, trainer):
                controls[one].set(controls[one].value * factor)
        for name, value in self.sets.items():
            for one in _called(name, trainer):
                controls[one].set(max(controls[one].value, value))
        for name in self.steers:
            for one in _called(name, trainer):
                controls[one].enabled = True
                controls[one].set(controls[one].value or 1.0)
        for name in self.stays:
            for one in _called(name, trainer):
                controls[one].enabled = False
        for role in self.fresh:
            for player in _players(role, trainer):
                draw_anew(trainer, player, self.spread)


BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""Layers by which what becomes of a sample depends on the others of its batch."""
FRESH_BEFORE = 2000
"""Steps after which weights are not drawn anew: too much would be lost."""

SLOWER = Remedy(
    "rates to a quarter, penalties twice as strong", back=True, turns={RATES: 0.25, "strength": 2.0}, stays=(RATES,)
)
RISING = replace(
    SLOWER, says="rates to a quarter, from where they rise again, penalties twice as strong", steers=(RATES,), stays=()
)
STEADIER = Remedy("γ is found from now on, by holding the lead at its set point", steers=("strength",), trial=10)
REMEDIES: Mapping[str, tuple[Remedy, ...]] = {
    "non-finite numbers": (
        RISING,
        Remedy("the discriminator's weights are drawn anew, half as large", back=True, fresh=(JUDGES,), spread=0.5),
        RISING,
        SLOWER,
    ),
    "divergence": (STEADIER, SLOWER, SLOWER, SLOWER, SLOWER),
    "vanishing gradient": (
        Remedy("all weights are drawn anew, as He et al. (2015) do", fresh=(PUBLISHED, JUDGES)),
        STEADIER,
        Remedy("the generator's rate four times as high", turns={PUBLISHED_RATES: 4.0}, bold=True),
    ),
    "mode collapse": (STEADIER, SLOWER, SLOWER),
    "imbalance": (
        STEADIER,
        Remedy("the discriminator's rate is halved", turns={JUDGES_RATES: 0.5}),
        Remedy("samples are augmented before they are judged", sets={"augmentation": 0.2}),
    ),
    "weak discriminator": (
        Remedy(
            "the discriminator's weights are drawn anew, and γ is found from now on, from a tenth of what it was",
            turns={"strength": 0.1},
            steers=("strength",),
            fresh=(JUDGES,),
            trial=10,
        ),
        Remedy("penalties a quarter as strong", turns={"strength": 0.25}),
        Remedy("the discriminator's rate is doubled", turns={JUDGES_RATES: 2.0}),
    ),
    "discriminator overfitting": (
        Remedy("samples are augmented before they are judged, one in five", sets={"augmentation": 0.2}),
        Remedy(
            "two in five are augmented, and the scores are held together (LeCam)",
            sets={"augmentation": 0.4, "lecam": 0.3},
        ),
        Remedy("three in five are augmented", sets={"augmentation": 0.6}),
    ),
    "oscillation": (STEADIER, Remedy("rates are halved", turns={RATES: 0.5})),
    "stagnation": (
        Remedy("rates 64 times as high", turns={RATES: 64.0}, bold=True, trial=3),
        Remedy("rates four times as high", turns={RATES: 4.0}, bold=True, trial=3),
    ),
}
"""Finding → what is tried, one after the other. What is not here, a person has to mend."""


@torch.no_grad()
def draw_anew(trainer: Trainer, player: str, spread: float = 1.0) -> None:
    """Weights of ``spread`` times what He et al. (2015) take, biases zero, and no gradient so far remembered."""
    network = trainer.game.players[player]
    generator = seeded_generator(trainer.plan.seed, f"anew/{player}", trainer.step)
    for module in network.modules():
        _begin_anew(module, spread, generator)
    if player in trainer.optimisers:
        trainer.optimisers[player].state.clear()
    if player in trainer.game.published:
        trainer.average.players[player].load_state_dict(network.state_dict())


def _begin_anew(module: nn.Module, spread: float, generator: torch.Generator) -> None:
    """The weights of one layer, those of layers within it excepted; running statistics are forgotten."""
    # Each value that a transposed convolution paints comes from one in so many of its weights.
    strides = module.stride if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d) else ()
    for name, weight in module.named_parameters(recurse=False):
        if weight.dim() > 1:
            inputs = weight[:, 0].numel() / math.prod(strides) if strides else weight[0].numel()
            weight.copy_(torch.randn(weight.shape, generator=generator) * spread * (2 / inputs) ** 0.5)
        else:
            weight.fill_(1.0 if name == "weight" else 0.0)  # One-dimensional weights are gains of normalisation.
    if isinstance(module, BATCH_NORM):
        module.reset_running_stats()


def _mixes_samples(trainer: Trainer) -> bool:
    """Whether the score of a sample depends on the others of its batch, so that its slope is not that of a function."""
    critics = [trainer.game.players[name] for name in trainer.game.critics]
    return any(isinstance(layer, BATCH_NORM) for judge in critics for layer in judge.modules())


def keep_turned(trainer: Trainer, controls: Mapping[str, tuple[float, bool]]) -> None:
    """After going back: dials that follow a rule go on from there; what the watchdog turned since stays turned."""
    for name, (value, enabled) in controls.items():
        control = trainer.controls[name]
        if not (enabled and control.enabled):
            control.value, control.enabled = value, enabled


def _called(name: str, trainer: Trainer) -> list[str]:
    """The trainer's dials that ``name`` stands for; none where its game has no such dial."""
    game = trainer.game
    rates = {RATES: tuple(game.players), JUDGES_RATES: game.critics, PUBLISHED_RATES: game.published}
    if name in rates:
        return [f"{player} rate" for player in rates[name] if f"{player} rate" in trainer.controls]
    return controls_named(game, name)


def _players(role: str, trainer: Trainer) -> list[str]:
    """The players of a role that learn by an optimiser."""
    named = {JUDGES: trainer.game.critics, PUBLISHED: trainer.game.published}[role]
    return [player for player in named if player in trainer.optimisers]
