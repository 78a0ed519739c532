"""Images as files."""

from pathlib import Path

from PIL import Image
from torch import Tensor

from sparring.rendering.grids import pixels
from sparring.storage import write_png


def save(samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
    """Each image, (count, channels, height, width) in [-1, 1], as ``000000.png`` and so on, numbered from ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(pixels(samples), start=first):
        path = folder / f"{number:06d}.png"
        write_png(path, Image.fromarray(one))
        paths.append(path)
    return paths
