"""Conditions are built from the options that users give."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.data.conditions import LABEL, ConditionSpec, build_conditions, checked_conditions
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


@pytest.mark.parametrize("label", [2, "2", 2.0, torch.tensor(2), np.int64(2), np.array([2]), ["2"], [torch.tensor(2)]])
def test_a_number_that_is_a_name_means_the_name(label: object) -> None:
    found = build_conditions(SPECS, VIEW, replace(FACTS, classes=("1", "2", "10", "20")), {"label": label}, 1)
    assert isinstance(found, torch.Tensor) and found.tolist() == [1]


@pytest.mark.parametrize("label", [0, 3, "3", -1, 1.7, "1.7", True, [1, 3]])
@pytest.mark.parametrize("classes", [("1", "2", "10", "20"), ("1", "2", "other", "10")])
def test_a_number_that_is_no_name_is_refused_where_names_are_numbers(label: object, classes: tuple[str, ...]) -> None:
    with pytest.raises(SparringError, match=r"expected one of 1, 2, .*10(, 20)?\. Check"):
        build_conditions(SPECS, VIEW, replace(FACTS, classes=classes), {"label": label}, None)


def test_numbers_match_names_with_leading_zeros_and_names_match_in_any_spelling() -> None:
    facts = replace(FACTS, classes=("007", "012", "caf\u00e9"))
    found = build_conditions(SPECS, VIEW, facts, {"label": [12, "7", "cafe\u0301"]}, 3)
    assert isinstance(found, torch.Tensor) and found.tolist() == [1, 0, 2]


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
        (VIEW, {"label": 1.7}, "the class '1.7'"),
        (VIEW, {"label": True}, "the class 'True'"),
        (VIEW, {"label": "²"}, "the class '²'"),
        (VIEW, {"label": "9" * 5000}, "the class '999"),
        (VIEW, {"label": []}, "options that give no condition|0 classes for 3 samples"),
        (View((1,), "pair"), {}, "no input=, but expected files"),
        (
            View((1,), "prefix"),
            {},
            "the condition 'prefix', but expected one that this kind of samples has: label, pair",
        ),
        (VIEW, {"label": [0, 1]}, "2 classes for 3 samples"),
        (
            VIEW,
            {"input": "x"},
            "inputs for a model that takes none, but expected label=. Sample without them",
        ),
        (
            View((1, 8, 8)),
            {"label": "cat"},
            "trained without conditions. Leave it out, or train with labels='FILE:COLUMN', or with a sub-folder",
        ),
        (VIEW, {"lable": "cat"}, "lable='cat', but expected label=. Leave it out; did you mean 'label'"),
    ],
)
def test_mistakes_are_reported_in_one_sentence(view: View, options: dict[str, object], message: str) -> None:
    with pytest.raises(SparringError, match=message):
        build_conditions(SPECS, view, FACTS, options, 3)


@pytest.mark.parametrize("given", [[0, 1, 0], (0, 1, 0), np.array([0, 1, 0], np.uint8), torch.tensor([0, 1, 0])])
def test_class_numbers_may_be_in_any_list(given: object) -> None:
    found = checked_conditions(given, LABEL, ("cat", "dog"))
    assert torch.equal(found, torch.tensor([0, 1, 0]))


@pytest.mark.parametrize(
    "given", [[0, 2], torch.tensor([-1]), [True, False], [0.0], 1, torch.tensor(1), "cat", ["cat"], [[0]], None, {}, []]
)
def test_anything_else_is_no_class_number(given: object) -> None:
    with pytest.raises(SparringError, match=r"a class number from 0 to 1 for each sample.* with label="):
        checked_conditions(given, LABEL, ("cat", "dog"))


def test_other_conditions_are_tensors() -> None:
    images = torch.zeros(3, 1, 8, 8)
    assert checked_conditions(images, SPECS["pair"], ()) is images
    for given in ([0, 1], "x", None, torch.tensor(1), np.zeros(3)):
        with pytest.raises(SparringError, match="but expected tensors with one row per sample"):
            checked_conditions(given, SPECS["pair"], ())
