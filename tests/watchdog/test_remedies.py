"""Each remedy moves the controls that it names, and they can be reverted."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.controls import positions, restore_positions
from sparring.flow import Phase, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Role
from sparring.games.likelihood import Likelihood, Normal
from sparring.games.priors import normal
from sparring.modalities.points.networks.dense import Autoencoder
from sparring.objectives.gamma import automatic
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant
from sparring.training.trainer import RECOVERY_RATE, Trainer
from sparring.watchdog.remedies import (
    AUTOMATIC_GAMMA,
    CRITIC_RATES,
    MAX_RATE_FACTOR,
    MAX_REINITIALISATION_STEP,
    PUBLISHED_RATES,
    RATES,
    REMEDIES,
    SLOW_DOWN,
    SLOW_RESTART,
    Remedy,
    keep_adjusted,
    reinitialise,
)
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import Observer

Make = Callable[..., Any]
Observed = Callable[..., Observer]
PENALTIES = {"r1": Weighted(r1, constant(1.0)), "r2": Weighted(r2, constant(1.0))}
ALL = [pytest.param(one, id=f"{name} {place}") for name, tried in REMEDIES.items() for place, one in enumerate(tried)]


@pytest.fixture
def trainer(tiny_duel: Make, observed: Observed) -> Trainer:
    """A trainer of a duel with penalties of a fixed weight, and with an augmentation that does nothing."""
    return observed(tiny_duel(penalties=PENALTIES, augment=lambda sample, probability, random: sample)).trainer


def values(trainer: Trainer) -> dict[str, float]:
    return {name: control.value for name, control in trainer.controls.items()}


def weights_of(trainer: Trainer) -> dict[str, Tensor]:
    """All weights of each player in a row."""
    players = trainer.game.players.items()
    return {name: torch.cat([one.detach().flatten() for one in player.parameters()]) for name, player in players}


def test_every_remedy_is_for_a_finding_of_the_rules() -> None:
    assert set(REMEDIES) <= {rule.finding for rule in RULES}


@pytest.mark.parametrize("remedy", ALL)
def test_trials_of_automatic_gamma_are_long_and_of_higher_rates_short(remedy: Remedy) -> None:
    assert remedy.trial == (10 if "gamma" in remedy.enables else 3 if remedy.factors.get(RATES, 0.0) > 1 else 6)


@pytest.mark.parametrize("remedy", ALL)
def test_every_remedy_moves_existing_controls_and_nothing_else(remedy: Remedy, trainer: Trainer) -> None:
    rates = {name for name in trainer.controls if name.endswith(" rate")}
    kinds = {RATES, CRITIC_RATES, PUBLISHED_RATES}
    assert remedy.description and {*remedy.factors, *remedy.minimums, *remedy.enables} <= {*kinds, *trainer.controls}
    assert remedy.fits(trainer)
    before, weights = positions(trainer.controls), weights_of(trainer)
    remedy.apply(trainer)
    for name, (value, enabled) in before.items():
        rate = {"generator rate": PUBLISHED_RATES, "discriminator rate": CRITIC_RATES}.get(name, name)
        factor = remedy.factors.get(rate, remedy.factors.get(RATES, 1.0) if name in rates else 1.0)
        expected = max(value * factor, remedy.minimums.get(name, 0.0)) if value else remedy.minimums.get(name, 0.0)
        assert trainer.controls[name].value == pytest.approx(expected), name
        called = RATES if name in rates else name
        assert trainer.controls[name].enabled == (
            (enabled or called in remedy.enables) and called not in remedy.disables
        ), name
    changed = {name for name, after in weights_of(trainer).items() if not torch.equal(after, weights[name])}
    assert changed == {
        {Role.PUBLISHED: "generator", Role.CRITIC: "discriminator"}[role] for role in remedy.reinitialises
    }
    restore_positions(trainer.controls, before)
    assert positions(trainer.controls) == before


def test_factors_accumulate(trainer: Trainer) -> None:
    slower = Remedy("", factors={RATES: 0.25})
    slower.apply(trainer)
    slower.apply(trainer)
    rates = {name: value for name, value in values(trainer).items() if name.endswith(" rate")}
    assert rates == {"generator rate": 1 / 16, "discriminator rate": 1 / 16}


def test_remedies_raise_a_rate_to_a_limit_all_together(trainer: Trainer) -> None:
    once, again = Remedy("", factors={PUBLISHED_RATES: 4.0}), Remedy("", factors={RATES: MAX_RATE_FACTOR})
    for remedy in (once, again):
        assert remedy.fits(trainer)
        remedy.apply(trainer)
    rates = [values(trainer)[f"{name} rate"] for name in ("generator", "discriminator")]
    assert rates == [MAX_RATE_FACTOR] * 2 and not (once.fits(trainer) or again.fits(trainer))
    Remedy("", factors={RATES: 0.5}).apply(trainer)
    assert once.fits(trainer)


def test_rates_recover_only_when_enabled(trainer: Trainer) -> None:
    for remedy, rises in ((SLOW_DOWN, False), (SLOW_RESTART, True), (SLOW_DOWN, False)):
        remedy.apply(trainer)
        before = values(trainer)
        trainer.advance()
        for name in ("generator rate", "discriminator rate"):
            assert values(trainer)[name] == pytest.approx(before[name] * (math.exp(RECOVERY_RATE) if rises else 1.0))


def test_a_minimum_never_lowers_a_control(trainer: Trainer) -> None:
    remedy = Remedy("", minimums={"augmentation": 0.2})
    remedy.apply(trainer)
    assert trainer.controls["augmentation"].value == 0.2
    assert not remedy.fits(trainer)
    trainer.controls["augmentation"].set(0.5)
    remedy.apply(trainer)
    assert trainer.controls["augmentation"].value == 0.5


def test_a_control_at_zero_starts_at_one_when_it_is_enabled(tiny_duel: Make, observed: Observed) -> None:
    trainer, remedy = observed(tiny_duel()).trainer, Remedy("", enables=("gamma",))
    assert values(trainer)["gamma"] == 0.0
    remedy.apply(trainer)
    assert trainer.controls["gamma"].value == 1.0 and trainer.controls["gamma"].enabled
    trainer.advance()
    assert trainer.controls["gamma"].value != 1.0 and {"r1", "r2"} <= set(trainer.figures.terms["discriminator"])


def test_enabling_an_enabled_control_changes_nothing(tiny_duel: Make, observed: Observed) -> None:
    trainer = observed(tiny_duel(gamma=automatic(2.0, 0.01, 1e-7))).trainer
    assert not Remedy("", enables=("gamma",)).fits(trainer)
    assert Remedy("", enables=("gamma",), factors={RATES: 0.5}).fits(trainer)


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.LayerNorm])
def test_gamma_is_not_automatic_where_the_critic_has_batch_norm(kind: type[nn.Module], observed: Observed) -> None:
    """Batch norm in the generator does not matter."""
    torch.manual_seed(0)
    players = Wide(nn.BatchNorm1d(512)), Critic()
    players[1].layers.insert(2, kind(300))
    trainer = observed(Duel(*players, prior=normal(4), loss=LOSSES["non_saturating"])).trainer
    assert AUTOMATIC_GAMMA.fits(trainer) == (kind is nn.LayerNorm)
    assert SLOW_DOWN.fits(trainer)
    steering = [remedy for tried in REMEDIES.values() for remedy in tried if "gamma" in remedy.enables]
    assert len(steering) > 5 and all(remedy.fits(trainer) == (kind is nn.LayerNorm) for remedy in steering)


def test_a_rollback_alone_always_fits(trainer: Trainer) -> None:
    assert Remedy("", rolls_back=True).fits(trainer)
    assert not Remedy("").fits(trainer)
    trainer.controls["gamma"].enabled = True
    assert not Remedy("", rolls_back=True, enables=("gamma",)).fits(trainer)


def test_controls_that_a_game_has_not_are_left_out(split: Make, plan: Make) -> None:
    game = Likelihood(
        Autoencoder(dimensions=2, latent_size=3, width=8),
        latent_size=3,
        observation=Normal(0.1),
        divergence_weight=constant(1.0),
    )
    trainer = Trainer(game, split().train, plan(players=("autoencoder",)))
    for remedy in (
        Remedy("", enables=("gamma",)),
        Remedy("", minimums={"augmentation": 0.2}),
        Remedy("", factors={CRITIC_RATES: 4.0}),
        Remedy("", factors={"autoencoder rate": 4.0}),
    ):
        assert not remedy.fits(trainer)
        remedy.apply(trainer)
    assert values(trainer) == {"autoencoder rate": 1.0}
    Remedy("", factors={RATES: 0.5, "gamma": 2.0}).apply(trainer)
    assert values(trainer) == {"autoencoder rate": 0.5}


def test_augmentation_does_not_fit_a_game_without_it(tiny_duel: Make, observed: Observed) -> None:
    assert not Remedy("", minimums={"augmentation": 0.2}).fits(observed(tiny_duel()).trainer)


def test_remedies_that_mention_lecam_move_it() -> None:
    lecam = [remedy for tried in REMEDIES.values() for remedy in tried if "LeCam" in remedy.description]
    assert lecam and all("lecam" in {*remedy.factors, *remedy.minimums} for remedy in lecam)


def test_weights_are_not_reinitialised_late_in_a_run(trainer: Trainer) -> None:
    remedy = Remedy("", reinitialises=(Role.CRITIC,), factors={RATES: 0.5}, enables=("gamma",))
    trainer.step = MAX_REINITIALISATION_STEP - 1
    assert remedy.fits(trainer)
    trainer.step = MAX_REINITIALISATION_STEP
    assert not remedy.fits(trainer)


def test_weights_are_reinitialised_in_the_first_phase_alone(trainer: Trainer) -> None:
    """Later, what was learned in the phase before would be lost."""
    trainer.game.phases = (Phase("pretraining", until=0.5), Phase("contest"))
    remedy = Remedy("", reinitialises=(Role.CRITIC,))
    assert remedy.fits(trainer)
    trainer.samples = 50_000
    assert not remedy.fits(trainer)


def test_only_players_with_an_optimiser_are_reinitialised(trainer: Trainer) -> None:
    del trainer.optimisers["discriminator"]
    before = weights_of(trainer)
    assert Remedy("", reinitialises=(Role.PUBLISHED,)).fits(trainer)
    for fresh in ((Role.CRITIC,), (Role.PUBLISHED, Role.CRITIC)):
        assert not Remedy("", reinitialises=fresh).fits(trainer)
    Remedy("", reinitialises=(Role.PUBLISHED, Role.CRITIC)).apply(trainer)
    after = weights_of(trainer)
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"generator"}
    reinitialise(trainer, "discriminator")


def test_a_remedy_moves_the_controls_of_every_critic(two_critics: Any, observed: Observed) -> None:
    trainer = observed(two_critics).trainer
    remedy = Remedy("", factors={CRITIC_RATES: 0.5, "gamma": 2.0}, minimums={"lecam": 0.3})
    assert remedy.fits(trainer)
    remedy.apply(trainer)
    assert values(trainer) == {
        "gamma near": 2.0,
        "gamma far": 2.0,
        "lecam near": 0.3,
        "lecam far": 0.3,
        "augmentations": 0.0,
        "maker rate": 1.0,
        "near rate": 0.5,
        "far rate": 0.5,
    }
    assert set(remedy.moved(trainer)) == {
        "near rate",
        "far rate",
        "gamma near",
        "gamma far",
        "lecam near",
        "lecam far",
    }
    before = weights_of(trainer)
    Remedy("", reinitialises=(Role.CRITIC,)).apply(trainer)
    after = weights_of(trainer)
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"near", "far"}


def test_gamma_is_not_automatic_where_one_of_the_critics_has_batch_norm(two_critics: Any, observed: Observed) -> None:
    trainer = observed(two_critics).trainer
    assert AUTOMATIC_GAMMA.fits(trainer)
    two_critics.players["far"].append(nn.BatchNorm1d(1))
    assert not AUTOMATIC_GAMMA.fits(trainer)


def test_positions_are_restored_exactly(trainer: Trainer) -> None:
    trainer.controls["real level"].set(-1 / 3)
    before = positions(trainer.controls)
    for control in trainer.controls.values():
        control.set(0.7)
        control.enabled = not control.enabled
    assert positions(trainer.controls) != before
    restore_positions(trainer.controls, before)
    assert positions(trainer.controls) == before and trainer.controls["real level"].value == -1 / 3


def positions_with(trainer: Trainer, **values: float) -> dict[str, tuple[float, bool]]:
    """Positions of all controls, with other values for some of them."""
    found = positions(trainer.controls)
    return {**found, **{name: (value, found[name][1]) for name, value in values.items()}}


def test_a_rollback_keeps_controls_without_an_enabled_rule(trainer: Trainer) -> None:
    """The trainer has the positions of the restored state; others were in force before the rollback."""
    trainer.controls["gamma"].enabled = True
    trainer.controls["augmentation"].set(0.1)
    adjusted = positions_with(trainer, gamma=9.0, augmentation=0.7, lecam=0.3) | {"generator rate": (0.25, False)}
    keep_adjusted(trainer, adjusted)
    assert values(trainer) == pytest.approx(
        {
            "gamma": 1.0,
            "augmentation": 0.1,
            "lecam": 0.3,
            "real level": 0.0,
            "fake level": 0.0,
            "generator rate": 0.25,
            "discriminator rate": 1.0,
        }
    )
    assert {name: control.enabled for name, control in trainer.controls.items()} == {
        name: enabled for name, (_, enabled) in adjusted.items()
    }


def test_a_rollback_keeps_rules_enabled(trainer: Trainer) -> None:
    trainer.controls["gamma"].set(4.0)
    keep_adjusted(trainer, positions(trainer.controls) | {"gamma": (8.0, True)})
    assert trainer.controls["gamma"].enabled and trainer.controls["gamma"].value > 0


def test_a_rollback_keeps_a_gamma_that_started_at_zero(tiny_duel: Make, observed: Observed) -> None:
    """Penalties that the watchdog has added to a game without any stay."""
    trainer = observed(tiny_duel()).trainer
    good = positions(trainer.controls)
    Remedy("", enables=("gamma",)).apply(trainer)
    adjusted = positions(trainer.controls)
    restore_positions(trainer.controls, good)
    keep_adjusted(trainer, adjusted)
    trainer.advance()
    assert trainer.controls["gamma"].value > 0 and "r1" in trainer.figures.terms["discriminator"]


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


def reinitialise_all(trainer: Trainer) -> None:
    for player in trainer.game.players:
        reinitialise(trainer, player)


def wide(observed: Observed, between: nn.Module) -> Trainer:
    torch.manual_seed(0)
    game = Duel(Wide(between), Critic(), prior=normal(4), loss=LOSSES["relativistic"])
    return observed(game, steps=3).trainer


def test_weights_have_the_deviation_of_he_et_al(observed: Observed) -> None:
    trainer = wide(observed, nn.Identity())
    reinitialise_all(trainer)
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
    reinitialise(trainer, "generator")
    for name, inputs in (("layers.2.2", 3 * 2), ("layers.2.3", 400 * 2)):
        weights = trainer.game.players["generator"].get_parameter(f"{name}.weight").detach()
        spread = 4 / (2 * weights.numel()) ** 0.5
        assert float(weights.std()) == pytest.approx((2 / inputs) ** 0.5, rel=spread), name


def test_gains_of_normalisation_become_one(observed: Observed) -> None:
    for between in (nn.BatchNorm1d(512), nn.LayerNorm(512), nn.GroupNorm(4, 512)):
        trainer = wide(observed, between)
        with torch.no_grad():
            between.weight.fill_(0.3)
            between.bias.fill_(0.3)
        reinitialise(trainer, "generator")
        assert torch.equal(between.weight, torch.ones(512)) and torch.equal(between.bias, torch.zeros(512))


def test_reinitialisation_resets_optimiser_and_average(observed: Observed) -> None:
    trainer = wide(observed, nn.Identity())
    before = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    assert all(optimiser.state for optimiser in trainer.optimisers.values())
    reinitialise_all(trainer)
    assert not any(optimiser.state for optimiser in trainer.optimisers.values())
    players = trainer.game.players["generator"], trainer.average.players["generator"]
    assert all(torch.equal(*pair) for pair in zip(*(one.parameters() for one in players), strict=True))
    assert not any(torch.equal(*pair) for pair in zip(before, players[1].parameters(), strict=True))
    assert not any(weight.requires_grad for weight in players[1].parameters())
    trainer.advance()
    assert np.isfinite(trainer.figures.terms["generator"]["adversarial"]) and trainer.guard.total == 0


def test_every_process_draws_the_same_weights(observed: Observed) -> None:
    drawn = []
    for seed in (0, 1):
        trainer = wide(observed, nn.Identity())
        torch.manual_seed(seed)
        reinitialise_all(trainer)
        drawn.append(weights_of(trainer))
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])


def test_weights_differ_between_players_and_steps(observed: Observed) -> None:
    """Otherwise the run would fail again in the same way."""
    trainer = wide(observed, nn.Identity())
    starts = []
    for step in (3, 3, 500):
        trainer.step = step
        reinitialise_all(trainer)
        found = weights_of(trainer)
        starts += [tuple(found[name][:100].tolist()) for name in found]
    assert starts[:2] == starts[2:4] and len(set(starts)) == 4


def test_one_player_is_reinitialised_alone(observed: Observed) -> None:
    """The other player, its moments and the average stay."""
    trainer = wide(observed, nn.Identity())
    before, moments = weights_of(trainer), dict(trainer.optimisers["generator"].state)
    average = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    reinitialise(trainer, "discriminator")
    after = weights_of(trainer)
    assert torch.equal(after["generator"], before["generator"])
    assert not torch.equal(after["discriminator"], before["discriminator"])
    assert dict(trainer.optimisers["generator"].state) == moments and not trainer.optimisers["discriminator"].state
    kept = trainer.average.players["generator"].parameters()
    assert all(torch.equal(*pair) for pair in zip(kept, average, strict=True))


@pytest.mark.parametrize("between", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_reinitialised_network_with_normalisation_is_not_constant(
    between: type[nn.Module], observed: Observed
) -> None:
    trainer = wide(observed, between(512))
    reinitialise_all(trainer)
    latent = trainer.game.latent(trainer.progress.random)
    assert trainer.game.generate(latent, None).std(0).min() > 0
