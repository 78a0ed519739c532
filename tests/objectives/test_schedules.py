"""Schedules, as functions of the spent budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sparring.objectives.schedules import constant, cosine, geometric_cosine

fractions = some.floats(0, 1)
numbers = some.floats(1e-3, 1e3)


@given(numbers, fractions)
def test_constant_does_not_change(value: float, fraction: float) -> None:
    assert constant(value)(fraction) == value


def test_cosine_at_start_middle_and_end() -> None:
    schedule = cosine(4.0, 2.0, until=0.5)
    assert [schedule(fraction) for fraction in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([4, 3, 2, 2])


def test_geometric_cosine_at_start_middle_and_end() -> None:
    schedule = geometric_cosine(10.0, 0.1)
    assert [schedule(fraction) for fraction in (0.0, 0.5, 1.0)] == pytest.approx([10, 1, 0.1])


@given(numbers, numbers, fractions, fractions)
def test_both_cosines_are_monotone_from_start_to_end(start: float, end: float, one: float, other: float) -> None:
    for make in (cosine, geometric_cosine):
        schedule = make(start, end)
        assert schedule(0.0) == pytest.approx(start)
        assert schedule(1.0) == pytest.approx(end)
        earlier, later = schedule(min(one, other)), schedule(max(one, other))
        assert (later - earlier) * (end - start) >= -1e-9 * max(start, end) ** 2
