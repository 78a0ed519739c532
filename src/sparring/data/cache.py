"""Arrays and tables that are dear to compute, kept on disk and shared by all runs of this person.

An array is built in a temporary folder and renamed into place, so that two runs may build it at once: whoever comes
second uses the first's. It is checked when it is opened and built again if it is damaged.
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
"""Part of every key: raise it when what is kept takes another form, so that what older versions kept is not read."""
CHECKED = 32 * 1024 * 1024
"""Bytes at the start and at the end of an array that are compared with their checksum on opening."""

_building = threading.Lock()


def cache_folder() -> Path:
    """``SPARRING_CACHE`` if set, else the system's place for caches with ``sparring`` under it."""
    chosen = os.environ.get("SPARRING_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "sparring" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sparring"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sparring"


def cache_size() -> int:
    """Bytes in the cache folder."""
    places = [Path(place) / name for place, _, names in os.walk(cache_folder()) for name in names]
    return sum(place.stat().st_size for place in places if place.is_file())


def file_name(key: str) -> str:
    """Name under which the content of ``key`` is kept, in this format."""
    return sha256(f"{FORMAT}\n{key}".encode()).hexdigest()[:32]


def stored_array(
    key: str,
    shape: tuple[int, ...],
    chunks: Callable[[], Iterable[NDArray[Any]]],
    kind: DTypeLike = np.uint8,
) -> NDArray[Any]:
    """Array of ``shape`` known as ``key``, memory-mapped and read-only.

    Args:
        key: says everything that the content depends on.
        shape: (count, *sample).
        chunks: gives the content in order, in pieces (some, *sample); called only if there is no good copy.
        kind: type of its numbers.

    Raises:
        SparringError: the cache folder cannot be written.
    """
    kind = np.dtype(kind)
    folder = cache_folder() / "arrays" / file_name(f"{key}\n{shape}\n{kind.str}")
    with _building:
        found = _open(folder, shape, kind)
        if found is not None:
            return found
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            storage.remove_temporaries(folder.parent)
            _require_room(folder.parent, int(np.prod(shape)) * kind.itemsize)
            if folder.exists():
                _remove(folder)
            built = _build(folder, shape, chunks, kind)
        except OSError as error:
            raise _not_writable(error) from None
    if built is None:
        raise _not_writable(OSError("what was written does not read back"))
    return built


def _build(
    folder: Path, shape: tuple[int, ...], chunks: Callable[[], Iterable[NDArray[Any]]], kind: np.dtype[Any]
) -> NDArray[Any] | None:
    try:
        storage.write_folder(folder, lambda place: _write(place, shape, chunks(), kind))
    except OSError:
        # Another run was first: its folder stands where ours should go.
        found = _open(folder, shape, kind)
        if found is None:
            raise
        return found
    return _open(folder, shape, kind)


def _write(place: Path, shape: tuple[int, ...], chunks: Iterable[NDArray[Any]], kind: np.dtype[Any]) -> None:
    """Plain writes, not a writable map: the memory in use stays that of one chunk."""
    path = place / "array.npy"
    written = 0
    with path.open("wb") as file:
        header = {"descr": kind.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks:
            assert chunk.shape[1:] == shape[1:], (chunk.shape, shape)
            file.write(np.ascontiguousarray(chunk, dtype=kind).data)
            written += len(chunk)
    assert written == shape[0], (written, shape)
    storage.write_json(place / "manifest.json", {"size": path.stat().st_size, "sha256": _ends(path)})


def _open(folder: Path, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any] | None:
    """The array in ``folder`` if it is there and undamaged."""
    path = folder / "array.npy"
    try:
        manifest = storage.read_json(folder / "manifest.json")
        if manifest != {"size": path.stat().st_size, "sha256": _ends(path)}:
            return None
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, SparringError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == kind else None


def _ends(path: Path) -> str:
    """SHA-256 of the first and the last 32 MiB: all of a small array, a sample of a large one."""
    digest = sha256()
    with path.open("rb") as file:
        digest.update(file.read(CHECKED))
        file.seek(max(file.tell(), path.stat().st_size - CHECKED))
        digest.update(file.read(CHECKED))
    return digest.hexdigest()


def _remove(folder: Path) -> None:
    """Take a damaged array away at once, so that no other run finds half of it."""
    away = folder.with_name(f".{folder.name}-damaged.{os.getpid()}.tmp")
    try:
        folder.rename(away)
    except FileNotFoundError:
        return
    shutil.rmtree(away, ignore_errors=True)


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SparringError(
            found=f"{free / 2**30:.1f} GiB free at {cache_folder()}",
            expected=f"room for {size / 2**30:.1f} GiB of decoded samples",
            remedy="make room, or set SPARRING_CACHE to a folder on a larger disk",
        )


def _not_writable(error: OSError) -> SparringError:
    return SparringError(
        found=f"a cache folder {cache_folder()} that cannot be used ({error.strerror or error})",
        expected="one that can be written",
        remedy="set SPARRING_CACHE to another folder",
    )


def recall(kind: str, key: str) -> Any | None:
    """The JSON content that ``remember`` kept under ``key``, or None."""
    path = _note(kind, key)
    if not path.is_file():
        return None
    try:
        note = storage.read_json(path)
    except SparringError:
        return None
    if not isinstance(note, dict) or note.get("sha256") != _digest(note.get("content")):
        return None
    return note["content"]


def remember(kind: str, key: str, content: Any) -> None:
    """Keep JSON content under ``key``. Where the cache cannot be written, nothing is kept and nothing is lost."""
    path = _note(kind, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_json(path, {"sha256": _digest(content), "content": content})
    except OSError:
        return


def _note(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{file_name(key)}.json"


def _digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def joined(parts: Sequence[object]) -> str:
    """Parts of a key in one line, apart from one another."""
    return json.dumps([str(part) for part in parts])
