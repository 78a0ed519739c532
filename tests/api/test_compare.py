"""A recipe of the user's own is that of the models which name one, not of the others they are compared with."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.api import compare
from sparring.errors import SparringError
from sparring.storage import write_json


def test_a_recipe_is_given_to_the_model_that_needs_it_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def open_subject(place: str, data: str, recipe: Any, *_: Any, **__: Any) -> Any:
        opened.append(recipe)
        if len(opened) == 2:
            raise SparringError(found="enough", expected="no more", remedy="stop")
        return None, None

    monkeypatch.setattr(compare, "open_subject", open_subject)
    np.save(tmp_path / "points.npy", np.zeros((10, 2)))
    for name, file, recipe in (("known", "recipe.json", "points/ring"), ("own", "config.json", "mine.py:X")):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / file, {"format": 3, "recipe": recipe})
    with pytest.raises(SparringError, match="enough"):
        compare.compare(tmp_path / "known", tmp_path / "own", tmp_path / "points.npy", recipe="mine.py:X")
    assert opened == [None, "mine.py:X"]
