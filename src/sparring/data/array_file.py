"""Arrays in files, read row by row and verified block by block.

Files are not mapped into memory: a mapped file that somebody shortens ends the process without a word (SIGBUS). A block
is compared with its digest when it is first read, so that opening is cheap whatever the size of the array, and no
damaged value is ever used. On one core SHA-256 takes about a second per gigabyte, once in a process.
"""

import math
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring import opening
from sparring.errors import SparringError

BLOCK_BYTES = 2**20
"""Size of the blocks that are verified."""


def block_digests(path: Path) -> list[str]:
    """Return the SHA-256 of each block of a file, in hexadecimal."""
    digests = []
    with opening.reading(path) as file:
        while block := file.read(BLOCK_BYTES):
            digests.append(sha256(block).hexdigest())
    return digests


@final
class Blocks:
    """A file that is read at any place, by any thread.

    Args:
        path: of the file.
        digests: SHA-256 of each block.
        on_damage: called before a block that is damaged or missing is reported.

    Raises:
        OSError: the file cannot be opened.
        SparringError: it is no regular file.
    """

    def __init__(self, path: Path, digests: Sequence[str], on_damage: Callable[[], None]) -> None:
        self.path, self.digests, self.on_damage = path, digests, on_damage
        self._verified = bytearray(len(digests))
        self._descriptor, self._lock = opening.open_file(path), threading.Lock()
        self.size = os.fstat(self._descriptor).st_size
        weakref.finalize(self, os.close, self._descriptor)

    def read_into(self, view: memoryview, offset: int) -> None:
        """Fill ``view`` with the bytes from ``offset`` on, once their blocks are verified.

        Raises:
            SparringError: they are not those that were written, or the file was shortened.
        """
        for number in range(offset // BLOCK_BYTES, -(-(offset + len(view)) // BLOCK_BYTES)):
            if not self._verified[number]:
                begin = number * BLOCK_BYTES
                block = bytearray(min(BLOCK_BYTES, self.size - begin))
                self._fill(memoryview(block), begin)
                if sha256(block).hexdigest() != self.digests[number]:
                    raise self._damaged()
                self._verified[number] = True
        self._fill(view, offset)

    def _fill(self, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            try:
                count = self._read(view[done:], offset + done)
            except OSError:
                count = 0
            if count == 0:
                raise self._damaged()
            done += count

    def _read(self, view: memoryview, offset: int) -> int:
        if os.name == "posix":
            return os.preadv(self._descriptor, [view], offset)
        with self._lock:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            content = os.read(self._descriptor, len(view))
        view[: len(content)] = content
        return len(content)

    def _damaged(self) -> SparringError:
        self.on_damage()
        return SparringError(
            found=f"damaged or missing samples in the cache file {self.path}",
            expected="the content that was written, which nothing else changes",
            remedy="repeat the command, or resume the run: the samples are then prepared again",
        )


@final
class ArrayFile:
    """Rows of an array in a file; indexed like a NumPy array by a number, a slice, a mask or row numbers.

    A slice without step is another ``ArrayFile``, of which nothing is read; all else is an array in memory.

    Args:
        blocks: the file.
        start: where the first row begins, in bytes.
        shape: (rows, *shape).
        dtype: of the elements.
    """

    def __init__(self, blocks: Blocks, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.blocks, self.start, self.shape, self.dtype = blocks, start, shape, dtype
        self.ndim, self.row_bytes = len(shape), math.prod(shape[1:]) * dtype.itemsize
        self.nbytes = shape[0] * self.row_bytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, slice):
            begin, end, step = rows.indices(len(self))
            if step == 1:
                count = max(end - begin, 0)
                start = self.start + begin * self.row_bytes
                return ArrayFile(self.blocks, start, (count, *self.shape[1:]), self.dtype)
            return self._rows(np.arange(begin, end, step))
        numbers = np.asarray(rows)
        if numbers.dtype == bool:
            return self._rows(np.flatnonzero(numbers))
        found = self._rows(np.atleast_1d(np.where(numbers < 0, numbers + len(self), numbers)))
        return found if numbers.ndim else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self._rows(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    def _rows(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Read rows, those in sequence at once."""
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        view = found.reshape(-1).view(np.uint8).data
        ends = [*(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)] if len(rows) else []
        begin = 0
        for end in ends:
            part = view[begin * self.row_bytes : end * self.row_bytes]
            self.blocks.read_into(part, self.start + int(rows[begin]) * self.row_bytes)
            begin = end
        return found


def write_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Iterable[NDArray[Any]]) -> None:
    """Write an array as a .npy file, chunk by chunk, so that only one chunk is in memory at a time."""
    written = 0
    with path.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks:
            assert chunk.shape[1:] == shape[1:], (chunk.shape, shape)
            file.write(np.ascontiguousarray(chunk, dtype=dtype).data)
            written += len(chunk)
    assert written == shape[0], (written, shape)
