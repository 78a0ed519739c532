"""Whether made-up distances still fall."""

import math
import random
from collections.abc import Iterable

import pytest

from sparring.watchdog.convergence import CHANCE, FEWEST, Improvement, improvement_of, percent
from sparring.watchdog.signals import Observation

EVERY = 1000
"""Samples between looks."""


def of(distances: Iterable[float | None], total: int = 40 * EVERY) -> Improvement:
    """What is told of a look at each distance, those that are None excepted, in which it was not seen."""
    observations = [
        Observation(place, EVERY * place, {"lead": 0.8} if distance is None else {"distance": distance})
        for place, distance in enumerate(distances, start=1)
    ]
    return improvement_of(observations, total)


def noisy(values: Iterable[float], size: float, seed: int = 0) -> list[float]:
    chance = random.Random(seed)
    return [value + chance.gauss(0, size) for value in values]


def test_only_the_last_phase_that_was_looked_at_counts() -> None:
    observations = [
        Observation(place, EVERY * place, {"distance": 1 / place}, int(place > 20)) for place in range(1, 41)
    ]
    assert improvement_of(observations, 40 * EVERY) == improvement_of(observations[20:], 40 * EVERY)
    assert improvement_of(observations[: 20 + FEWEST - 1], 40 * EVERY).stopped is None


FALLING = [1 / place for place in range(1, 41)]
LEVEL = [max(0.1, 1 - place / 10) for place in range(40)]
"""At 0.1 from the tenth look on."""


def test_what_falls_to_the_end() -> None:
    found = of(noisy(FALLING, 0.001))
    assert found.stopped is False and found.since is None
    assert found.now is not None and found.best is not None and found.plus_minus is not None
    assert found.best - found.now > found.plus_minus > 0
    assert found.sentence.startswith("It still improved at the end: distance to held-out samples ")


@pytest.mark.parametrize("seed", range(5))
def test_what_has_fallen_and_then_stays(seed: int) -> None:
    """Not before the first ten looks in which all are level, and not long after."""
    found = of(noisy(LEVEL, 0.01, seed))
    assert found.stopped is True
    assert found.since is not None and 12 * EVERY <= found.since <= 24 * EVERY
    assert found.sentence.startswith(f"No gain can be told since {percent(found.since, 40 * EVERY)} of the run: ")


def test_since_when_no_gain_can_be_told() -> None:
    """The first stretch of ten that is no farther off than the last ends with the sixteenth look."""
    found = of([max(0.1, 1 - place / 10) + 0.01 * (place % 2) for place in range(40)])
    assert (found.stopped, found.since) == (True, 16 * EVERY)


def test_what_was_never_better_or_worse_has_stopped_from_the_start() -> None:
    found = of(noisy([0.5] * 40, 0.01))
    assert (found.stopped, found.since) == (True, 10 * EVERY)
    assert found.now == pytest.approx(0.5, abs=0.02)


def test_what_was_better_before() -> None:
    found = of(noisy([*LEVEL[:20], *[0.3] * 20], 0.01))
    assert found.stopped is True and found.best == pytest.approx(0.1, abs=0.02)
    assert found.sentence.startswith("It was better before: ")


@pytest.mark.parametrize(("worse", "words"), [(0.9 * CHANCE, "No gain"), (1.1 * CHANCE, "It was better before")])
def test_what_chance_gives_is_not_called_worse(worse: float, words: str) -> None:
    found = of([*[1.0] * 20, *[0.2] * 10, *[0.2 + worse] * 10])
    assert found.stopped is True and found.sentence.startswith(words)


def test_few_looks_tell_nothing() -> None:
    found = of(FALLING[: FEWEST - 1])
    assert (found.stopped, found.since, found.now, found.best, found.plus_minus) == (None,) * 5
    assert found.sentence == f"Whether it still improved cannot be told: 11 looks at the distance, {FEWEST} are needed."
    assert of(FALLING[:FEWEST]).stopped is False
    assert of([]).stopped is None


def test_looks_without_a_distance_do_not_count() -> None:
    unseen = [one for value in FALLING[: FEWEST - 1] for one in (value, None, None)]
    assert of(unseen).stopped is None
    assert of([*unseen, 1 / FEWEST]).stopped is False


def test_the_figures_are_means_of_quarters() -> None:
    """The last quarter, and the best of all stretches of as many that do not reach into it."""
    found = of([*[9.0] * 4, *[2.0, 4.0, 3.0, 3.0], *[9.0] * 4, *[5.0, 6.0, 5.0, 6.0]])
    assert (found.now, found.best) == (5.5, 3.0)
    assert found.plus_minus == pytest.approx(2 * math.sqrt((2 / 3) / 4 + (1 / 3) / 4))
    assert "5.5 in the last quarter of the looks, 3 in the best stretch before, ± 1" in found.sentence


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_is_seldom_called_a_gain(seed: int) -> None:
    assert of(noisy([0.2] * 48, 0.02, seed)).stopped is True


@pytest.mark.parametrize(
    ("samples", "total", "words"),
    [
        (0, 1000, "0 %"),
        (1000, 1000, "100 %"),
        (400, 1000, "40 %"),
        (333, 1000, "33 %"),
        (5, 1000, "0.5 %"),
        (10, 1000, "1 %"),
        (0, 0, "0 %"),
    ],
)
def test_shares_of_a_run(samples: int, total: int, words: str) -> None:
    assert percent(samples, total) == words
