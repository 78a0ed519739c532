"""The lead of real samples, and the controls of γ that hold it."""

import math
from collections.abc import Callable

import pytest
import torch

from sparring.controls import Control
from sparring.flow import Figures
from sparring.objectives.gamma import LEAD, MAX_FACTOR, RISE_RATIO, SET_POINT, automatic, fixed, lead

LOWEST = 1e-7


def test_the_lead_is_log_2_where_logits_are_equal() -> None:
    logits = torch.tensor([-3.0, 0.0, 40.0])
    assert lead([logits], [logits]).item() == pytest.approx(math.log(2))


def test_the_lead_matches_its_closed_form() -> None:
    real, fake = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0])
    expected = (math.log(1 + math.exp(0.5)) + math.log(1 + math.exp(-3.0))) / 2
    assert lead([real], [fake]).item() == pytest.approx(expected)


def test_the_lead_of_several_critics_is_their_mean() -> None:
    real, fake = [torch.tensor([2.0]), torch.tensor([0.0])], [torch.tensor([0.0]), torch.tensor([0.0])]
    assert lead(real, fake).item() == pytest.approx((math.log(1 + math.exp(2.0)) + math.log(2)) / 2)


def test_a_large_lead_is_the_difference_of_the_logits() -> None:
    assert lead([torch.tensor([500.0])], [torch.tensor([-500.0])]).item() == pytest.approx(1000.0)


def figures_with_lead(value: float, fraction: float, turn: str = "discriminator") -> Figures:
    """Return figures of a step in which real samples lead by ``value``."""
    return Figures(notes={turn: {LEAD: value}}, fraction=fraction)


def value_after(control: Control, at: Callable[[float], float], *, steps: int, fraction: float = 0.0) -> float:
    """Return the value of a control after ``steps`` steps in which the lead is the function ``at`` of it."""
    for _ in range(steps):
        control.update(figures_with_lead(at(control.value), fraction))
    return control.value


@pytest.mark.parametrize("start", [10.0, 1.0])
def test_automatic_gamma_settles_where_the_lead_is_at_its_set_point(start: float) -> None:
    """The lead of a linear discriminator of slope 1 / 4γ, with its set point at γ = 3."""
    gap = math.log(math.expm1(SET_POINT))

    def at(gamma: float) -> float:
        return math.log1p(math.exp(gap * 3.0 / gamma))

    end = value_after(automatic(start, 0.01, 1e-7), at, steps=2000, fraction=1.0)
    assert end == pytest.approx(3.0, rel=0.011)


def test_automatic_gamma_keeps_its_bounds() -> None:
    assert value_after(automatic(2.0, 1.0, LOWEST), lambda gamma: 9.0, steps=100) == 2.0 * MAX_FACTOR
    assert value_after(automatic(2.0, 1.0, LOWEST), lambda gamma: 0.0, steps=100, fraction=1.0) == pytest.approx(
        2.0 * LOWEST
    )


def test_automatic_gamma_follows_the_lead_of_its_turn_alone() -> None:
    control = automatic(2.0, 0.1, LOWEST, turn="critic")
    control.update(figures_with_lead(9.0, 1.0))
    assert control.value == 2.0
    control.update(figures_with_lead(9.0, 1.0, "critic"))
    assert control.value == pytest.approx(2.0 * math.exp(0.1 * RISE_RATIO))


@pytest.mark.parametrize("value", [0.0, 1.0, 7.0])
def test_fixed_gamma_stays_until_it_is_enabled(value: float) -> None:
    control = fixed(value)
    assert value_after(control, lambda gamma: 9.0, steps=10) == value
    control.enabled = True
    control.set(control.value or 1.0)
    assert value_after(control, lambda gamma: 9.0, steps=10) > value
