"""On-disk cache of decoded arrays and JSON results, per user.

An array is built in a temporary folder and renamed into place. Two processes may build the same one at once: the second
to finish uses the array of the first. An array is verified when it is opened, and rebuilt if it is damaged.
"""

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sparring import storage
from sparring.errors import SparringError

FORMAT = 2
"""Part of every key. Raise it when the form of the content changes, so that entries of older versions are not read."""
VERIFIED_BYTES = 32 * 1024 * 1024
"""Bytes at the start and at the end of an array whose checksum is verified on opening."""

_build_lock = threading.Lock()


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
) -> NDArray[Any]:
    """Return the array ``key``, memory-mapped and read-only, and build it first if there is no valid copy.

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
        found = _open(folder, shape, dtype)
        if found is not None:
            return found
        try:
            # Remove leftovers of killed processes before checking the free space.
            folder.parent.mkdir(parents=True, exist_ok=True)
            storage.remove_temporaries(folder.parent)
            _require_space(folder.parent, int(np.prod(shape)) * dtype.itemsize)
            if folder.exists():
                _remove_damaged(folder)
            built = _build(folder, shape, chunks, dtype)
        except OSError as error:
            raise _not_writable(error) from None
    if built is None:
        raise _not_writable(OSError("the array that was written fails its verification"))
    return built


def _build(
    folder: Path, shape: tuple[int, ...], chunks: Callable[[], Iterable[NDArray[Any]]], dtype: np.dtype[Any]
) -> NDArray[Any] | None:
    try:
        storage.write_folder(folder, lambda temporary: _write(temporary, shape, chunks(), dtype))
    except OSError:
        # Another process may have finished first: then its folder stands where ours should go.
        found = _open(folder, shape, dtype)
        if found is None:
            raise
        return found
    return _open(folder, shape, dtype)


def _write(folder: Path, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> None:
    """Write array.npy and its manifest chunk by chunk, so that only one chunk is in memory at a time."""
    path = folder / "array.npy"
    written = 0
    with path.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks:
            assert chunk.shape[1:] == shape[1:], (chunk.shape, shape)
            file.write(np.ascontiguousarray(chunk, dtype=dtype).data)
            written += len(chunk)
    assert written == shape[0], (written, shape)
    storage.write_json(folder / "manifest.json", {"size": path.stat().st_size, "sha256": _checksum(path)})


def _open(folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Map the array in ``folder``; return None if it is missing, damaged or of another shape or type."""
    path = folder / "array.npy"
    try:
        manifest = storage.read_json(folder / "manifest.json")
        if manifest != {"size": path.stat().st_size, "sha256": _checksum(path)}:
            return None
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, SparringError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == dtype else None


def _checksum(path: Path) -> str:
    """Return the SHA-256 of the first and the last 32 MiB: the whole of a small file, both ends of a large one."""
    digest = sha256()
    with path.open("rb") as file:
        digest.update(file.read(VERIFIED_BYTES))
        file.seek(max(file.tell(), path.stat().st_size - VERIFIED_BYTES))
        digest.update(file.read(VERIFIED_BYTES))
    return digest.hexdigest()


def _remove_damaged(folder: Path) -> None:
    """Remove a damaged array, renaming it first so that no other process finds half of it."""
    hidden = folder.with_name(f".{folder.name}-damaged.{os.getpid()}.tmp")
    try:
        folder.rename(hidden)
    except FileNotFoundError:
        return
    shutil.rmtree(hidden, ignore_errors=True)


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SparringError(
            found=f"{free / 2**30:.1f} GiB free at {cache_folder()}",
            expected=f"room for {size / 2**30:.1f} GiB of decoded samples",
            remedy="free some disk space, or set SPARRING_CACHE to a folder on a larger disk",
        )


def _not_writable(error: OSError) -> SparringError:
    return SparringError(
        found=f"a cache folder {cache_folder()} that cannot be used ({error.strerror or error})",
        expected="one that can be written",
        remedy="set SPARRING_CACHE to another folder",
    )


def read_cached(kind: str, key: str) -> Any | None:
    """Return the JSON content stored under ``kind`` and ``key``, or None if there is no valid copy."""
    path = _json_path(kind, key)
    if not path.is_file():
        return None
    try:
        entry = storage.read_json(path)
    except SparringError:
        return None
    if not isinstance(entry, dict) or entry.get("sha256") != _digest(entry.get("content")):
        return None
    return entry["content"]


def write_cached(kind: str, key: str, content: Any) -> None:
    """Store JSON content under ``kind`` and ``key``; do nothing if the cache cannot be written."""
    path = _json_path(kind, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_json(path, {"sha256": _digest(content), "content": content})
    except OSError:
        return


def _json_path(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{file_name(key)}.json"


def _digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
