"""Exhibits: what a modality shows of samples to a person, in a report and as files."""

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
from torch import Tensor

from sparring.errors import SparringError
from sparring.storage import write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image


@final
@dataclass(frozen=True)
class Picture:
    """A picture.

    Args:
        content: of a PNG file.
        caption: below it.
        words: what it shows, for those who cannot see it.
        sharp: whether pixels stay squares when it is enlarged.
    """

    content: bytes
    caption: str = ""
    words: str = ""
    sharp: bool = False

    suffix = ".png"

    @property
    def file(self) -> bytes:
        """Content of its file."""
        return self.content


@final
@dataclass(frozen=True)
class Sound:
    """A sound.

    Args:
        content: of a WAV file.
        caption: below it.
        words: what is heard, for those who cannot hear it.
    """

    content: bytes
    caption: str = ""
    words: str = ""

    suffix = ".wav"

    @property
    def file(self) -> bytes:
        """Content of its file."""
        return self.content


@final
@dataclass(frozen=True)
class Text:
    """Lines of text, one for each sample."""

    lines: tuple[str, ...]
    caption: str = ""
    words: str = ""

    suffix = ".txt"

    @property
    def file(self) -> bytes:
        """Content of its file: UTF-8, a line each."""
        return "".join(f"{line}\n" for line in self.lines).encode()


@final
@dataclass(frozen=True)
class Table:
    """Rows under a header, as they are read by a person."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: str = ""

    suffix = ".csv"

    @property
    def file(self) -> bytes:
        """Content of its file: comma-separated values in UTF-8."""
        import csv

        content = io.StringIO()
        csv.writer(content, lineterminator="\n").writerows([self.header, *self.rows])
        return content.getvalue().encode()


Exhibit: TypeAlias = Picture | Sound | Text | Table


def picture_of(image: "Image", *, sharp: bool = False) -> Picture:
    """Encode an image as PNG."""
    content = io.BytesIO()
    image.save(content, format="PNG")
    return Picture(content.getvalue(), sharp=sharp)


def sound_of(samples: Tensor, rate: int) -> Sound:
    """Encode a mono wave, (samples,) in [-1, 1], as 16-bit WAV of ``rate`` samples per second."""
    levels = (samples.detach().float().cpu().nan_to_num().clamp(-1, 1) * 32767).round().numpy().astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(levels).tobytes())
    return Sound(content.getvalue())


def write_exhibits(exhibits: Sequence[Exhibit], stem: Path) -> list[Path]:
    """Write each exhibit into a file beside ``stem``: stem.png, stem.wav, …; a second one of a kind is stem-2.png.

    Raises:
        OSError: a file cannot be written.
        SparringError: ``stem`` has no name.
    """
    if not stem.name:
        raise SparringError(found=f"{str(stem)!r}", expected="the path of a file", remedy="give a name")
    paths: list[Path] = []
    for exhibit in exhibits:
        alike = sum(path.suffix == exhibit.suffix for path in paths)
        number = f"-{alike + 1}" if alike else ""
        paths.append(stem.with_name(f"{stem.name}{number}{exhibit.suffix}"))
        write_bytes(paths[-1], exhibit.file)
    return paths
