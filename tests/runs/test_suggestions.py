"""Suggested commands can be copied into a shell as they are."""

import shlex
from dataclasses import replace

from sparring.data.facts import Facts
from sparring.runs.folder import Record
from sparring.runs.suggestions import reading_options, suggestion

FACTS = Facts("photos", "images", 100, (1, 8, 8), "0" * 64)
RECORD = Record("images/gan", {}, FACTS, 0, 100, None, None, "cpu", None, {})


def test_words_are_quoted_and_own_recipes_named() -> None:
    own = replace(RECORD, recipe="my recipes/$(reboot).py:Mine")
    words = shlex.split(suggestion(own, "resume", "runs/; rm -rf"))
    assert words == ["sparring", "resume", "runs/; rm -rf", "--recipe", "my recipes/$(reboot).py:Mine"]
    assert suggestion(RECORD, "resume", "runs/a") == "sparring resume runs/a"


def test_choices_about_reading_are_repeated() -> None:
    reading = {"labels": False, "range": [-1.0, 4095.0], "background": None}
    record = replace(RECORD, facts=replace(FACTS, reading=reading))
    assert reading_options(record) == ["--labels", "false", "--range", -1.0, 4095.0]
    assert reading_options(RECORD) == []
