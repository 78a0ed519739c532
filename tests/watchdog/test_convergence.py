"""Distances that fall, stay and rise, and the result of the comparison."""

import math
import random
from collections.abc import Iterable

import pytest

from sparring.watchdog.convergence import CHANCE_DISTANCE, MIN_OBSERVATIONS, Improvement, improvement_of, percent
from sparring.watchdog.signals import Observation

INTERVAL = 1000
"""Samples between observations."""


def of(distances: Iterable[float | None], total: int = 40 * INTERVAL) -> Improvement:
    """Improvement after an observation of each distance; None stands for an observation without one."""
    observations = [
        Observation(place, INTERVAL * place, {"lead": 0.8} if distance is None else {"distance": distance})
        for place, distance in enumerate(distances, start=1)
    ]
    return improvement_of(observations, total)


def noisy(values: Iterable[float], size: float, seed: int = 0) -> list[float]:
    chance = random.Random(seed)
    return [value + chance.gauss(0, size) for value in values]


def test_only_the_last_observed_phase_counts() -> None:
    observations = [
        Observation(place, INTERVAL * place, {"distance": 1 / place}, int(place > 20)) for place in range(1, 41)
    ]
    assert improvement_of(observations, 40 * INTERVAL) == improvement_of(observations[20:], 40 * INTERVAL)
    assert improvement_of(observations[: 20 + MIN_OBSERVATIONS - 1], 40 * INTERVAL).stopped is None


FALLING = [1 / place for place in range(1, 41)]
LEVEL = [max(0.1, 1 - place / 10) for place in range(40)]
"""At 0.1 from the tenth observation on."""


def test_distances_that_fall_to_the_end_still_improve() -> None:
    found = of(noisy(FALLING, 0.001))
    assert found.stopped is False and found.since is None
    assert found.now is not None and found.best is not None and found.plus_minus is not None
    assert found.best - found.now > found.plus_minus > 0
    assert found.sentence.startswith("It was still improving at the end: distance to held-out samples ")


@pytest.mark.parametrize("seed", range(5))
def test_distances_that_stay_have_stopped_improving(seed: int) -> None:
    """Not before the first ten observations at the final level, and not long after."""
    found = of(noisy(LEVEL, 0.01, seed))
    assert found.stopped is True
    assert found.since is not None and 12 * INTERVAL <= found.since <= 24 * INTERVAL
    assert found.sentence.startswith(
        f"No further improvement is detectable since {percent(found.since, 40 * INTERVAL)} of the run: "
    )


def test_improvement_stops_at_the_end_of_the_first_window_that_is_as_good() -> None:
    """The first window of ten that is no worse than the last ends with the sixteenth observation."""
    found = of([max(0.1, 1 - place / 10) + 0.01 * (place % 2) for place in range(40)])
    assert (found.stopped, found.since) == (True, 16 * INTERVAL)


def test_constant_distances_have_stopped_from_the_start() -> None:
    found = of(noisy([0.5] * 40, 0.01))
    assert (found.stopped, found.since) == (True, 10 * INTERVAL)
    assert found.now == pytest.approx(0.5, abs=0.02)


def test_distances_that_were_smaller_earlier_are_reported() -> None:
    found = of(noisy([*LEVEL[:20], *[0.3] * 20], 0.01))
    assert found.stopped is True and found.best == pytest.approx(0.1, abs=0.02)
    assert found.sentence.startswith("It was better earlier: ")


@pytest.mark.parametrize(
    ("worse", "words"),
    [(0.9 * CHANCE_DISTANCE, "No further improvement"), (1.1 * CHANCE_DISTANCE, "It was better earlier")],
)
def test_an_increase_within_chance_is_not_called_worse(worse: float, words: str) -> None:
    found = of([*[1.0] * 20, *[0.2] * 10, *[0.2 + worse] * 10])
    assert found.stopped is True and found.sentence.startswith(words)


def test_few_observations_give_no_result() -> None:
    found = of(FALLING[: MIN_OBSERVATIONS - 1])
    assert (found.stopped, found.since, found.now, found.best, found.plus_minus) == (None,) * 5
    few = f"11 observations of the distance, at least {MIN_OBSERVATIONS} are needed"
    assert found.sentence == f"Too early to say whether the run still improves: {few}."
    assert of(FALLING[:MIN_OBSERVATIONS]).stopped is False
    assert of([]).stopped is None


def test_observations_without_a_distance_do_not_count() -> None:
    sparse = [one for value in FALLING[: MIN_OBSERVATIONS - 1] for one in (value, None, None)]
    assert of(sparse).stopped is None
    assert of([*sparse, 1 / MIN_OBSERVATIONS]).stopped is False


def test_the_values_are_means_of_quarters() -> None:
    """The last quarter, and the best of all windows of as many that do not reach into it."""
    found = of([*[9.0] * 4, *[2.0, 4.0, 3.0, 3.0], *[9.0] * 4, *[5.0, 6.0, 5.0, 6.0]])
    assert (found.now, found.best) == (5.5, 3.0)
    assert found.plus_minus == pytest.approx(2 * math.sqrt((2 / 3) / 4 + (1 / 3) / 4))
    assert "5.5 in the last quarter of the observations, 3 in the best window before, ± 1" in found.sentence


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_is_not_called_an_improvement(seed: int) -> None:
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
def test_shares_of_a_run_are_rounded(samples: int, total: int, words: str) -> None:
    assert percent(samples, total) == words
