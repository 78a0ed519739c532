"""Pictures of one run at several moments: as an animation, and as a film strip."""

import io
from collections.abc import Sequence

from PIL import Image

from sparring.rendering.exhibits import OVERVIEW_SOFTWARE
from sparring.rendering.grids import BACKGROUND, GAP, first_column, lettered

MAX_FRAMES, MIN_FRAMES, MAX_SIDE = 24, 6, 800
"""Frames of an animation, at most and where it would be too large, and their longer side in pixels."""
MAX_BYTES = 4_000_000
"""Bytes of an animation above which it gets fewer frames."""
FRAME_MILLISECONDS, LAST_MILLISECONDS = 250, 3000
"""Time that a frame is shown, and the last one."""
MOMENTS, MAX_ROWS = 8, 5
"""Moments of a film strip, and samples of each, where samples form rows."""
WHOLE_SIDE = 160
"""Longer side in pixels of pictures that are shown as a whole in a film strip."""


def evenly(count: int, most: int) -> list[int]:
    """Return up to ``most`` of the numbers below ``count``, evenly spaced, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def animated(pictures: Sequence[Image.Image]) -> bytes:
    """Return a GIF file that shows pictures one after the other, and the last one longer, again and again.

    Args:
        pictures: at least one; those of another size than the last one are left out.
    """
    size = pictures[-1].size
    alike = [picture for picture in pictures if picture.size == size]
    frames = [_in_few_colours(_within(alike[place], MAX_SIDE)) for place in evenly(len(alike), MAX_FRAMES)]
    content = _gif(frames)
    if len(content) > MAX_BYTES:
        content = _gif([frames[place] for place in evenly(len(frames), MIN_FRAMES)])
    return content


def _in_few_colours(frame: Image.Image) -> Image.Image:
    """Give a frame in colour a palette of its own, by an octree: a median cut, as Pillow's own, takes far longer."""
    if frame.mode == "L":
        return frame
    return frame.quantize(method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _gif(frames: Sequence[Image.Image]) -> bytes:
    content, milliseconds = io.BytesIO(), [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    first, *others = frames
    first.save(
        content,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=milliseconds,
        loop=0,
        comment=OVERVIEW_SOFTWARE.encode(),
    )
    return content.getvalue()


def film_strip(pictures: Sequence[Image.Image], titles: Sequence[str]) -> Image.Image:
    """Set the first column of samples of each picture side by side, each below its title.

    Pictures in which samples do not form rows are shown as a whole.

    Args:
        pictures: at least one.
        titles: one for each.
    """
    parts = [_part(picture) for picture in pictures]
    heads = [lettered(title) for title in titles]

    # Names of rows stand on the left, once.
    column = first_column(pictures[-1])
    if column is not None and column.margin:
        names = pictures[-1].crop((0, 0, column.margin, parts[-1].height))
        parts, heads = [names, *parts], [lettered(""), *heads]
    top = max(head.height for head in heads) + GAP
    widths = [max(part.width, head.width) + GAP for part, head in zip(parts, heads, strict=True)]
    colour = "RGB" if any(part.mode == "RGB" for part in parts) else "L"
    strip = Image.new(colour, (sum(widths) + GAP, top + max(part.height for part in parts)), _grey(colour))
    left = GAP
    for part, head, width in zip(parts, heads, widths, strict=True):
        strip.paste(head, (left, 0))
        strip.paste(part, (left, top))
        left += width
    return strip


def _part(picture: Image.Image) -> Image.Image:
    column = first_column(picture)
    if column is None:
        return _within(picture, WHOLE_SIDE)
    return picture.crop((column.left, 0, column.right, min(picture.height, GAP + MAX_ROWS * column.row)))


def _within(picture: Image.Image, side: int) -> Image.Image:
    """Return the picture, reduced to a longer side of at most ``side`` pixels."""
    plain = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    scale = side / max(plain.size)
    if scale >= 1:
        return plain
    width, height = (max(1, round(length * scale)) for length in plain.size)
    return plain.resize((width, height), Image.Resampling.BOX)


def _grey(mode: str) -> int | tuple[int, ...]:
    return BACKGROUND if mode == "L" else (BACKGROUND,) * 3
