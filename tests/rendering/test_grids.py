"""Images as one grid, and as files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sparring.modalities.images.render import save
from sparring.rendering.grids import image_grid


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
    factor = max(1, -(-32 // min(height, width))) if count else 1
    across, down = max(1, min(columns, count)), max(1, -(-count // max(1, min(columns, count))))
    assert sheet.mode == ("L" if channels == 1 else "RGB")
    assert sheet.size == (across * (width * factor + 2) + 2, down * (height * factor + 2) + 2)


def test_small_images_are_enlarged_without_blur():
    digits = torch.tensor([-1.0, 1.0]).repeat(32).reshape(1, 1, 8, 8)
    sheet = np.asarray(image_grid(digits, columns=1))[2:-2, 2:-2]
    assert sheet.shape == (32, 32)
    assert (sheet[:, :4] == 0).all() and (sheet[:, 4:8] == 255).all()


def test_images_stand_row_by_row():
    shades = torch.linspace(-1, 1, 4)[:, None, None, None].expand(4, 1, 32, 32)
    sheet = np.asarray(image_grid(shades, columns=2))
    assert [int(sheet[y, x]) for y in (10, 44) for x in (10, 44)] == [0, 85, 170, 255]
    assert (sheet[:2] == 255).all() and (sheet[:, 34:36] == 255).all()


def test_values_are_clamped_and_rounded():
    row = torch.tensor([-5.0, -1.0, 0.0, 1.0, 9.0, float("nan"), float("inf"), 0.5]).reshape(1, 1, 1, 8)
    sheet = np.asarray(image_grid(row, columns=1))[2, 2:-2:32]
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
