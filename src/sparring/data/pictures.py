"""Decoding of images in any common format to uint8 pixels: (height, width) if grey, (height, width, 3) in colour.

Transparency is composited on white, the EXIF orientation is applied, 16-bit values are divided by 257, and the first
frame of an animation is taken. The format is recognised by content; formats that are not listed are never opened.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sparring.data.source import RawSample

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp"})
MAX_PIXELS = 64_000_000
BITS_BY_MODE = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}
"""Pillow's mode → bits per value; 8 for all others."""
VERSION = f"1 pillow {Image.__version__}"  # type: ignore[attr-defined]
"""Changes whenever the same bytes might decode to other pixels."""

TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → the transposition that turns the image upright."""
EXIF_ORIENTATION = 0x0112
TIFF_BITS_PER_SAMPLE = 258
PNG_BIT_DEPTH_OFFSET = 24
"""Offset of the bit depth in a PNG file, in bytes: in the header chunk, which comes first."""

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width) or (height, width, 3)."""


class ImageInfo(NamedTuple):
    """Description of one image.

    Args:
        width: in pixels.
        height: in pixels.
        format: name of the file format, or "array".
        mode: Pillow's mode, or "grey", "RGB" or "RGBA" for an array.
        bits: bits per value as stored.
        grey: whether the channels are equal in every pixel.
        notes: conversions that were necessary: "animated", "rotated", "stretched".
        digest: BLAKE2 digest of the decoded pixels.
    """

    width: int
    height: int
    format: str
    mode: str
    bits: int
    grey: bool
    notes: tuple[str, ...]
    digest: bytes


def is_image_header(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a listed format."""
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a", b"BM")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


@contextmanager
def decoding_limits() -> Iterator[None]:
    """Refuse images above 64 megapixels, and silence warnings about minor irregularities, while images are decoded."""
    before = Image.MAX_IMAGE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.MAX_IMAGE_PIXELS = MAX_PIXELS
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def inspect_image(raw: RawSample) -> tuple[ImageInfo, Pixels]:
    """Decode an image completely and describe it; decoding errors are raised as they are, see ``reason``."""
    if isinstance(raw, np.ndarray):
        return _described(_without_extra_channels(raw), "array", _array_mode(raw), 8, ())
    with _opened(raw) as image:
        notes = ["animated"] if getattr(image, "is_animated", False) and image.format != "MPO" else []
        format_name, mode, bits = _format_name(image), image.mode, _bits(image, raw)
        pixels, conversions = _pixels(image)
    return _described(pixels, format_name, mode, bits, (*notes, *conversions))


def reason(error: Exception) -> str:
    """Return the reason why an image cannot be decoded, in a few words."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {MAX_PIXELS // 1_000_000} megapixels (a decompression bomb?)"
    if isinstance(error, UnidentifiedImageError):
        return "not a readable PNG, JPEG, WebP, TIFF, GIF or BMP image"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    message = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
    return message[:160] or type(error).__name__


def fit(raw: RawSample, shape: tuple[int, int, int]) -> Pixels:
    """Bring an image to ``shape``: crop the centre to the aspect ratio, then resize with antialiasing (Lanczos).

    Args:
        raw: the image, encoded or as an array.
        shape: (channels, height, width); one channel is luminance (ITU-R 601), three are RGB.

    Returns:
        (channels, height, width).
    """
    # Arrays that have the shape already need no conversion.
    channels, height, width = shape
    if isinstance(raw, np.ndarray):
        flat = _without_extra_channels(raw)
        if flat.shape == (height, width) and channels == 1:
            return flat[None]
        if flat.shape == (height, width, channels):
            return flat.transpose(2, 0, 1)
        image = Image.fromarray(flat)
    else:
        with _opened(raw) as opened:
            _draft(opened, width, height)
            image = Image.fromarray(_pixels(opened)[0])

    # Convert the colours, crop and resize in one pass.
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, box=_centre_box(image.size, width, height))
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _opened(raw: bytes) -> Image.Image:
    if not raw:
        raise ValueError("an empty file")
    if not is_image_header(raw[:32]):
        raise UnidentifiedImageError
    return Image.open(BytesIO(raw), formats=FORMATS)


def _draft(image: Image.Image, width: int, height: int) -> None:
    """Let JPEG decode at a reduced size that is still at least twice the target, in either orientation."""
    scale = 2 * max(width, height) / min(image.size)
    if scale < 1:
        image.draft(None, (int(image.width * scale) + 1, int(image.height * scale) + 1))


def _centre_box(size: tuple[int, int], width: int, height: int) -> tuple[float, float, float, float]:
    """Return the largest centred box of the aspect ratio width : height, (left, top, right, bottom)."""
    scale = min(size[0] / width, size[1] / height)
    across, down = width * scale, height * scale
    left, top = max(0.0, (size[0] - across) / 2), max(0.0, (size[1] - down) / 2)
    return left, top, min(left + across, size[0]), min(top + down, size[1])


def _pixels(image: Image.Image) -> tuple[Pixels, list[str]]:
    """Return 8-bit pixels, upright and without transparency, and notes on the conversions."""
    image.load()
    notes = []
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        pixels, stretched = _to_8_bits(np.asarray(image))
        notes += ["stretched"] if stretched else []
        image_8 = Image.fromarray(pixels)
    else:
        image_8 = _without_alpha(image)
    upright = _upright(image_8, image)
    notes += ["rotated"] if upright is not image_8 else []
    return np.asarray(upright), notes


def _without_alpha(image: Image.Image) -> Image.Image:
    """Convert grey images to L and all others to RGB, compositing transparency on white."""
    if image.has_transparency_data:
        solid = image.convert("RGBA")
        white = Image.new("RGBA", solid.size, "white")
        composite = Image.alpha_composite(white, solid)
        return composite.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB")
    return image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB")


def _to_8_bits(values: NDArray[Any]) -> tuple[Pixels, bool]:
    """Map to 8 bits: divide integers up to 65,535 by 257, and stretch all others from least to greatest.

    Returns:
        The pixels, and whether they were stretched.

    Raises:
        ValueError: some values are not finite.
    """
    if values.dtype.kind in "iu" and values.size and values.min() >= 0 and values.max() <= 65535:
        return ((values.astype(np.int64) + 128) // 257).astype(np.uint8), False
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds numbers that are not finite")
    low, high = float(numbers.min()), float(numbers.max())
    return np.round((numbers - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8), True


def _upright(image: Image.Image, original: Image.Image) -> Image.Image:
    try:
        transpose = TRANSPOSES.get(original.getexif().get(EXIF_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, struct.error, KeyError, TypeError):
        return image  # Damaged metadata does not make the image unusable.
    return image if transpose is None else image.transpose(transpose)


def _format_name(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else image.format or "unknown"


def _bits(image: Image.Image, raw: bytes) -> int:
    """Return the bits per value as stored, which Pillow's mode does not always tell."""
    if image.format == "PNG":
        return raw[PNG_BIT_DEPTH_OFFSET]
    if image.format == "TIFF":
        depth = image.tag_v2.get(TIFF_BITS_PER_SAMPLE, 8)  # type: ignore[attr-defined]
        return int(depth[0] if isinstance(depth, tuple) else depth)
    return BITS_BY_MODE.get(image.mode, 8)


def _described(
    pixels: Pixels, format_name: str, mode: str, bits: int, notes: tuple[str, ...]
) -> tuple[ImageInfo, Pixels]:
    """Describe decoded pixels; colour with equal channels counts as grey and has the digest of the grey image."""
    height, width = pixels.shape[:2]
    grey = pixels.ndim == 2 or (_is_grey(pixels[:1]) and _is_grey(pixels))
    content = np.ascontiguousarray(pixels[..., 0] if pixels.ndim == 3 and grey else pixels)
    digest = blake2b(f"{content.shape}".encode(), digest_size=16)
    digest.update(content.data)
    return ImageInfo(width, height, format_name, mode, bits, grey, notes, digest.digest()), pixels


def _is_grey(pixels: Pixels) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _without_extra_channels(pixels: NDArray[Any]) -> Pixels:
    """Reduce (height, width), or (height, width, 1, 3 or 4), to (height, width) or (height, width, 3)."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return np.asarray(_without_alpha(Image.fromarray(np.ascontiguousarray(pixels))))


def _array_mode(pixels: NDArray[Any]) -> str:
    return "grey" if pixels.ndim == 2 else {1: "grey", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
