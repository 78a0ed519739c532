"""Numbers and paths of any type are taken as what they are, or refused in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.arguments import (
    called_from_shell,
    checked_folder,
    checked_names,
    checked_path,
    option,
    real_number,
    separated,
    whole_number,
)
from sparring.errors import SparringError


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3)])
def test_integers_of_any_type_are_whole_numbers(value: Any) -> None:
    number = whole_number("seed", value)
    assert number == 3 and type(number) is int


@pytest.mark.parametrize("value", [1.5, 2.0, "3", None, True, 0, -1, 2**63, float("nan"), [3], np.ones(2)])
def test_anything_else_is_no_whole_number(value: Any) -> None:
    with pytest.raises(SparringError, match=r"seed=.*expected a whole number of at least 1\. "):
        whole_number("seed", value)


def test_an_integer_too_long_to_print_is_refused_too() -> None:
    with pytest.raises(SparringError, match="of hundreds of digits"):
        whole_number("seed", 10**9999)


def test_bounds_are_named() -> None:
    with pytest.raises(SparringError, match="packing=65, but expected a whole number from 1 to 64"):
        whole_number("packing", 65, most=64)
    with pytest.raises(SparringError, match="from 0 to 2⁶³ - 1"):
        whole_number("seed", -1, least=0)


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.5), torch.tensor(0.5)])
def test_positive_numbers_may_be_of_any_type(value: Any) -> None:
    number = real_number("minutes", value, most=10, positive=True)
    assert number == float(value) and type(number) is float


@pytest.mark.parametrize("value", ["1", None, 0, -1, 11, float("inf"), float("nan"), True, [], 10**400])
def test_other_values_are_no_positive_numbers(value: Any) -> None:
    with pytest.raises(SparringError, match=r"minutes=.*a number above zero, at most 10"):
        real_number("minutes", value, most=10, positive=True)


def test_zero_is_a_number_unless_only_positive_ones_are_valid() -> None:
    assert real_number("truncation", 0, most=2) == 0
    with pytest.raises(SparringError, match="truncation=3, but expected a number from 0 to 2"):
        real_number("truncation", 3, most=2)


def test_paths_are_strings_or_paths(tmp_path: Path) -> None:
    assert checked_path("the run", str(tmp_path)) == checked_path("the run", tmp_path) == tmp_path
    for value in (None, 3, b"runs", "a\0b"):
        with pytest.raises(SparringError, match="for the run, but expected the path"):
            checked_path("the run", value)


def test_one_name_is_a_list_of_one() -> None:
    assert checked_names("extractors", "pixels") == checked_names("extractors", ["pixels"]) == ("pixels",)
    assert checked_names("extractors", None) == checked_names("extractors", ()) == ()
    for value in (3, [3], [None], {"pixels"}, b"pixels"):
        with pytest.raises(SparringError, match="for extractors, but expected names"):
            checked_names("extractors", value)


@pytest.mark.parametrize("name", ["g.npz", "g.ZIP", "g.csv", "g.png"])
def test_the_name_of_a_file_is_no_folder_unless_it_is_one_already(name: str, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"the name of a file, .* such as .*/g\.$"):
        checked_folder("the samples", tmp_path / name)
    (tmp_path / name).mkdir()
    assert checked_folder("the samples", tmp_path / name) == tmp_path / name
    assert checked_folder("the run", "runs/v1.0") == Path("runs/v1.0")


def test_names_in_one_word_are_separated_at_commas_that_are_not_their_own() -> None:
    assert separated(("pixels,own", "dinov2")) == ("pixels", "own", "dinov2")
    assert separated(("good, fine", "a,b"), known=("a,b", "good", "fine")) == ("good", "fine", "a,b")


@pytest.mark.parametrize(
    ("name", "values", "in_python", "in_shell"),
    [
        ("count", ("8",), "count='8'", "--count 8"),
        ("micro-batch", (0,), "micro_batch=0", "--micro-batch 0"),
        ("learning_rate", (), "learning_rate=", "--learning-rate"),
        ("range", (0, 4095), "range=(0, 4095)", "--range 0 4095"),
        ("labels", (False,), "labels=False", "--labels false"),
        ("all", (True,), "all=True", "--all"),
        ("window", (1,), "window=1", "--window 1"),
        ("continue", (), "continued=", "--continue"),
        ("out", (Path("my run"),), "out='my run'", "--out 'my run'"),
        ("seed", (10**5000,), "seed=a number of hundreds of digits", "--seed 'a number of hundreds of digits'"),
    ],
)
def test_options_are_written_as_the_caller_does(
    name: str, values: tuple[Any, ...], in_python: str, in_shell: str
) -> None:
    assert option(name, *values) == in_python
    with called_from_shell():
        assert option(name, *values) == in_shell
    assert option(name, *values) == in_python
