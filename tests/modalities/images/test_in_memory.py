"""Inputs and masks from memory are those of files."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.images import conditions
from sparring.modalities.images.asking import CONDITIONS, read_masks
from sparring.modalities.images.conditions import Holed

PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
HOLE = np.zeros((8, 8), dtype=bool)
HOLE[2:5, 3:7] = True
FACTS = Facts("pictures/", "images", 10, (1, 8, 8), "", coding={"ranges": {}})


@pytest.mark.parametrize(
    "given",
    [
        Image.fromarray(PIXELS),
        PIXELS,
        PIXELS[None],
        torch.from_numpy(PIXELS),
        torch.from_numpy(PIXELS / np.float32(127.5) - 1)[None, None],
    ],
    ids=["pillow", "array", "batch", "bytes", "floats"],
)
def test_an_image_in_memory_is_a_condition_like_its_file(given: Any, tmp_path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "pixels.png")
    view = View((1, 8, 8), condition=conditions.HOLE, options={"holes": "centre"})
    mask = {"mask": HOLE}
    expected, found = (
        CONDITIONS[conditions.HOLE].build({"input": (one,), **mask}, view, FACTS, None)
        for one in (tmp_path / "pixels.png", given)
    )
    assert isinstance(found, Holed) and all(map(torch.equal, found, expected))


@pytest.mark.parametrize(
    "given",
    [HOLE, HOLE.astype(np.uint8), Image.fromarray(HOLE), torch.from_numpy(HOLE)[None].float(), [HOLE, HOLE]],
    ids=["bool", "zero and one", "pillow", "floats", "list"],
)
def test_a_mask_in_memory_is_one_for_all_images_or_one_for_each(given: Any) -> None:
    assert read_masks(given, torch.zeros(2, 1, 8, 8)).bool().equal(torch.from_numpy(HOLE).expand(2, 1, 8, 8))
