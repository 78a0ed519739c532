"""What extractors saw and what measures said, kept in the cache folder by content: judging the same again is quick."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from sparring.data.cache import cache_folder, cache_key, file_name, read_cached, write_cached
from sparring.errors import SparringError
from sparring.metrics.distances import Features
from sparring.metrics.metric import Measured
from sparring.storage import write_bytes

VERSION = 1
"""Changes whenever a measure or an extractor might say something else of the same samples."""
MOST_BYTES = 2 * 1024**3
"""Of features; the longest unused go first."""


def digest(*tensors: Tensor | None) -> str:
    """Of the content of tensors."""
    found = sha256()
    for one in tensors:
        if one is not None:
            found.update(f"{one.dtype}{tuple(one.shape)}".encode())
            found.update(np.ascontiguousarray(one.detach().cpu().numpy()).data)
    return found.hexdigest()


def kept_features(extractor: str, samples: str, compute: Callable[[], Features]) -> Features:
    """What ``compute`` gives, or gave for the same extractor and the same digest of samples."""
    name = file_name(cache_key([VERSION, torch.__version__, extractor, samples]))
    path = cache_folder() / "features" / f"{name}.safetensors"
    try:
        found = load_file(path)["features"]
        path.touch()
        return found
    except (OSError, SafetensorError, KeyError):
        features = compute()
    keep(path, {"features": features.contiguous()})
    with suppress(OSError):
        _trim(path.parent)
    return features


def keep(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors if the folder lets us: without room nothing is kept, and all that is lost is the time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, save(dict(tensors)))


def kept_measures(key: Sequence[object], compute: Callable[[], tuple[Measured, ...]]) -> tuple[Measured, ...]:
    """What ``compute`` gives, or gave for the same key; what could not be computed is tried again."""
    name = cache_key([VERSION, torch.__version__, *key])
    found = read_cached("measures", name)
    if found is not None:
        return tuple(found)
    sides = compute()
    if not any(isinstance(one, SparringError) for side in sides for one in side.values()):
        write_cached("measures", name, list(sides))
    return sides


def _trim(folder: Path) -> None:
    files = [(path.stat(), path) for path in folder.glob("*.safetensors")]
    total = sum(status.st_size for status, _ in files)
    for status, path in sorted(files, key=lambda file: file[0].st_mtime):
        if total <= MOST_BYTES or time.time() - status.st_mtime < 60:
            return
        path.unlink(missing_ok=True)
        total -= status.st_size
