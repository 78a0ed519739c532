"""Each remedy turns what it says, and what it turned can be put back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.games.duel import Duel
from sparring.games.likelihood import Likelihood
from sparring.games.priors import normal
from sparring.modalities.points.networks.dense import Autoencoder
from sparring.objectives.balance import automatic
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant
from sparring.training.trainer import Trainer
from sparring.watchdog.findings import RULES
from sparring.watchdog.remedies import FRESH_BEFORE, RATES, REMEDIES, Remedy, dials_of, draw_anew, put_back
from sparring.watchdog.signals import Observer

Make = Callable[..., Any]
PENALTIES = {"r1": Weighted(r1, constant(1.0)), "r2": Weighted(r2, constant(1.0))}
ALL = [pytest.param(one, id=f"{name} {place}") for name, tried in REMEDIES.items() for place, one in enumerate(tried)]


@pytest.fixture
def trainer(tiny_duel: Make, observed: Callable[..., Observer]) -> Trainer:
    """Of a duel with penalties of a fixed strength, and with an augmentation that does nothing."""
    return observed(tiny_duel(penalties=PENALTIES, augment=lambda sample, probability, draw: sample)).trainer


def values(trainer: Trainer) -> dict[str, float]:
    return {name: dial.value for name, dial in trainer.dials.items()}


def test_every_remedy_is_against_something_that_can_be_found() -> None:
    assert set(REMEDIES) <= {rule.name for rule in RULES}


@pytest.mark.parametrize("remedy", ALL)
def test_every_remedy_turns_what_there_is_and_nothing_else(remedy: Remedy, trainer: Trainer) -> None:
    rates = {name for name in trainer.dials if name.endswith(" rate")}
    assert remedy.says and {*remedy.turns, *remedy.sets, *remedy.steers} <= {RATES, *trainer.dials}
    assert remedy.fits(trainer)
    before, weights = dials_of(trainer), [one.clone() for one in trainer.game.players["generator"].parameters()]
    remedy.apply(trainer)
    for name, (value, obeyed) in before.items():
        factor = remedy.turns.get(name, remedy.turns.get(RATES, 1.0) if name in rates else 1.0)
        expected = max(value * factor, remedy.sets.get(name, 0.0)) if value else remedy.sets.get(name, 0.0)
        assert trainer.dials[name].value == pytest.approx(expected), name
        assert trainer.dials[name].obeys == (obeyed or name in remedy.steers), name
    kept = [torch.equal(*pair) for pair in zip(trainer.game.players["generator"].parameters(), weights, strict=True)]
    assert all(kept) != remedy.fresh
    put_back(trainer, before)
    assert dials_of(trainer) == before


def test_a_factor_is_applied_again_and_again(trainer: Trainer) -> None:
    slower = Remedy("", turns={RATES: 0.25})
    slower.apply(trainer)
    slower.apply(trainer)
    rates = {name: value for name, value in values(trainer).items() if name.endswith(" rate")}
    assert rates == {"generator rate": 1 / 16, "discriminator rate": 1 / 16}


def test_a_dial_is_only_ever_raised_to_a_value(trainer: Trainer) -> None:
    remedy = Remedy("", sets={"augmentation": 0.2})
    remedy.apply(trainer)
    assert trainer.dials["augmentation"].value == 0.2
    assert not remedy.fits(trainer)
    trainer.dials["augmentation"].set(0.5)
    remedy.apply(trainer)
    assert trainer.dials["augmentation"].value == 0.5


def test_a_dial_at_zero_begins_at_one_when_it_is_steered(tiny_duel: Make, observed: Callable[..., Observer]) -> None:
    trainer, remedy = observed(tiny_duel()).trainer, Remedy("", steers=("strength",))
    assert values(trainer)["strength"] == 0.0
    remedy.apply(trainer)
    assert trainer.dials["strength"].value == 1.0 and trainer.dials["strength"].obeys
    trainer.advance()
    assert trainer.dials["strength"].value != 1.0 and {"discriminator/r1", "discriminator/r2"} <= set(trainer.figures)


def test_what_is_steered_already_is_not_steered_again(tiny_duel: Make, observed: Callable[..., Observer]) -> None:
    trainer = observed(tiny_duel(strength=automatic(2.0, 0.01))).trainer
    assert not Remedy("", steers=("strength",)).fits(trainer)
    assert Remedy("", steers=("strength",), turns={RATES: 0.5}).fits(trainer)


def test_going_back_alone_fits_always(trainer: Trainer) -> None:
    assert Remedy("", back=True).fits(trainer)
    assert not Remedy("").fits(trainer)
    trainer.dials["strength"].obeys = True
    assert not Remedy("", back=True, steers=("strength",)).fits(trainer)


def test_what_a_game_does_not_have_is_not_turned(split: Make, plan: Make) -> None:
    game = Likelihood(
        Autoencoder(dimensions=2, noise=3, width=8), noise_size=3, spread=0.1, divergence_weight=constant(1.0)
    )
    trainer = Trainer(game, split().train, plan(players=("autoencoder",)))
    for remedy in (
        Remedy("", steers=("strength",)),
        Remedy("", sets={"augmentation": 0.2}),
        Remedy("", turns={"generator rate": 4.0}),
    ):
        assert not remedy.fits(trainer)
        remedy.apply(trainer)
    assert values(trainer) == {"autoencoder rate": 1.0}
    Remedy("", turns={RATES: 0.5, "strength": 2.0}).apply(trainer)
    assert values(trainer) == {"autoencoder rate": 0.5}


def test_what_is_never_augmented_cannot_be_mended_by_it(tiny_duel: Make, observed: Callable[..., Observer]) -> None:
    assert not Remedy("", sets={"augmentation": 0.2}).fits(observed(tiny_duel()).trainer)


def test_what_is_said_of_lecam_is_done() -> None:
    said = [remedy for tried in REMEDIES.values() for remedy in tried if "LeCam" in remedy.says]
    assert said and all({*remedy.turns, *remedy.sets} & {"lecam"} for remedy in said)


def test_weights_are_not_drawn_anew_late_in_a_run(trainer: Trainer) -> None:
    remedy = Remedy("", fresh=True)
    trainer.step = FRESH_BEFORE - 1
    assert remedy.fits(trainer)
    trainer.step = FRESH_BEFORE
    assert not remedy.fits(trainer)


def test_dials_are_put_back_exactly(trainer: Trainer) -> None:
    trainer.dials["real level"].set(-1 / 3)
    before = dials_of(trainer)
    for dial in trainer.dials.values():
        dial.set(0.7)
        dial.obeys = not dial.obeys
    assert dials_of(trainer) != before
    put_back(trainer, before)
    assert dials_of(trainer) == before and trainer.dials["real level"].value == -1 / 3


class Wide(nn.Module):
    """A generator of points from a wide layer, a convolution, a normalisation or nothing in between."""

    def __init__(self, between: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 512), nn.ReLU(), between, nn.Linear(512, 2))

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(noise)


class Critic(nn.Module):
    """A discriminator of points by a convolution over their two values."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 300, 2), nn.Flatten(), nn.ReLU(), nn.Linear(300, 1))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([self.layers(sample[:, None]).squeeze(1)], [])


def wide(observed: Callable[..., Observer], between: nn.Module) -> Trainer:
    torch.manual_seed(0)
    game = Duel(Wide(between), Critic(), prior=normal(4), loss=LOSSES["relativistic"])
    return observed(game, steps=3).trainer


def test_weights_are_drawn_as_he_et_al_do(observed: Callable[..., Observer]) -> None:
    trainer = wide(observed, nn.Identity())
    draw_anew(trainer)
    for name, inputs in (("layers.0", 4), ("layers.3", 512)):
        weights = trainer.game.players["generator"].get_parameter(f"{name}.weight").detach()
        spread = 4 / (2 * weights.numel()) ** 0.5
        assert float(weights.std()) == pytest.approx((2 / inputs) ** 0.5, rel=spread)
        assert float(weights.mean()) == pytest.approx(0.0, abs=4 * (2 / inputs / weights.numel()) ** 0.5)
    convolution = trainer.game.players["discriminator"].get_parameter("layers.0.weight").detach()
    assert float(convolution.std()) == pytest.approx(1.0, rel=0.12)
    for player in trainer.game.players.values():
        assert all(not bias.any() for name, bias in player.named_parameters() if name.endswith("bias"))


def test_nothing_is_remembered_when_weights_are_drawn_anew(observed: Callable[..., Observer]) -> None:
    trainer = wide(observed, nn.Identity())
    before = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    assert all(optimiser.state for optimiser in trainer.optimisers.values())
    draw_anew(trainer)
    assert not any(optimiser.state for optimiser in trainer.optimisers.values())
    players = trainer.game.players["generator"], trainer.average.players["generator"]
    assert all(torch.equal(*pair) for pair in zip(*(one.parameters() for one in players), strict=True))
    assert not any(torch.equal(*pair) for pair in zip(before, players[1].parameters(), strict=True))
    assert not any(weight.requires_grad for weight in players[1].parameters())
    trainer.advance()
    assert np.isfinite(trainer.figures["generator/adversarial"]) and trainer.guard.total == 0


def test_the_same_weights_are_drawn_by_every_process(observed: Callable[..., Observer]) -> None:
    drawn = []
    for seed in (0, 1):
        trainer = wide(observed, nn.Identity())
        torch.manual_seed(seed)
        draw_anew(trainer)
        drawn.append(
            torch.cat([weight.detach().flatten() for weight in trainer.game.players["generator"].parameters()])
        )
    assert torch.equal(*drawn)


@pytest.mark.parametrize("between", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_network_with_normalisation_is_not_dead_afterwards(
    between: type[nn.Module], observed: Callable[..., Observer]
) -> None:
    trainer = wide(observed, between(512))
    draw_anew(trainer)
    noise = trainer.game.noise(trainer.progress.draw)
    assert trainer.game.generate(noise, None).std(0).min() > 0
