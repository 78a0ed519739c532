"""Which of two clouds is nearer to a third, and when that can be told."""

import math
from statistics import fmean, stdev

import pytest
import torch
from torch import Tensor

from sparring.watchdog.best import SURE, WINDOW, Difference, farther, standing, surpasses
from sparring.watchdog.signals import Observation

SAMPLES, REALS = 150, 150


def cloud(seed: int, count: int = SAMPLES, *, shift: float = 0.0, spread: float = 1.0, size: int = 3) -> Tensor:
    """Normal points; the shift is along all axes."""
    return spread * torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + shift


def drawn(count: int, **first: float) -> list[Difference]:
    """Of clouds that differ in ``first``, each draw with reals of its own."""
    return [farther(cloud(3 * seed, **first), cloud(3 * seed + 1), cloud(3 * seed + 2, REALS)) for seed in range(count)]


def test_equal_clouds_can_seldom_be_told_apart() -> None:
    """In at most one of forty-four draws: what the normal law has beyond two standard errors, on one side."""
    told = [one.can_be_told for one in drawn(200)]
    assert sum(told[:40]) <= 2 and sum(told) <= 8


@pytest.mark.parametrize("first", [{"shift": 0.4}, {"spread": 0.6}, {"spread": 1.5}])
def test_a_cloud_that_is_farther_off_is_told(first: dict[str, float]) -> None:
    assert sum(one.can_be_told for one in drawn(40, **first)) >= 36


def test_a_cloud_that_is_nearer_is_never_called_farther() -> None:
    near, far, real = cloud(0), cloud(1, shift=0.5), cloud(2, REALS)
    one, other = farther(far, near, real), farther(near, far, real)
    assert one.can_be_told and not other.can_be_told
    assert one.value == pytest.approx(-other.value) and one.standard_error == pytest.approx(other.standard_error)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_the_standard_error_is_the_spread_over_draws(shift: float) -> None:
    """Over draws of both clouds, the reals being the same."""
    real = cloud(10**6, REALS)
    found = [farther(cloud(2 * seed, shift=shift), cloud(2 * seed + 1), real) for seed in range(500)]
    spread = stdev(one.value for one in found)
    assert fmean(one.standard_error for one in found) == pytest.approx(spread, rel=0.12)


def test_the_difference_against_a_sum_that_is_written_out() -> None:
    """2 E|x - y| - E|x - x'| of each side: 2 · 5 - 2 for the first, 2 · 1 - 2 for the second."""
    first, second, real = (torch.tensor([[one], [other]]) for one, other in ((4.0, 6.0), (-1.0, 1.0), (0.0, 0.0)))
    found = farther(first, second, real)
    assert found.value == pytest.approx(8.0)
    # Of the first 2 |x - y| - 2 |x - x'| is 4 and 8, with variance 8; of the second it is -2 twice.
    assert found.standard_error == pytest.approx(math.sqrt(8 / 2))


def test_the_difference_does_not_depend_on_where_the_clouds_lie() -> None:
    sides = cloud(0, shift=0.3), cloud(1), cloud(2, REALS)
    near, away = farther(*sides), farther(*(side + 5 for side in sides))
    assert away.value == pytest.approx(near.value, abs=1e-4)
    assert away.standard_error == pytest.approx(near.standard_error, rel=1e-3)


def test_clouds_of_other_sizes() -> None:
    found = farther(cloud(0, 40, shift=0.8), cloud(1, 200), cloud(2, 7))
    assert found.can_be_told and math.isfinite(found.standard_error)


def test_beyond_chance() -> None:
    assert Difference(SURE * 1.01, 1.0).can_be_told
    assert not Difference(SURE * 0.99, 1.0).can_be_told and not Difference(-9.0, 1.0).can_be_told
    assert not Difference(math.nan, math.nan).can_be_told


def observations(*distances: float | None) -> list[Observation]:
    return [
        Observation(64 * place, 2048 * place, {} if distance is None else {"distance": distance})
        for place, distance in enumerate(distances)
    ]


def test_the_standing_is_the_mean_of_the_last_looks() -> None:
    assert standing(observations(100.0, 1.0, 2.0, 3.0, 4.0, 5.0)) == 3.0
    assert standing(observations(*[1.0] * WINDOW)) == 1.0


@pytest.mark.parametrize(
    "distances",
    [(), (1.0,) * (WINDOW - 1), (1.0, 1.0, None, 1.0, 1.0), (*(1.0,) * WINDOW, None)],
    ids=["none", "few", "one unseen", "the last unseen"],
)
def test_there_is_no_standing_before_there_are_enough(distances: tuple[float | None, ...]) -> None:
    assert standing(observations(*distances)) == math.inf


@pytest.mark.parametrize(
    ("now", "best", "better"),
    [
        (0.5, math.inf, True),
        (math.inf, math.inf, False),
        (0.89, 1.0, True),
        (0.91, 1.0, False),
        (-0.001, 0.0, True),
        (-0.0111, -0.01, True),
        (-0.0109, -0.01, False),
        (-0.0095, -0.01, False),
    ],
)
def test_a_distance_is_better_by_a_tenth_of_its_size_even_below_zero(now: float, best: float, better: bool) -> None:
    assert surpasses(now, best) == better
