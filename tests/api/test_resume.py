"""Runs are resumed only on the data that they began with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.api.resume import resume
from sparring.errors import SparringError
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent
from sparring.runs.folder import Record, create, versions


def test_classes_in_another_order_are_other_data(tmp_path: Path) -> None:
    for name in ("2", "10"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((8, 8), int(name) * 10 + number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    facts = replace(survey(str(tmp_path / "in")).facts, classes=("10", "2"))
    create(tmp_path / "run", Record("images/dcgan", {}, facts, 0, 64, None, None, "cpu", None, versions()))
    with pytest.raises(SparringError, match="other data"):
        resume(tmp_path / "run", display=Silent())
