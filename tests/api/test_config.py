"""Options of a run from a file: of a person, of an earlier run, or as `sparring recipes` describes a recipe."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.api.config import with_config
from sparring.api.train import CONFIG_OPTIONS, train
from sparring.cli.recipes import _fields
from sparring.errors import SparringError
from sparring.recipes import find_recipe
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import write_text

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: Any) -> Path:
        (tmp_path / "config.json").write_text(json.dumps(content))
        return tmp_path / "config.json"

    return written


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of one step on a few points, without an evaluation."""
    monkeypatch.setattr("sparring.api.train.conclude", lambda run, *_: write_text(run.report, "<!doctype html>"))
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(150, 2)).astype(np.float32))
    options = {"samples": 64, "batch": 64, "width": 8, "latent_size": 2, "seed": 5, "watchdog": "off"}
    return train(tmp_path / "points.npy", out=tmp_path / "run", display=Silent(), **options)


def options(place: Path, **given: Any) -> dict[str, Any]:
    return with_config(place, given, CONFIG_OPTIONS, Silent())


def test_options_that_are_given_win_over_those_of_the_file(write: Write) -> None:
    place = write({"data": "ring", "recipe": "points/ring", "micro-batch": 8, "seed": 3, "width": 16, "until": None})
    found = options(place, seed=4, data="grid")
    assert found == {"data": "grid", "recipe": "points/ring", "micro_batch": 8, "seed": 4, "width": 16}


def test_a_budget_replaces_both_numbers_of_the_file(write: Write) -> None:
    assert options(write({"samples": 100, "minutes": 2}), minutes=5) == {"minutes": 5}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], r"\[1\] in .*config.json, but expected an object"),
        ({"widht": 8}, "the key 'widht' .* did you mean 'width'"),
        ({"recipe": "points/ring", "blocks": 8}, "the key 'blocks'"),
        ({"display": 1}, "the key 'display'"),
        ({"continued": True}, "the key 'continued'"),
        ({"recipe": "mine.py:X"}, "code is never run because a file names it"),
        ({"recipe": 3}, "3 for recipe"),
    ],
)
def test_what_cannot_be_used_is_refused(content: Any, said: str, write: Write) -> None:
    with pytest.raises(SparringError, match=said):
        options(write(content))


def test_an_earlier_run_serves_as_a_config(run: Run, tmp_path: Path) -> None:
    again = train(config=run.folder, out=tmp_path / "again", display=Silent())
    assert {**again.record.as_json(), "identity": "", "digest": "", "choices": {}} == {
        **run.record.as_json(),
        "identity": "",
        "digest": "",
        "choices": {},
    }
    assert again.record.fields == run.record.fields
    other = options(run.folder / "recipe.json", recipe="points/vae", width=16)
    assert other["width"] == 16 and "gamma" not in other and other["seed"] == 5


def test_an_edited_copy_of_a_record_counts_as_it_is(run: Run, write: Write) -> None:
    content = json.loads((run.folder / "recipe.json").read_text())
    assert options(write({**content, "seed": 9}))["seed"] == 9


def test_the_description_of_a_recipe_serves_as_a_config(write: Write) -> None:
    recipe = find_recipe("images/dcgan")
    found = options(write(_fields("images/dcgan", recipe)), samples=1000)
    assert found == {"recipe": "images/dcgan", **recipe.model_dump(mode="json"), "samples": 1000}
