"""Suggested commands can be copied into a shell as they are."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from sparring.data.facts import Facts
from sparring.runs.folder import Record
from sparring.runs.suggestions import reading_options, suggested_use, suggestion
from toys.painters import Painter

FACTS = Facts("photos", "images", 100, (1, 8, 8), "0" * 64)
RECORD = Record("images/gan", {}, FACTS, 0, 100, None, None, "cpu", None, {})


def test_words_are_quoted_and_own_recipes_named() -> None:
    own = replace(RECORD, recipe="my recipes/$(reboot).py:Mine")
    words = shlex.split(suggestion(own, "resume", "runs/; rm -rf"))
    assert words == ["sparring", "resume", "runs/; rm -rf", "--recipe", "my recipes/$(reboot).py:Mine"]
    assert suggestion(RECORD, "resume", "runs/a") == "sparring resume runs/a"


@pytest.mark.parametrize(
    ("recipe", "facts", "words"),
    [
        ("images/dcgan", FACTS, ["sample", "runs/; rm", "--count", "64", "--out", "samples/"]),
        ("images/fill", FACTS, ["apply", "runs/; rm", "INPUTS", "--mask", "MASKS", "--out", "applied/"]),
        ("images/cut", replace(FACTS, classes=("a", "b")), ["apply", "runs/; rm", "INPUTS", "--out", "applied/"]),
        (
            "images/stargan",
            replace(FACTS, classes=("a b", "c", "d")),
            ["apply", "runs/; rm", "INPUTS", "--to", "a b", "--out", "applied/"],
        ),
    ],
)
def test_models_of_inputs_are_applied_and_others_sampled(recipe: str, facts: Facts, words: list[str]) -> None:
    record = replace(RECORD, recipe=recipe, facts=facts)
    assert shlex.split(suggested_use(record, Path("runs/; rm"), None)) == ["sparring", *words]


def test_an_own_recipe_tells_whether_it_takes_inputs() -> None:
    record = replace(RECORD, recipe="mine.py:Mine", facts=replace(FACTS, coding={}))
    words = shlex.split(suggested_use(record, Path("runs/a"), Painter(condition="grey")))
    assert words == ["sparring", "apply", "runs/a", "INPUTS", "--out", "applied/", "--recipe", "mine.py:Mine"]


def test_choices_about_reading_are_repeated() -> None:
    reading = {"labels": False, "range": [-1.0, 4095.0], "background": None}
    record = replace(RECORD, facts=replace(FACTS, reading=reading))
    assert reading_options(record) == ["--labels", "false", "--range", -1.0, 4095.0]
    assert reading_options(RECORD) == []
