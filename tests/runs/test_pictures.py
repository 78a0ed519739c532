"""Pictures during a run show each input once, and real samples beside their own inputs only."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.modalities import modality
from sparring.runs.pictures import SamplePictures
from toys.painters import SIDE, model


def pictures(condition: str) -> SamplePictures:
    random = np.random.default_rng(0)
    images, inputs = (random.integers(0, 256, (6, 3, SIDE, SIDE), np.uint8) for _ in range(2))
    inputs[3:] = inputs[:3]
    data = Dataset(images, conditions=inputs)
    facts = Facts("made up", "images", 6, (3, SIDE, SIDE), "0" * 64)
    kind = modality("images")
    return SamplePictures(Split(data, data, facts), facts, kind, 0, kind.conditions[condition])


def width(stem: Path) -> int:
    with Image.open(stem.with_suffix(".png")) as image:
        return image.width


def test_each_input_is_shown_once(tmp_path: Path) -> None:
    """Three pairs of cells of 66 pixels, with gaps of 8 between pairs."""
    pictures("pair").write_samples(model("pair").game, torch.device("cpu"), tmp_path / "samples")
    assert width(tmp_path / "samples") == 2 + 6 * 66 + 2 * 6


def test_real_samples_have_no_inputs_of_other_domains(tmp_path: Path) -> None:
    pictures("pair").write_reals(tmp_path / "paired")
    pictures("domain").write_reals(tmp_path / "domains")
    assert width(tmp_path / "paired") == 2 + 12 * 66 + 5 * 6
    assert width(tmp_path / "domains") == 2 + 6 * 66
