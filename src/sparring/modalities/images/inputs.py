"""Inputs of `sparring apply`: images in their own size, from files or from memory, and masks of their holes."""

from binascii import crc32
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from glob import glob
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.arguments import option
from sparring.data import memory, pictures
from sparring.data.decoding import decoding_limits
from sparring.data.facts import Facts
from sparring.data.formats import reason
from sparring.data.in_memory import source_of
from sparring.data.labels import listed
from sparring.data.pictures import Pixels
from sparring.data.ranges import Ranges, ranges_from_json
from sparring.data.reading import Reading
from sparring.data.source import RawSample, Source
from sparring.data.transparency import IGNORE
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.applying import Mask, Picture, Task, require_strength, result, write
from sparring.modalities.images.asking import MASK, domain_number, wanted_domain
from sparring.modalities.images.conditions import DOMAIN, HOLE
from sparring.modalities.images.in_memory import HALF, arrays_of, hole_of, in_range
from sparring.modalities.images.sources import open_inputs
from sparring.modality import AnySize

MAX_PIXELS = 100_000_000
"""Pixels of an input; more would not fit into the memory of an ordinary machine beside their result."""
MAX_LISTED = 5
"""Skipped files that a sentence names."""


class Item(NamedTuple):
    """One image of what was given.

    Args:
        name: a relative path.
        read: returns the raw image; raises the errors of the file system.
        stamp: changes whenever the image does.
        size: of its file in bytes, or 0.
    """

    name: str
    read: Callable[[], RawSample]
    stamp: str
    size: int = 0


@final
@dataclass(frozen=True)
class ImageInput:
    """Implements ``sparring.modality.Input``; see there for the methods.

    Args:
        item: the image.
        task: what the model does with it.
        ranges: what is black and what is white in the data of the model.
        transparent: whether transparency is read, and put back on the result.
        mask: of its hole; None for random holes, or for models without.
    """

    item: Item
    task: Task
    ranges: Ranges
    transparent: bool = True
    mask: Item | None = None

    suffix = ".png"

    @property
    def name(self) -> str:
        return self.item.name

    @property
    def stamp(self) -> str:
        mask = "" if self.mask is None else f"{self.mask.name} {self.mask.stamp}"
        return f"{self.item.name} {self.item.stamp} {mask}"

    def result(self, generator: AnySize) -> Tensor:
        return result(self._picture(), self.task, generator)

    def write(self, generator: AnySize, path: Path) -> Sequence[str]:
        return write(self._picture(), self.task, generator, path)

    def _picture(self) -> Picture:
        colours, alpha = decoded(self.item, self.ranges)
        mask = (
            None if self.mask is None else _as_mask(*decoded(self.mask._replace(name=f"the mask {self.mask.name}"), {}))
        )
        return Picture(self.name, colours, alpha if self.transparent else None, mask)


def inputs(
    given: Sequence[Any], options: Mapping[str, Any], view: View, facts: Facts, strength: float
) -> tuple[list[ImageInput], list[str]]:
    """List the images of all inputs; see ``sparring.modality.AppliesInOwnSize``."""
    require_strength(strength, view)
    items, skipped = _items(given)
    if not items:
        raise SparringError(found="no image in the inputs", expected="at least one", remedy="give others")
    target = domain_number(wanted_domain(options, view), facts) if view.condition == DOMAIN else None
    masks: Sequence[Item | None] = [None] * len(items)
    if view.condition == HOLE and options.get(MASK) is not None:
        masks = _masks(options[MASK], items)
    task = Task(view, facts, target, strength)
    ranges = ranges_from_json(facts.coding.get("ranges", {}))
    transparent = Reading.recorded(facts.reading).background != IGNORE
    found = [ImageInput(item, task, ranges, transparent, mask) for item, mask in zip(items, masks, strict=True)]
    return found, [f"Skipped {listed(skipped, MAX_LISTED)}."] if skipped else []


def decoded(item: Item, ranges: Ranges) -> tuple[Pixels, Pixels | None]:
    """Return the colours and the transparency of an image; see ``pictures.layers``.

    Raises:
        SparringError: it cannot be read.
    """
    try:
        with decoding_limits(MAX_PIXELS), memory.reading(item.size):
            return pictures.layers(item.read(), ranges)
    except Exception as error:
        # Decoders fail in many ways on damaged files; all of them mean the same here.
        raise SparringError(
            found=f"{item.name}, which cannot be read ({reason(error, MAX_PIXELS)})",
            expected="an image",
            remedy="convert it, or copy it again",
        ) from None


def _items(given: Sequence[Any]) -> tuple[list[Item], list[str]]:
    """Return the images of paths, patterns and values in memory, and the names of entries that cannot be read."""
    items: list[Item] = []
    skipped: list[str] = []
    for one in given:
        if not isinstance(one, str | Path):
            items += _in_memory(one, len(items))
            continue
        for path in _matches(source_of(one)):
            source = open_inputs(path)
            items += [
                Item(name, partial(source.read, position), stamp, source.size(position))
                for position, (name, stamp) in enumerate(zip(source.names, _stamps(source), strict=True))
            ]
            skipped += [f"{entry.name} ({entry.reason})" for entry in source.skipped]
    return items, skipped


def _stamps(source: Source) -> Sequence[str]:
    """Return a stamp for each sample, which names its place where samples share a file."""
    return source.stamps or [f"{source.stamp} {position}" for position in range(len(source))]


def _matches(source: str) -> list[str]:
    """Return the paths of a pattern such as photos/*.jpg, or the source itself."""
    if Path(source).exists() or not set(source) & set("*?["):
        return [source]
    found = sorted(glob(source, recursive=True))  # noqa: PTH207 (patterns may be absolute)
    if not found:
        raise SparringError(
            found=f"nothing that matches {source}", expected="files or folders", remedy="check the pattern"
        )
    return found


def _in_memory(given: Any, first: int) -> list[Item]:
    """Return the images of a picture, an array or a tensor, named by their numbers from ``first``."""
    return [
        Item(f"{number:06d}", partial(_itself, array), _checksum(array))
        for number, array in enumerate(arrays_of(given), start=first)
    ]


def _itself(array: NDArray[Any]) -> NDArray[Any]:
    return array


def _checksum(array: NDArray[Any]) -> str:
    return f"{array.shape} {crc32(np.ascontiguousarray(array).data)}"


def _masks(given: Any, items: Sequence[Item]) -> list[Item]:
    """Return the mask of each image: the only one, or of a folder the one of the same name, or the next one.

    Raises:
        SparringError: there is another number of masks.
    """
    found, _ = _items([in_range(one) for one in (given if isinstance(given, list | tuple) else [given])])
    if len(found) == 1:
        return found * len(items)
    by_name = {_stem(mask.name): mask for mask in found}
    named = isinstance(given, str | Path) and len(by_name) == len(found)
    if named and all(_stem(item.name) in by_name for item in items):
        return [by_name[_stem(item.name)] for item in items]
    if len(found) == len(items):
        return found
    raise SparringError(
        found=f"{len(found)} masks for {len(items)} images",
        expected="one mask for all of them, one for each, or masks of the same names",
        remedy=f"give another {option('mask')}",
    )


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _as_mask(colours: Pixels, alpha: Pixels | None) -> Mask:
    """Return the hole, (height, width): what is white, or where the mask is transparent, what is visible and white."""
    hole: Mask = hole_of(colours)
    return hole if alpha is None else hole & (alpha > HALF)
