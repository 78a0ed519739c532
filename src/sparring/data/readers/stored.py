"""Arrays that stay in their files, or are unpacked with bounded memory: the size is checked before anything is read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.data import cache
from sparring.data.array_file import ArrayFile
from sparring.data.source import stamp
from sparring.errors import SparringError

MAX_BYTES_IN_MEMORY = 64 * 1024 * 1024
"""Bytes up to which an array is read into memory; a larger one stays in its file, or is unpacked into the cache."""
MAX_ARRAY_BYTES = 16 * 1024**3
MAX_INFLATION = 100
"""Times the compressed size that a large array may take: more is no picture, but a file made to fill the memory."""
BYTES_AT_ONCE = 8 * 1024 * 1024
"""Bytes that are unpacked at a time."""


@final
@dataclass(frozen=True)
class StoredArray:
    """Array in a file, in C order and not compressed, of which one element is read at a time.

    Args:
        path: the file.
        offset: bytes before the first element.
        dtype: type of its numbers.
        shape: (count, …).
    """

    path: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, position: int) -> NDArray[Any]:
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + position * size)
            return np.frombuffer(exactly(file, size), self.dtype).reshape(self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            content = exactly(file, self.dtype.itemsize * math.prod(self.shape))
        return np.frombuffer(content, self.dtype).reshape(self.shape).astype(dtype or self.dtype, copy=False)


Stored: TypeAlias = NDArray[Any] | StoredArray | ArrayFile
"""Array in memory, memory-mapped, or in its file."""


def exactly(file: IO[bytes] | Any, size: int) -> bytes:
    """Read ``size`` bytes.

    Raises:
        ValueError: the file ends before.
    """
    parts, missing = [], size
    while missing:
        part = file.read(missing)
        if not part:
            raise ValueError(f"{size - missing:,} bytes of data where {size:,} were announced")
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def require_plausible(dtype: np.dtype[Any], shape: tuple[int, ...], place: str) -> int:
    """Return the size in bytes of an array that a header announces.

    Raises:
        SparringError: it is too large, or holds no numbers.
    """
    if dtype.hasobject or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise SparringError(
            found=f"Python objects, or no array at all in {place}",
            expected="arrays of numbers",
            remedy="save it as an array of uint8",
        )
    size = dtype.itemsize * math.prod(shape)
    if size > MAX_ARRAY_BYTES:
        raise SparringError(
            found=f"a header that announces {size / 2**30:.0f} GiB in {place}",
            expected="at most 16 GiB",
            remedy="copy or download the file again, or give a part of it",
        )
    return size


def inflated(
    stream: IO[bytes] | Any, path: Path, name: str, compressed: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Stored:
    """Unpack an array in C order: into memory if it is small, else into a file of the cache.

    Args:
        stream: its content.
        path: the file that holds it.
        name: name of the array within the file, or "".
        compressed: its size in the file, in bytes.
        dtype: type of its numbers.
        shape: (count, …).

    Raises:
        SparringError: it is far larger than its compressed form, or the cache cannot hold it.
        ValueError: the stream ends early.
    """
    size, place = dtype.itemsize * math.prod(shape), f"{path}{f' ({name})' if name else ''}"
    if size <= MAX_BYTES_IN_MEMORY:
        return np.frombuffer(exactly(stream, size), dtype).reshape(shape)
    row = dtype.itemsize * math.prod(shape[1:])
    if size > MAX_INFLATION * compressed or row > 4 * MAX_BYTES_IN_MEMORY:
        raise SparringError(
            found=f"{compressed:,} bytes that unpack to {size:,} in {place}",
            expected=f"at most {MAX_INFLATION} times as many, and elements of up to 256 MiB",
            remedy="if these are pictures, save them uncompressed, as .npy",
        )
    rows = max(1, BYTES_AT_ONCE // max(1, row))

    def chunks() -> Iterator[NDArray[Any]]:
        for start in range(0, shape[0], rows):
            count = min(rows, shape[0] - start)
            yield np.frombuffer(exactly(stream, count * row), dtype).reshape(count, *shape[1:])

    return cache.cached_array(cache.cache_key(["unpacked", stamp([path]), name]), shape, chunks, dtype)
