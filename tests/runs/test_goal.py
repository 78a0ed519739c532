"""Goals at which training may stop."""

import pytest

from sparring.errors import SparringError
from sparring.runs.goal import GOAL_METRICS, SETTLED, Goal


def test_comparisons_are_parsed_and_checked() -> None:
    goal = Goal.parse(" fd < 0.4")
    assert (goal.metric, goal.below, goal.bound) == ("frechet", True, 0.4)
    assert goal.met(0.39) and not goal.met(0.4) and not goal.met(float("nan"))
    assert Goal.parse("coverage>.9").met(0.91) and not Goal.parse("coverage>.9").met(0.9)
    assert str(goal) == "fd < 0.4"
    assert Goal.parse("fd<1e-2").bound == Goal.parse("fd < .1e-1").bound == 0.01


@pytest.mark.parametrize("metric", GOAL_METRICS)
def test_every_metric_can_be_a_goal(metric: str) -> None:
    assert Goal.parse(f"{metric}<1").metric == GOAL_METRICS[metric]


@pytest.mark.parametrize("text", ["settled", " settled "])
def test_settled_is_not_a_comparison(text: str) -> None:
    goal = Goal.parse(text)
    assert goal.metric == SETTLED == "settled" and goal.metric not in GOAL_METRICS.values()
    assert str(goal) == "of no further detectable improvement"


@pytest.mark.parametrize("text", ["settled<1", "Settled", "settled settled"])
def test_settled_takes_no_bound(text: str) -> None:
    with pytest.raises(SparringError, match=r"settled, or a comparison such as fd<0\.4"):
        Goal.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fd",
        "fd<",
        "fd<=1",
        "<1",
        "fd<x",
        "loss<1",
        "fd<1.2.3",
        "0.4",
        "fd<-1",
        "fd<1e",
        "fd<1e999",
        "fd<²",
        "fd<inf",
    ],
)
def test_anything_else_is_reported_in_one_sentence(text: str) -> None:
    with pytest.raises(SparringError, match=r"a comparison such as fd<0\.4"):
        Goal.parse(text)


def test_the_nearest_metric_is_suggested() -> None:
    with pytest.raises(SparringError, match="did you mean 'coverage'"):
        Goal.parse("coverige>0.9")
