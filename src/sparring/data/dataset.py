"""Samples ready to be trained on: arrays, in memory or memory-mapped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.randomness import RandomStream
from sparring.samples import batch_size, concatenate, map_tensors, shapes, take, tensors, to_device

Read: TypeAlias = Callable[[Batch, RandomStream | None], Batch]
"""(rows as they are stored, random numbers of these rows or None) → the batch as networks see it.

With random numbers it may crop, mask or pair at random; with None it does the same every time.
"""


def from_bytes(stored: Batch, random: RandomStream | None = None) -> Batch:
    """uint8 stands for [-1, 1] in 256 steps; every other type is taken as it is."""
    return map_tensors(_from_bytes, stored)


@final
@dataclass(frozen=True)
class Dataset:
    """Samples, the conditions that players are told, and their labels.

    Args:
        samples: (count, *shape), an array of any type or a NamedTuple of arrays.
        labels: (count,) int64 class numbers, -1 where the class is unknown, or None.
        conditions: what players are told of each sample: an array or a NamedTuple of arrays, (count, …), or None.
        read: what becomes of stored rows.

    Raises:
        SparringError: arrays of different lengths.
    """

    samples: Any
    labels: NDArray[np.int64] | None = None
    conditions: Any = None
    read: Read = from_bytes

    def __post_init__(self) -> None:
        sizes = {len(part) for part in tensors(self._stored)}
        if len(sizes) != 1:
            raise SparringError(
                found=f"arrays of {' and '.join(map(str, sorted(sizes)))} rows",
                expected="samples, conditions and labels of one number",
                remedy="give a row of each for every sample",
            )

    def __len__(self) -> int:
        return batch_size(self.samples)

    def batch(
        self, rows: NDArray[np.int64] | slice, device: torch.device | str = "cpu", random: RandomStream | None = None
    ) -> Batch:
        """The samples at ``rows`` as networks see them, on ``device``.

        Args:
            rows: which ones.
            device: where to.
            draw: random numbers for these rows; None to read them the same every time.
        """
        stored = map_tensors(lambda part: torch.from_numpy(np.array(part)), take(self._stored, rows))
        return self.read(to_device(stored, device), random)

    def at(self, rows: NDArray[np.int64] | slice) -> "Dataset":
        """The data set of some rows."""
        return self._with(take(self._stored, rows))

    def followed_by(self, other: "Dataset") -> "Dataset":
        """The rows of this one, then those of another that is read alike; labels only where both have them."""
        sides = [self, other]
        if any(one.labels is None for one in sides):
            sides = [replace(one, labels=None) for one in sides]
        return self._with(concatenate([one._stored for one in sides]))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the tensors of one sample as networks see it."""
        return shapes(self.batch(slice(0, 1)).real)

    @property
    def _stored(self) -> Batch:
        labels: Any = self.labels  # Arrays in place of tensors.
        return Batch(self.samples, self.conditions, labels)

    def _with(self, stored: Batch) -> "Dataset":
        samples, conditions, labels = tuple[Any, ...](stored)
        return replace(self, samples=samples, conditions=conditions, labels=labels)


@final
@dataclass(frozen=True)
class Split:
    """The data of one experiment: what is trained on, and what is kept aside to judge by."""

    train: Dataset
    held_out: Dataset
    facts: Facts


def split_rows(data: Dataset, facts: Facts, seed: int) -> Split:
    """Hold out some rows of a data set that lies in memory, by ``seed``."""
    train, aside = hold_out(len(data), seed)
    return Split(data.at(train), data.at(aside), facts)


def by_class(labels: Any, columns: int, most: int = 32) -> NDArray[np.int64] | None:
    """Rows to show, a line of ``columns`` for each class, at most ``most`` classes; None without classes.

    Args:
        labels: (count,) class numbers, an array or a tensor, -1 where unknown; or None.
        columns: rows of each class: the first ones, again from the start where there are fewer.
        most: classes at most.
    """
    if labels is None:
        return None
    numbers = np.asarray(labels)
    places = [np.flatnonzero(numbers == number) for number in np.unique(numbers[numbers >= 0])[:most]]
    return np.concatenate([np.resize(place, columns) for place in places]) if len(places) > 1 else None


def hold_out(count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers to train on and to keep aside: 10 % below 20,000 samples, 5 % from there on; both sorted."""
    aside = max(1, round(count * (0.1 if count < 20_000 else 0.05)))
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[aside:]), np.sort(order[:aside])


def _from_bytes(part: Tensor) -> Tensor:
    return part.float().div_(127.5).sub_(1.0) if part.dtype == torch.uint8 else part
