"""Memory of decoders: what is decoded at the same moment is bounded by bytes, whatever the number of threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

DECODING_BYTES = 384 * 1024 * 1024
"""Bytes that pictures may take while they are decoded, all threads together; a single larger one is decoded alone."""
NEGLIGIBLE_BYTES = 1024 * 1024
"""Bytes that are taken without counting them."""
LARGE_FILE_BYTES = 16 * 1024 * 1024
"""Encoded files above this size are read one at a time."""


@final
class Room:
    """A number of bytes that threads share: whoever finds too few left waits.

    Args:
        total: bytes.
    """

    def __init__(self, total: int) -> None:
        self._total, self._free = total, total
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Take some bytes while the block runs; more than there are mean all of them."""
        if amount <= NEGLIGIBLE_BYTES:
            yield
            return
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


decoding = Room(DECODING_BYTES)
"""Room for decoded pictures."""
_large_files = threading.Lock()


@contextmanager
def reading(size: int) -> Iterator[None]:
    """Wait, while the block reads and decodes a file of ``size`` bytes, until no other large file is read.

    Nothing that holds room for decoding waits here, so the two never wait for each other.
    """
    if size <= LARGE_FILE_BYTES:
        yield
        return
    with _large_files:
        yield
