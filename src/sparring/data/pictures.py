"""Images in any common format: their description, and their pixels as uint8 in a shape of one's choice.

The EXIF orientation is applied, and the first frame of an animation is taken. The format is recognised by content;
formats that are not listed are never opened. How numbers become bytes, and what transparency is laid on, is one
``Coding`` for all images of a source.
"""

from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data import decoding, memory
from sparring.data.decoding import Decoded
from sparring.data.ranges import Extent, Ranges, extent, find_range, kind_of, row_blocks, to_bytes
from sparring.data.source import Half, RawSample
from sparring.data.transparency import Colour, Transparency

VERSION = f"2 pillow {Image.__version__}"  # type: ignore[attr-defined]
"""Changes whenever the same bytes might decode to other pixels."""

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width) or (height, width, 3)."""


class Coding(NamedTuple):
    """The same conversion for all images of a source.

    Args:
        ranges: what is black and what is white, by kind of numbers.
        background: what transparent pixels are laid on.
    """

    ranges: Ranges = MappingProxyType({})
    background: Colour = (255, 255, 255)


ORDINARY = Coding()
"""Images of eight bits, on white."""


class ImageInfo(NamedTuple):
    """Description of one image.

    Args:
        width: in pixels.
        height: in pixels.
        format: name of the file format, or "array".
        mode: Pillow's mode, or "grey", "RGB" or "RGBA" for an array.
        bits: bits per value as stored.
        grey: whether the channels are equal in every pixel.
        notes: conversions that were necessary: "animated", "rotated".
        digest: BLAKE2 digest of the decoded values.
        extent: extreme values of its colours.
        transparency: None for an image that is opaque everywhere.
    """

    width: int
    height: int
    format: str
    mode: str
    bits: int
    grey: bool
    notes: tuple[str, ...]
    digest: bytes
    extent: Extent
    transparency: Transparency | None


def inspect_image(raw: RawSample, background: Colour = ORDINARY.background) -> tuple[ImageInfo, NDArray[Any]]:
    """Decode an image completely and describe it; decoding errors are raised as they are, see ``formats.reason``.

    Returns:
        The description, and the values as ``decoding.Decoded`` has them.
    """
    if isinstance(raw, np.ndarray):
        return _described(decoding.from_array(raw, background))
    content, right = raw if isinstance(raw, Half) else (raw, None)
    with decoding.opened(content) as image, memory.decoding.taken(decoding.peak_bytes(image)):
        return _described(decoding.from_image(image, content, background, right))


def fit(raw: RawSample, shape: tuple[int, int, int], coding: Coding = ORDINARY) -> Pixels:
    """Bring an image to ``shape``: crop the centre to the aspect ratio, then resize with antialiasing (Lanczos).

    Args:
        raw: the image, encoded or as an array.
        shape: (channels, height, width); one channel is luminance (ITU-R 601), three are RGB.
        coding: of its source.

    Returns:
        (channels, height, width).
    """
    if isinstance(raw, np.ndarray):
        return _fitted(to_pixels(decoding.from_array(raw, coding.background).values, coding), shape)
    content, right = raw if isinstance(raw, Half) else (raw, None)
    with decoding.opened(content) as image:
        # The halves of a reduced image would meet elsewhere, so they are decoded at full size.
        if right is None:
            _draft(image, shape[2], shape[1])
        with memory.decoding.taken(decoding.peak_bytes(image)):
            values = decoding.from_image(image, content, coding.background, right).values
            return _fitted(to_pixels(values, coding), shape)


def layers(raw: RawSample, ranges: Ranges) -> tuple[Pixels, Pixels | None]:
    """Decode an image in its own size: its colours as they are stored, beside its transparency.

    Args:
        raw: the image, encoded or as an array.
        ranges: what is black and what is white, by kind of numbers; of kinds that are missing, found in the image.

    Returns:
        (height, width) or (height, width, 3), and alpha, (height, width), or None for an image that is opaque.
    """
    assert not isinstance(raw, Half)  # Inputs of a model are whole images.
    if isinstance(raw, np.ndarray):
        values, alpha = decoding.from_array(raw, None).values, raw[..., 3] if raw.shape[2:] == (4,) else None
    else:
        with decoding.opened(raw) as image, memory.decoding.taken(decoding.peak_bytes(image)):
            values = decoding.from_image(image, raw, None).values
        alpha = decoding.alpha(raw)
    # Alpha has a range of its own, from 0.
    if alpha is not None and alpha.dtype != np.uint8:
        alpha = to_bytes(alpha, _own_range(alpha, 0.0))
    return to_bytes(values, {**_own_range(values), **ranges}), None if alpha is None or alpha.min() == 255 else alpha


def _own_range(values: NDArray[Any], low: float | None = None) -> Ranges:
    """Return the range of the numbers of one image, whose kind has no range yet; bytes are as they are."""
    found = extent(values)
    if found.kind == "bytes":
        return {}
    low = found.low if low is None else low
    own = find_range(found.kind, [Extent(found.kind, low, found.high, low, found.inner_high)])
    return {found.kind: (own.low, own.high)}


def to_pixels(values: NDArray[Any], coding: Coding) -> Pixels:
    """Convert decoded values to bytes, (height, width) or (height, width, 3), by the coding of their source."""
    if values.ndim == 2 or values.shape[2] == 3:
        return to_bytes(values, coding.ranges)
    # The fourth channel has a range of its own, from 0.
    kind, alpha = kind_of(values.dtype), values[..., 3]
    white = find_range(kind, [Extent(kind, 0.0, float(alpha.max()), 0.0, float(alpha.max()))]).high
    channels = [to_bytes(values[..., :3], coding.ranges), to_bytes(alpha, {kind: (0.0, white)})[..., None]]
    return decoding.over_background(Image.fromarray(np.concatenate(channels, axis=2)), coding.background)


def _fitted(pixels: Pixels, shape: tuple[int, int, int]) -> Pixels:
    # Pixels that have the shape already need no conversion.
    channels, height, width = shape
    if pixels.shape == (height, width) and channels == 1:
        return pixels[None]
    if pixels.shape == (height, width, channels):
        return pixels.transpose(2, 0, 1)

    # Convert the colours, crop and resize in one pass.
    image = Image.fromarray(pixels)
    mode = "L" if channels == 1 else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, box=_centre_box(image.size, width, height))
    fitted = np.asarray(image)
    return fitted[None] if channels == 1 else fitted.transpose(2, 0, 1)


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


def _described(decoded: Decoded) -> tuple[ImageInfo, NDArray[Any]]:
    """Describe decoded values; colour with equal channels counts as grey and has the digest of the grey image."""
    values = decoded.values
    height, width = values.shape[:2]
    extreme = extent(values[..., :3] if values.ndim == 3 else values)
    grey = values.ndim == 2 or (values.shape[2] == 3 and _is_grey(values))
    content = np.ascontiguousarray(values[..., 0] if values.ndim == 3 and grey else values)
    form = f"{content.shape}" if content.dtype == np.uint8 else f"{content.shape} {content.dtype.str}"
    digest = blake2b(form.encode(), digest_size=16)
    digest.update(content.data)
    info = ImageInfo(
        width,
        height,
        decoded.format,
        decoded.mode,
        decoded.bits,
        grey,
        decoded.notes,
        digest.digest(),
        extreme,
        decoded.transparency,
    )
    return info, values


def _is_grey(values: NDArray[Any]) -> bool:
    # Most colour images show it in the first row.
    return bool((values[:1] == values[:1, :, :1]).all()) and all(
        bool((values[rows] == values[rows, :, :1]).all()) for rows in row_blocks(values)
    )
