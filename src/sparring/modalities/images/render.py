"""Images as files."""

from pathlib import Path

from PIL import Image
from torch import Tensor

from sparring.rendering.grids import to_uint8
from sparring.storage import write_png


def save(samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
    """Write images, (count, channels, height, width) in [-1, 1], to ``000000.png`` and so on, from number ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, pixels in enumerate(to_uint8(samples), start=first):
        path = folder / f"{number:06d}.png"
        write_png(path, Image.fromarray(pixels))
        paths.append(path)
    return paths
