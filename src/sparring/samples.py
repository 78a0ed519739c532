"""A sample is one tensor or a NamedTuple of tensors: this file alone knows both forms.

A batch, whose fields may be None, is handled by the same functions, and so are NumPy arrays in place of tensors.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    # Which of the two it is only the modality knows, whose code then says Tensor or names its own NamedTuple.
    Sample: TypeAlias = Any
else:
    Sample = Tensor | tuple[Tensor, ...]
"""(batch, *shape), or a NamedTuple of such tensors of one batch size, coded as networks see it."""

Tree = TypeVar("Tree")


def map_tensors(function: Callable[..., Any], sample: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to each tensor, with the tensors of the same place in ``others``; None stays None."""
    if isinstance(sample, tuple):
        fields = (map_tensors(function, *fields) for fields in zip(sample, *others, strict=True))
        return type(sample)(*fields)
    if sample is None:
        return sample
    changed: Tree = function(sample, *others)
    return changed


def map_floats(function: Callable[..., Any], sample: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to the floating-point tensors alone; the first sample's other tensors stay as they are."""
    return map_tensors(lambda one, *more: function(one, *more) if one.is_floating_point() else one, sample, *others)


def tensors(sample: Any) -> list[Any]:
    """List the tensors, or arrays, in order."""
    return list(_leaves(sample))


def floats(sample: Any) -> list[Tensor]:
    """List the floating-point tensors: those that can have a gradient."""
    return [part for part in tensors(sample) if part.is_floating_point()]


def batch_size(sample: Any) -> int:
    """Number of rows."""
    return len(next(_leaves(sample)))


def shapes(sample: Any) -> tuple[tuple[int, ...], ...]:
    """Shape of one row of each tensor."""
    return tuple(tuple(part.shape[1:]) for part in tensors(sample))


def rows_within(size: int, parts: tuple[tuple[int, ...], ...], most: int) -> int:
    """Number of rows of these shapes that fit into ``size`` bytes of float32, at least 1, at most ``most``."""
    return max(1, min(most, size // max(1, 4 * sum(math.prod(shape) for shape in parts))))


def take(sample: Tree, rows: Any) -> Tree:
    """Select rows by a slice, a mask or their numbers."""
    return map_tensors(lambda part: part[rows], sample)


def concatenate(samples: Sequence[Tree]) -> Tree:
    """Join batches, one after the other."""

    def together(*parts: Any) -> Any:
        return torch.cat(parts) if isinstance(parts[0], Tensor) else np.concatenate(parts)

    return map_tensors(together, *samples)


def to_device(sample: Tree, device: torch.device | str) -> Tree:
    """Copy to another device; tensors that are there already stay."""
    return map_tensors(lambda part: part.to(device), sample)


def as_float32(sample: Tree) -> Tree:
    """Convert floating-point tensors to float32; whole numbers and truth values stay what they are."""
    return map_floats(lambda part: part.float(), sample)


def _leaves(sample: Any) -> Iterator[Any]:
    if isinstance(sample, tuple):
        for part in sample:
            yield from _leaves(part)
    elif sample is not None:
        yield sample
