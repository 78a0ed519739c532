"""Content-addressed cache of features, metric values and trained weights."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.data.cache import cache_folder, cache_key, file_name, read_cached, write_cached
from sparring.errors import SparringError
from sparring.metrics.distances import Features
from sparring.metrics.metric import MetricValues
from sparring.storage import write_bytes
from sparring.tensor_files import read_signed, signed

VERSION = 1
"""Part of every key: raised when a metric or an extractor changes its values."""
MAX_FEATURE_BYTES = 2 * 1024**3
"""Bytes of features that are kept; the least recently used files are deleted first."""


def digest(*parts: Tensor | str | None) -> str:
    """Return the SHA-256 of tensors (type, shape, values) and texts, in hexadecimal."""
    found = sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(part.encode())
        elif part is not None:
            found.update(f"{part.dtype}{tuple(part.shape)}".encode())
            found.update(np.ascontiguousarray(part.detach().cpu().numpy()).data)
    return found.hexdigest()


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return the first 12 digits of the SHA-256 of weights, whatever file they came in."""
    return digest(*(part for name in sorted(weights) for part in (name, weights[name])))[:12]


def cached_features(extractor: str, samples: str, compute: Callable[[], Features]) -> Features:
    """Return the features of samples; ``compute`` is called if they are not in the cache.

    Args:
        extractor: its name.
        samples: their digest.
        compute: extracts the features.
    """
    key = file_name(cache_key([VERSION, torch.__version__, extractor, samples]))
    path = cache_folder() / "features" / f"{key}.safetensors"
    found = stored_tensors(path)
    if found is not None and "features" in found:
        path.touch()
        return found["features"]
    features = compute()
    store_tensors(path, {"features": features.contiguous()})
    with suppress(OSError):
        _trim(path.parent)
    return features


def cached_values(
    key: Sequence[object], compute: Callable[[], tuple[MetricValues, ...]], keep: Callable[[], bool] = lambda: True
) -> tuple[MetricValues, ...]:
    """Return metric values; ``compute`` is called if they are not in the cache. Errors are never cached.

    Args:
        key: encodes everything that the values depend on.
        compute: computes them.
        keep: whether what was computed is complete, and so may be kept.
    """
    name = cache_key([VERSION, torch.__version__, *key])
    found = read_cached("measures", name)
    if found is not None:
        return tuple(found)
    values = compute()
    if keep() and not any(isinstance(value, SparringError) for side in values for value in side.values()):
        write_cached("measures", name, list(values))
    return values


def stored_tensors(path: Path) -> dict[str, Tensor] | None:
    """Return the tensors that ``store_tensors`` wrote to a file, or None if it is missing, damaged or another one."""
    try:
        return read_signed(path, path.name)
    except SparringError:
        return None


def store_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file with a digest of its name and content, if the cache can be written."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, signed(tensors, path.name))


def _trim(folder: Path) -> None:
    """Delete the least recently used files beyond ``MAX_FEATURE_BYTES``, but none used within the last minute."""
    files = [(path.stat(), path) for path in folder.glob("*.safetensors")]
    total = sum(status.st_size for status, _ in files)
    for status, path in sorted(files, key=lambda file: file[0].st_mtime):
        if total <= MAX_FEATURE_BYTES or time.time() - status.st_mtime < 60:
            return
        path.unlink(missing_ok=True)
        total -= status.st_size
