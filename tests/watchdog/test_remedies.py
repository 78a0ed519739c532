"""Each remedy turns what it says, and what it turned can be put back."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.controls import restore_positions, standing
from sparring.flow import Phase, Verdict
from sparring.games.duel import Duel
from sparring.games.likelihood import Likelihood
from sparring.games.priors import normal
from sparring.modalities.points.networks.dense import Autoencoder
from sparring.objectives.gamma import automatic
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant
from sparring.training.trainer import RISE, Trainer
from sparring.watchdog.remedies import (
    FRESH_BEFORE,
    JUDGES,
    JUDGES_RATES,
    PUBLISHED,
    PUBLISHED_RATES,
    RATES,
    REMEDIES,
    RISING,
    SLOWER,
    STEADIER,
    Remedy,
    draw_anew,
    keep_turned,
)
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import Observer

Make = Callable[..., Any]
Observed = Callable[..., Observer]
PENALTIES = {"r1": Weighted(r1, constant(1.0)), "r2": Weighted(r2, constant(1.0))}
ALL = [pytest.param(one, id=f"{name} {place}") for name, tried in REMEDIES.items() for place, one in enumerate(tried)]


@pytest.fixture
def trainer(tiny_duel: Make, observed: Observed) -> Trainer:
    """Of a duel with penalties of a fixed strength, and with an augmentation that does nothing."""
    return observed(tiny_duel(penalties=PENALTIES, augment=lambda sample, probability, random: sample)).trainer


def values(trainer: Trainer) -> dict[str, float]:
    return {name: control.value for name, control in trainer.controls.items()}


def weights_of(trainer: Trainer) -> dict[str, Tensor]:
    """All weights of each player in a row."""
    players = trainer.game.players.items()
    return {name: torch.cat([one.detach().flatten() for one in player.parameters()]) for name, player in players}


def test_every_remedy_is_against_something_that_can_be_found() -> None:
    assert set(REMEDIES) <= {rule.name for rule in RULES}


@pytest.mark.parametrize("remedy", ALL)
def test_what_is_steered_takes_longer_to_show_and_higher_rates_show_soon(remedy: Remedy) -> None:
    assert remedy.trial == (10 if "strength" in remedy.steers else 3 if remedy.turns.get(RATES, 0.0) > 1 else 6)


@pytest.mark.parametrize("remedy", ALL)
def test_every_remedy_turns_what_there_is_and_nothing_else(remedy: Remedy, trainer: Trainer) -> None:
    rates = {name for name in trainer.controls if name.endswith(" rate")}
    kinds = {RATES, JUDGES_RATES, PUBLISHED_RATES}
    assert remedy.says and {*remedy.turns, *remedy.sets, *remedy.steers} <= {*kinds, *trainer.controls}
    assert remedy.fits(trainer)
    before, weights = standing(trainer.controls), weights_of(trainer)
    remedy.apply(trainer)
    for name, (value, obeyed) in before.items():
        rate = {"generator rate": PUBLISHED_RATES, "discriminator rate": JUDGES_RATES}.get(name, name)
        factor = remedy.turns.get(rate, remedy.turns.get(RATES, 1.0) if name in rates else 1.0)
        expected = max(value * factor, remedy.sets.get(name, 0.0)) if value else remedy.sets.get(name, 0.0)
        assert trainer.controls[name].value == pytest.approx(expected), name
        told = RATES if name in rates else name
        assert trainer.controls[name].enabled == ((obeyed or told in remedy.steers) and told not in remedy.stays), name
    changed = {name for name, after in weights_of(trainer).items() if not torch.equal(after, weights[name])}
    assert changed == {{PUBLISHED: "generator", JUDGES: "discriminator"}[role] for role in remedy.fresh}
    restore_positions(trainer.controls, before)
    assert standing(trainer.controls) == before


def test_a_factor_is_applied_again_and_again(trainer: Trainer) -> None:
    slower = Remedy("", turns={RATES: 0.25})
    slower.apply(trainer)
    slower.apply(trainer)
    rates = {name: value for name, value in values(trainer).items() if name.endswith(" rate")}
    assert rates == {"generator rate": 1 / 16, "discriminator rate": 1 / 16}


def test_rates_rise_again_only_where_they_are_told_to(trainer: Trainer) -> None:
    for remedy, rises in ((SLOWER, False), (RISING, True), (SLOWER, False)):
        remedy.apply(trainer)
        before = values(trainer)
        trainer.advance()
        for name in ("generator rate", "discriminator rate"):
            assert values(trainer)[name] == pytest.approx(before[name] * (math.exp(RISE) if rises else 1.0))


def test_a_dial_is_only_ever_raised_to_a_value(trainer: Trainer) -> None:
    remedy = Remedy("", sets={"augmentation": 0.2})
    remedy.apply(trainer)
    assert trainer.controls["augmentation"].value == 0.2
    assert not remedy.fits(trainer)
    trainer.controls["augmentation"].set(0.5)
    remedy.apply(trainer)
    assert trainer.controls["augmentation"].value == 0.5


def test_a_dial_at_zero_begins_at_one_when_it_is_steered(tiny_duel: Make, observed: Observed) -> None:
    trainer, remedy = observed(tiny_duel()).trainer, Remedy("", steers=("strength",))
    assert values(trainer)["strength"] == 0.0
    remedy.apply(trainer)
    assert trainer.controls["strength"].value == 1.0 and trainer.controls["strength"].enabled
    trainer.advance()
    assert trainer.controls["strength"].value != 1.0 and {"discriminator/r1", "discriminator/r2"} <= set(
        trainer.figures
    )


def test_what_is_steered_already_is_not_steered_again(tiny_duel: Make, observed: Observed) -> None:
    trainer = observed(tiny_duel(strength=automatic(2.0, 0.01, 1e-7))).trainer
    assert not Remedy("", steers=("strength",)).fits(trainer)
    assert Remedy("", steers=("strength",), turns={RATES: 0.5}).fits(trainer)


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.LayerNorm])
def test_no_slope_is_smoothed_that_is_not_of_one_sample(kind: type[nn.Module], observed: Observed) -> None:
    """Batch norm in the generator does not matter."""
    torch.manual_seed(0)
    players = Wide(nn.BatchNorm1d(512)), Critic()
    players[1].layers.insert(2, kind(300))
    trainer = observed(Duel(*players, prior=normal(4), loss=LOSSES["non_saturating"])).trainer
    assert STEADIER.fits(trainer) == (kind is nn.LayerNorm)
    assert SLOWER.fits(trainer)
    steering = [remedy for tried in REMEDIES.values() for remedy in tried if "strength" in remedy.steers]
    assert len(steering) > 5 and all(remedy.fits(trainer) == (kind is nn.LayerNorm) for remedy in steering)


def test_going_back_alone_fits_always(trainer: Trainer) -> None:
    assert Remedy("", back=True).fits(trainer)
    assert not Remedy("").fits(trainer)
    trainer.controls["strength"].enabled = True
    assert not Remedy("", back=True, steers=("strength",)).fits(trainer)


def test_what_a_game_does_not_have_is_not_turned(split: Make, plan: Make) -> None:
    game = Likelihood(
        Autoencoder(dimensions=2, latent=3, width=8), latent_size=3, spread=0.1, divergence_weight=constant(1.0)
    )
    trainer = Trainer(game, split().train, plan(players=("autoencoder",)))
    for remedy in (
        Remedy("", steers=("strength",)),
        Remedy("", sets={"augmentation": 0.2}),
        Remedy("", turns={JUDGES_RATES: 4.0}),
        Remedy("", turns={"autoencoder rate": 4.0}),
    ):
        assert not remedy.fits(trainer)
        remedy.apply(trainer)
    assert values(trainer) == {"autoencoder rate": 1.0}
    Remedy("", turns={RATES: 0.5, "strength": 2.0}).apply(trainer)
    assert values(trainer) == {"autoencoder rate": 0.5}


def test_what_is_never_augmented_cannot_be_mended_by_it(tiny_duel: Make, observed: Observed) -> None:
    assert not Remedy("", sets={"augmentation": 0.2}).fits(observed(tiny_duel()).trainer)


def test_what_is_said_of_lecam_is_done() -> None:
    said = [remedy for tried in REMEDIES.values() for remedy in tried if "LeCam" in remedy.says]
    assert said and all({*remedy.turns, *remedy.sets} & {"lecam"} for remedy in said)


def test_weights_are_not_drawn_anew_late_in_a_run(trainer: Trainer) -> None:
    remedy = Remedy("", fresh=(JUDGES,), turns={RATES: 0.5}, steers=("strength",))
    trainer.step = FRESH_BEFORE - 1
    assert remedy.fits(trainer)
    trainer.step = FRESH_BEFORE
    assert not remedy.fits(trainer)


def test_weights_are_drawn_anew_in_the_first_phase_alone(trainer: Trainer) -> None:
    """Later what the phase before has taught would be lost."""
    trainer.game.phases = (Phase("pretraining", until=0.5), Phase("contest"))
    remedy = Remedy("", fresh=(JUDGES,))
    assert remedy.fits(trainer)
    trainer.samples = 50_000
    assert not remedy.fits(trainer)


def test_only_players_that_learn_by_an_optimiser_can_be_drawn_anew(trainer: Trainer) -> None:
    del trainer.optimisers["discriminator"]
    before = weights_of(trainer)
    assert Remedy("", fresh=(PUBLISHED,)).fits(trainer)
    for fresh in ((JUDGES,), (PUBLISHED, JUDGES)):
        assert not Remedy("", fresh=fresh).fits(trainer)
    Remedy("", fresh=(PUBLISHED, JUDGES)).apply(trainer)
    after = weights_of(trainer)
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"generator"}
    draw_anew(trainer, "discriminator")


def test_a_remedy_turns_what_belongs_to_every_judge(two_judges: Any, observed: Observed) -> None:
    trainer = observed(two_judges).trainer
    remedy = Remedy("", turns={JUDGES_RATES: 0.5, "strength": 2.0}, sets={"lecam": 0.3})
    assert remedy.fits(trainer)
    remedy.apply(trainer)
    assert values(trainer) == {
        "strength near": 2.0,
        "strength far": 2.0,
        "lecam near": 0.3,
        "lecam far": 0.3,
        "augmentations": 0.0,
        "maker rate": 1.0,
        "near rate": 0.5,
        "far rate": 0.5,
    }
    assert set(remedy.touched(trainer)) == {
        "near rate",
        "far rate",
        "strength near",
        "strength far",
        "lecam near",
        "lecam far",
    }
    before = weights_of(trainer)
    Remedy("", fresh=(JUDGES,)).apply(trainer)
    after = weights_of(trainer)
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"near", "far"}


def test_no_slope_is_smoothed_where_one_of_the_judges_mixes_samples(two_judges: Any, observed: Observed) -> None:
    trainer = observed(two_judges).trainer
    assert STEADIER.fits(trainer)
    two_judges.players["far"].append(nn.BatchNorm1d(1))
    assert not STEADIER.fits(trainer)


def test_dials_are_put_back_exactly(trainer: Trainer) -> None:
    trainer.controls["real level"].set(-1 / 3)
    before = standing(trainer.controls)
    for control in trainer.controls.values():
        control.set(0.7)
        control.enabled = not control.enabled
    assert standing(trainer.controls) != before
    restore_positions(trainer.controls, before)
    assert standing(trainer.controls) == before and trainer.controls["real level"].value == -1 / 3


def at_rest(trainer: Trainer, **positions: float) -> dict[str, tuple[float, bool]]:
    """Where all dials stand, some of them at ``positions``."""
    found = standing(trainer.controls)
    return {**found, **{name: (value, found[name][1]) for name, value in positions.items()}}


def test_on_the_way_back_only_what_obeys_no_rule_stays_as_turned(trainer: Trainer) -> None:
    """The dials stand where the state that the run went back to had them; before it did, they stood elsewhere."""
    trainer.controls["strength"].enabled = True
    trainer.controls["augmentation"].set(0.1)
    turned = at_rest(trainer, strength=9.0, augmentation=0.7, lecam=0.3) | {"generator rate": (0.25, False)}
    keep_turned(trainer, turned)
    assert values(trainer) == pytest.approx(
        {
            "strength": 1.0,
            "augmentation": 0.1,
            "lecam": 0.3,
            "real level": 0.0,
            "fake level": 0.0,
            "generator rate": 0.25,
            "discriminator rate": 1.0,
        }
    )
    assert {name: control.enabled for name, control in trainer.controls.items()} == {
        name: enabled for name, (_, enabled) in turned.items()
    }


def test_what_was_told_to_obey_goes_on_obeying_on_the_way_back(trainer: Trainer) -> None:
    trainer.controls["strength"].set(4.0)
    keep_turned(trainer, standing(trainer.controls) | {"strength": (8.0, True)})
    assert trainer.controls["strength"].enabled and trainer.controls["strength"].value > 0


def test_a_strength_that_began_at_zero_is_not_lost_on_the_way_back(tiny_duel: Make, observed: Observed) -> None:
    """Where there are no penalties, those that the watchdog has put there stay."""
    trainer = observed(tiny_duel()).trainer
    good = standing(trainer.controls)
    Remedy("", steers=("strength",)).apply(trainer)
    turned = standing(trainer.controls)
    restore_positions(trainer.controls, good)
    keep_turned(trainer, turned)
    trainer.advance()
    assert trainer.controls["strength"].value > 0 and "discriminator/r1" in trainer.figures


class Wide(nn.Module):
    """A generator of points from a wide layer, a convolution, a normalisation or nothing in between."""

    def __init__(self, between: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 512), nn.ReLU(), between, nn.Linear(512, 2))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(latent)


class Critic(nn.Module):
    """A discriminator of points by a convolution over their two values."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 300, 2), nn.Flatten(), nn.ReLU(), nn.Linear(300, 1))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([self.layers(sample[:, None]).squeeze(1)], [])


def draw_all_anew(trainer: Trainer) -> None:
    for player in trainer.game.players:
        draw_anew(trainer, player)


def wide(observed: Observed, between: nn.Module) -> Trainer:
    torch.manual_seed(0)
    game = Duel(Wide(between), Critic(), prior=normal(4), loss=LOSSES["relativistic"])
    return observed(game, steps=3).trainer


def test_weights_are_drawn_as_he_et_al_do(observed: Observed) -> None:
    trainer = wide(observed, nn.Identity())
    draw_all_anew(trainer)
    for name, inputs in (("layers.0", 4), ("layers.3", 512)):
        weights = trainer.game.players["generator"].get_parameter(f"{name}.weight").detach()
        spread = 4 / (2 * weights.numel()) ** 0.5
        assert float(weights.std()) == pytest.approx((2 / inputs) ** 0.5, rel=spread)
        assert float(weights.mean()) == pytest.approx(0.0, abs=4 * (2 / inputs / weights.numel()) ** 0.5)
    convolution = trainer.game.players["discriminator"].get_parameter("layers.0.weight").detach()
    assert float(convolution.std()) == pytest.approx(1.0, rel=0.12)
    for player in trainer.game.players.values():
        assert all(not bias.any() for name, bias in player.named_parameters() if name.endswith("bias"))


def test_a_transposed_convolution_sums_over_its_first_axis(observed: Observed) -> None:
    """From 400 channels to 3, and from 3 to 400: with stride 1 and windows of 2 each value has 2 · channels inputs."""
    layers = nn.Sequential(
        nn.Unflatten(1, (1, 512)),
        nn.ConvTranspose1d(1, 3, 1),
        nn.ConvTranspose1d(3, 400, 2),
        nn.ConvTranspose1d(400, 1, 2),
        nn.Flatten(),
        nn.Linear(514, 512),
    )
    trainer = wide(observed, layers)
    draw_anew(trainer, "generator")
    for name, inputs in (("layers.2.2", 3 * 2), ("layers.2.3", 400 * 2)):
        weights = trainer.game.players["generator"].get_parameter(f"{name}.weight").detach()
        spread = 4 / (2 * weights.numel()) ** 0.5
        assert float(weights.std()) == pytest.approx((2 / inputs) ** 0.5, rel=spread), name


def test_the_gains_of_normalisation_are_one(observed: Observed) -> None:
    for between in (nn.BatchNorm1d(512), nn.LayerNorm(512), nn.GroupNorm(4, 512)):
        trainer = wide(observed, between)
        with torch.no_grad():
            between.weight.fill_(0.3)
            between.bias.fill_(0.3)
        draw_anew(trainer, "generator")
        assert torch.equal(between.weight, torch.ones(512)) and torch.equal(between.bias, torch.zeros(512))


def test_nothing_is_remembered_when_weights_are_drawn_anew(observed: Observed) -> None:
    trainer = wide(observed, nn.Identity())
    before = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    assert all(optimiser.state for optimiser in trainer.optimisers.values())
    draw_all_anew(trainer)
    assert not any(optimiser.state for optimiser in trainer.optimisers.values())
    players = trainer.game.players["generator"], trainer.average.players["generator"]
    assert all(torch.equal(*pair) for pair in zip(*(one.parameters() for one in players), strict=True))
    assert not any(torch.equal(*pair) for pair in zip(before, players[1].parameters(), strict=True))
    assert not any(weight.requires_grad for weight in players[1].parameters())
    trainer.advance()
    assert np.isfinite(trainer.figures["generator/adversarial"]) and trainer.guard.total == 0


def test_the_same_weights_are_drawn_by_every_process(observed: Observed) -> None:
    drawn = []
    for seed in (0, 1):
        trainer = wide(observed, nn.Identity())
        torch.manual_seed(seed)
        draw_all_anew(trainer)
        drawn.append(weights_of(trainer))
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])


def test_other_weights_are_drawn_for_each_player_and_the_next_time(observed: Observed) -> None:
    """Else the way that went wrong would be gone again."""
    trainer = wide(observed, nn.Identity())
    starts = []
    for step in (3, 3, 500):
        trainer.step = step
        draw_all_anew(trainer)
        found = weights_of(trainer)
        starts += [tuple(found[name][:100].tolist()) for name in found]
    assert starts[:2] == starts[2:4] and len(set(starts)) == 4


def test_one_player_alone_is_drawn_anew(observed: Observed) -> None:
    """The other, its moments and the average stay."""
    trainer = wide(observed, nn.Identity())
    before, moments = weights_of(trainer), dict(trainer.optimisers["generator"].state)
    average = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    draw_anew(trainer, "discriminator")
    after = weights_of(trainer)
    assert torch.equal(after["generator"], before["generator"])
    assert not torch.equal(after["discriminator"], before["discriminator"])
    assert dict(trainer.optimisers["generator"].state) == moments and not trainer.optimisers["discriminator"].state
    kept = trainer.average.players["generator"].parameters()
    assert all(torch.equal(*pair) for pair in zip(kept, average, strict=True))


@pytest.mark.parametrize("between", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_network_with_normalisation_is_not_dead_afterwards(between: type[nn.Module], observed: Observed) -> None:
    trainer = wide(observed, between(512))
    draw_all_anew(trainer)
    latent = trainer.game.latent(trainer.progress.random)
    assert trainer.game.generate(latent, None).std(0).min() > 0
