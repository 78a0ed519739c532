"""Folders and zip archives as one type: a tree of named files, listed safely and read in place."""

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

from sparring.data.formats import HEAD_BYTES
from sparring.data.source import Skipped
from sparring.errors import SparringError
from sparring.text import printable

MAX_FILE_BYTES = 256 * 1024 * 1024
TRAIN_NAMES = frozenset({"train", "training"})
"""Names of folders and files that hold training data."""
SPLIT_NAMES = TRAIN_NAMES | {"test", "testing", "val", "valid", "validation", "dev", "eval"}
"""Names of the parts of a published split."""
IGNORED_NAMES = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""Files and folders that operating systems leave behind."""


class Entry(NamedTuple):
    """One file of a tree: its path relative to the top with "/" between parts, size in bytes, modification stamp."""

    name: str
    size: int
    modified: int


@final
@dataclass(frozen=True)
class Tree:
    """The files below one folder, or in one archive, sorted by name.

    Args:
        entries: the files.
        content: (position, limit) → at most ``limit`` bytes of the entry at ``position``; thread-safe.
        skipped: entries that could not be listed, and why.
    """

    entries: tuple[Entry, ...]
    content: Callable[[int, int], bytes]
    skipped: tuple[Skipped, ...] = ()

    def head(self, position: int) -> bytes:
        """Return the first bytes of a file, by which its format is recognised, or none if it cannot be read."""
        try:
            return self.content(position, HEAD_BYTES)
        except Exception:
            return b""  # Damaged archives fail in many ways; reading the entry says how.

    def read(self, position: int) -> bytes:
        """Return the content of a file.

        Raises:
            ValueError: it is larger than 256 MiB.
        """
        size = self.entries[position].size
        if size > MAX_FILE_BYTES:
            raise ValueError("larger than 256 MiB")
        return self.content(position, size)

    def stamp(self, top: Path) -> str:
        """Return a SHA-256 of the tree's location and the names, sizes and modification stamps of its files."""
        digest = sha256(str(top.resolve()).encode(errors="backslashreplace"))
        for entry in self.entries:
            digest.update(f"\n{entry.name}\0{entry.size}\0{entry.modified}".encode(errors="backslashreplace"))
        return digest.hexdigest()


def open_tree(path: Path) -> Tree:
    """List a folder or a zip archive.

    Raises:
        SparringError: there is nothing at ``path``, or it is neither of the two.
    """
    # The error of ``stat`` distinguishes a missing path from one without permission.
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
    # Regular files only: opening a named pipe would block.
    if stat.S_ISREG(mode) and zipfile.is_zipfile(path):
        return _zip_tree(path)
    raise SparringError(
        found=f"{path}, which is neither a folder nor a complete zip archive",
        expected="one of the two",
        remedy="unpack it, or copy it again",
    )


def reason(error: OSError) -> str:
    """Return the system's description of an error: "No such file or directory"."""
    return error.strerror or str(error)


def _folder_tree(top: Path) -> Tree:
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for found in _walk(top):
        (entries if isinstance(found, Entry) else skipped).append(found)  # type: ignore[arg-type]
    entries.sort()

    def content(position: int, limit: int) -> bytes:
        with (top / entries[position].name).open("rb", buffering=0) as file:
            return file.read(limit)

    return Tree(tuple(entries), content, tuple(sorted(skipped)))


def _walk(top: Path) -> Iterator[Entry | Skipped]:
    """Yield every regular file once. Links are followed, but no folder is entered twice, so links cannot loop."""
    entered: set[tuple[int, int]] = set()
    waiting = [(str(top), "")]
    while waiting:
        # List the next folder, unless a link has led to it before.
        folder, prefix = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 (with scandir this takes a third of the time of Path)
            if (status.st_dev, status.st_ino) in entered:
                yield Skipped(printable(prefix.rstrip("/")), "a link to a folder that was already read (a loop)")
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                children = sorted(listing, key=lambda child: child.name)
        except OSError as error:
            yield Skipped(printable(prefix.rstrip("/")) or str(top), reason(error))
            continue

        # Yield its files and remember its folders; pipes and devices are never opened.
        for child in children:
            if child.name.startswith(".") or child.name in IGNORED_NAMES:
                continue
            name = prefix + child.name
            try:
                status = child.stat()
            except OSError as error:
                yield Skipped(printable(name), f"a broken link ({reason(error)})")
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append((child.path, name + "/"))
            elif stat.S_ISREG(status.st_mode):
                yield Entry(name, status.st_size, status.st_mtime_ns)


def _zip_tree(path: Path) -> Tree:
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:
        raise SparringError(
            found=f"a damaged zip archive {path} ({error})", expected="a complete one", remedy="copy it again"
        ) from None
    members = sorted(
        (member for member in archive.infolist() if not member.is_dir() and _is_data(member.filename)),
        key=lambda member: member.filename,
    )
    # The checksum of a member makes its stamp change with its content.
    modified = path.stat().st_mtime_ns
    entries = tuple(Entry(member.filename, member.file_size, modified ^ member.CRC) for member in members)

    def content(position: int, limit: int) -> bytes:
        with archive.open(members[position]) as file:
            return file.read(limit)

    return Tree(entries, content)


def _is_data(name: str) -> bool:
    return not any(part.startswith(".") or part in IGNORED_NAMES for part in name.split("/"))


@final
@dataclass(frozen=True)
class Grouping:
    """The files of a tree that are used, with their classes.

    Args:
        positions: positions of the files that are used.
        labels: (count,) int64, or None if the folders are not classes.
        classes: names of the sub-folders, sorted.
        remarks: full sentences about what was left out.
    """

    positions: list[int]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def group(names: Sequence[str], source: str) -> Grouping:
    """Derive classes from sub-folders.

    If all files are in two or more sub-folders, each sub-folder is a class. A single folder around everything is
    entered. ``train`` beside ``test`` or ``val`` are not classes: ``train`` is used and the others are left out.

    Args:
        names: paths of the files, with "/" between parts.
        source: name of the data in messages.

    Raises:
        SparringError: some files are directly at the top and others in sub-folders, so that some have no label.
    """
    positions, rest, remarks = list(range(len(names))), list(names), []
    while rest:
        # Folders at this level, with the number of files in each.
        tops = Counter(name.partition("/")[0] for name in rest if "/" in name)
        if not tops:
            break
        direct = sum("/" not in name for name in rest)
        if direct:
            raise _partly_labelled(source, direct, tops)

        # Sub-folders are the parts of a split, the classes, or one folder around everything.
        unused = sorted(top for top in tops if top.lower() not in TRAIN_NAMES)
        if 0 < len(unused) < len(tops) and all(top.lower() in SPLIT_NAMES for top in tops):
            count = sum(number for top, number in tops.items() if top not in unused)
            remarks.append(f"Trains on {count:,} files of 'train'; kept for `sparring evaluate`: {_listed(unused)}.")
            kept = [index for index, name in enumerate(rest) if name.partition("/")[0] not in unused]
            positions, rest = [positions[index] for index in kept], [rest[index] for index in kept]
        elif len(tops) > 1:
            return _by_folder(positions, [name.partition("/")[0] for name in rest], tuple(remarks))
        else:
            rest = [name.partition("/")[2] for name in rest]
    return Grouping(positions, remarks=tuple(remarks))


def _by_folder(positions: list[int], tops: list[str], remarks: tuple[str, ...]) -> Grouping:
    """Take the top folder of each file as its class, unless most folders hold a single file."""
    counts = Counter(tops)
    single = sum(count == 1 for count in counts.values())
    if single > len(counts) / 2 and len(counts) > 2:
        remark = f"Sub-folders are not used as classes: {single} of {len(counts)} hold only one file."
        return Grouping(positions, remarks=(*remarks, remark))
    classes = sorted(counts)
    number = {name: index for index, name in enumerate(classes)}
    labels = np.array([number[top] for top in tops], dtype=np.int64)
    return Grouping(positions, labels, tuple(printable(name) for name in classes), remarks)


def _partly_labelled(source: str, direct: int, tops: Counter[str]) -> SparringError:
    return SparringError(
        found=f"{direct} images directly in {source} and {tops.total()} in sub-folders ({_listed(sorted(tops))}), "
        "so that some have no label",
        expected="all of them in sub-folders, one for each class, or all of them in one folder",
        remedy="move the images without a label into a sub-folder of their own, or give one sub-folder as the data",
    )


def _listed(names: Sequence[str], limit: int = 5) -> str:
    shown = ", ".join(printable(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def suffix(name: str) -> str:
    """Return the extension of a file name in lower case, with its dot; empty if it has none."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if stem and dot else ""


def suffixes(names: Sequence[str], limit: int = 4) -> str:
    """Return the most common extensions of file names with their counts: ".txt (12), .csv (1)"."""
    counts = Counter(suffix(name) or "no extension" for name in names)
    return ", ".join(f"{ending} ({count})" for ending, count in counts.most_common(limit))
