"""Sizes of the pages of a Parquet file, from their headers: a page is unpacked whole, whatever the footer announces.

Headers are structs in Thrift's compact protocol (https://parquet.apache.org/docs/file-format/data-pages/).
"""

from collections.abc import Iterator
from pathlib import Path

HEADER_BYTES = 64 * 1024
"""Bytes in which the header of a page must fit."""
UNPACKED_FIELD, PACKED_FIELD = 2, 3
"""Fields of a page's header: its size after and before unpacking, in bytes."""
STRUCT, LIST, SET, MAP, BINARY, DOUBLE, BYTE = 12, 9, 10, 11, 8, 7, 3
BOOLEANS, INTEGERS = (1, 2), (4, 5, 6)
MAX_DEPTH = 16
"""Structs within structs of a header."""


def page_sizes(path: Path, start: int, end: int) -> Iterator[int]:
    """Yield the unpacked size of each page between two offsets of a file, in bytes.

    Raises:
        ValueError: a header is damaged.
    """
    with path.open("rb") as file:
        while start < end:
            file.seek(start)
            header = _Header(file.read(HEADER_BYTES))
            fields = header.struct(0)
            unpacked, packed = fields.get(UNPACKED_FIELD, -1), fields.get(PACKED_FIELD, -1)
            if unpacked < 0 or packed < 0:
                raise ValueError("a damaged page")
            yield unpacked
            start += header.position + packed


class _Header:
    """Bytes of a struct, and the position up to which they were read."""

    def __init__(self, content: bytes) -> None:
        self.content, self.position = content, 0

    def struct(self, depth: int) -> dict[int, int]:
        """Return the integers of a struct by the number of their field; everything else is skipped."""
        if depth > MAX_DEPTH:
            raise ValueError("a damaged page")
        fields: dict[int, int] = {}
        number = 0
        while (head := self._byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self._integer()
            value = self._value(head & 15, depth)
            if value is not None:
                fields[number] = value
        return fields

    def _value(self, kind: int, depth: int, *, in_list: bool = False) -> int | None:
        """Return an integer, or skip a value of another type."""
        if kind in INTEGERS:
            return self._integer()
        if kind == STRUCT:
            self.struct(depth + 1)
        elif kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._number()
            for _ in range(min(count, HEADER_BYTES)):
                self._value(head & 15, depth + 1, in_list=True)
        elif kind in (*BOOLEANS, BYTE, DOUBLE, BINARY):
            fixed = {DOUBLE: 8, BYTE: 1}.get(kind, int(in_list))
            self._skip(self._number() if kind == BINARY else fixed)
        else:
            raise ValueError("a damaged page")
        return None

    def _integer(self) -> int:
        number = self._number()
        return (number >> 1) ^ -(number & 1)

    def _number(self) -> int:
        """Return a number of seven bits a byte, the lowest first."""
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 63:
                return number

    def _byte(self) -> int:
        self._skip(1)
        return self.content[self.position - 1]

    def _skip(self, count: int) -> None:
        self.position += count
        if self.position > len(self.content):
            raise ValueError("a damaged page")
