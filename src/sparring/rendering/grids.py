"""Images as one grid, and as 8-bit pixels."""

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

MIN_CELL_SIDE, MAX_CELL_SIDE = 64, 512
"""Sides in pixels: samples are enlarged by a whole factor until the shorter one is as long as the first number, so that
8 × 8 digits can be read, as long as the longer one stays within the second."""
GAP = 2
"""Pixels between images, and around the grid."""
GROUP_GAP = 8
"""Pixels between groups of images that belong together."""
COLUMN = "First column"
"""Key under which an image, and its PNG file, says where its first column is; see ``Column``."""
BACKGROUND = 208
"""Grey level of the gaps, beside which white images still have an edge."""
TITLE_SIZE, TITLE_LETTERS = 13, 16
"""Size of the letters of titles in pixels, and their number, beyond which a title is cut."""


CHINESE_FONTS = (
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc"),
    *("msyh.ttc", "simhei.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Light.ttc"),
)
"""Files of fonts with Chinese letters on Linux, Windows and macOS; they have Japanese, Cyrillic and Greek ones, too."""


class Column(NamedTuple):
    """Place of the first column of a grid, in pixels; of the last of its group.

    Args:
        margin: width of the titles on the left.
        left: left end, with its gap.
        right: right end, likewise.
        row: height of a row.
    """

    margin: int
    left: int
    right: int
    row: int


def image_grid(samples: Tensor, *, columns: int, group: int = 1, titles: Sequence[str] = ()) -> Image.Image:
    """Arrange images on a light grey background, row by row.

    Args:
        samples: (count, channels, height, width) in [-1, 1], 1 or 3 channels; values outside are clamped.
        columns: images in a row.
        group: neighbours in a row that belong together; other gaps are wider.
        titles: text on the left of each row, or ""; see ``is_drawable``.

    Returns:
        An image of mode L for one channel, RGB for three.
    """
    # Enlarge small images by repeating pixels.
    pixels = to_uint8(samples)
    shorter, longer = sorted(pixels.shape[1:3])
    factor = max(1, min(math.ceil(MIN_CELL_SIDE / shorter), MAX_CELL_SIDE // longer)) if len(pixels) else 1
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)

    # Paste them onto the background.
    height, width = pixels.shape[1] + GAP, pixels.shape[2] + GAP
    columns = max(1, min(columns, len(pixels)))
    rows = max(1, -(-len(pixels) // columns))
    names = [lettered(one) for one in titles]
    margin = max((one.width for one in names), default=0)
    lefts = [
        margin + GAP + column * width + column // group * (GROUP_GAP - GAP) * (group > 1) for column in range(columns)
    ]
    sheet = np.full((rows * height + GAP, lefts[-1] + width, *pixels.shape[3:]), BACKGROUND, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * height + GAP, lefts[index % columns]
        sheet[top : top + len(image), left : left + image.shape[1]] = image

    # Titles stand in the middle of their rows.
    grid = Image.fromarray(sheet)
    for row, one in enumerate(names):
        grid.paste(one, (0, row * height + (height - one.height) // 2))
    if len(pixels):
        last = lefts[min(group, columns) - 1]
        grid.info[COLUMN] = f"{margin} {last - GAP} {last + width} {height}"
    return grid


def first_column(grid: Image.Image) -> Column | None:
    """Return where the first column of samples is in an image of ``image_grid``, or in its PNG file; None in others."""
    words = str(grid.info.get(COLUMN, "")).split()
    numbers = [int(word) for word in words if word.isdecimal() and word.isascii() and len(word) < 6]
    if len(numbers) != 4:
        return None
    column = Column(*numbers)
    return column if column.margin <= column.left < column.right <= grid.width and column.row else None


def beside(*series: Tensor) -> Tensor:
    """Return the images of several series in turn, in the size of the last series, and in colour if any of them is.

    Args:
        series: (count, channels, height, width) each.

    Returns:
        (count · series, channels, height, width): the first image of each series, then the second of each.
    """
    height, width = series[-1].shape[2:]
    channels = max(images.shape[1] for images in series)

    def alike(images: Tensor) -> Tensor:
        sized = images if images.shape[2:] == (height, width) else interpolate(images, (height, width), mode="nearest")
        return sized.expand(-1, channels, -1, -1).to(series[-1])

    return torch.stack([alike(images) for images in series], 1).flatten(0, 1)


def lettered(title: str) -> Image.Image:
    """Draw a title on one line, black on the background; a question mark where no font has its letters."""
    text = title if len(title) <= TITLE_LETTERS else f"{title[: TITLE_LETTERS - 2]}.."
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont | None = ImageFont.load_default(TITLE_SIZE)
    if not _is_latin(text):
        font = _chinese_font()
        if font is None:
            text, font = "?", ImageFont.load_default(TITLE_SIZE)
    assert font is not None
    _, _, right, bottom = font.getbbox(text)
    image = Image.new("L", (math.ceil(right) + 2 * GAP if text else 1, math.ceil(bottom) + GAP), BACKGROUND)
    ImageDraw.Draw(image).text((GAP, 0), text, fill=0, font=font)
    return image


def is_drawable(title: str) -> bool:
    """Return whether an installed font has the letters of a title."""
    return _is_latin(title) or _chinese_font() is not None


def _is_latin(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)


@cache
def _chinese_font() -> ImageFont.FreeTypeFont | None:
    """Return the first font with Chinese letters that is installed; None if there is none."""
    for name in CHINESE_FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, TITLE_SIZE)
    return None


def to_uint8(samples: Tensor) -> NDArray[np.uint8]:
    """Return bytes, (count, height, width) or (count, height, width, 3): -1 is black, 1 is white, and NaN is black."""
    numbers = samples.detach().float().cpu().nan_to_num(-1.0, 1.0, -1.0)
    pixels: NDArray[np.uint8] = numbers.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[3] == 1 else pixels)
