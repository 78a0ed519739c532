"""Numbers that are turned while a run goes on."""

import math
import random

import pytest

from sparring.controls import Control, climb, hold, recover, running_mean

START = {"fraction": 0.0}


def test_a_dial_goes_as_far_as_it_goes() -> None:
    control = Control(1.0, lowest=0.5, highest=2.0)
    for wanted, found in ((1.5, 1.5), (9.0, 2.0), (-9.0, 0.5)):
        control.set(wanted)
        assert control.value == found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_ignored(value: float) -> None:
    control = Control(1.5, highest=2.0)
    control.set(value)
    assert control.value == 1.5


def test_a_dial_without_a_rule_stays() -> None:
    control = Control(0.3)
    control.follow({"loss": 5.0})
    assert control.value == 0.3


def test_a_disobedient_dial_stays_until_it_is_told_to_obey() -> None:
    control = Control(1.0, rule=hold("loss", 0.8, 0.1), enabled=False)
    control.follow({"loss": 5.0, **START})
    assert control.value == 1.0
    control.enabled = True
    control.follow({"loss": 5.0, **START})
    assert control.value > 1.0


def test_hold_moves_by_its_share_whatever_the_distance() -> None:
    rule = hold("loss", 0.8, 0.1)
    for loss, factor in (
        (0.81, math.exp(0.1)),
        (math.inf, math.exp(0.1)),
        (0.79, math.exp(-0.1)),
        (-50, math.exp(-0.1)),
    ):
        assert rule(3.0, {"loss": loss, **START}) == pytest.approx(3.0 * factor)


@pytest.mark.parametrize("figures", [{}, {"another": 5.0}, {"loss": math.nan}])
def test_hold_waits_for_its_figure(figures: dict[str, float]) -> None:
    assert hold("loss", 0.8, 0.1)(3.0, {**figures, **START}) == 3.0


def test_hold_respects_the_bounds_of_its_dial() -> None:
    control = Control(1.0, lowest=0.5, highest=2.0, rule=hold("loss", 0.8, 0.1))
    for loss, bound in ((5.0, 2.0), (0.0, 0.5)):
        for _ in range(30):
            control.follow({"loss": loss, **START})
        assert control.value == bound


def test_hold_respects_a_floor_that_sinks() -> None:
    rule = hold("loss", 0.8, 0.1, floor=lambda fraction: 1.0 - fraction)
    assert rule(1.0, {"loss": 0.0, "fraction": 0.0}) == 1.0
    assert rule(1.0, {"loss": 0.0, "fraction": 0.5}) == pytest.approx(math.exp(-0.1))
    assert rule(0.6, {"loss": 0.0, "fraction": 0.5}) == pytest.approx(0.6 * math.exp(-0.1))
    assert rule(0.5, {"loss": 0.0, "fraction": 0.5}) == 0.5


def test_hold_brings_the_median_of_a_figure_to_the_set_point() -> None:
    """Exponential numbers of mean 1 / dial have another median, log 2 / dial."""
    chance, control, places = random.Random(0), Control(10.0, rule=hold("loss", 0.5, 0.01)), []
    for _ in range(6000):
        control.follow({"loss": chance.expovariate(control.value), **START})
        places.append(math.log(control.value))
    assert math.exp(sum(places[1000:]) / 5000) == pytest.approx(math.log(2) / 0.5, rel=0.05)


def test_hold_brings_a_quantile_to_the_set_point_where_it_rises_slower() -> None:
    """With a quarter of the speed upward four in five steps have to be above: log(5 / 4) / dial is what they exceed."""
    chance, places = random.Random(0), []
    control = Control(1.0, rule=hold("loss", 0.5, 0.01, rise=0.25))
    for _ in range(9000):
        control.follow({"loss": chance.expovariate(control.value), **START})
        places.append(math.log(control.value))
    assert math.exp(sum(places[3000:]) / 6000) == pytest.approx(math.log(5 / 4) / 0.5, rel=0.05)
    for loss, factor in ((9.0, math.exp(0.25 * 0.1)), (0.0, math.exp(-0.1))):
        assert hold("loss", 0.5, 0.1, rise=0.25)(3.0, {"loss": loss, **START}) == pytest.approx(3.0 * factor)


def test_running_mean() -> None:
    control = Control(1.0, lowest=-math.inf, rule=running_mean("score", 0.9))
    expected = 1.0
    for score in (-5.0, 2.0, -30.0):
        control.follow({"score": score})
        control.follow({"another": 7.0})
        control.follow({"score": math.nan})
        expected = 0.9 * expected + 0.1 * score
        assert control.value == pytest.approx(expected)


RULE = climb("gap", 0.6, "passed", 20.0)


def test_climb_goes_by_equal_steps_and_leaves_zero() -> None:
    control, places = Control(0.0, highest=0.12, rule=RULE), []
    for gap in (0.7, 0.9, 9.0, 0.5, math.nan, 0.1, 0.1, 0.1):
        control.follow({"gap": gap, "passed": 1.0})
        control.follow({"another": 9.0})
        places.append(control.value)
    assert places == pytest.approx([0.05, 0.1, 0.12, 0.07, 0.07, 0.02, 0.0, 0.0])


@pytest.mark.parametrize(("gap", "side"), [(0.6 + 1e-9, 1), (99.0, 1), (0.6, -1), (-99.0, -1)])
@pytest.mark.parametrize(("passed", "moved"), [(1.0, 0.05), (4.0, 0.2), (0.0, 0.0)])
def test_only_the_side_and_what_has_passed_count_for_climbing(
    gap: float, side: int, passed: float, moved: float
) -> None:
    assert RULE(0.4, {"gap": gap, "passed": passed}) == pytest.approx(0.4 + side * moved)


@pytest.mark.parametrize("figures", [{}, {"another": 5.0}, {"gap": math.nan, "passed": 1.0}, {"fraction": 0.5}])
def test_climb_waits_for_its_figure(figures: dict[str, float]) -> None:
    assert RULE(0.4, figures) == 0.4


def test_climb_brings_the_median_of_a_figure_to_its_place() -> None:
    """Where the figure falls as the dial rises, it comes to rest about 0.6, not beyond a step of it."""
    chance, control, places = random.Random(0), Control(0.0, highest=0.8, rule=RULE), []
    for _ in range(400):
        control.follow({"gap": chance.gauss(1.0 - control.value, 0.02), "passed": 1.0})
        places.append(control.value)
    assert sum(places[50:]) / 350 == pytest.approx(0.4, abs=0.03)


def test_a_climbing_dial_that_does_not_obey_stays() -> None:
    control = Control(0.3, rule=RULE, enabled=False)
    control.follow({"gap": 9.0, "passed": 1.0})
    assert control.value == 0.3


def test_recover_rises_to_one_with_every_step_and_not_beyond() -> None:
    rule = recover(0.1)
    assert rule(0.25, START) == pytest.approx(0.25 * math.exp(0.1))
    assert rule(0.99, START) == 1.0 and rule(1.0, START) == 1.0
    assert rule(6.0, START) == 6.0
    assert rule(0.25, {"look: lead": 1.0}) == 0.25
