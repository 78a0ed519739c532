"""Differences of distances and their significance, and the best distance of a run."""

import math
from statistics import fmean, stdev

import pytest
import torch
from torch import Tensor

from sparring.watchdog.best import (
    MIN_STANDARD_ERRORS,
    WINDOW,
    Difference,
    distance_difference,
    is_better,
    recent_distance,
)
from sparring.watchdog.signals import Observation

SAMPLES, REALS = 150, 150


def cloud(seed: int, count: int = SAMPLES, *, shift: float = 0.0, spread: float = 1.0, size: int = 3) -> Tensor:
    """Normal points; the shift is along all axes."""
    return spread * torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + shift


def drawn(count: int, **first: float) -> list[Difference]:
    """Differences for point clouds that differ in ``first``, each draw with real points of its own."""
    return [
        distance_difference(cloud(3 * seed, **first), cloud(3 * seed + 1), cloud(3 * seed + 2, REALS))
        for seed in range(count)
    ]


def test_equal_distributions_are_seldom_significantly_different() -> None:
    """In at most one of forty-four draws: what the normal law has beyond two standard errors, on one side."""
    significant = [one.significant for one in drawn(200)]
    assert sum(significant[:40]) <= 2 and sum(significant) <= 8


@pytest.mark.parametrize("first", [{"shift": 0.4}, {"spread": 0.6}, {"spread": 1.5}])
def test_a_larger_distance_is_significant(first: dict[str, float]) -> None:
    assert sum(one.significant for one in drawn(40, **first)) >= 36


def test_a_smaller_distance_is_never_significant() -> None:
    near, far, real = cloud(0), cloud(1, shift=0.5), cloud(2, REALS)
    one, other = distance_difference(far, near, real), distance_difference(near, far, real)
    assert one.significant and not other.significant
    assert one.value == pytest.approx(-other.value) and one.standard_error == pytest.approx(other.standard_error)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_the_standard_error_is_the_standard_deviation_over_draws(shift: float) -> None:
    """Over draws of both clouds, the reals being the same."""
    real = cloud(10**6, REALS)
    found = [distance_difference(cloud(2 * seed, shift=shift), cloud(2 * seed + 1), real) for seed in range(500)]
    spread = stdev(one.value for one in found)
    assert fmean(one.standard_error for one in found) == pytest.approx(spread, rel=0.12)


def test_the_difference_equals_a_sum_by_hand() -> None:
    """2 E|x - y| - E|x - x'| of each side: 2 · 5 - 2 for the first, 2 · 1 - 2 for the second."""
    first, second, real = (torch.tensor([[one], [other]]) for one, other in ((4.0, 6.0), (-1.0, 1.0), (0.0, 0.0)))
    found = distance_difference(first, second, real)
    assert found.value == pytest.approx(8.0)
    # Of the first 2 |x - y| - 2 |x - x'| is 4 and 8, with variance 8; of the second it is -2 twice.
    assert found.standard_error == pytest.approx(math.sqrt(8 / 2))


def test_the_difference_is_invariant_to_a_shift_of_all_points() -> None:
    sides = cloud(0, shift=0.3), cloud(1), cloud(2, REALS)
    near, away = distance_difference(*sides), distance_difference(*(side + 5 for side in sides))
    assert away.value == pytest.approx(near.value, abs=1e-4)
    assert away.standard_error == pytest.approx(near.standard_error, rel=1e-3)


def test_sets_of_different_sizes_are_compared() -> None:
    found = distance_difference(cloud(0, 40, shift=0.8), cloud(1, 200), cloud(2, 7))
    assert found.significant and math.isfinite(found.standard_error)


def test_two_standard_errors_are_significant() -> None:
    assert Difference(MIN_STANDARD_ERRORS * 1.01, 1.0).significant
    assert not Difference(MIN_STANDARD_ERRORS * 0.99, 1.0).significant and not Difference(-9.0, 1.0).significant
    assert not Difference(math.nan, math.nan).significant


def observations(*distances: float | None) -> list[Observation]:
    return [
        Observation(64 * place, 2048 * place, {} if distance is None else {"distance": distance})
        for place, distance in enumerate(distances)
    ]


def test_the_recent_distance_is_the_mean_of_the_last_observations() -> None:
    assert recent_distance(observations(100.0, 1.0, 2.0, 3.0, 4.0, 5.0)) == 3.0
    assert recent_distance(observations(*[1.0] * WINDOW)) == 1.0


@pytest.mark.parametrize(
    "distances",
    [(), (1.0,) * (WINDOW - 1), (1.0, 1.0, None, 1.0, 1.0), (*(1.0,) * WINDOW, None)],
    ids=["none", "few", "one unseen", "the last unseen"],
)
def test_there_is_no_recent_distance_before_there_are_enough_observations(distances: tuple[float | None, ...]) -> None:
    assert recent_distance(observations(*distances)) is None


@pytest.mark.parametrize(
    ("now", "best", "better"),
    [
        (0.5, None, True),
        (0.89, 1.0, True),
        (0.91, 1.0, False),
        (-0.001, 0.0, True),
        (-0.0111, -0.01, True),
        (-0.0109, -0.01, False),
        (-0.0095, -0.01, False),
    ],
)
def test_a_distance_is_better_by_a_tenth_of_its_size_even_below_zero(
    now: float, best: float | None, better: bool
) -> None:
    assert is_better(now, best) == better
