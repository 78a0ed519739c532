"""Conditions are built from the options that users give."""

import pytest
import torch

from sparring.data.conditions import LABEL, ConditionSpec, build_conditions
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError

FACTS = Facts("made up", "images", 9, (1, 8, 8), "", classes=("cat", "dog", "owl"), offers=("label",))
VIEW = View((1, 8, 8), "label")
SPECS = {
    "label": LABEL,
    "pair": ConditionSpec({"input": "files"}, lambda options, view, facts, count: torch.zeros(2, 1), True, ("input",)),
}


def labels(count: int | None, **options: object) -> list[int]:
    found = build_conditions(SPECS, VIEW, FACTS, options, count)
    assert isinstance(found, torch.Tensor)
    return found.tolist()


def test_without_options_all_classes_come_in_turn() -> None:
    assert labels(5) == [0, 1, 2, 0, 1] and labels(None) == [0, 1, 2]


@pytest.mark.parametrize("label", ["dog", "1", 1, torch.tensor(1), ["dog"]])
def test_a_class_can_be_given_by_name_or_number(label: object) -> None:
    assert labels(3, label=label) == [1, 1, 1]


def test_each_sample_can_have_its_own_class() -> None:
    assert labels(3, label=[2, "cat", 1]) == [2, 0, 1]


def test_inputs_are_repeated_in_turn() -> None:
    found = build_conditions(SPECS, View((1,), "pair"), FACTS, {"input": "in/"}, 5)
    assert found is not None and len(found) == 5
    assert len(build_conditions(SPECS, View((1,), "pair"), FACTS, {"input": "in/"}, None)) == 2


def test_a_model_without_conditions_needs_none() -> None:
    assert build_conditions(SPECS, View((1, 8, 8)), FACTS, {"label": None}, 3) is None


@pytest.mark.parametrize(
    ("view", "options", "message"),
    [
        (VIEW, {"label": "bird"}, "the class 'bird'"),
        (VIEW, {"label": 3}, "the class '3'"),
        (VIEW, {"label": -1}, "the class '-1'"),
        (VIEW, {"label": "²"}, "the class '²'"),
        (VIEW, {"label": "9" * 5000}, "the class '999"),
        (VIEW, {"label": []}, "no condition at all|0 classes for 3 samples"),
        (View((1,), "pair"), {}, "no --input, but expected files"),
        (
            View((1,), "prefix"),
            {},
            "the condition 'prefix', but expected one that this kind of samples has: label, pair",
        ),
        (VIEW, {"label": [0, 1]}, "2 classes for 3 samples"),
        (VIEW, {"input": "x"}, "--input x, but expected --label. Leave it out, or train .* condition 'pair'"),
        (View((1, 8, 8)), {"label": "cat"}, "trained without conditions"),
        (VIEW, {"lable": "cat"}, "--lable cat, but expected --label. Leave it out; did you mean 'label'"),
    ],
)
def test_mistakes_are_reported_in_one_sentence(view: View, options: dict[str, object], message: str) -> None:
    with pytest.raises(SparringError, match=message):
        build_conditions(SPECS, view, FACTS, options, 3)
