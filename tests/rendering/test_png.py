"""PNG files written by rows hold the pixels that were given."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.rendering.png import PngWriter

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@pytest.mark.parametrize("channels", MODES)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (37, 23)])
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_pillow_reads_the_same_pixels(channels: int, size: tuple[int, int], rows: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(*size, channels), dtype=np.uint8)
    with (tmp_path / "a.png").open("wb") as file:
        writer = PngWriter(file, size, channels)
        for top in range(0, size[0], rows):
            writer.write(pixels[top : top + rows])
        writer.close()
    with Image.open(tmp_path / "a.png") as image:
        image.verify()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == MODES[channels]
        np.testing.assert_array_equal(np.atleast_3d(np.asarray(image)), pixels)


def test_smooth_images_are_smaller_than_their_pixels(tmp_path: Path) -> None:
    pixels = np.add.outer(np.arange(200), np.arange(200)).astype(np.uint8)[..., None]
    with (tmp_path / "a.png").open("wb") as file:
        writer = PngWriter(file, (200, 200), 1)
        writer.write(pixels)
        writer.close()
    assert (tmp_path / "a.png").stat().st_size < pixels.size / 20
