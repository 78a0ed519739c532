"""Pictures of one run at several moments."""

import io
from typing import Any

import numpy as np
import torch
from PIL import Image

from sparring.rendering import moments
from sparring.rendering.exhibits import picture_of
from sparring.rendering.grids import GAP, beside, first_column, image_grid
from sparring.rendering.moments import LAST_MILLISECONDS, animated, evenly, film_strip


def grid(level: float, *, titles: tuple[str, ...] = (), others: float = -1.0) -> Image.Image:
    """Return 12 images of 64 × 64 in three columns, the first of which has its own level, as read from a PNG file."""
    images = torch.full((12, 1, 64, 64), others)
    images[::3] = level
    return Image.open(io.BytesIO(picture_of(image_grid(images, columns=3, titles=titles)).file))


def test_moments_are_evenly_spaced() -> None:
    assert evenly(3, 8) == [0, 1, 2] and evenly(23, 8) == [0, 3, 6, 9, 13, 16, 19, 22] and evenly(1, 8) == [0]


def test_the_file_of_a_grid_says_where_its_first_column_is() -> None:
    column = first_column(grid(1.0, titles=("cats", "", "", "")))
    assert column is not None and column.left == column.margin > 20 and column.right - column.left == 64 + 2 * GAP
    pairs = image_grid(beside(torch.full((4, 1, 64, 64), -1.0), torch.ones(4, 1, 64, 64)), columns=4, group=2)
    output = first_column(pairs)
    assert output is not None and (np.asarray(pairs)[10, output.left + GAP : output.right - GAP] == 255).all()
    for words in ("", "1 2 3", "0 9 5 66", "a b c d", "0 0 99999 66"):
        pairs.info["First column"] = words
        assert first_column(pairs) is None


def test_a_film_strip_has_the_first_column_of_each_picture_and_the_names_once() -> None:
    pictures = [grid(level, titles=("cats", "", "dogs", "")) for level in (-1.0, 0.0, 1.0)]
    strip = np.asarray(film_strip(pictures, ["0 %", "50 %", "100 %"]))
    column = first_column(pictures[0])
    assert column is not None
    middle = strip[strip.shape[0] // 2 + 10, column.margin + GAP :]
    assert [int(middle[34 + number * 70]) for number in range(3)] == [0, 128, 255]
    assert strip.shape[1] == column.margin + 3 * (64 + 3 * GAP) + 2 * GAP


def test_pictures_that_are_no_grid_are_shown_as_a_whole() -> None:
    strip = film_strip([Image.new("RGB", (512, 512), (255, 0, 0))] * 2, ["0 %", "100 %"])
    assert strip.mode == "RGB" and strip.width == 2 * (160 + GAP) + GAP and strip.getpixel((90, 90)) == (255, 0, 0)


def test_the_last_frame_is_shown_longer() -> None:
    shades = [Image.new("L", (40, 30), level) for level in range(0, 250, 5)]
    animation = Image.open(io.BytesIO(animated([Image.new("L", (9, 9)), *shades])))
    assert animation.n_frames == 24 and animation.size == (40, 30)  # type: ignore[attr-defined]
    animation.seek(23)
    assert animation.info["duration"] == LAST_MILLISECONDS and animation.convert("L").getpixel((5, 5)) == 245


def test_a_large_animation_has_fewer_frames(monkeypatch) -> None:
    monkeypatch.setattr(moments, "MAX_BYTES", 20_000)
    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(0, 256, (60, 60), np.uint8)) for _ in range(30)]
    assert Image.open(io.BytesIO(animated(noise))).n_frames == 6  # type: ignore[attr-defined]


def test_each_frame_in_colour_keeps_its_colours_without_a_slow_choice(monkeypatch) -> None:
    """A median cut for each frame took as long as all else at the end of a short run together."""
    methods, quantize = list[object](), Image.Image.quantize

    def told(self: Image.Image, *arguments: Any, **options: Any) -> Image.Image:
        methods.append(options.get("method"))
        return quantize(self, *arguments, **options)

    monkeypatch.setattr(Image.Image, "quantize", told)
    hues = np.random.default_rng(0).integers(0, 256, (12, 6, 8, 3), np.uint8)
    frames = [Image.fromarray(colours.repeat(40, 0).repeat(40, 1)) for colours in hues]
    animation = Image.open(io.BytesIO(animated(frames)))
    assert set(methods) == {Image.Quantize.FASTOCTREE}
    for number, frame in enumerate(frames):
        animation.seek(number)
        error = np.abs(np.asarray(animation.convert("RGB"), float) - np.asarray(frame, float))
        assert error.mean() < 4 and error.max() < 32
