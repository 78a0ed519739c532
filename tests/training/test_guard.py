"""Updates that are refused, counted."""

import math

import pytest

from sparring.training.guard import PATIENCE, Guard


@pytest.mark.parametrize("norm", [0.0, 1e-30, 1.0, 1e30])
def test_a_finite_gradient_is_let_through(norm: float) -> None:
    guard = Guard()
    assert guard.note("generator", norm)
    assert (guard.total, guard.refused, guard.exhausted) == (0, {"generator": 0}, None)


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_and_counted(norm: float) -> None:
    guard = Guard()
    assert not guard.note("generator", norm)
    assert (guard.total, guard.refused) == (1, {"generator": 1})


def test_only_a_row_of_bad_gradients_exhausts() -> None:
    guard = Guard()
    for norm in [math.nan] * (PATIENCE - 1) + [1.0] + [math.inf] * (PATIENCE - 1):
        assert guard.note("generator", norm) == math.isfinite(norm)
        assert guard.exhausted is None
    guard.note("generator", math.nan)
    assert guard.exhausted == "generator"
    assert guard.total == 2 * PATIENCE - 1


def test_turns_are_counted_apart() -> None:
    guard = Guard()
    for _ in range(PATIENCE - 1):
        guard.note("generator", math.nan)
        guard.note("discriminator", 1.0)
    assert guard.exhausted is None
    guard.note("discriminator", math.nan)
    assert guard.exhausted is None and guard.refused == {"generator": PATIENCE - 1, "discriminator": 1}
    assert guard.total == PATIENCE
