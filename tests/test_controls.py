"""Controls and the rules that move them."""

import math
import random

import pytest

from sparring.controls import Control, climb, hold, note, recover, running_mean, signal
from sparring.flow import Figures

LOSS = note("discriminator", "loss")


def step(fraction: float = 0.0, **notes: float) -> Figures:
    """Return figures of a step with these notes of the discriminator."""
    return Figures(notes={"discriminator": notes}, fraction=fraction)


def observation(samples: int = 1, **signals: float) -> Figures:
    """Return figures of an observation of the watchdog."""
    return Figures(signals=signals, samples=samples)


def test_set_clamps_to_the_bounds() -> None:
    control = Control(1.0, lowest=0.5, highest=2.0)
    for wanted, found in ((1.5, 1.5), (9.0, 2.0), (-9.0, 0.5)):
        control.set(wanted)
        assert control.value == found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_set_ignores_values_that_are_not_finite(value: float) -> None:
    control = Control(1.5, highest=2.0)
    control.set(value)
    assert control.value == 1.5


def test_a_control_without_a_rule_stays_constant() -> None:
    control = Control(0.3)
    control.update(step(loss=5.0))
    assert control.value == 0.3


def test_a_disabled_rule_does_nothing_until_it_is_enabled() -> None:
    control = Control(1.0, rule=hold(LOSS, 0.8, 0.1), enabled=False)
    control.update(step(loss=5.0))
    assert control.value == 1.0
    control.enabled = True
    control.update(step(loss=5.0))
    assert control.value > 1.0


def test_hold_moves_by_a_constant_factor_for_every_difference() -> None:
    rule = hold(LOSS, 0.8, 0.1)
    for loss, factor in (
        (0.81, math.exp(0.1)),
        (math.inf, math.exp(0.1)),
        (0.79, math.exp(-0.1)),
        (-50, math.exp(-0.1)),
    ):
        assert rule(3.0, step(loss=loss)) == pytest.approx(3.0 * factor)


@pytest.mark.parametrize("figures", [Figures(), step(another=5.0), step(loss=math.nan), observation(loss=5.0)])
def test_hold_does_not_move_without_its_figure(figures: Figures) -> None:
    assert hold(LOSS, 0.8, 0.1)(3.0, figures) == 3.0


def test_hold_respects_the_bounds_of_its_control() -> None:
    control = Control(1.0, lowest=0.5, highest=2.0, rule=hold(LOSS, 0.8, 0.1))
    for loss, bound in ((5.0, 2.0), (0.0, 0.5)):
        for _ in range(30):
            control.update(step(loss=loss))
        assert control.value == bound


def test_hold_respects_a_floor_that_falls_over_the_run() -> None:
    rule = hold(LOSS, 0.8, 0.1, floor=lambda fraction: 1.0 - fraction)
    assert rule(1.0, step(0.0, loss=0.0)) == 1.0
    assert rule(1.0, step(0.5, loss=0.0)) == pytest.approx(math.exp(-0.1))
    assert rule(0.6, step(0.5, loss=0.0)) == pytest.approx(0.6 * math.exp(-0.1))
    assert rule(0.5, step(0.5, loss=0.0)) == 0.5


def test_hold_brings_the_median_of_a_figure_to_the_set_point() -> None:
    """Exponential numbers of mean 1 / control have the median log 2 / control."""
    random_numbers, control, values = random.Random(0), Control(10.0, rule=hold(LOSS, 0.5, 0.01)), []
    for _ in range(6000):
        control.update(step(loss=random_numbers.expovariate(control.value)))
        values.append(math.log(control.value))
    assert math.exp(sum(values[1000:]) / 5000) == pytest.approx(math.log(2) / 0.5, rel=0.05)


def test_hold_with_a_slower_rise_brings_a_quantile_to_the_set_point() -> None:
    """Rising at a quarter of the rate lets four in five figures exceed the set point, log(5 / 4) / control."""
    random_numbers, values = random.Random(0), []
    control = Control(1.0, rule=hold(LOSS, 0.5, 0.01, rise=0.25))
    for _ in range(9000):
        control.update(step(loss=random_numbers.expovariate(control.value)))
        values.append(math.log(control.value))
    assert math.exp(sum(values[3000:]) / 6000) == pytest.approx(math.log(5 / 4) / 0.5, rel=0.05)
    for loss, factor in ((9.0, math.exp(0.25 * 0.1)), (0.0, math.exp(-0.1))):
        assert hold(LOSS, 0.5, 0.1, rise=0.25)(3.0, step(loss=loss)) == pytest.approx(3.0 * factor)


def test_running_mean_follows_only_its_own_figure() -> None:
    control = Control(1.0, lowest=-math.inf, rule=running_mean(note("discriminator", "score"), 0.9))
    expected = 1.0
    for score in (-5.0, 2.0, -30.0):
        control.update(step(score=score))
        control.update(step(another=7.0))
        control.update(step(score=math.nan))
        expected = 0.9 * expected + 0.1 * score
        assert control.value == pytest.approx(expected)


RULE = climb(signal("gap"), 0.6, 20.0)


def test_climb_moves_in_equal_steps_and_leaves_zero() -> None:
    control, values = Control(0.0, highest=0.12, rule=RULE), []
    for gap in (0.7, 0.9, 9.0, 0.5, math.nan, 0.1, 0.1, 0.1):
        control.update(observation(gap=gap))
        control.update(observation(another=9.0))
        values.append(control.value)
    assert values == pytest.approx([0.05, 0.1, 0.12, 0.07, 0.07, 0.02, 0.0, 0.0])


@pytest.mark.parametrize(("gap", "side"), [(0.6 + 1e-9, 1), (99.0, 1), (0.6, -1), (-99.0, -1)])
@pytest.mark.parametrize(("samples", "moved"), [(1, 0.05), (4, 0.2), (0, 0.0)])
def test_climb_depends_on_the_sign_of_the_difference_and_the_samples_seen(
    gap: float, side: int, samples: int, moved: float
) -> None:
    assert RULE(0.4, observation(samples, gap=gap)) == pytest.approx(0.4 + side * moved)


@pytest.mark.parametrize(
    "figures", [Figures(), observation(another=5.0), observation(gap=math.nan), step(0.5, gap=9.0)]
)
def test_climb_does_not_move_without_its_figure(figures: Figures) -> None:
    assert RULE(0.4, figures) == 0.4


def test_climb_brings_the_median_of_a_figure_to_the_set_point() -> None:
    """A figure that falls as the control rises settles near 0.6, within one step."""
    random_numbers, control, values = random.Random(0), Control(0.0, highest=0.8, rule=RULE), []
    for _ in range(400):
        control.update(observation(gap=random_numbers.gauss(1.0 - control.value, 0.02)))
        values.append(control.value)
    assert sum(values[50:]) / 350 == pytest.approx(0.4, abs=0.03)


def test_a_disabled_climbing_control_stays_constant() -> None:
    control = Control(0.3, rule=RULE, enabled=False)
    control.update(observation(gap=9.0))
    assert control.value == 0.3


def test_recover_rises_to_one_with_every_step_and_not_beyond() -> None:
    rule = recover(0.1)
    assert rule(0.25, step()) == pytest.approx(0.25 * math.exp(0.1))
    assert rule(0.99, step()) == 1.0 and rule(1.0, step()) == 1.0
    assert rule(6.0, step()) == 6.0
    assert rule(0.25, observation(lead=1.0)) == 0.25
