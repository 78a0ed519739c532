"""Folders and zip archives as one thing: a tree of named files, listed safely and read in place."""

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.source import Aside, printable
from sparring.errors import SparringError

LARGEST_FILE = 512 * 1024 * 1024
TRAINING = frozenset({"train", "training"})
SPLITS = TRAINING | {"test", "testing", "val", "valid", "validation", "dev", "eval"}
NOT_DATA = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


class Entry(NamedTuple):
    """One file of a tree: its name relative to the top with ``/`` between parts, size in bytes, time of change."""

    name: str
    size: int
    modified: int


@final
@dataclass(frozen=True)
class Tree:
    """The files under one top, sorted by name.

    Args:
        entries: the files.
        content: the bytes of the entry at a position, at most so many of them; safe from several threads.
        aside: what could not be listed, and why.
    """

    entries: tuple[Entry, ...]
    content: Callable[[int, int], bytes]
    aside: tuple[Aside, ...] = ()

    def head(self, position: int) -> bytes:
        """The first bytes of a file, by which its format is recognised; none if it cannot be read."""
        try:
            return self.content(position, 32)
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
            return b""

    def read(self, position: int) -> bytes:
        """All of a file.

        Raises:
            ValueError: it is larger than 512 MiB.
        """
        size = self.entries[position].size
        if size > LARGEST_FILE:
            raise ValueError("larger than 512 MiB")
        return self.content(position, size)

    def stamp(self, top: Path) -> str:
        """A SHA-256 over where the tree is and the names, sizes and times of its files."""
        digest = sha256(str(top.resolve()).encode(errors="backslashreplace"))
        for entry in self.entries:
            digest.update(f"\n{entry.name}\0{entry.size}\0{entry.modified}".encode(errors="backslashreplace"))
        return digest.hexdigest()


def open_tree(path: Path) -> Tree:
    """The tree of a folder or of a zip archive.

    Raises:
        SparringError: there is nothing at ``path``, or it is neither.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SparringError(
            found=f"nothing that can be opened at {path} ({reason(error)})",
            expected="a folder or a file",
            remedy="check the path",
        ) from None
    if stat.S_ISDIR(mode):
        return _folder_tree(path)
    if stat.S_ISREG(mode) and zipfile.is_zipfile(path):
        return _zip_tree(path)
    raise SparringError(
        found=f"{path}, which is neither a folder nor a whole zip archive",
        expected="one of the two",
        remedy="unpack it, or copy it again",
    )


def reason(error: OSError) -> str:
    """What the system said, in a few words: ``No such file or directory``."""
    return error.strerror or str(error)


def _folder_tree(top: Path) -> Tree:
    entries: list[Entry] = []
    aside: list[Aside] = []
    for found in _walk(top):
        (entries if isinstance(found, Entry) else aside).append(found)  # type: ignore[arg-type]
    entries.sort()

    def content(position: int, limit: int) -> bytes:
        with (top / entries[position].name).open("rb", buffering=0) as file:
            return file.read(limit)

    return Tree(tuple(entries), content, tuple(sorted(aside)))


def _walk(top: Path) -> Iterator[Entry | Aside]:
    """Every regular file once. Links are followed, but no folder is entered twice, so no link leads in circles."""
    entered: set[tuple[int, int]] = set()
    waiting = [(str(top), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 (with scandir, a third of the time that Path takes)
            if (status.st_dev, status.st_ino) in entered:
                yield Aside(printable(prefix.rstrip("/")), "a link to a folder that was already read (a loop)")
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                children = sorted(listing, key=lambda child: child.name)
        except OSError as error:
            yield Aside(printable(prefix.rstrip("/")) or str(top), reason(error))
            continue
        for child in children:
            if child.name.startswith(".") or child.name in NOT_DATA:
                continue
            name = prefix + child.name
            try:
                status = child.stat()
            except OSError as error:
                yield Aside(printable(name), f"a link that leads nowhere ({reason(error)})")
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append((child.path, name + "/"))
            elif stat.S_ISREG(status.st_mode):
                yield Entry(name, status.st_size, status.st_mtime_ns)


def _zip_tree(path: Path) -> Tree:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise SparringError(
            found=f"a damaged zip archive {path} ({error})", expected="a whole one", remedy="copy it again"
        ) from None
    members = sorted(
        (member for member in archive.infolist() if not member.is_dir() and _is_data(member.filename)),
        key=lambda member: member.filename,
    )
    modified = path.stat().st_mtime_ns
    entries = tuple(Entry(member.filename, member.file_size, modified ^ member.CRC) for member in members)

    def content(position: int, limit: int) -> bytes:
        with archive.open(members[position]) as file:
            return file.read(limit)

    return Tree(entries, content)


def _is_data(name: str) -> bool:
    return not any(part.startswith(".") or part in NOT_DATA for part in name.split("/"))


@final
@dataclass(frozen=True)
class Grouping:
    """Which files of a tree are used, and the class of each.

    Args:
        positions: of the files that are used.
        labels: (count,) int64, or None where folders say nothing of classes.
        classes: the names of the sub-folders, sorted.
        remarks: what was left out, in full sentences.
    """

    positions: list[int]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def group(names: Sequence[str], source: str) -> Grouping:
    """Classes from sub-folders.

    Where all files lie in two or more sub-folders, the sub-folder is the class. A single folder around everything is
    stepped into. ``train`` beside ``test`` or ``val`` are no classes: ``train`` is taken, the others are left.

    Raises:
        SparringError: some files lie directly at the top and others in sub-folders, so that some have no label.
    """
    positions, rest, remarks = list(range(len(names))), list(names), []
    while rest:
        tops = Counter(name.partition("/")[0] for name in rest if "/" in name)
        if not tops:
            break
        direct = sum("/" not in name for name in rest)
        if direct:
            raise _partly_labelled(source, direct, tops)
        left = sorted(top for top in tops if top.lower() not in TRAINING)
        if len(left) < len(tops) and left and all(top.lower() in SPLITS for top in tops):
            remarks.append(f"Trains on {_sum_of(tops, left)} files of 'train'; {_listed(left)} left for `evaluate`.")
            kept = [place for place, name in enumerate(rest) if name.partition("/")[0] not in left]
            positions, rest = [positions[place] for place in kept], [rest[place] for place in kept]
        elif len(tops) > 1:
            return _by_folder(positions, [name.partition("/")[0] for name in rest], tuple(remarks))
        else:
            rest = [name.partition("/")[2] for name in rest]
    return Grouping(positions, remarks=tuple(remarks))


def _by_folder(positions: list[int], tops: list[str], remarks: tuple[str, ...]) -> Grouping:
    counts = Counter(tops)
    alone = sum(count == 1 for count in counts.values())
    if alone > len(counts) / 2 and len(counts) > 2:
        said = f"Sub-folders are not taken as classes: {alone} of {len(counts)} hold one file only."
        return Grouping(positions, remarks=(*remarks, said))
    classes = sorted(counts)
    number = {name: place for place, name in enumerate(classes)}
    labels = np.array([number[top] for top in tops], dtype=np.int64)
    return Grouping(positions, labels, tuple(printable(name) for name in classes), remarks)


def _partly_labelled(source: str, direct: int, tops: Counter[str]) -> SparringError:
    return SparringError(
        found=f"{direct} images directly in {source} and {tops.total()} in sub-folders ({_listed(sorted(tops))}), "
        "so that some have no label",
        expected="all of them in sub-folders, one for each class, or all of them in one folder",
        remedy="move the images without a label into a sub-folder of their own, or name one sub-folder as the data",
    )


def _sum_of(tops: Counter[str], left: list[str]) -> str:
    return f"{sum(count for top, count in tops.items() if top not in left):,}"


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(printable(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def suffix(name: str) -> str:
    """The ending of a file name in small letters, with its dot; empty if there is none."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if stem and dot else ""


def suffixes(names: Sequence[str], most: int = 4) -> str:
    """The commonest endings of file names, for a sentence: ``.txt (12), .csv (1)``."""
    counts = Counter(suffix(name) or "no ending" for name in names)
    return ", ".join(f"{ending} ({count})" for ending, count in counts.most_common(most))
