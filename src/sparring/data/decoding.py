"""Decoding of image files to arrays of the numbers that they store: upright, without a palette, the first frame.

Eight bits per value become uint8, without transparency. Wider numbers stay as they are stored, since only all pictures
of a source tell which of them are black and white; see ``ranges``. Large images are converted in parts, so that little
memory is needed beside the image and the array.
"""

import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from sparring.data import transparency
from sparring.data.formats import (
    FORMATS,
    HEAD_BYTES,
    MAX_PIXELS,
    UnsupportedFormat,
    is_readable_header,
    other_format,
)
from sparring.data.transparency import Colour, Transparency

PIXELS_AT_ONCE = 2**20
"""Pixels of a large image that are converted at a time."""
BITS_BY_MODE = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}
"""Pillow's mode → bits per value; 8 for all others."""
BYTES_BY_MODE = {"1": 3, "L": 3, "I;16": 6, "I;16B": 6, "I;16L": 6, "I;16N": 6, "I": 12, "F": 12}
"""Pillow's mode → bytes per pixel at the peak of decoding; 8 for all others, or 16 with 16 bits per colour."""
GREY_MODES = ("1", "L", "LA", "La")
EXIF_ORIENTATION = 0x0112
TIFF_SUBFILE_TYPE, TIFF_BITS_PER_SAMPLE, TIFF_EXTRA_SAMPLES, DNG_VERSION = 254, 258, 338, 50706
PNG_BIT_DEPTH_OFFSET = 24
"""Offset of the bit depth in a PNG file, in bytes: in the header chunk, which comes first."""

UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
    8: lambda values: np.rot90(values),
}
"""EXIF orientation → the transposition that turns the image upright."""

LOW_BYTES = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
"""End of Pillow's raw mode for colours of 16 bits → the raw mode with the bytes of each value exchanged."""


class Decoded(NamedTuple):
    """Content of one image.

    Args:
        values: (height, width) or (height, width, 3), uint8 or wider numbers; (height, width, 4) for wider numbers with
            transparency.
        format: name of the file format, or "array".
        mode: Pillow's mode, or "grey", "RGB" or "RGBA" for an array.
        bits: bits per value as stored.
        notes: conversions that were necessary: "animated", "rotated".
        transparency: None for an image that is opaque everywhere, or was not measured.
    """

    values: NDArray[Any]
    format: str
    mode: str
    bits: int
    notes: tuple[str, ...] = ()
    transparency: Transparency | None = None


@contextmanager
def decoding_limits(pixels: int = MAX_PIXELS) -> Iterator[None]:
    """Refuse images above ``pixels``, and silence warnings about minor irregularities, while images are decoded."""
    before = Image.MAX_IMAGE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.MAX_IMAGE_PIXELS = pixels
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def opened(raw: bytes) -> ImageFile:
    """Open an image file, of which only the header is read.

    Raises:
        ValueError: it is empty, or of a format that is not read.
        UnidentifiedImageError: it is no image.
    """
    if not raw:
        raise ValueError("an empty file")
    if not is_readable_header(raw[:HEAD_BYTES]):
        other = other_format(raw[:HEAD_BYTES])
        raise UnidentifiedImageError if other is None else UnsupportedFormat(other)
    image = Image.open(BytesIO(raw), formats=FORMATS)
    # Raw photos are TIFF files, which show a small preview in place of the photo.
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        if raw[8:10] == b"CR" or DNG_VERSION in tags or tags.get(TIFF_SUBFILE_TYPE) == 1:
            raise UnsupportedFormat("camera raw")
    return image


def peak_bytes(image: ImageFile) -> int:
    """Return the bytes of memory that an opened image takes while it is decoded, converted and turned upright."""
    per_pixel = 16 if _deep_raw_mode(image) else BYTES_BY_MODE.get(image.mode, 8)
    return image.width * image.height * per_pixel


def upright_size(image: ImageFile) -> tuple[int, int]:
    """Return (width, height) of an opened image as it is when turned upright."""
    width, height = image.size
    return (height, width) if _orientation(image) > 4 else (width, height)


def from_image(image: ImageFile, raw: bytes, background: Colour, right: bool | None = None) -> Decoded:
    """Decode an opened image completely, and release its memory; decoding errors are raised as they are.

    Args:
        image: as ``opened`` returns it.
        raw: content of the file.
        background: what transparent pixels are laid on.
        right: False for the left half of the upright image alone, True for the right half, None for all of it.

    Raises:
        ValueError: half of an image of an odd width is asked for.
    """
    notes = ["animated"] if getattr(image, "is_animated", False) and image.format != "MPO" else []
    format_name, mode, bits = _format_name(image), image.mode, _bits(image, raw)
    is_deep = _deep_raw_mode(image) is not None
    image.load()
    orientation = _orientation(image)
    box = None if right is None else _half(image, orientation, right)
    part = image if box is None else image.crop(box)
    clear = None

    # Numbers of more than eight bits stay as they are.
    if mode in ("F", "I") or mode.startswith("I;16"):
        values = _in_parts(part, lambda rows: rows)
    elif is_deep:
        values = _cropped(_deep_colours(image, raw), box)
        values, clear = without_opaque_alpha(values, background, declared=_declares_alpha(image))
    elif part.has_transparency_data:
        clear = transparency.measured(_parts(part), background, _declares_alpha(image))
        target = "L" if mode in GREY_MODES and (background is None or len(set(background)) == 1) else "RGB"
        values = _in_parts(part, lambda rows: transparency.flattened(rows, target, background))
    else:
        target = "L" if mode in GREY_MODES else "RGB"
        values = _in_parts(part, lambda rows: rows if rows.mode == target else rows.convert(target))
    image.close()

    # Turn it upright, as its camera was held.
    if orientation in UPRIGHT:
        values = np.ascontiguousarray(UPRIGHT[orientation](values))
        notes.append("rotated")
    return Decoded(values, format_name, mode, bits, tuple(notes), clear)


def alpha(raw: bytes) -> NDArray[np.uint8] | None:
    """Return the transparency of an image, (height, width) upright, 255 where it is opaque; None without any."""
    with opened(raw) as image:
        if not image.has_transparency_data:
            return None
        image.load()
        orientation = _orientation(image)
        values = _in_parts(image, lambda part: part.convert("RGBA").getchannel("A"))
    return np.ascontiguousarray(UPRIGHT[orientation](values)) if orientation in UPRIGHT else values


def from_array(array: NDArray[Any], background: Colour) -> Decoded:
    """Describe an element of an array as an image.

    Args:
        array: (height, width), or (height, width, 1, 3 or 4).
        background: what transparent pixels are laid on.

    Raises:
        ValueError: it has more than 64 megapixels.
    """
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise ValueError(f"more than {MAX_PIXELS // 1_000_000} megapixels")
    bits = 1 if array.dtype == np.bool_ else array.dtype.itemsize * 8
    values = array.astype(np.uint8) * np.uint8(255) if array.dtype == np.bool_ else array
    mode = "grey" if values.ndim == 2 else {1: "grey", 3: "RGB", 4: "RGBA"}[values.shape[2]]
    if mode == "grey":
        return Decoded(values if values.ndim == 2 else values[..., 0], "array", mode, bits)
    if mode == "RGB":
        return Decoded(values, "array", mode, bits)
    if values.dtype != np.uint8:
        values, clear = without_opaque_alpha(values, background, declared=False)
        return Decoded(values, "array", mode, bits, (), clear)
    image = Image.fromarray(np.ascontiguousarray(values))
    clear = transparency.measured(_parts(image), background, declared=False)
    return Decoded(over_background(image, background), "array", mode, bits, (), clear)


def over_background(image: Image.Image, background: Colour) -> NDArray[np.uint8]:
    """Lay an image with transparency on a background: (height, width, 3)."""
    return _in_parts(image, lambda part: transparency.flattened(part, "RGB", background))


def without_opaque_alpha(
    values: NDArray[Any], background: Colour, *, declared: bool
) -> tuple[NDArray[Any], Transparency | None]:
    """Drop a fourth channel that is ignored or opaque everywhere; else keep and measure it."""
    if values.shape[2] == 3 or background is None:
        return values[..., :3], None
    alpha = values[..., 3]
    top = alpha.max()
    opaque = float((alpha == top).mean()) if top > 0 else 0.0
    if opaque == 1:
        return values[..., :3], None
    return values, Transparency(float((alpha == 0).mean()), opaque, 0.0, declared)


def _parts(image: Image.Image) -> Iterator[Image.Image]:
    """Yield horizontal parts of a large image from the top, or the image itself."""
    rows = max(1, PIXELS_AT_ONCE // image.width)
    if rows >= image.height:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _in_parts(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> NDArray[Any]:
    """Convert an image to an array, a part at a time."""
    result, top = None, 0
    for part in _parts(image):
        values = np.asarray(convert(part))
        if len(values) == image.height:
            return values
        if result is None:
            result = np.empty((image.height, *values.shape[1:]), values.dtype)
        result[top : top + len(values)] = values
        top += len(values)
    assert result is not None
    return result


def _deep_raw_mode(image: ImageFile) -> str | None:
    """Return Pillow's raw mode of colours of 16 bits, of which it decodes the upper eight alone; else None."""
    if image.mode not in ("RGB", "RGBA") or not image.tile:
        return None
    arguments = image.tile[0][3]
    mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return mode if isinstance(mode, str) and mode[:-4] in ("RGB", "RGBA", "RGBX") and mode[-3:] in LOW_BYTES else None


def _deep_colours(image: ImageFile, raw: bytes) -> NDArray[np.uint16]:
    """Return colours of 16 bits, (height, width, 3 or 4), of an image of which Pillow has decoded the upper eight.

    Decoding it again with the bytes of each value exchanged gives the lower eight.
    """
    values: NDArray[np.uint16] = _in_parts(image, lambda part: part).astype(np.uint16)
    values <<= 8
    image.close()
    with opened(raw) as again:
        mode = _deep_raw_mode(again)
        assert mode is not None

        def exchanged(arguments: Any) -> Any:
            swapped = mode[:-3] + LOW_BYTES[mode[-3:]]
            return (swapped, *arguments[1:]) if isinstance(arguments, tuple) else swapped

        again.tile = [tile._replace(args=exchanged(tile[3])) for tile in again.tile]
        again.load()
        top = 0
        for part in _parts(again):
            values[top : top + part.height] |= np.asarray(part)
            top += part.height
    return values


def _declares_alpha(image: ImageFile) -> bool:
    """Return whether the format says that a further channel is transparency; in TIFF it may be anything."""
    if image.format != "TIFF":
        return True
    extra = image.tag_v2.get(TIFF_EXTRA_SAMPLES, ())  # type: ignore[attr-defined]
    return any(one in (1, 2) for one in (extra if isinstance(extra, tuple) else (extra,)))


def _half(image: Image.Image, orientation: int, right: bool) -> tuple[int, int, int, int]:
    """Return the box of half of the upright image, (left, top, right, bottom), in the image as it is stored."""
    # Follow the four quarters of the stored image to where they are once it is upright.
    stored: NDArray[Any] = np.arange(4).reshape(2, 2)
    quarters = UPRIGHT[orientation](stored) if orientation in UPRIGHT else stored
    rows, columns = np.divmod(quarters[:, int(right)], 2)
    if (image.height if orientation > 4 else image.width) % 2:
        raise ValueError("an odd width, so that it has no halves")
    return (
        int(columns.min()) * image.width // 2,
        int(rows.min()) * image.height // 2,
        int(columns.max() + 1) * image.width // 2,
        int(rows.max() + 1) * image.height // 2,
    )


def _cropped(values: NDArray[Any], box: tuple[int, int, int, int] | None) -> NDArray[Any]:
    """Return a copy of the part of an array in a box, (left, top, right, bottom), or the array itself."""
    return values if box is None else np.ascontiguousarray(values[box[1] : box[3], box[0] : box[2]])


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, struct.error, KeyError, TypeError):
        return 1  # Damaged metadata does not make the image unusable.


def _format_name(image: ImageFile) -> str:
    return "JPEG" if image.format == "MPO" else image.format or "unknown"


def _bits(image: ImageFile, raw: bytes) -> int:
    """Return the bits per value as stored, which Pillow's mode does not always tell."""
    if image.format == "PNG":
        return raw[PNG_BIT_DEPTH_OFFSET]
    if image.format == "TIFF":
        depth = image.tag_v2.get(TIFF_BITS_PER_SAMPLE, 8)  # type: ignore[attr-defined]
        return int(depth[0] if isinstance(depth, tuple) else depth)
    return BITS_BY_MODE.get(image.mode, 8)
