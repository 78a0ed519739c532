"""Applying a generator to one image of any size, tile by tile: what goes in and what comes out are bytes."""

from binascii import crc32
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.arguments import option
from sparring.data import transparency
from sparring.data.dataset import from_bytes
from sparring.data.facts import Facts
from sparring.data.pictures import Pixels
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.modalities.images.asking import condition_shape
from sparring.modalities.images.conditions import DOMAIN, HOLE, SMALL, Holed, Translation, holed
from sparring.modalities.images.masks import MASKS
from sparring.modalities.images.tiling import Region, cropped, tiled
from sparring.modality import AnySize
from sparring.rendering.grids import to_uint8
from sparring.rendering.png import PngWriter

Mask: TypeAlias = NDArray[np.bool_]
"""(height, width), True in the hole."""

OPAQUE = 255


@final
@dataclass(frozen=True)
class Task:
    """The work of a model on each image.

    Args:
        view: of the model.
        facts: of its training data.
        target: number of the domain to translate into, or None.
        strength: share of the change that is made, in [0, 1].
    """

    view: View
    facts: Facts
    target: int | None = None
    strength: float = 1.0

    @property
    def channels(self) -> int:
        """Channels of the result."""
        return self.view.shape[0]

    @property
    def background(self) -> tuple[int, int, int]:
        """Colour under transparent pixels, as in the training data."""
        return transparency.colour(Reading.recorded(self.facts.reading).background) or (OPAQUE,) * 3


class Picture(NamedTuple):
    """A decoded image.

    Args:
        name: for messages.
        colours: (height, width) or (height, width, 3), as they are stored.
        alpha: (height, width), or None for an image that is opaque.
        mask: (height, width), or None where none was given.
    """

    name: str
    colours: Pixels
    alpha: Pixels | None = None
    mask: Mask | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.colours.shape[0], self.colours.shape[1]


class Layers(NamedTuple):
    """Tensors of a picture, which tiles are cut from, (1, channels, height, width) each, or None.

    Args:
        colours: uint8.
        alpha: uint8.
        mask: boolean.
    """

    colours: Tensor
    alpha: Tensor | None
    mask: Tensor | None


def result(picture: Picture, task: Task, generator: AnySize) -> Tensor:
    """Return the result in [-1, 1], (1, channels, height, width), without transparency.

    Raises:
        SparringError: the mask does not fit.
    """
    picture = _with_mask(picture, task)
    pixels = np.concatenate(list(_strips(picture, task, generator)))
    image: Tensor = from_bytes(Batch(torch.from_numpy(pixels).permute(2, 0, 1)[None])).real
    return image


def write(picture: Picture, task: Task, generator: AnySize, path: Path) -> list[str]:
    """Write the result as PNG, with the transparency of the picture, and return remarks; errors as for ``result``."""
    picture = _with_mask(picture, task)
    height, width = (side * generator.scale for side in picture.size)
    alpha = _resized_alpha(picture, (height, width))
    with path.open("wb") as file, ThreadPoolExecutor(1) as pool:
        writer, top = PngWriter(file, (height, width), task.channels + (alpha is not None)), 0
        written: Future[None] | None = None
        for strip in _strips(picture, task, generator):
            end = top + len(strip)
            rows = strip if alpha is None else np.concatenate([strip, alpha[top:end, :, None]], 2)
            # Rows are compressed while the next ones are computed.
            if written is not None:
                written.result()
            written, top = pool.submit(writer.write, rows), end
        if written is not None:
            written.result()
        writer.close()
    return _remarks(picture, task)


def _with_mask(picture: Picture, task: Task) -> Picture:
    """Return the picture with its mask, or without for a model that fills no holes.

    Raises:
        SparringError: the mask has another size, or is all hole.
    """
    if task.view.condition != HOLE:
        return picture
    mask = picture.mask
    if mask is None:
        random = np.random.default_rng(crc32(np.ascontiguousarray(picture.colours).data))
        return picture._replace(mask=MASKS[task.view.options["holes"]](random, *picture.size) > 0)
    if mask.shape != picture.size:
        raise SparringError(
            found=f"a mask of {_words(mask.shape)} for {picture.name}, which has {_words(picture.size)}",
            expected="a mask of the same size as the image",
            remedy="resize the mask",
        )
    if mask.all():
        raise SparringError(
            found=f"a mask that is white everywhere for {picture.name}",
            expected="some of the image to be left, from which the hole is filled",
            remedy="make what is kept black in the mask",
        )
    return picture


def _words(size: tuple[int, ...]) -> str:
    return f"{size[1]} × {size[0]} pixels"


def _remarks(picture: Picture, task: Task) -> list[str]:
    remarks = []
    if picture.mask is not None and not picture.mask.any():
        remarks.append(f"The mask of {picture.name} is empty: nothing was filled.")
    if picture.colours.ndim == 3 and task.channels == 1 and task.view.condition in (DOMAIN, HOLE, SMALL):
        remarks.append(f"{picture.name} is in colour and the model in grey, so its result is grey.")
    return remarks


def _strips(picture: Picture, task: Task, generator: AnySize) -> Iterator[NDArray[np.uint8]]:
    """Yield the result from the top to the bottom, (rows, width, channels) each."""
    nothing_to_do = task.strength == 0 or (picture.mask is not None and not picture.mask.any())
    if nothing_to_do:
        yield with_channels(picture.colours, task.channels)
        return
    alpha, mask = (None if one is None else _view(one) for one in (picture.alpha, picture.mask))
    layers = Layers(_view(picture.colours), alpha, mask)

    def tile(region: Region) -> Tensor:
        image: Tensor = generator.generate(_condition(cropped(layers, region), task))
        return image

    least, scale = condition_shape(task.view, task.facts)[1:], generator.scale
    strip = []
    for region, values in tiled(tile, picture.size, multiple=generator.multiple, least=least, scale=scale):
        pixels = to_uint8(values)[0]
        pixels = pixels if pixels.ndim == 3 else pixels[..., None]
        strip.append(_composed(pixels, picture, region, task))
        if region[1].stop == scale * picture.size[1]:
            yield np.concatenate(strip, axis=1)
            strip = []


def _view(values: NDArray[Any]) -> Tensor:
    """Return a view of an image as (1, channels, height, width); only arrays that are read-only are copied."""
    values = np.atleast_3d(values)
    return torch.from_numpy(values if values.flags.writeable else values.copy()).permute(2, 0, 1)[None]


def _condition(cut: Layers, task: Task) -> Tensor | Translation | Holed:
    """Return the condition of one tile, as the players take it."""
    pixels = cut.colours[0].permute(1, 2, 0).numpy()
    if cut.alpha is not None:
        alpha = cut.alpha[0, 0, :, :, None].numpy().astype(np.float32) / OPAQUE
        below = np.array(task.background, np.float32)
        pixels = np.round(below + alpha * (pixels - below)).astype(np.uint8)
    pixels = with_channels(pixels, condition_shape(task.view, task.facts)[0])
    image: Tensor = from_bytes(Batch(_view(pixels))).real.contiguous()
    if task.view.condition == HOLE:
        assert cut.mask is not None
        return holed(image, cut.mask.to(image.dtype))
    return image if task.target is None else Translation(image, torch.tensor([task.target]))


def _composed(pixels: NDArray[np.uint8], picture: Picture, region: Region, task: Task) -> NDArray[np.uint8]:
    """Blend generated pixels with those of the picture by the strength, and outside the hole keep the latter."""
    if task.strength == 1 and picture.mask is None:
        return pixels
    before = with_channels(picture.colours[region], task.channels)
    if task.strength < 1:
        change = pixels.astype(np.float32) - before
        pixels = np.round(before + task.strength * change).astype(np.uint8)
    return pixels if picture.mask is None else np.where(picture.mask[region][..., None], pixels, before)


def _resized_alpha(picture: Picture, size: tuple[int, int]) -> Pixels | None:
    """Return the transparency of the result: that of the picture in its size, opaque in the hole."""
    if picture.alpha is None:
        return None
    alpha = picture.alpha if picture.mask is None else np.where(picture.mask, np.uint8(OPAQUE), picture.alpha)
    if alpha.shape == size:
        return alpha
    return np.asarray(Image.fromarray(alpha).resize(size[::-1], Image.Resampling.BICUBIC))


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Return pixels as (height, width, channels): luminance (ITU-R 601) of colours, or a grey image as RGB."""
    pixels = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
    mode = "L" if channels == 1 else "RGB"
    if pixels.ndim != (2 if channels == 1 else 3):
        pixels = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def require_strength(strength: float, view: View) -> None:
    """Refuse a strength below 1 for models whose result is not a change of the whole input.

    Raises:
        SparringError: it is below 1, and the model enlarges images or fills holes.
    """
    if strength < 1 and view.condition in (SMALL, HOLE):
        purpose = "enlarges images" if view.condition == SMALL else "fills holes"
        raise SparringError(
            found=f"{option('strength', strength)} for a model that {purpose}",
            expected="a model that changes whole images: one that translates or colours them",
            remedy=f"leave {option('strength')} out",
        )
