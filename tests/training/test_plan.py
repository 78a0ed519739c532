"""Spent share of the budget, and refused numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sparring.errors import SparringError
from sparring.training.plan import Plan


def test_the_fraction_is_the_larger_share_of_both_budgets() -> None:
    assert Plan({}, 32, samples=1000).fraction(250, 1e9) == 0.25
    assert Plan({}, 32, seconds=60.0).fraction(10**9, 15.0) == 0.25
    assert Plan({}, 32, samples=1000, seconds=60.0).fraction(100, 30.0) == 0.5
    assert Plan({}, 32, samples=1000, seconds=60.0).fraction(900, 30.0) == 0.9
    assert Plan({}, 32, samples=1000).fraction(5000, 0.0) == 1.0


@given(some.integers(1, 10**9), some.floats(0.01, 1e6), some.integers(0, 10**9), some.floats(0, 1e6))
def test_the_fraction_grows_with_samples_and_seconds_and_stays_within_one(
    samples: int, seconds: float, seen: int, passed: float
) -> None:
    plan = Plan({}, 32, samples=samples, seconds=seconds)
    assert 0 <= plan.fraction(seen, passed) <= plan.fraction(seen + 1, passed + 1) <= 1
    assert plan.fraction(samples, 0.0) == plan.fraction(0, seconds) == pytest.approx(1)


@pytest.mark.parametrize("numbers", [{"batch": 0}, {"batch": 4, "samples": 0}, {"batch": 4, "micro_batch": -1}])
def test_numbers_that_are_not_positive_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(SparringError, match="more than zero"):
        Plan({}, **numbers)
