"""Images as one grid, and as files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sparring.flow import Batch
from sparring.modalities.images.render import save, show
from sparring.rendering import grids
from sparring.rendering.exhibits import Picture
from sparring.rendering.grids import BACKGROUND, GROUP_GAP, beside, image_grid


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(0, 9),
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    columns=st.integers(1, 12),
)
def test_size_of_the_grid(count, channels, height, width, columns):
    sheet = image_grid(torch.zeros(count, channels, height, width), columns=columns)
    factor = max(1, min(-(-64 // min(height, width)), 512 // max(height, width))) if count else 1
    across, down = max(1, min(columns, count)), max(1, -(-count // max(1, min(columns, count))))
    assert sheet.mode == ("L" if channels == 1 else "RGB")
    assert sheet.size == (across * (width * factor + 2) + 2, down * (height * factor + 2) + 2)


def test_small_images_are_enlarged_without_blur():
    digits = torch.tensor([-1.0, 1.0]).repeat(32).reshape(1, 1, 8, 8)
    sheet = np.asarray(image_grid(digits, columns=1))[2:-2, 2:-2]
    assert sheet.shape == (64, 64)
    assert (sheet[:, :8] == 0).all() and (sheet[:, 8:16] == 255).all()


def test_images_stand_row_by_row():
    shades = torch.linspace(-1, 1, 4)[:, None, None, None].expand(4, 1, 64, 64)
    sheet = np.asarray(image_grid(shades, columns=2))
    assert [int(sheet[y, x]) for y in (10, 76) for x in (10, 76)] == [0, 85, 170, 255]
    assert (sheet[:2] == BACKGROUND).all() and (sheet[:, 66:68] == BACKGROUND).all()


def test_groups_have_wider_gaps_between_them():
    sheet = np.asarray(image_grid(torch.ones(4, 1, 64, 64), columns=4, group=2))
    assert (sheet[10, 66:68] == BACKGROUND).all() and (
        sheet[10, 132 : 132 + GROUP_GAP + 2] == BACKGROUND
    ).sum() == GROUP_GAP
    assert sheet.shape == (68, 4 * 66 + 2 + GROUP_GAP - 2)


@pytest.mark.parametrize("title", ["cats", "a name that is far too long for a margin", "猫", ""])
def test_titles_stand_on_the_left_of_their_rows(title):
    plain = np.asarray(image_grid(torch.ones(4, 1, 64, 64), columns=2))
    titled = np.asarray(image_grid(torch.ones(4, 1, 64, 64), columns=2, titles=["", title]))
    margin = titled.shape[1] - plain.shape[1]
    assert margin < 140 and np.array_equal(titled[:, margin:], plain)
    assert (titled[:66, :margin] == BACKGROUND).all() and (titled[66:, :margin] < 100).any() == bool(title)


def test_series_stand_side_by_side_in_one_size_and_in_colour():
    colour = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    found = beside(colour, torch.zeros(2, 1, 8, 8))
    assert found.shape == (4, 3, 8, 8) and found[0, :, 0, 0].tolist() == [1, -1, -1] and not found[1::2].any()


def test_values_are_clamped_and_rounded():
    row = torch.tensor([-5.0, -1.0, 0.0, 1.0, 9.0, float("nan"), float("inf"), 0.5]).reshape(1, 1, 1, 8)
    sheet = np.asarray(image_grid(row, columns=1))[2, 2:-2:64]
    assert sheet.tolist() == [0, 0, 128, 255, 255, 0, 255, 191]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_any_number_type_with_gradients(kind):
    assert image_grid(torch.zeros(2, 3, 32, 32, dtype=kind, requires_grad=True), columns=2).mode == "RGB"


def test_each_image_is_a_file_of_its_own(tmp_path):
    samples = torch.rand(3, 3, 5, 7) * 2 - 1
    paths = save(samples, tmp_path / "new" / "out", first=12)
    assert [path.name for path in paths] == ["000012.png", "000013.png", "000014.png"]
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == [path.name for path in paths]
    with Image.open(paths[1]) as image:
        back = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 127.5 - 1
    assert (back - samples[1]).abs().max() <= 0.5 / 127.5 + 1e-6


def test_bytes_survive_a_round_trip(tmp_path):
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    (path,) = save(levels.float().div(127.5).sub(1), tmp_path)
    with Image.open(path) as image:
        assert image.mode == "L" and np.array_equal(np.array(image), levels[0, 0].numpy())


def test_classes_that_no_font_can_show_are_numbered_and_named_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "_chinese_font", lambda: None)
    batch, classes = Batch(torch.ones(4, 1, 64, 64), label=torch.tensor([2, 2, 1, 1])), ("a", "Käse", "猫")
    (shown,) = show(batch, classes, columns=2)
    (numbered,) = show(batch, ("a", "Käse", "2"), columns=2)
    assert isinstance(shown, Picture) and isinstance(numbered, Picture)
    assert shown.file == numbered.file and (shown.caption, numbered.caption) == ("Classes: 2: 猫.", "")
