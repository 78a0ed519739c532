"""What is seen of a run, where it is known what there is to see."""

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
from sparring.flow import Batch, Opinion, Phase, Verdict
from sparring.games.duel import Duel
from sparring.games.likelihood import Likelihood
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
    JUDGED,
    NEIGHBOURS,
    SEEN,
    SIGNALS,
    Observation,
    Observer,
    due,
    of_one_phase,
)

Observed = Callable[..., Observer]
Make = Callable[..., Any]

FEW = {"swing", "moved", "held-out gap"}
"""Signals that are not to be had at every look."""


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


class OfClass(nn.Module):
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


def test_looks_become_half_as_frequent_with_every_doubling_of_the_run() -> None:
    steps = [step for step in range(26_000) if due(step)]
    gaps = [after - before for before, after in pairwise(steps)]
    assert steps[:3] == [64, 128, 192]
    assert gaps == sorted(gaps) and set(gaps) == {64, 128, 256}
    assert [sum(low < step <= 2 * low for step in steps) for low in (6400, 12_800)] == [50, 50]


def test_every_signal_of_points_is_there(observed: Observed) -> None:
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


def test_figures_are_means_over_the_steps_since_the_look_before(observed: Observed) -> None:
    observer = observed()
    leads = [0.7, 0.9, 1.4]
    for lead in leads:
        observer.trainer.fresh = {"discriminator: lead": lead, "generator/gradient": 2 * lead, "dial: lecam": 5.0}
        observer.step()
    observer.trainer.fresh = {"discriminator: lead": math.nan, "generator/gradient": math.inf}
    observer.step()
    observation = observer.observe()
    assert observation["lead"] == pytest.approx(1.0) and observation["generator gradient"] == pytest.approx(2.0)
    assert observation["swing"] == pytest.approx(statistics.stdev(leads), rel=1e-5)
    assert math.isnan(observer.observe()["lead"])


def test_updates_that_were_refused_are_counted_from_look_to_look(observed: Observed) -> None:
    observer = observed()
    for total, since in ((3, 3), (3, 0), (7, 4)):
        observer.trainer.guard.total = total
        assert observer.observe()["refused"] == since


def test_a_generator_of_one_point_has_no_diversity(observed: Observed) -> None:
    observation = observed(duel(Fixed([[1.0, -1.0]]))).observation()
    assert observation["diversity"] == 0 and observation["contrast"] == 0
    assert observation["coverage"] < 0.2 and observation["distance"] > 0.2


def test_a_generator_of_new_samples_is_as_diverse_as_reals(observed: Observed) -> None:
    new = np.random.default_rng(1).normal((1.0, -1.0), 0.3, size=(500, 2))
    observation = observed(duel(Fixed(new))).observation()
    for name in ("diversity", "contrast"):
        assert observation[name] == pytest.approx(1.0, abs=0.25)
    assert observation["coverage"] > 0.3 and abs(observation["distance"]) < 0.05
    assert observation["nearer to training"] == pytest.approx(0.5, abs=0.2)


def test_copies_of_training_samples_lie_nearer_to_them(observed: Observed, split: Make) -> None:
    data = split(held_out=256)
    watching = observed(duel(Fixed(data.train.samples)), data)
    copies = observed(duel(Fixed(watching.train.real)), data).observation()
    assert copies["nearer to training"] == 1.0
    assert observed(duel(Fixed(data.held_out.samples)), data).observation()["nearer to training"] == 0.0


def coverage(held_out: int, observed: Observed, split: Make) -> float:
    """The mean over some draws of the data, of samples that are of its distribution."""
    found = []
    for seed in range(8):
        points = np.random.default_rng(seed).normal((1.0, -1.0), 0.3, size=(held_out + 100, 2)).astype(np.float32)
        found.append(observed(duel(Blob()), split(points, held_out=held_out)).observation()["coverage"])
    return statistics.fmean(found)


def expected_coverage(held_out: int) -> float:
    """The coverage by as many samples of the same distribution, exactly.

    A real sample is missed where its first neighbours, among the others and the fakes alike, are all real.
    """
    neighbours = math.ceil(held_out * NEIGHBOURS / JUDGED)
    shares = [(held_out - 1 - place) / (held_out - 1 + SEEN - place) for place in range(neighbours)]
    return 1 - math.prod(shares)


@pytest.mark.parametrize("held_out", [20, 60, 100, 200, 256])
def test_coverage_is_that_of_a_share_of_neighbours(held_out: int, observed: Observed, split: Make) -> None:
    assert coverage(held_out, observed, split) == pytest.approx(expected_coverage(held_out), abs=0.06)


@pytest.mark.parametrize("held_out", [20, 51, 80, 100, 128, 200, 256])
def test_samples_as_good_as_reals_are_clear_of_the_bounds_of_coverage(
    held_out: int, observed: Observed, split: Make
) -> None:
    """However many there are to compare with: findings begin below 0.5 and 0.35."""
    assert coverage(held_out, observed, split) > 0.5


def test_coverage_follows_the_share_of_modes_that_are_met(observed: Observed, split: Make) -> None:
    """Not all of it is reached by 64 samples: each covers the near neighbours of what is near it."""
    chance = np.random.default_rng(0)
    modes = np.array([[0, 0], [9, 0], [0, 9], [9, 9]])
    points = (modes[np.arange(800) % 4] + chance.normal(0, 0.1, size=(800, 2))).astype(np.float32)
    for count in (1, 2, 4):
        some = points[np.arange(800) % 4 < count]
        observation = observed(duel(Fixed(some)), split(points, held_out=256)).observation()
        assert 0.6 * count / 4 < observation["coverage"] <= count / 4
    assert abs(observation["distance"]) < 0.05


def test_values_beyond_those_of_training_samples_are_counted_by_coordinate(observed: Observed, split: Make) -> None:
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
        assert observed(duel(Fixed([row])), data).observation()["outside"] == share, row
    half = observed(duel(Fixed([[0.5, 50.0]] * 50 + [[9.0, 900.0]] * 50)), data).observation()
    assert half["outside"] == pytest.approx(0.5, abs=0.15)


def test_the_gap_is_1_where_the_training_samples_are_known_by_heart(observed: Observed, split: Make) -> None:
    data = split()
    known = torch.from_numpy(data.train.samples)

    def by_heart(sample: Tensor) -> Tensor:
        return (torch.cdist(sample, known).amin(1) == 0).float()

    new = np.random.default_rng(1).normal((1.0, -1.0), 0.3, size=(500, 2))
    assert observed(duel(Fixed(new), by_heart), data).observation()["held-out gap"] == pytest.approx(1.0)


def test_the_gap_is_near_0_where_all_reals_look_alike(observed: Observed) -> None:
    far = duel(Fixed([[9.0, 9.0]]), lambda sample: -sample.sum(1))
    assert observed(far).observation()["held-out gap"] == pytest.approx(0.0, abs=0.02)


def test_the_gap_is_negative_where_held_out_samples_score_higher(observed: Observed, split: Make) -> None:
    data = split()
    others = torch.from_numpy(data.held_out.samples)

    def prefers_others(sample: Tensor) -> Tensor:
        return (torch.cdist(sample, others).amin(1) == 0).float() - sample.sum(1)

    assert observed(duel(Fixed([[9.0, 9.0]]), prefers_others), data).observation()["held-out gap"] < -0.02


def test_there_is_no_gap_where_fakes_score_higher(observed: Observed) -> None:
    ahead = duel(Fixed([[9.0, 9.0]]), lambda sample: sample.sum(1))
    assert "held-out gap" not in observed(ahead).observation().values


def test_classes_are_looked_at_one_by_one(observed: Observed, split: Make) -> None:
    """Class means are diverse only over classes."""
    centres, labels = np.array([[-9.0, 0.0], [9.0, 0.0]]), np.arange(400) % 2
    points = (centres[labels] + np.random.default_rng(0).normal(0, 0.3, size=(400, 2))).astype(np.float32)
    data = split(points, labels, classes=2)
    assert observed(duel(OfClass(centres)), data).observation()["diversity"] == 0
    unlabelled = split(points)
    assert observed(duel(Fixed(centres)), unlabelled).observation()["diversity"] == pytest.approx(1.0, abs=0.2)


def test_few_samples_with_classes(observed: Observed, split: Make) -> None:
    labels = np.arange(50) % 2
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    observation = observed(
        duel(OfClass([[0.0, 0.0], [1.0, 1.0]])), split(points, labels, classes=2, held_out=5)
    ).observation()
    assert observation["diversity"] == 0


@pytest.mark.parametrize("held_out", [1, 2, 3])
def test_few_samples(held_out: int, observed: Observed, split: Make) -> None:
    points = np.random.default_rng(0).normal(size=(held_out + 3, 2)).astype(np.float32)
    observation = observed(duel(Fixed(points)), split(points, held_out=held_out)).observation()
    assert observation["diversity"] > 0 and ("coverage" in observation.values) == (held_out > 1)


def test_players_without_classes_are_never_told_any(split: Make, plan: Make) -> None:
    """Labels may be there for the judge alone."""
    points = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    data = split(points, np.arange(400) % 2, classes=2)
    data = Split(*(replace(side, conditions=None) for side in (data.train, data.held_out)), data.facts)
    game = duel(Fixed(points))
    Observer(Trainer(game, data.train, plan()), data, POINTS, 0).observation()
    assert game.players["discriminator"].conditions == [None] * 3


class Row(NamedTuple):
    """A row of a table: numbers, and the number of a category."""

    numbers: Any
    category: Any


class Table:
    """What the watchdog needs of a modality of such rows, or of categories alone."""

    bounds = None

    def cheap_features(self, samples: Any, facts: Any) -> Tensor:
        numbers = samples.numbers if isinstance(samples, tuple) else samples
        return numbers.float().view(len(numbers), -1)

    def extra_signals(self, real: Any, fake: Any) -> dict[str, float]:
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


def seen_of_rows(samples: Any, make: Callable[[int], Any], split: Make, plan: Make) -> Observation:
    sides = Dataset(take_rows(samples, slice(100, None))), Dataset(take_rows(samples, slice(100)))
    data = Split(*sides, split().facts)
    trainer = Trainer(Given(make), data.train, plan(players=("maker",)))
    return Observer(trainer, data, Table(), 0).observation()


@pytest.mark.parametrize(("number", "outside"), [(0.5, 0.0), (9.0, 1.0), (math.nan, 1.0)])
def test_of_samples_of_several_parts_those_of_floating_point_are_compared(
    number: float, outside: float, split: Make, plan: Make
) -> None:
    """The number of a category is far from those of the data, which says nothing."""
    chance = np.random.default_rng(0)
    rows = Row(chance.uniform(size=(700, 3)).astype(np.float32), chance.integers(4, size=700))
    observation = seen_of_rows(
        rows, lambda count: Row(torch.full((count, 3), number), torch.full((count,), 99)), split, plan
    )
    assert observation["outside"] == outside and (observation["contrast"] == 0 or observation["contrast"] > 1e3)
    assert ("distance" in observation.values) == math.isfinite(number)


def test_whole_numbers_have_neither_contrast_nor_range(split: Make, plan: Make) -> None:
    tokens = np.random.default_rng(0).integers(9, size=(700, 5))
    observation = seen_of_rows(tokens, lambda count: torch.full((count, 5), 99), split, plan)
    assert {"diversity", "distance", "coverage"} <= set(observation.values)
    assert not {"contrast", "outside", "held-out gap", "lead", "generator gradient"} & set(observation.values)


def test_samples_of_unknown_classes_are_of_no_class_together(observed: Observed, split: Make) -> None:
    """Each known class is one point; those of no known class differ."""
    labels = np.where(np.arange(400) % 4 < 2, -1, np.arange(400) % 2)
    points = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    centres = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]
    data = split(points, labels, classes=2)
    data = Split(*(replace(one, conditions=np.arange(len(one)) % 3) for one in (data.train, data.held_out)), data.facts)
    made = observed(duel(OfClass(centres)), data)
    made.extra_state = made.extra_state._replace(
        label=torch.where(made.extra_state.condition == 2, -1, made.extra_state.condition)
    )
    assert made.observation()["diversity"] == 0
    made.extra_state = made.extra_state._replace(condition=(torch.arange(SEEN) % 3).flip(0))
    assert made.observation()["diversity"] > 0


def test_two_judges_are_watched_as_one(two_judges: Any, observed: Observed) -> None:
    """Whatever they and their turns are called."""
    observer = observed(two_judges)
    leads = [(0.7, 0.9), (0.9, 1.9), (1.4, 0.2)]
    for near, far in leads:
        observer.trainer.fresh = {
            **{"near: lead": near, "from afar: lead": far, "from afar: overlap": 0.25, "maker: lead": 99.0},
            **{"near/adversarial": -2.0, "near/decay": 1.0, "near/gradient": 3.0},
            **{"from afar/adversarial": 6.0, "from afar/decay": 3.0, "from afar/gradient": 5.0},
            **{"to please both/adversarial": 7.0, "to please both/gradient": 2.0},
        }
        observer.step()
    observation = observer.observe()
    assert observation["lead"] == pytest.approx(1.0) and observation["overlap"] == 0.25
    assert observation["swing"] == pytest.approx(
        statistics.fmean(map(statistics.stdev, zip(*leads, strict=True))), rel=1e-5
    )
    assert (observation["discriminator gradient"], observation["generator gradient"]) == (4.0, 2.0)
    assert observation["penalty share"] == 0.5 and observation["steered"] == 0.0
    two_judges.controls["strength far"].enabled = True
    assert observer.observe()["steered"] == 0.5


def test_roles_of_turns_that_come_only_now_and_then_are_remembered(two_judges: Any, observed: Observed) -> None:
    """In the state, too; one that was written without them is restored all the same."""
    observer, again = observed(two_judges), observed(two_judges)
    two_judges.turns = lambda progress: []
    observer.trainer.fresh = {"from afar: lead": 0.9}
    observer.step()
    state = json.loads(json.dumps(observer.state()))
    again.restore(state)
    assert again.observation()["lead"] == observer.observe()["lead"] == 0.9
    del state["roles"]
    again.restore(state)
    assert "lead" not in again.observation().values


def test_a_game_without_a_discriminator(split: Make, plan: Make) -> None:
    player, data = Autoencoder(dimensions=2, latent=3, width=8), split()
    game = Likelihood(player, latent_size=3, spread=0.1, divergence_weight=constant(1.0))
    observer = Observer(Trainer(game, data.train, plan(players=("autoencoder",))), data, POINTS, seed=0)
    observer.trainer.advance()
    observer.step()
    observation = observer.observe()
    assert observation["autoencoder gradient"] > 0 and observation["diversity"] > 0
    assert not {"lead", "held-out gap", "generator gradient", "paired"} & set(observation.values)


@pytest.mark.parametrize("loss", LOSSES)
def test_which_losses_score_pairs(loss: str, tiny_duel: Make, observed: Observed) -> None:
    assert observed(tiny_duel(loss=loss), steps=1).observation()["paired"] == (loss == "relativistic")


def test_samples_that_are_not_finite_are_far_out(observed: Observed) -> None:
    observation = observed(duel(Fixed([[math.nan, 0.0]]))).observation()
    assert observation["outside"] == 1 and observation["contrast"] > 1e3
    assert not {"diversity", "coverage", "distance", "moved"} & set(observation.values)


@pytest.mark.parametrize("size", [1e6, 1e25])
def test_what_is_seen_of_a_run_that_diverges_can_be_written_down(size: float, observed: Observed) -> None:
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


def test_a_look_changes_nothing(observed: Observed) -> None:
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


def test_a_run_that_is_looked_at_goes_as_one_that_is_not(observed: Observed) -> None:
    torch.manual_seed(0)
    watched, alone = (observed(steps=3) for _ in range(2))
    watched.observation()
    for observer in (watched, alone):
        observer.trainer.advance()
    left, right = take(watched.trainer), take(alone.trainer)
    assert all(torch.equal(left.players[name], right.players[name]) for name in left.players)


def test_two_looks_at_the_same_state_are_alike(observed: Observed, split: Make) -> None:
    observer = observed(with_running_statistics(), steps=5)
    twin = Observer(observer.trainer, split(), POINTS, seed=0)
    first, again, other = observer.observe(), observer.observation(), twin.observation()
    assert again["moved"] == 0
    for name in ("diversity", "contrast", "distance", "coverage", "nearer to training"):
        assert first[name] == again[name] == other[name]
    stranger = Observer(observer.trainer, split(), POINTS, seed=1).observation()
    assert stranger["distance"] != first["distance"]


class Process:
    """One of several: the first writes down what it says, and the others hear it."""

    def __init__(self, number: int, said: list[str]) -> None:
        self.first, self.said = number == 0, said

    def rows(self, batch: int) -> slice:
        return slice(0, batch)

    def agree(self, text: str) -> str:
        if self.first:
            self.said.append(text)
        return self.said[-1]


def test_all_processes_see_what_the_first_sees(observed: Observed) -> None:
    """Though the numbers of another may differ, and whatever it has counted since its last look."""
    observers, said = (observed(steps=9), observed(duel(Fixed([[5.0, 5.0]])))), []
    observers[1].step()
    for number, observer in enumerate(observers):
        observer.trainer.step, observer.trainer.samples = 9, 9 * 32
        observer.trainer.world = Process(number, said)  # type: ignore[assignment]
    looked = [observer.observe() for observer in observers]
    assert looked[0] == looked[1] and len(said) == 1 and "lead" in looked[0].values
    assert observers[1].state()["sums"] == {}


def test_what_was_seen_since_the_last_look_is_forgotten_when_the_run_goes_back(observed: Observed) -> None:
    observer = observed(steps=64)
    observer.observe()
    observer.trainer.fresh = {"discriminator: lead": 900.0}
    observer.step()
    observer.trainer.guard.total = 7
    observer.forget()
    observation = observer.observe()
    assert observation["refused"] == 0 and not {"lead", "swing", "moved"} & set(observation.values)
    observer.trainer.guard.total = 9
    again = observer.observe()
    assert again["refused"] == 2 and again["moved"] == 0


def halfway(observed: Observed) -> tuple[Observer, Observer]:
    """An observer some steps after a look, and what a checkpoint makes of it."""
    observer, resumed = observed(steps=64), observed()
    observer.observe()
    for _ in range(20):
        observer.trainer.advance()
        observer.step()
    restore(resumed.trainer, take(observer.trainer))
    resumed.restore(json.loads(json.dumps(observer.state(), allow_nan=False)))
    return observer, resumed


def test_restored_from_json_the_next_look_is_the_same(observed: Observed) -> None:
    pair = halfway(observed)
    for observer in pair:
        for _ in range(10):
            observer.trainer.advance()
            observer.step()
    expected, found = (observer.observe() for observer in pair)
    assert found == expected and "moved" in found.values and "swing" in found.values


def test_restored_before_the_first_look(observed: Observed) -> None:
    observer, resumed = observed(), observed()
    resumed.restore(json.loads(json.dumps(observer.state())))
    assert resumed.observation() == observer.observe()


def test_updates_refused_before_a_checkpoint_are_counted_after_it(observed: Observed) -> None:
    observer, resumed = observed(), observed()
    observer.trainer.guard.note("generator", math.nan)
    restore(resumed.trainer, take(observer.trainer))
    resumed.restore(json.loads(json.dumps(observer.state())))
    assert resumed.observation()["refused"] == observer.observe()["refused"] == 1


class Picture(nn.Module):
    """A generator of one and the same image, (channels, height, width)."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.image = nn.Parameter(image)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.image.expand(len(latent), *self.image.shape)


def seen_of(image: Tensor, split: Make, plan: Make) -> Observation:
    """A look at a generator of one image beside images of noise."""
    images = np.random.default_rng(0).integers(0, 256, size=(200, *image.shape), dtype=np.uint8)
    data = split(images)
    return Observer(Trainer(duel(Picture(image)), data.train, plan()), data, IMAGES, 0).observation()


def test_images_have_signs_of_their_own(split: Make, plan: Make) -> None:
    observation = seen_of(torch.zeros(1, 8, 8), split, plan)
    assert {"checkerboard", "detail", "outside"} <= set(observation.values)
    assert observation["detail"] < -3 and observation["outside"] == 0


def test_pixels_beyond_those_of_training_images_are_counted(split: Make, plan: Make) -> None:
    """From -1 to 1, whatever the place of a pixel; a twentieth of that range beyond is let be."""
    for level, share in ((3.0, 0.25), (-3.0, 0.25), (1.09, 0.0), (1.11, 0.25)):
        image = torch.zeros(3, 8, 8)
        image[:, :2] = level
        assert seen_of(image, split, plan)["outside"] == pytest.approx(share, abs=1e-6), level


def test_looks_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "signals.jsonl"
    assert read_observations(file) == []
    file.write_text('{"step": 64, "samples": 2048, "lead": 0.8}\n{"step": 128, "samples": 4096}\n{"step": 19')
    assert read_observations(file) == [Observation(64, 2048, {"lead": 0.8}), Observation(128, 4096, {})]


def test_the_phase_of_a_look_is_written_down_and_read_back(tmp_path: Path) -> None:
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
    assert of_one_phase(every) == every[1:] and of_one_phase(every[:1]) == every[:1] and of_one_phase([]) == []
