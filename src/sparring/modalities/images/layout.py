"""Arrays of numbers as images: the order of their axes. Their range is found later, over all of them (``ranges``)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.layouts import read_layout
from sparring.data.readers.files import Tree
from sparring.data.readers.label_files import LabelTable
from sparring.data.readers.numpy_files import read_numpy, shape_of
from sparring.data.readers.stored import Stored
from sparring.data.source import Source, require_count
from sparring.errors import SparringError
from sparring.text import printable

CHANNELS = (1, 3, 4)
"""Numbers of channels: grey, colours, and colours with transparency."""
MAX_CHANNELS = 16
"""Largest size of an axis that is taken for channels, in messages."""
MIN_SIDE = 8
"""Least side of an array of three axes that may be one colour image."""
MAX_ASPECT = 8
"""Greatest ratio of its sides."""


@final
class Layout(NamedTuple):
    """Order of the axes of an array.

    Args:
        images: how many the array holds.
        single: whether the array is one image, without an axis of images.
        first: whether channels come before height and width.
        remarks: full sentences, where another order is possible.
    """

    images: int
    single: bool = False
    first: bool = False
    remarks: tuple[str, ...] = ()

    def image(self, array: Stored, position: int) -> NDArray[Any]:
        """Return one image, (height, width) or (height, width, channels)."""
        image = np.asarray(array) if self.single else np.asarray(array[position])
        return np.moveaxis(image, 0, -1) if self.first else image


def images_in(array: Stored, source: str, *, labelled: bool = False) -> tuple[int, Callable[[int], NDArray[Any]], Any]:
    """Return the number of images, a function from position to image, and remarks.

    An image is (height, width) or (height, width, channels), of the numbers that are stored.

    Args:
        array: the images.
        source: its name in messages.
        labelled: whether each element of the first axis has a label, so that it is no single image.

    Raises:
        SparringError: the shape or the type of numbers is not that of images.
    """
    _require_numbers(array.dtype, source)
    found = layout(array.shape, source, alone=not labelled)
    require_count(found.images)
    return found.images, lambda position: found.image(array, position), found.remarks


def layout(shape: tuple[int, ...], source: str, *, alone: bool, of_many: bool = False) -> Layout:
    """Find the axes of an array of images.

    Args:
        shape: its shape.
        source: its name in messages.
        alone: whether it may be a single image.
        of_many: whether it is one of many files, which usually hold an image each.

    Raises:
        SparringError: it is not the shape of images.
    """
    if min(shape, default=0) > 0 and len(shape) == 2 and of_many:
        return Layout(1, single=True)
    if len(shape) == 3 and min(shape[1:]) > 0:
        return _of_three(shape, source, alone, of_many)
    if len(shape) == 4 and min(shape[1:]) > 0:
        last, first = shape[3] in CHANNELS, shape[1] in CHANNELS
        if last and first:
            remark = f"Reads the last axis of the shape {shape} in {source} as channels; the second could be, too."
            return Layout(shape[0], remarks=(remark,))
        if last or first:
            return Layout(shape[0], first=first)
        channels = min(shape[1], shape[3])
        if channels <= MAX_CHANNELS and channels < min(shape[2], max(shape[1], shape[3])):
            raise SparringError(
                found=f"images of {channels} channels in {source} (an array of shape {shape})",
                expected="1 channel (grey), 3 (red, green, blue) or 4 (with transparency)",
                remedy="save the channels that you want to train on, such as array[..., :3]",
            )
    raise SparringError(
        found=f"an array of shape {shape} in {source}",
        expected="(count, height, width), (count, height, width, channels) or (count, channels, height, width)",
        remedy="reshape it, with 1, 3 or 4 channels",
    )


def array_files(tree: Tree, top: Path, choice: bool | LabelTable | None) -> Source:
    """Open a folder of .npy files, each of which holds one image or a batch of them, all of one shape.

    Args:
        tree: the folder.
        top: its path.
        choice: of labels; see ``read_layout``.

    Raises:
        SparringError: the shapes differ, or are not those of images.
    """
    names = [entry.name for entry in tree.entries if entry.name.lower().endswith(".npy")]
    grouped = read_layout(names, str(top), choice)
    files = [top / names[position] for position in grouped.positions]
    layouts = _layouts(files, str(top))

    # Positions of all images: the file, and the image in it.
    starts = np.cumsum([0, *(one.images for one in layouts)])
    require_count(int(starts[-1]))
    owners = np.repeat(np.arange(len(files)), [one.images for one in layouts])
    labels = None if grouped.labels is None else grouped.labels[owners]

    def read(position: int) -> NDArray[Any]:
        owner = int(owners[position])
        array = read_numpy(files[owner]).samples
        _require_numbers(array.dtype, str(files[owner]))
        return layouts[owner].image(array, position - int(starts[owner]))

    def name(position: int) -> str:
        owner = int(owners[position])
        place = "" if layouts[owner].single else f" image {position - int(starts[owner])}"
        return printable(names[grouped.positions[owner]]) + place

    remarks = (*grouped.remarks, *layouts[0].remarks)
    return Source(
        names=[name(position) for position in range(len(owners))],
        read=read,
        stamp=tree.stamp(top),
        labels=labels,
        classes=grouped.classes,
        skipped=tree.skipped,
        remarks=remarks,
        held_out=np.isin(np.array(grouped.positions)[owners], list(grouped.held_out)) if grouped.held_out else None,
    )


def _layouts(files: Sequence[Path], source: str) -> list[Layout]:
    """Return the layout of each file.

    Raises:
        SparringError: a file is damaged, or has images of another shape than the first.
    """
    found: list[Layout] = []
    expected: tuple[int, ...] = ()
    for file in files:
        shape = shape_of(file) or read_numpy(file).samples.shape
        one = layout(shape, source, alone=True, of_many=True)
        # The form of an image, apart from the number of images.
        form = shape if one.single else shape[1:]
        if found and form != expected:
            raise SparringError(
                found=f"images of shape {form} in {file}, and of shape {expected} in {files[0]}",
                expected="arrays of one shape",
                remedy="crop or resize them to one shape, or save them as PNG",
            )
        expected = form
        found.append(one)
    return found


def _of_three(shape: tuple[int, ...], source: str, alone: bool, of_many: bool) -> Layout:
    """Return the layout of an array of three axes: grey images, or one image in colour."""
    count, height, width = shape
    if of_many and width in CHANNELS:
        return Layout(1, single=True)
    if of_many and count in CHANNELS:
        return Layout(1, single=True, first=True)

    # In a file of its own, an array may be one image, though one is too few to train on.
    if alone and width in CHANNELS[1:] and MIN_SIDE <= min(count, height) >= max(count, height) / MAX_ASPECT:
        other = f"{count:,} grey images of {height} × {width}"
        remark = f"Reads the shape {shape} in {source} as one image of {width} channels, not as {other}."
        return Layout(1, single=True, remarks=(remark,))
    if alone and count in CHANNELS[1:] and min(height, width) >= MIN_SIDE:
        remark = f"Reads the shape {shape} in {source} as {count} grey images, not as one image of {count} channels."
        return Layout(count, remarks=(remark,))
    return Layout(count)


def _require_numbers(dtype: np.dtype[Any], source: str) -> None:
    if dtype.kind not in "biuf":
        raise SparringError(found=f"an array of {dtype} in {source}", expected="numbers", remedy="convert it to uint8")
