"""What every kind of file comes down to: raw items in a fixed order, read one at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Raw: TypeAlias = bytes | NDArray[Any]
"""A file's content, still encoded, or one element of an array."""


class Aside(NamedTuple):
    """Something that cannot be used, by name, and why not."""

    name: str
    reason: str


@final
@dataclass(frozen=True)
class Source:
    """Raw items in a fixed order.

    Args:
        names: what to call each item when speaking to a person.
        read: the item at a position; may be called from several threads; raises whatever the file system raises.
        stamp: changes whenever a file behind the source changes (its path, size or time), found without reading it.
        labels: (count,) int64, positions in ``classes``; or None.
        classes: names of the labels.
        aside: what was passed over while listing, and why.
        remarks: full sentences about what was chosen or left out.
    """

    names: Sequence[str]
    read: Callable[[int], Raw]
    stamp: str
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    aside: tuple[Aside, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def stamp(paths: Iterable[Path]) -> str:
    """A SHA-256 over the paths, sizes and times of files."""
    digest = sha256()
    for path in paths:
        status = path.stat()
        digest.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="backslashreplace"))
    return digest.hexdigest()


def printable(name: str) -> str:
    """A file name as it may stand in a sentence, in JSON and on a terminal."""
    plain = name.encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in plain)
