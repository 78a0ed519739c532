"""PNG files that are written a few rows at a time, so that a large image is never encoded in memory."""

import struct
import zlib
from typing import IO, final

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels → PNG's colour type: grey, grey with alpha, RGB, RGB with alpha."""
UP = 2
"""PNG's filter that stores the difference from the row above."""
LEVEL = 2
"""Compression of zlib: on a picture of 5 megapixels an eighth of the time of Pillow's PNG for 5 % more bytes."""


@final
class PngWriter:
    """Writes an image of eight bits per value, from the top to the bottom (ISO/IEC 15948).

    Args:
        file: open for writing bytes; it stays open.
        size: (height, width).
        channels: 1 for grey, 3 for RGB; one more with alpha, which is the last.
    """

    def __init__(self, file: IO[bytes], size: tuple[int, int], channels: int) -> None:
        self._file, self._deflate = file, zlib.compressobj(LEVEL, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        self._above = np.zeros((1, size[1], channels), np.uint8)
        file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", size[1], size[0], 8, COLOUR_TYPES[channels], 0, 0, 0))

    def write(self, rows: NDArray[np.uint8]) -> None:
        """Append rows, (rows, width, channels)."""
        filtered = np.empty((len(rows), 1 + rows[0].size), np.uint8)
        filtered[:, 0] = UP
        differences = filtered[:, 1:].reshape(rows.shape)
        np.subtract(rows, np.concatenate([self._above, rows[:-1]]), out=differences)
        self._above = rows[-1:].copy()
        self._chunk(b"IDAT", self._deflate.compress(filtered.data))

    def close(self) -> None:
        """Finish the image after its last row."""
        self._chunk(b"IDAT", self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, content: bytes) -> None:
        self._file.write(struct.pack(">I", len(content)) + name)
        self._file.write(content)
        self._file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
