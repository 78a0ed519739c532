"""Updates that are not finite are skipped and counted."""

import math

import pytest

from sparring.training.guard import MAX_SKIPPED, Guard


@pytest.mark.parametrize("norm", [0.0, 1e-30, 1.0, 1e30])
def test_a_finite_gradient_is_accepted(norm: float) -> None:
    guard = Guard()
    assert guard.check("generator", norm)
    assert (guard.total, guard.skipped, guard.exhausted) == (0, {"generator": 0}, None)


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(norm: float) -> None:
    guard = Guard()
    assert not guard.check("generator", norm)
    assert (guard.total, guard.skipped) == (1, {"generator": 1})


def test_only_consecutive_skips_exhaust_the_guard() -> None:
    guard = Guard()
    for norm in [math.nan] * (MAX_SKIPPED - 1) + [1.0] + [math.inf] * (MAX_SKIPPED - 1):
        assert guard.check("generator", norm) == math.isfinite(norm)
        assert guard.exhausted is None
    guard.check("generator", math.nan)
    assert guard.exhausted == "generator"
    assert guard.total == 2 * MAX_SKIPPED - 1


def test_each_turn_has_a_counter_of_its_own() -> None:
    guard = Guard()
    for _ in range(MAX_SKIPPED - 1):
        guard.check("generator", math.nan)
        guard.check("discriminator", 1.0)
    assert guard.exhausted is None
    guard.check("discriminator", math.nan)
    assert guard.exhausted is None and guard.skipped == {"generator": MAX_SKIPPED - 1, "discriminator": 1}
    assert guard.total == MAX_SKIPPED
