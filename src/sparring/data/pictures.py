"""From a picture in any form that people have to uint8 pixels: (height, width) if grey, (height, width, 3) in colour.

Transparency is laid on white, EXIF rotation is applied, 16 bits are divided by 257, of moving pictures the first frame
is taken. Which format it is, is decided by content; what is not on the list is never opened.
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

from sparring.data.source import Raw

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp"})
MOST_PIXELS = 64_000_000
BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}
VERSION = f"1 pillow {Image.__version__}"  # type: ignore[attr-defined]
"""Changes whenever the same bytes might give other pixels."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → how to set the picture upright"""

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width) or (height, width, 3)"""


class ImageInfo(NamedTuple):
    """What one picture is, and a digest of its pixels."""

    width: int
    height: int
    format: str
    mode: str
    bits: int
    grey: bool
    notes: tuple[str, ...]
    digest: bytes


def starts_like_a_picture(head: bytes) -> bool:
    """Whether the first bytes are those of a format on the list."""
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a", b"BM")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


@contextmanager
def guarded() -> Iterator[None]:
    """While pictures are read: none above 64 megapixels, and no warnings about small irregularities."""
    before = Image.MAX_IMAGE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.MAX_IMAGE_PIXELS = MOST_PIXELS
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def look(raw: Raw) -> tuple[ImageInfo, Pixels]:
    """Decode a picture wholly and describe it. Raises whatever the decoder raises; ``why`` puts it in words."""
    if isinstance(raw, np.ndarray):
        return _described(_flat(raw), "array", _array_mode(raw), 8, ())
    with _opened(raw) as image:
        notes = ["animated"] if getattr(image, "is_animated", False) and image.format != "MPO" else []
        form, mode, bits = _format(image), image.mode, _bits(image, raw)
        pixels, more = _pixels(image)
    return _described(pixels, form, mode, bits, (*notes, *more))


def why(error: Exception) -> str:
    """The reason for which a picture is set aside, in a few words."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {MOST_PIXELS // 1_000_000} megapixels (a decompression bomb?)"
    if isinstance(error, UnidentifiedImageError):
        return "no PNG, JPEG, WebP, TIFF, GIF or BMP that can be read"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    said = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
    return said[:160] or type(error).__name__


def fit(raw: Raw, shape: tuple[int, int, int]) -> Pixels:
    """A picture in ``shape`` (channels, height, width): cut at the centre to the aspect ratio, then resized.

    Resizing is antialiased (Lanczos). One channel is luminance (ITU-R 601).
    """
    channels, height, width = shape
    if isinstance(raw, np.ndarray):
        flat = _flat(raw)
        if flat.shape == (height, width) and channels == 1:
            return flat[None]
        if flat.shape == (height, width, channels):
            return flat.transpose(2, 0, 1)
        image = Image.fromarray(flat)
    else:
        with _opened(raw) as opened:
            _draft(opened, width, height)
            image = Image.fromarray(_pixels(opened)[0])
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, box=_centre(image.size, width, height))
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _opened(raw: bytes) -> Image.Image:
    if not raw:
        raise ValueError("an empty file")
    if not starts_like_a_picture(raw[:32]):
        raise UnidentifiedImageError
    return Image.open(BytesIO(raw), formats=FORMATS)


def _draft(image: Image.Image, width: int, height: int) -> None:
    """Let JPEG decode at a fraction of its size where that is still twice what is needed, either way up."""
    scale = 2 * max(width, height) / min(image.size)
    if scale < 1:
        image.draft(None, (int(image.width * scale) + 1, int(image.height * scale) + 1))


def _centre(size: tuple[int, int], width: int, height: int) -> tuple[float, float, float, float]:
    scale = min(size[0] / width, size[1] / height)
    across, down = width * scale, height * scale
    left, top = max(0.0, (size[0] - across) / 2), max(0.0, (size[1] - down) / 2)
    return left, top, min(left + across, size[0]), min(top + down, size[1])


def _pixels(image: Image.Image) -> tuple[Pixels, list[str]]:
    image.load()
    notes = []
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        pixels, stretched = _narrowed(np.asarray(image))
        notes += ["stretched"] if stretched else []
        image_8 = Image.fromarray(pixels)
    else:
        image_8 = _without_alpha(image)
    turned = _upright(image_8, image)
    notes += ["rotated"] if turned is not image_8 else []
    return np.asarray(turned), notes


def _without_alpha(image: Image.Image) -> Image.Image:
    """Grey as L, everything else as RGB; what is transparent shows white."""
    if image.has_transparency_data:
        solid = image.convert("RGBA")
        white = Image.new("RGBA", solid.size, "white")
        laid = Image.alpha_composite(white, solid)
        return laid.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB")
    return image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB")


def _narrowed(values: NDArray[Any]) -> tuple[Pixels, bool]:
    """More than 8 bits in 8: whole numbers up to 65535 divided by 257, others stretched from least to most (True)."""
    if values.dtype.kind in "iu" and values.size and values.min() >= 0 and values.max() <= 65535:
        return ((values.astype(np.int64) + 128) // 257).astype(np.uint8), False
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds numbers that are not finite")
    low, high = float(numbers.min()), float(numbers.max())
    return np.round((numbers - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8), True


def _upright(image: Image.Image, original: Image.Image) -> Image.Image:
    try:
        turn = TURNS.get(original.getexif().get(0x0112, 1))
    except (OSError, ValueError, SyntaxError, struct.error, KeyError, TypeError):
        return image  # A damaged note about rotation does not spoil the picture.
    return image if turn is None else image.transpose(turn)


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else image.format or "unknown"


def _bits(image: Image.Image, raw: bytes) -> int:
    if image.format == "PNG":
        return raw[24]
    if image.format == "TIFF":
        depth = image.tag_v2.get(258, 8)  # type: ignore[attr-defined]
        return int(depth[0] if isinstance(depth, tuple) else depth)
    return BITS.get(image.mode, 8)


def _described(pixels: Pixels, form: str, mode: str, bits: int, notes: tuple[str, ...]) -> tuple[ImageInfo, Pixels]:
    """Colour whose three channels are equal everywhere counts as grey, and has the digest of the grey picture."""
    height, width = pixels.shape[:2]
    grey = pixels.ndim == 2 or (_is_grey(pixels[:1]) and _is_grey(pixels))
    content = np.ascontiguousarray(pixels[..., 0] if pixels.ndim == 3 and grey else pixels)
    digest = blake2b(f"{content.shape}".encode(), digest_size=16)
    digest.update(content.data)
    return ImageInfo(width, height, form, mode, bits, grey, notes, digest.digest()), pixels


def _is_grey(pixels: Pixels) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _flat(pixels: NDArray[Any]) -> Pixels:
    """(height, width) or (height, width, 3) from (height, width, 1, 3 or 4)."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return np.asarray(_without_alpha(Image.fromarray(np.ascontiguousarray(pixels))))


def _array_mode(pixels: NDArray[Any]) -> str:
    return "grey" if pixels.ndim == 2 else {1: "grey", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
