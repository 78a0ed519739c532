"""On-disk cache of decoded arrays and JSON results, per user.

An array is built in a temporary folder and renamed into place. Two processes may build the same one at once: the second
to finish uses the array of the first. Everything is verified before it is used, and built again if it is damaged.
"""

import json
import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sparring import storage
from sparring.data.array_file import BLOCK_BYTES, ArrayFile, Blocks, block_digests, write_array
from sparring.errors import SparringError
from sparring.manifest import digest
from sparring.opening import size_words
from sparring.schema import Count, Stored, validated

MAX_NOTE_BYTES = 64 * 1024 * 1024
"""Size above which a note is not read: that of a survey has a checksum for each picture."""
FORMAT = 3
"""Part of every key. Raise it when the form of the content changes, so that entries of older versions are not read."""
VERIFIED_BYTES = 256 * 1024 * 1024
"""Size up to which an array is verified as a whole when it is opened; larger ones are, block by block, when read."""
ARRAY = "array.npy"

_build_lock = threading.Lock()


class ArrayManifest(Stored):
    """Content of the manifest.json of an array, with the SHA-256 of each block of its file."""

    key: str
    shape: tuple[Count, ...]
    dtype: str
    bytes: Count
    blocks: tuple[str, ...]


class Note(Stored):
    """Content of a file of JSON results, with its SHA-256."""

    sha256: str
    content: Any


def cache_folder() -> Path:
    """Return ``SPARRING_CACHE`` if it is set, else the folder ``sparring`` in the system's cache folder."""
    chosen = os.environ.get("SPARRING_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sparring" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sparring"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sparring"


def cache_size() -> int:
    """Return the size of the cache folder in bytes."""
    files = [Path(folder) / name for folder, _, names in os.walk(cache_folder()) for name in names]
    return sum(file.stat().st_size for file in files if file.is_file())


def cache_key(parts: Sequence[object]) -> str:
    """Return one line that encodes the parts of a key unambiguously."""
    return json.dumps([str(part) for part in parts])


def file_name(key: str) -> str:
    """Return the file name of the entry ``key`` in this format: 32 hexadecimal digits."""
    return sha256(f"{FORMAT}\n{key}".encode()).hexdigest()[:32]


def cached_array(
    key: str,
    shape: tuple[int, ...],
    chunks: Callable[[], Iterable[NDArray[Any]]],
    dtype: DTypeLike = np.uint8,
) -> ArrayFile:
    """Return the array ``key``, read-only in a file, and build it first if there is no valid copy.

    Args:
        key: encodes everything that the content depends on.
        shape: (count, *sample).
        chunks: returns the content in order, in pieces of shape (rows, *sample); called only to build the array.
        dtype: of its elements.

    Raises:
        SparringError: the cache folder cannot be written or has too little free space.
    """
    dtype = np.dtype(dtype)
    folder = cache_folder() / "arrays" / file_name(f"{key}\n{shape}\n{dtype.str}")

    # Threads wait for one another. Processes do not: each builds a copy, and the first to finish is kept.
    with _build_lock:
        found = _open(folder, key, shape, dtype)
        if found is not None:
            return found
        try:
            # Remove leftovers of killed processes before checking the free space.
            folder.parent.mkdir(parents=True, exist_ok=True)
            storage.remove_temporaries(folder.parent)
            _require_space(folder.parent, math.prod(shape) * dtype.itemsize)
            if folder.exists():
                _remove_damaged(folder)
            built = _build(folder, key, shape, chunks, dtype)
        except OSError as error:
            raise not_writable(error) from None
    if built is None:
        raise not_writable(OSError("the array that was written fails its verification"))
    return built


def _build(
    folder: Path, key: str, shape: tuple[int, ...], chunks: Callable[[], Iterable[NDArray[Any]]], dtype: np.dtype[Any]
) -> ArrayFile | None:
    try:
        storage.write_folder(folder, lambda temporary: _write(temporary, key, shape, chunks(), dtype))
    except OSError:
        # Another process may have finished first: then its folder stands where ours should go.
        found = _open(folder, key, shape, dtype)
        if found is None:
            raise
        return found
    return _open(folder, key, shape, dtype)


def _write(
    folder: Path, key: str, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]], dtype: np.dtype[Any]
) -> None:
    """Write array.npy and its manifest."""
    path = folder / ARRAY
    write_array(path, shape, dtype, chunks)
    content = {"key": key, "shape": shape, "dtype": dtype.str, "bytes": path.stat().st_size}
    storage.write_json(folder / "manifest.json", {**content, "blocks": block_digests(path)})


def _open(folder: Path, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> ArrayFile | None:
    """Open the array in ``folder``; return None if it is missing, of another shape or type, or seen to be damaged."""
    try:
        place = folder / "manifest.json"
        manifest = validated(ArrayManifest, storage.read_json(place), place)
        blocks = Blocks(folder / ARRAY, manifest.blocks, partial(_remove_damaged, folder))
        start = blocks.size - math.prod(shape) * dtype.itemsize
        same = (manifest.key, manifest.shape, manifest.dtype, manifest.bytes) == (key, shape, dtype.str, blocks.size)
        if not same or start < 0 or len(manifest.blocks) != -(-blocks.size // BLOCK_BYTES):
            return None
        # Small arrays are verified now, and rebuilt without a word if need be; large ones block by block when read.
        if blocks.size <= VERIFIED_BYTES:
            for begin in range(0, blocks.size, BLOCK_BYTES):
                blocks.read_into(memoryview(bytearray(1)), begin)
    except (OSError, SparringError):
        return None
    return ArrayFile(blocks, start, shape, dtype)


def _remove_damaged(folder: Path) -> None:
    """Remove a damaged array, renaming it first so that no other process finds half of it."""
    hidden = folder.with_name(f".{folder.name}-damaged.{os.getpid()}.tmp")
    try:
        folder.rename(hidden)
    except OSError:
        return  # Another process was faster, or the system does not allow it; the next one to open it tries again.
    shutil.rmtree(hidden, ignore_errors=True)


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SparringError(
            found=f"{size_words(free)} free at {cache_folder()}",
            expected=f"room for {size_words(size)} of decoded samples",
            remedy="free some disk space, or set SPARRING_CACHE to a folder on a larger disk",
        )


def not_writable(error: OSError) -> SparringError:
    """Return the error for a cache that cannot be used."""
    return SparringError(
        found=f"a cache folder {cache_folder()} that cannot be used ({error.strerror or error})",
        expected="one that can be written",
        remedy="set SPARRING_CACHE to another folder",
    )


def read_cached(kind: str, key: str) -> Any | None:
    """Return the JSON content stored under ``kind`` and ``key``, or None if there is no valid copy."""
    path = _json_path(kind, key)
    try:
        note = validated(Note, storage.read_json(path, MAX_NOTE_BYTES), path)
    except SparringError:
        return None
    return note.content if note.sha256 == digest([key, note.content]) else None


def write_cached(kind: str, key: str, content: Any) -> None:
    """Store JSON content under ``kind`` and ``key``; do nothing if the cache cannot be written."""
    path = _json_path(kind, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_json(path, {"sha256": digest([key, content]), "content": content})
    except OSError:
        return


def _json_path(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{file_name(key)}.json"
