"""The speed of a run, from which the time left follows."""

import pytest

from sparring.runs.pace import Pace


def test_the_first_steps_do_not_count() -> None:
    """Two slow steps at first, forty times as fast from then on: the estimate is of the fast ones."""
    pace, now = Pace(0.0), 0.0
    for number in range(40):
        now += 5.0 if number < 2 else 0.125
        pace.step(64, now)
        assert pace.is_known == (number >= 10)
        assert pace.seconds_for(6400) == (pytest.approx(12.5) if number >= 10 else None)


def test_only_the_latest_seconds_count() -> None:
    pace, now = Pace(0.0), 0.0
    for number in range(200):
        now += 1.0 if number < 100 else 2.0
        pace.step(10, now)
    assert pace.rate == pytest.approx(5.0)


def test_a_speed_that_is_not_known_yet_is_that_of_all_steps() -> None:
    pace = Pace(10.0)
    pace.step(64, 12.0)
    assert pace.rate == 32.0 and pace.seconds_for(1) is None
