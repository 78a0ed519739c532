"""Samples: one tensor, or a NamedTuple of tensors. No other file distinguishes the two forms.

The same functions take a batch, whose fields may be None, and NumPy arrays in place of tensors.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    # Only a modality knows which form its samples have; its own code says Tensor or names a NamedTuple.
    Sample: TypeAlias = Any
else:
    Sample = Tensor | tuple[Tensor, ...]
"""(batch, *shape), or a NamedTuple of such tensors with one batch size, encoded as the networks take them."""

Tree = TypeVar("Tree")


def map_tensors(function: Callable[..., Any], sample: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to each tensor and its counterparts in ``others``; None stays None."""
    if isinstance(sample, tuple):
        fields = (map_tensors(function, *fields) for fields in zip(sample, *others, strict=True))
        return type(sample)(*fields)
    if sample is None:
        return sample
    changed: Tree = function(sample, *others)
    return changed


def map_floats(function: Callable[..., Any], sample: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to the floating-point tensors; the other tensors of ``sample`` stay as they are."""
    return map_tensors(lambda one, *more: function(one, *more) if one.is_floating_point() else one, sample, *others)


def tensors(sample: Any) -> list[Any]:
    """List the tensors, or arrays, in order."""
    return list(_leaves(sample))


def floats(sample: Any) -> list[Tensor]:
    """List the floating-point tensors, which can have a gradient."""
    return [part for part in tensors(sample) if part.is_floating_point()]


def batch_size(sample: Any) -> int:
    """Return the number of rows."""
    return len(next(_leaves(sample)))


def shapes(sample: Any) -> tuple[tuple[int, ...], ...]:
    """Return the shape of one row of each tensor."""
    return tuple(tuple(part.shape[1:]) for part in tensors(sample))


def rows_within(size_bytes: int, row_shapes: tuple[tuple[int, ...], ...], limit: int) -> int:
    """Return how many rows of these shapes fit into ``size_bytes`` as float32, clamped to [1, limit]."""
    row_bytes = 4 * sum(math.prod(shape) for shape in row_shapes)
    return max(1, min(limit, size_bytes // max(1, row_bytes)))


def take(sample: Tree, rows: Any) -> Tree:
    """Select rows by a slice, a mask or their indices."""
    return map_tensors(lambda part: part[rows], sample)


def different_rows(sample: Sample, order: Iterable[int], most: int | None = None) -> list[int]:
    """Return the row numbers of ``order`` without those of rows that are equal to an earlier one, at most ``most``."""
    seen: set[bytes] = set()
    found: list[int] = []
    for row in order:
        if len(found) == most:
            break
        content = b"".join(part[row].cpu().numpy().tobytes() for part in tensors(sample))
        digest = sha256(content).digest()
        if digest not in seen:
            seen.add(digest)
            found.append(row)
    return found


def concatenate(samples: Sequence[Tree]) -> Tree:
    """Concatenate batches along the first dimension."""

    def joined(*parts: Any) -> Any:
        return torch.cat(parts) if isinstance(parts[0], Tensor) else np.concatenate(parts)

    return map_tensors(joined, *samples)


def to_device(sample: Tree, device: torch.device | str) -> Tree:
    """Copy to a device; tensors that are already there are not copied."""
    return map_tensors(lambda part: part.to(device), sample)


def as_float32(sample: Tree) -> Tree:
    """Convert floating-point tensors of less precision to float32; all others stay as they are."""
    return map_floats(lambda part: part.float() if part.itemsize < 4 else part, sample)


def _leaves(sample: Any) -> Iterator[Any]:
    if isinstance(sample, tuple):
        for part in sample:
            yield from _leaves(part)
    elif sample is not None:
        yield sample
