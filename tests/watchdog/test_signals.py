"""Signals of runs for which the right values are known."""

import json
import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset, Split
from sparring.flow import Batch, Figures, Opinion, Phase, Verdict
from sparring.games.duel import Duel
from sparring.games.likelihood import Likelihood, Normal
from sparring.games.priors import normal
from sparring.modalities.images.rooms import IMAGES
from sparring.modalities.points.networks.dense import Autoencoder
from sparring.modalities.points.rooms import POINTS
from sparring.objectives.losses import LOSSES
from sparring.objectives.schedules import constant
from sparring.samples import take as take_rows
from sparring.training.checkpoint import restore, take
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import (
    NEIGHBOURS,
    REFERENCES,
    SAMPLES,
    SIGNALS,
    Observation,
    Observer,
    due,
    of_last_phase,
    read_observations,
)

Observed = Callable[..., Observer]
Make = Callable[..., Any]

FEW = {"swing", "moved", "held-out gap"}
"""Signals that not every observation has."""


class Fixed(nn.Module):
    """A generator that gives the rows of ``points``, each by an equal share of the noise."""

    def __init__(self, points: Any) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.as_tensor(points, dtype=torch.float32))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        row = (torch.special.ndtr(latent[:, 0]) * len(self.points)).long().clamp(max=len(self.points) - 1)
        return self.points[row]


class Blob(nn.Module):
    """A generator of what ``split`` has by default: points around (1, -1)."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.tensor([1.0, -1.0]))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.centre + 0.3 * latent[:, :2]


class PerClass(nn.Module):
    """A generator that gives one and the same point for all noise of a class."""

    def __init__(self, points: Any) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.as_tensor(points, dtype=torch.float32))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None and len(condition) == len(latent)
        return self.points[condition]


class Scores(nn.Module):
    """A discriminator from any function; it remembers the conditions that it was given."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.ones(()))
        self.conditions: list[Tensor | None] = []

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        self.conditions.append(condition)
        return Verdict([self.weight * self.function(sample)], [])


def duel(generator: nn.Module, scores: Callable[[Tensor], Tensor] = lambda sample: sample.flatten(1).sum(1)) -> Duel:
    return Duel(generator, Scores(scores), prior=normal(4), loss=LOSSES["relativistic"])


def noted(turn: str, *, lead: float, **norms: float) -> Figures:
    """Figures of a step: the lead in one turn, and norms of gradients in others."""
    return Figures(notes={turn: {"lead": lead}}, gradients=norms, controls={"lecam": 5.0})


def test_observations_are_half_as_frequent_with_every_doubling_of_the_run() -> None:
    steps = [step for step in range(26_000) if due(step)]
    gaps = [after - before for before, after in pairwise(steps)]
    assert steps[:3] == [64, 128, 192]
    assert gaps == sorted(gaps) and set(gaps) == {64, 128, 256}
    assert [sum(low < step <= 2 * low for step in steps) for low in (6400, 12_800)] == [50, 50]


def test_points_have_every_signal(observed: Observed) -> None:
    observer = observed(steps=64)
    first = observer.observe()
    assert (first.step, first.samples) == (64, 64 * 32)
    for _ in range(8):
        observer.trainer.advance()
        observer.step()
    second = observer.observe()
    assert set(SIGNALS) - FEW <= set(first.values) and "moved" not in first.values
    assert set(SIGNALS) - {"held-out gap"} <= set(second.values) | {"overlap", "sure", "real slope", "fake slope"}
    assert set(second.values) <= set(SIGNALS) | {"real score", "fake score"}
    assert all(math.isfinite(value) for observation in (first, second) for value in observation.values.values())
    assert second["moved"] > 0 and math.isnan(first["moved"])


def test_figures_are_means_over_the_steps_since_the_previous_observation(observed: Observed) -> None:
    observer = observed()
    leads = [0.7, 0.9, 1.4]
    for lead in leads:
        observer.trainer.fresh = noted("discriminator", lead=lead, generator=2 * lead)
        observer.step()
    observer.trainer.fresh = noted("discriminator", lead=math.nan, generator=math.inf)
    observer.step()
    observation = observer.observe()
    assert observation["lead"] == pytest.approx(1.0) and observation["generator gradient"] == pytest.approx(2.0)
    assert observation["swing"] == pytest.approx(statistics.stdev(leads), rel=1e-5)
    assert math.isnan(observer.observe()["lead"])


def test_skipped_updates_are_counted_between_observations(observed: Observed) -> None:
    observer = observed()
    for total, since in ((3, 3), (3, 0), (7, 4)):
        observer.trainer.guard.total = total
        assert observer.observe()["refused"] == since


def test_a_generator_of_one_point_has_no_diversity(observed: Observed) -> None:
    observation = observed(duel(Fixed([[1.0, -1.0]]))).observe()
    assert observation["diversity"] == 0 and observation["contrast"] == 0
    assert observation["coverage"] < 0.2 and observation["distance"] > 0.2


def test_a_perfect_generator_is_as_diverse_as_real_samples(observed: Observed) -> None:
    new = np.random.default_rng(1).normal((1.0, -1.0), 0.3, size=(500, 2))
    observation = observed(duel(Fixed(new))).observe()
    for name in ("diversity", "contrast"):
        assert observation[name] == pytest.approx(1.0, abs=0.25)
    assert observation["coverage"] > 0.3 and abs(observation["distance"]) < 0.05
    assert observation["nearer to training"] == pytest.approx(0.5, abs=0.2)


def test_copies_of_training_samples_are_nearer_to_training(observed: Observed, split: Make) -> None:
    data = split(held_out=256)
    watching = observed(duel(Fixed(data.train.samples)), data)
    copies = observed(duel(Fixed(watching.train.real)), data).observe()
    assert copies["nearer to training"] == 1.0
    assert observed(duel(Fixed(data.held_out.samples)), data).observe()["nearer to training"] == 0.0


def coverage(held_out: int, observed: Observed, split: Make) -> float:
    """The mean over some draws of the data, of samples that are of its distribution."""
    found = []
    for seed in range(8):
        points = np.random.default_rng(seed).normal((1.0, -1.0), 0.3, size=(held_out + 100, 2)).astype(np.float32)
        found.append(observed(duel(Blob()), split(points, held_out=held_out)).observe()["coverage"])
    return statistics.fmean(found)


def expected_coverage(held_out: int) -> float:
    """The coverage by as many samples of the same distribution, exactly.

    A real sample is missed where its first neighbours, among the others and the fakes alike, are all real.
    """
    neighbours = math.ceil(held_out * NEIGHBOURS / REFERENCES)
    shares = [(held_out - 1 - place) / (held_out - 1 + SAMPLES - place) for place in range(neighbours)]
    return 1 - math.prod(shares)


@pytest.mark.parametrize("held_out", [20, 60, 100, 200, 256])
def test_coverage_of_a_perfect_generator_has_its_expected_value(held_out: int, observed: Observed, split: Make) -> None:
    assert coverage(held_out, observed, split) == pytest.approx(expected_coverage(held_out), abs=0.06)


@pytest.mark.parametrize("held_out", [20, 51, 80, 100, 128, 200, 256])
def test_coverage_of_a_perfect_generator_is_above_the_bounds_of_the_rules(
    held_out: int, observed: Observed, split: Make
) -> None:
    """However many there are to compare with: findings begin below 0.5 and 0.35."""
    assert coverage(held_out, observed, split) > 0.5


def test_coverage_follows_the_share_of_modes(observed: Observed, split: Make) -> None:
    """Not all of it is reached by 64 samples: each covers the near neighbours of what is near it."""
    chance = np.random.default_rng(0)
    modes = np.array([[0, 0], [9, 0], [0, 9], [9, 9]])
    points = (modes[np.arange(800) % 4] + chance.normal(0, 0.1, size=(800, 2))).astype(np.float32)
    for count in (1, 2, 4):
        some = points[np.arange(800) % 4 < count]
        observation = observed(duel(Fixed(some)), split(points, held_out=256)).observe()
        assert 0.6 * count / 4 < observation["coverage"] <= count / 4
    assert abs(observation["distance"]) < 0.05


def test_values_outside_the_training_range_are_counted_per_coordinate(observed: Observed, split: Make) -> None:
    """The first goes from 0 to 1 and the second from 0 to 100; a twentieth of that beyond is let be."""
    points = np.random.default_rng(0).uniform(size=(700, 2)).astype(np.float32)
    points[:, 1] *= 100
    points[-400:] = points[-400:].clip([[0.1, 10.0]], [[0.9, 90.0]])
    points[-2:] = [[0.0, 0.0], [1.0, 100.0]]
    data = split(points, held_out=450)
    for row, share in (
        ([0.5, 50.0], 0.0),
        ([50.0, 50.0], 0.5),
        ([-50.0, 0.5], 0.5),
        ([1.04, 104.0], 0.0),
        ([1.06, 104.0], 0.5),
        ([-0.06, -6.0], 1.0),
    ):
        assert observed(duel(Fixed([row])), data).observe()["outside"] == share, row
    half = observed(duel(Fixed([[0.5, 50.0]] * 50 + [[9.0, 900.0]] * 50)), data).observe()
    assert half["outside"] == pytest.approx(0.5, abs=0.15)


def test_the_gap_is_1_where_the_discriminator_has_memorised_the_training_set(observed: Observed, split: Make) -> None:
    data = split()
    known = torch.from_numpy(data.train.samples)

    def by_heart(sample: Tensor) -> Tensor:
        return (torch.cdist(sample, known).amin(1) == 0).float()

    new = np.random.default_rng(1).normal((1.0, -1.0), 0.3, size=(500, 2))
    assert observed(duel(Fixed(new), by_heart), data).observe()["held-out gap"] == pytest.approx(1.0)


def test_the_gap_is_near_0_where_all_real_samples_score_alike(observed: Observed) -> None:
    far = duel(Fixed([[9.0, 9.0]]), lambda sample: -sample.sum(1))
    assert observed(far).observe()["held-out gap"] == pytest.approx(0.0, abs=0.02)


def test_the_gap_is_negative_where_held_out_samples_score_higher(observed: Observed, split: Make) -> None:
    data = split()
    others = torch.from_numpy(data.held_out.samples)

    def prefers_others(sample: Tensor) -> Tensor:
        return (torch.cdist(sample, others).amin(1) == 0).float() - sample.sum(1)

    assert observed(duel(Fixed([[9.0, 9.0]]), prefers_others), data).observe()["held-out gap"] < -0.02


def test_there_is_no_gap_where_generated_samples_score_higher(observed: Observed) -> None:
    ahead = duel(Fixed([[9.0, 9.0]]), lambda sample: sample.sum(1))
    assert "held-out gap" not in observed(ahead).observe().values


def test_diversity_is_measured_within_classes(observed: Observed, split: Make) -> None:
    """Class means are diverse only over classes."""
    centres, labels = np.array([[-9.0, 0.0], [9.0, 0.0]]), np.arange(400) % 2
    points = (centres[labels] + np.random.default_rng(0).normal(0, 0.3, size=(400, 2))).astype(np.float32)
    data = split(points, labels, classes=2)
    assert observed(duel(PerClass(centres)), data).observe()["diversity"] == 0
    unlabelled = split(points)
    assert observed(duel(Fixed(centres)), unlabelled).observe()["diversity"] == pytest.approx(1.0, abs=0.2)


def test_few_samples_with_classes_have_signals(observed: Observed, split: Make) -> None:
    labels = np.arange(50) % 2
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    observation = observed(
        duel(PerClass([[0.0, 0.0], [1.0, 1.0]])), split(points, labels, classes=2, held_out=5)
    ).observe()
    assert observation["diversity"] == 0


@pytest.mark.parametrize("held_out", [1, 2, 3])
def test_few_samples_have_signals(held_out: int, observed: Observed, split: Make) -> None:
    points = np.random.default_rng(0).normal(size=(held_out + 3, 2)).astype(np.float32)
    observation = observed(duel(Fixed(points)), split(points, held_out=held_out)).observe()
    assert observation["diversity"] > 0 and ("coverage" in observation.values) == (held_out > 1)


def test_players_without_conditions_are_given_none(split: Make, plan: Make) -> None:
    """Labels may be there for the judge alone."""
    points = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    data = split(points, np.arange(400) % 2, classes=2)
    data = Split(*(replace(side, conditions=None) for side in (data.train, data.held_out)), data.facts)
    game = duel(Fixed(points))
    Observer(Trainer(game, data.train, plan()), data, POINTS, 0).observe()
    assert game.players["discriminator"].conditions == [None] * 3


class Row(NamedTuple):
    """A row of a table: numbers, and the number of a category."""

    numbers: Any
    category: Any


class Table:
    """The part of a modality that the watchdog uses, for such rows or for categories alone."""

    bounds = None

    def cheap_features(self, samples: Any, facts: Any) -> Tensor:
        numbers = samples.numbers if isinstance(samples, tuple) else samples
        return numbers.float().view(len(numbers), -1)

    def extra_signals(self, real: Any, fake: Any, facts: Any) -> dict[str, float]:
        return {}


class Given:
    """A game that gives the same sample for all noise, and has no judges."""

    published, critics, phases, controls = ("maker",), (), (Phase("training"),), {}

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.players = {"maker": nn.Linear(1, 1)}
        self.make = make

    def turns(self, progress: Any) -> list[Any]:
        return []

    def opinion(self, batch: Batch) -> Opinion:
        return Opinion()

    def latent(self, random: Any) -> Tensor:
        return random.normal("noise", 1)

    def generate(self, latent: Tensor, condition: Any) -> Any:
        return self.make(len(latent))


def observed_rows(samples: Any, make: Callable[[int], Any], split: Make, plan: Make) -> Observation:
    sides = Dataset(take_rows(samples, slice(100, None))), Dataset(take_rows(samples, slice(100)))
    data = Split(*sides, split().facts)
    trainer = Trainer(Given(make), data.train, plan(players=("maker",)))
    return Observer(trainer, data, Table(), 0).observe()


@pytest.mark.parametrize(("number", "outside"), [(0.5, 0.0), (9.0, 1.0), (math.nan, 1.0)])
def test_only_floating_point_parts_have_contrast_and_range(
    number: float, outside: float, split: Make, plan: Make
) -> None:
    """The number of a category is far from those of the data, which says nothing."""
    chance = np.random.default_rng(0)
    rows = Row(chance.uniform(size=(700, 3)).astype(np.float32), chance.integers(4, size=700))
    observation = observed_rows(
        rows, lambda count: Row(torch.full((count, 3), number), torch.full((count,), 99)), split, plan
    )
    assert observation["outside"] == outside and (observation["contrast"] == 0 or observation["contrast"] > 1e3)
    assert ("distance" in observation.values) == math.isfinite(number)


def test_integer_samples_have_neither_contrast_nor_range(split: Make, plan: Make) -> None:
    tokens = np.random.default_rng(0).integers(9, size=(700, 5))
    observation = observed_rows(tokens, lambda count: torch.full((count, 5), 99), split, plan)
    assert {"diversity", "distance", "coverage"} <= set(observation.values)
    assert not {"contrast", "outside", "held-out gap", "lead", "generator gradient"} & set(observation.values)


def test_samples_of_unknown_class_are_not_one_class(observed: Observed, split: Make) -> None:
    """Each known class is one point; those of no known class differ."""
    labels = np.where(np.arange(400) % 4 < 2, -1, np.arange(400) % 2)
    points = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    centres = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]
    data = split(points, labels, classes=2)
    data = Split(*(replace(one, conditions=np.arange(len(one)) % 3) for one in (data.train, data.held_out)), data.facts)
    observer = observed(duel(PerClass(centres)), data)
    observer.matched = observer.matched._replace(
        label=torch.where(observer.matched.condition == 2, -1, observer.matched.condition)
    )
    assert observer.observe()["diversity"] == 0
    observer.matched = observer.matched._replace(condition=(torch.arange(SAMPLES) % 3).flip(0))
    assert observer.observe()["diversity"] > 0


def test_signals_of_two_critics_are_means(two_critics: Any, observed: Observed) -> None:
    """Whatever they and their turns are called."""
    observer = observed(two_critics)
    leads = [(0.7, 0.9), (0.9, 1.9), (1.4, 0.2)]
    for near, far in leads:
        observer.trainer.fresh = Figures(
            terms={
                "near": {"adversarial": -2.0, "decay": 1.0},
                "from afar": {"adversarial": 6.0, "decay": 3.0},
                "to please both": {"adversarial": 7.0},
            },
            notes={"near": {"lead": near}, "from afar": {"lead": far, "overlap": 0.25}, "maker": {"lead": 99.0}},
            gradients={"near": 3.0, "from afar": 5.0, "to please both": 2.0},
        )
        observer.step()
    observation = observer.observe()
    assert observation["lead"] == pytest.approx(1.0) and observation["overlap"] == 0.25
    assert observation["swing"] == pytest.approx(
        statistics.fmean(map(statistics.stdev, zip(*leads, strict=True))), rel=1e-5
    )
    assert (observation["discriminator gradient"], observation["generator gradient"]) == (4.0, 2.0)
    assert observation["penalty share"] == 0.5 and observation["steered"] == 0.0
    two_critics.controls["gamma far"].enabled = True
    assert observer.observe()["steered"] == 0.5


def test_roles_of_occasional_turns_are_remembered(two_critics: Any, observed: Observed) -> None:
    """In the state, too."""
    observer, again = observed(two_critics), observed(two_critics)
    two_critics.turns = lambda progress: []
    observer.trainer.fresh = noted("from afar", lead=0.9)
    observer.step()
    state = json.loads(json.dumps(observer.state()))
    again.restore(state)
    assert again.observe()["lead"] == observer.observe()["lead"] == 0.9


def test_a_game_without_critics_has_no_signals_of_the_contest(split: Make, plan: Make) -> None:
    player, data = Autoencoder(dimensions=2, latent_size=3, width=8), split()
    game = Likelihood(player, latent_size=3, observation=Normal(0.1), divergence_weight=constant(1.0))
    observer = Observer(Trainer(game, data.train, plan(players=("autoencoder",))), data, POINTS, seed=0)
    observer.trainer.advance()
    observer.step()
    observation = observer.observe()
    assert observation["autoencoder gradient"] > 0 and observation["diversity"] > 0
    assert not {"lead", "held-out gap", "generator gradient", "paired"} & set(observation.values)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_the_relativistic_loss_is_paired(loss: str, tiny_duel: Make, observed: Observed) -> None:
    assert observed(tiny_duel(loss=loss), steps=1).observe()["paired"] == (loss == "relativistic")


def test_non_finite_samples_are_outside(observed: Observed) -> None:
    observation = observed(duel(Fixed([[math.nan, 0.0]]))).observe()
    assert observation["outside"] == 1 and observation["contrast"] > 1e3
    assert not {"diversity", "coverage", "distance", "moved"} & set(observation.values)


@pytest.mark.parametrize("size", [1e6, 1e25])
def test_signals_of_a_diverging_run_are_json(size: float, observed: Observed) -> None:
    generator = Fixed(size * np.random.default_rng(0).normal(size=(100, 2)))
    observer = observed(duel(generator))
    for _ in range(2):
        json.dumps(observer.observe().values, allow_nan=False)
        json.dumps(observer.state(), allow_nan=False)
        with torch.no_grad():
            generator.points.neg_()


def with_running_statistics() -> Duel:
    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 2))

        def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
            return self.layers(latent)

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 1))

        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
            return Verdict([self.layers(sample).squeeze(1)], [])

    return Duel(Generator(), Discriminator(), prior=normal(4), loss=LOSSES["hinge"])


def test_an_observation_changes_nothing(observed: Observed) -> None:
    observer = observed(with_running_statistics(), steps=3)
    trainer = observer.trainer
    modules = [
        module for game in (trainer.game, trainer.average) for one in game.players.values() for module in one.modules()
    ]
    before, modes, state = take(trainer), [module.training for module in modules], torch.get_rng_state()
    wanted = [weight.requires_grad for player in trainer.game.players.values() for weight in player.parameters()]
    observer.observe()
    after = take(trainer)
    assert [module.training for module in modules] == modes and any(modes) and not all(modes)
    assert torch.equal(torch.get_rng_state(), state)
    assert wanted == [weight.requires_grad for one in trainer.game.players.values() for weight in one.parameters()]
    assert all(weight.grad is None for one in trainer.game.players.values() for weight in one.parameters())
    for tensors, others in ((before.players, after.players), (before.optimisers, after.optimisers)):
        assert tensors.keys() == others.keys()
        assert all(torch.equal(tensors[name], others[name]) for name in tensors)
    assert before.state == after.state


def test_an_observed_run_trains_as_an_unobserved_one(observed: Observed) -> None:
    torch.manual_seed(0)
    watched, alone = (observed(steps=3) for _ in range(2))
    watched.observe()
    for observer in (watched, alone):
        observer.trainer.advance()
    left, right = take(watched.trainer), take(alone.trainer)
    assert all(torch.equal(left.players[name], right.players[name]) for name in left.players)


def test_observations_of_the_same_state_are_equal(observed: Observed, split: Make) -> None:
    observer = observed(with_running_statistics(), steps=5)
    twin = Observer(observer.trainer, split(), POINTS, seed=0)
    first, again, other = observer.observe(), observer.observe(), twin.observe()
    assert again["moved"] == 0
    for name in ("diversity", "contrast", "distance", "coverage", "nearer to training"):
        assert first[name] == again[name] == other[name]
    stranger = Observer(observer.trainer, split(), POINTS, seed=1).observe()
    assert stranger["distance"] != first["distance"]


class Process:
    """One of several: the first writes down what it says, and the others hear it."""

    def __init__(self, number: int, sent: list[str]) -> None:
        self.is_main, self.sent = number == 0, sent

    def rows(self, batch: int) -> slice:
        return slice(0, batch)

    def broadcast(self, text: str) -> str:
        if self.is_main:
            self.sent.append(text)
        return self.sent[-1]


def test_all_processes_share_the_observation_of_the_first(observed: Observed) -> None:
    """Though the numbers of another may differ, and whatever it has counted since its last look."""
    observers, sent = (observed(steps=9), observed(duel(Fixed([[5.0, 5.0]])))), []
    observers[1].step()
    for number, observer in enumerate(observers):
        observer.trainer.step, observer.trainer.samples = 9, 9 * 32
        observer.trainer.world = Process(number, sent)  # type: ignore[assignment]
    found = [observer.observe() for observer in observers]
    assert found[0] == found[1] and len(sent) == 1 and "lead" in found[0].values
    assert observers[1].state()["sums"] == []


def test_reset_forgets_figures_since_the_previous_observation(observed: Observed) -> None:
    observer = observed(steps=64)
    observer.observe()
    observer.trainer.fresh = noted("discriminator", lead=900.0)
    observer.step()
    observer.trainer.guard.total = 7
    observer.reset()
    observation = observer.observe()
    assert observation["refused"] == 0 and not {"lead", "swing", "moved"} & set(observation.values)
    observer.trainer.guard.total = 9
    again = observer.observe()
    assert again["refused"] == 2 and again["moved"] == 0


def halfway(observed: Observed) -> tuple[Observer, Observer]:
    """An observer some steps after an observation, and another that was restored from its checkpoint."""
    observer, resumed = observed(steps=64), observed()
    observer.observe()
    for _ in range(20):
        observer.trainer.advance()
        observer.step()
    restore(resumed.trainer, take(observer.trainer))
    resumed.restore(json.loads(json.dumps(observer.state(), allow_nan=False)))
    return observer, resumed


def test_the_next_observation_is_the_same_after_restoring_from_json(observed: Observed) -> None:
    pair = halfway(observed)
    for observer in pair:
        for _ in range(10):
            observer.trainer.advance()
            observer.step()
    expected, found = (observer.observe() for observer in pair)
    assert found == expected and "moved" in found.values and "swing" in found.values


def test_restoring_before_the_first_observation(observed: Observed) -> None:
    observer, resumed = observed(), observed()
    resumed.restore(json.loads(json.dumps(observer.state())))
    assert resumed.observe() == observer.observe()


def test_updates_skipped_before_a_checkpoint_are_counted_after_it(observed: Observed) -> None:
    observer, resumed = observed(), observed()
    observer.trainer.guard.check("generator", math.nan)
    restore(resumed.trainer, take(observer.trainer))
    resumed.restore(json.loads(json.dumps(observer.state())))
    assert resumed.observe()["refused"] == observer.observe()["refused"] == 1


class Picture(nn.Module):
    """A generator of one and the same image, (channels, height, width)."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.image = nn.Parameter(image)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.image.expand(len(latent), *self.image.shape)


def observed_image(image: Tensor, split: Make, plan: Make) -> Observation:
    """Observe a generator of one image beside images of noise."""
    images = np.random.default_rng(0).integers(0, 256, size=(200, *image.shape), dtype=np.uint8)
    data = split(images)
    return Observer(Trainer(duel(Picture(image)), data.train, plan()), data, IMAGES, 0).observe()


def test_images_have_extra_signals(split: Make, plan: Make) -> None:
    observation = observed_image(torch.zeros(1, 8, 8), split, plan)
    assert {"checkerboard", "detail", "outside"} <= set(observation.values)
    assert observation["detail"] < -3 and observation["outside"] == 0


def test_pixels_outside_the_training_range_are_counted(split: Make, plan: Make) -> None:
    """From -1 to 1, whatever the place of a pixel; a twentieth of that range beyond is let be."""
    for level, share in ((3.0, 0.25), (-3.0, 0.25), (1.09, 0.0), (1.11, 0.25)):
        image = torch.zeros(3, 8, 8)
        image[:, :2] = level
        assert observed_image(image, split, plan)["outside"] == pytest.approx(share, abs=1e-6), level


def test_observations_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "signals.jsonl"
    assert read_observations(file) == []
    file.write_text('{"step": 64, "samples": 2048, "lead": 0.8}\n{"step": 128, "samples": 4096}\n{"step": 19')
    assert read_observations(file) == [Observation(64, 2048, {"lead": 0.8}), Observation(128, 4096, {})]


def test_lines_with_numbers_that_are_not_finite_are_left_out_when_read(tmp_path: Path) -> None:
    file = tmp_path / "signals.jsonl"
    file.write_text('{"step": 64, "samples": 2048, "lead": 1e400, "swing": NaN, "overlap": 0.5}\n', encoding="utf-8")
    assert read_observations(file) == []


def test_the_phase_of_an_observation_is_written_and_read_back(tmp_path: Path) -> None:
    """The first is not, so that what was written before there were phases reads alike."""
    every = [
        Observation(64, 2048, {"lead": 0.8}),
        Observation(128, 4096, {"lead": 0.9}, 1),
        Observation(192, 6144, {}, 1),
    ]
    lines = [
        json.dumps({"step": observation.step, "samples": observation.samples, **observation.written})
        for observation in every
    ]
    (tmp_path / "signals.jsonl").write_text("\n".join(lines))
    assert "phase" not in lines[0] and read_observations(tmp_path / "signals.jsonl") == every
    assert of_last_phase(every) == every[1:] and of_last_phase(every[:1]) == every[:1] and of_last_phase([]) == []
