"""Images as files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from torch import Tensor

from sparring.flow import Batch
from sparring.modalities.images.conditions import input_images
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.grids import beside, image_grid, is_drawable, to_uint8
from sparring.storage import write_png


def save(samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
    """Write images, (count, channels, height, width) in [-1, 1], to ``000000.png`` and so on, from number ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, image in enumerate(images(samples), start=first):
        path = folder / f"{number:06d}.png"
        write_png(path, image)
        paths.append(path)
    return paths


def images(samples: Tensor) -> list[Image.Image]:
    """Return images of Pillow, of mode L or RGB, in the size of the samples."""
    return [Image.fromarray(pixels) for pixels in to_uint8(samples)]


def show(batch: Batch, classes: Sequence[str], *, columns: int) -> Sequence[Exhibit]:
    """Draw images, each beside the one that it was made from, if any; rows of one class begin with its name.

    Where no font has the letters of a name, its number is drawn, and the caption has the name.

    Args:
        batch: images, (count, channels, height, width) in [-1, 1], with their conditions and labels.
        classes: names of the labels.
        columns: images in a row.
    """
    rows = _classes_of_rows(batch.label, classes, columns)
    titles = ["" if one is None else classes[one] if is_drawable(classes[one]) else str(one) for one in rows]
    inputs = input_images(batch.condition)
    shown, group = (batch.real, 1) if inputs is None else (beside(inputs, batch.real), 2)
    grid = image_grid(shown, columns=group * columns, group=group, titles=titles)
    numbered = [f"{one}: {classes[one]}" for one in rows if one is not None and not is_drawable(classes[one])]
    return [replace(picture_of(grid), caption=f"Classes: {', '.join(numbered)}." if numbered else "")]


def compare(batch: Batch, true: Tensor | None) -> Sequence[Exhibit]:
    """Draw each image between its input and the true image, beside their absolute difference, which is black for none.

    Args:
        batch: generated images, (count, channels, height, width) in [-1, 1], with their conditions.
        true: the true images, or None.
    """
    inputs = input_images(batch.condition)
    if inputs is None:
        return []
    series = {"input": inputs, "output": batch.real}
    if true is not None:
        series |= {"truth": true, "difference": (batch.real - true).abs() - 1}
    grid = image_grid(beside(*series.values()), columns=2 * len(series), group=len(series))
    return [picture_of(grid, headings=(*series, *series))]


def _classes_of_rows(labels: Tensor | None, classes: Sequence[str], columns: int) -> list[int | None]:
    """Return each class at the first of its rows, and None at all others; nothing unless rows have one class."""
    if labels is None or not len(labels):
        return []
    rows = [set(part.tolist()) for part in labels.split(columns)]
    numbers = [next(iter(row)) for row in rows]
    if max(map(len, rows)) > 1 or len(set(numbers)) < 2 or not set(numbers) <= set(range(len(classes))):
        return []
    return [None if number == before else number for before, number in zip([None, *numbers], numbers, strict=False)]
