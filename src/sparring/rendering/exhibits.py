"""Exhibits: renderings of samples, as a report embeds them and as files."""

import io
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
from torch import Tensor

from sparring.errors import SparringError
from sparring.rendering.grids import COLUMN
from sparring.storage import write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image


@final
@dataclass(frozen=True)
class Picture:
    """A picture.

    Args:
        file: content of its file, a PNG.
        caption: text below the picture.
        words: alternative text, for readers who cannot see it.
        headings: of the columns of the picture, which have one width; none by default.
        wide: whether it needs the whole width of a page.
        vector: content of a second file, the same picture as SVG; none by default.
    """

    file: bytes
    caption: str = ""
    words: str = ""
    headings: tuple[str, ...] = ()
    wide: bool = False
    vector: bytes = b""

    suffix = ".png"


@final
@dataclass(frozen=True)
class Sound:
    """A sound.

    Args:
        file: content of its file, a WAV.
        caption: text below the player.
        words: alternative text, for readers who cannot hear it.
    """

    file: bytes
    caption: str = ""
    words: str = ""

    suffix = ".wav"


@final
@dataclass(frozen=True)
class Text:
    """Texts of a line or several.

    Args:
        lines: one per sample; it may have line breaks.
        caption: text below the lines.
        words: alternative text.
        notes: what stands below each text in a page, such as its class; none by default.
        fixed: whether characters are equally wide, as in source code.
    """

    lines: tuple[str, ...]
    caption: str = ""
    words: str = ""
    notes: tuple[str, ...] = ()
    fixed: bool = False

    suffix = ".txt"

    @property
    def file(self) -> bytes:
        """Content of its file: UTF-8, one line per sample, or a line between samples of several lines."""
        between = BETWEEN_TEXTS if any("\n" in line for line in self.lines) else "\n"
        return f"{between.join(self.lines)}\n".encode()

    @staticmethod
    def of_file(content: bytes) -> "Text":
        """Return the texts of a file that has the content ``file``, without their notes."""
        text = content.decode().removesuffix("\n")
        return Text(tuple(text.split(BETWEEN_TEXTS if BETWEEN_TEXTS in text else "\n")))


@final
@dataclass(frozen=True)
class Table:
    """Rows of text under a header.

    Args:
        header: names of the columns.
        rows: one cell per column each.
        caption: text below the table.
        words: alternative text.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: str = ""

    suffix = ".csv"

    @property
    def wide(self) -> bool:
        """True if it needs the whole width of a page."""
        return len(self.header) > MAX_NARROW

    @property
    def file(self) -> bytes:
        """Content of its file: comma-separated values in UTF-8."""
        import csv

        content = io.StringIO()
        csv.writer(content, lineterminator="\n").writerows([self.header, *self.rows])
        return content.getvalue().encode()


BETWEEN_TEXTS = f"\n{40 * '─'}\n"
"""Line between texts of several lines."""
MAX_NARROW = 4
"""Columns of a table up to which half the width of a page is enough."""
OVERVIEW_SOFTWARE = "sparring overview"
"""Text in every picture that is drawn here: an overview of samples is no sample."""
VECTOR_MARK = f"<!-- {OVERVIEW_SOFTWARE} -->"
"""The same in a picture as SVG."""
VECTOR_SUFFIX = ".svg"
MARKED_BYTES = 1024
"""Bytes at the start of a file, of which a mark is a part."""
PNG_HEADER_BYTES = 33
"""Signature and header chunk of a PNG file; the text is the next chunk, after the four bytes of its length."""

Exhibit: TypeAlias = Picture | Sound | Text | Table
"""Anything that a report can embed."""


def picture_of(image: "Image", *, headings: tuple[str, ...] = (), vector: bytes = b"", words: str = "") -> Picture:
    """Encode an image as PNG, marked so that it is not taken for data; for the other arguments see ``Picture``."""
    from PIL.PngImagePlugin import PngInfo

    mark = PngInfo()
    mark.add_text("Software", OVERVIEW_SOFTWARE)
    if COLUMN in image.info:
        mark.add_text(COLUMN, image.info[COLUMN])
    content = io.BytesIO()
    image.save(content, format="PNG", pnginfo=mark)
    return Picture(content.getvalue(), headings=headings, vector=vector, words=words)


def is_overview(content: bytes) -> bool:
    """Return whether a file is a picture of ``picture_of``, or a figure."""
    png = content.startswith(f"tEXtSoftware\0{OVERVIEW_SOFTWARE}".encode(), PNG_HEADER_BYTES + 4)
    return png or VECTOR_MARK.encode() in content[:MARKED_BYTES]


def sound_of(samples: Tensor, rate: int) -> Sound:
    """Encode a mono waveform, (samples,) in [-1, 1], as 16-bit WAV at ``rate`` samples per second."""
    levels = (samples.detach().float().cpu().nan_to_num().clamp(-1, 1) * 32767).round().numpy().astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(levels).tobytes())
    return Sound(content.getvalue())


def exhibit_files(exhibits: Sequence[Exhibit], stem: Path) -> dict[Path, bytes]:
    """Return the file of each exhibit, named after ``stem``: stem.png, stem.wav, …; the second picture is stem-2.png.

    A picture that has vectors is stem.svg, too.

    Raises:
        SparringError: ``stem`` has no name.
    """
    if not stem.name:
        raise SparringError(
            found=f"the path {str(stem)!r}", expected="a path that ends in a file name", remedy="add a file name"
        )
    files: dict[Path, bytes] = {}
    for exhibit in exhibits:
        earlier = sum(path.suffix == exhibit.suffix for path in files)
        number = f"-{earlier + 1}" if earlier else ""
        files[stem.with_name(f"{stem.name}{number}{exhibit.suffix}")] = exhibit.file
        if isinstance(exhibit, Picture) and exhibit.vector:
            files[stem.with_name(f"{stem.name}{number}{VECTOR_SUFFIX}")] = exhibit.vector
    return files


def write_exhibits(exhibits: Sequence[Exhibit], stem: Path) -> list[Path]:
    """Write each exhibit to its file and return the paths; see ``exhibit_files``.

    Raises:
        OSError: a file cannot be written.
        SparringError: ``stem`` has no name.
    """
    files = exhibit_files(exhibits, stem)
    for path, content in files.items():
        write_bytes(path, content)
    return list(files)


def require_own(files: Mapping[Path, bytes]) -> None:
    """Refuse to replace files of others: a picture must carry the mark, and anything else must not change.

    Args:
        files: path → new content.

    Raises:
        SparringError: there is another file at one of the paths.
    """
    for path, content in files.items():
        if not path.is_file():
            continue
        with path.open("rb") as file:
            found = file.read(max(len(content) + 1, MARKED_BYTES))
        if not is_overview(found) and found != content:
            raise SparringError(
                found=f"the file {path}, which sparring has not written",
                expected="a new file, or a picture by sparring, which is replaced",
                remedy="move it, or give another path",
            )
