"""The common form of every input file: encoded samples in a fixed order, read one at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.errors import SparringError

MAX_SAMPLES = 3_000_000
"""Samples of one source; a damaged or hostile header may announce any number."""


class Half(NamedTuple):
    """The left or the right half of an encoded image, which holds a pair side by side."""

    content: bytes
    right: bool


RawSample: TypeAlias = bytes | NDArray[Any] | Half
"""Content of a file, still encoded, or half of it; or one element of an array."""


def require_count(count: int) -> None:
    """Refuse more samples than a source may have.

    Raises:
        SparringError: there are more.
    """
    if count > MAX_SAMPLES:
        raise SparringError(
            found=f"{count:,} samples", expected=f"at most {MAX_SAMPLES:,}", remedy="give a part of them"
        )


class Skipped(NamedTuple):
    """Name of an input that cannot be used, and the reason."""

    name: str
    reason: str


@final
@dataclass(frozen=True)
class Source:
    """Raw samples in a fixed order.

    Args:
        names: name of each sample in messages.
        read: (position) → raw sample; thread-safe; raises the errors of the file system.
        stamp: changes whenever the path, size or time of a file behind the source changes; found without reading it.
        labels: (count,) int64, indices into ``classes``; or None.
        classes: names of the labels.
        skipped: entries that were skipped while listing, and why.
        remarks: full sentences about choices and omissions, shown to the user.
        size: (position) → bytes of the raw sample, found without reading it; 0 if that is not known.
        partner: the other samples of pairs, in the same order; or None.
        sides: names of the partners and of these samples: ("A", "B"), or those of their folders.
        domains: whether the classes are unpaired domains, meant to be translated into one another.
        stamps: like ``stamp``, of each sample alone; empty where samples share a file.
        held_out: (count,) whether each sample is to be held out; None for a random part of them.
    """

    names: Sequence[str]
    read: Callable[[int], RawSample]
    stamp: str
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()
    size: Callable[[int], int] = lambda position: 0
    partner: "Source | None" = None
    sides: tuple[str, ...] = ()
    domains: bool = False
    stamps: Sequence[str] = ()
    held_out: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        require_count(len(self.names))

    def __len__(self) -> int:
        return len(self.names)


@final
@dataclass(frozen=True)
class Numbered(Sequence[str]):
    """Names of many samples, made when they are needed: the prefix and the number.

    Args:
        prefix: before each number.
        length: how many.
    """

    prefix: str
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[place] for place in range(*position.indices(self.length))]
        if not -self.length <= position < self.length:
            raise IndexError(position)
        return f"{self.prefix} {position % self.length}"


def stamp(paths: Iterable[Path]) -> str:
    """Return a SHA-256 of the paths, sizes and modification times of files."""
    digest = sha256()
    for path in paths:
        status = path.stat()
        digest.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="backslashreplace"))
    return digest.hexdigest()
