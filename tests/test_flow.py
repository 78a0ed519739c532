"""Figures of a step are merged into the latest ones."""

import json

from sparring.flow import Figures


def test_updated_figures_keep_the_newest_value_of_each() -> None:
    old = Figures({"d": {"a": 1.0}}, {"d": {"lead": 2.0, "sure": 0.5}}, {"d": 3.0}, {"gamma": 1.0}, {}, 32, 0.25)
    new = Figures({"d": {"a": 4.0}, "g": {"b": 5.0}}, {"d": {"lead": 6.0}}, {}, {"gamma": 2.0}, {}, 64, 0.5)
    assert old.updated(new) == Figures(
        {"d": {"a": 4.0}, "g": {"b": 5.0}}, {"d": {"lead": 6.0, "sure": 0.5}}, {"d": 3.0}, {"gamma": 2.0}, {}, 64, 0.5
    )


def test_figures_survive_json() -> None:
    figures = Figures({"d": {"a": 1.0}}, gradients={"d": 2.0}, samples=32)
    assert Figures(**json.loads(json.dumps(figures.as_json()))) == figures
