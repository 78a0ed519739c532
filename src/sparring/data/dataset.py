"""Data sets: samples, conditions and labels as arrays, in memory or in files."""

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
from sparring.randomness import RandomStream, derive
from sparring.samples import batch_size, concatenate, map_tensors, shapes, take, tensors, to_device

ReadRows: TypeAlias = Callable[[Batch, RandomStream | None], Batch]
"""(stored rows, their random numbers or None) → the batch as the networks take it.

With random numbers it may crop, mask or pair at random; with None it is deterministic.
"""


def from_bytes(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Map uint8 from [0, 255] to float32 in [-1, 1]; leave other types as they are."""
    return map_tensors(_from_bytes, stored)


@final
@dataclass(frozen=True)
class Dataset:
    """Samples with their conditions and labels.

    Args:
        samples: (count, *shape), an array of any type or a NamedTuple of arrays.
        labels: class numbers, (count,) int64, -1 where the class is unknown, or None.
        conditions: what the players are conditioned on: an array or a NamedTuple of arrays, (count, …), or None.
        read: turns stored rows into a batch.

    Raises:
        SparringError: the arrays differ in length.
    """

    samples: Any
    labels: NDArray[np.int64] | None = None
    conditions: Any = None
    read: ReadRows = from_bytes

    def __post_init__(self) -> None:
        sizes = {len(part) for part in tensors(self._stored)}
        if len(sizes) != 1:
            raise SparringError(
                found=f"arrays of {' and '.join(map(str, sorted(sizes)))} rows",
                expected="as many conditions and labels as samples",
                remedy="give one row of each for every sample",
            )

    def __len__(self) -> int:
        return batch_size(self.samples)

    def batch(
        self, rows: NDArray[np.int64] | slice, device: torch.device | str = "cpu", random: RandomStream | None = None
    ) -> Batch:
        """Read rows as the networks take them.

        Args:
            rows: row numbers, or a slice.
            device: device of the batch.
            random: random numbers of these rows; None to read them deterministically.
        """
        stored = map_tensors(lambda part: torch.from_numpy(np.array(part)), take(self._stored, rows))
        return self.read(to_device(stored, device), random)

    def subset(self, rows: NDArray[np.int64] | slice) -> "Dataset":
        """Return the data set of some rows."""
        return self._with(take(self._stored, rows))

    def followed_by(self, other: "Dataset") -> "Dataset":
        """Append the rows of a data set of the same form; labels are kept only if both have them."""
        parts = [self, other]
        if any(part.labels is None for part in parts):
            parts = [replace(part, labels=None) for part in parts]
        return self._with(concatenate([part._stored for part in parts]))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the tensors of one sample as the networks take it."""
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
    """The data of one experiment: training samples, and held-out samples for evaluation."""

    train: Dataset
    held_out: Dataset
    facts: Facts


def split_rows(data: Dataset, facts: Facts, seed: int) -> Split:
    """Split a data set that is in memory into training and held-out rows; see ``hold_out``."""
    train, held_out = hold_out(len(data), seed, data.labels)
    return Split(data.subset(train), data.subset(held_out), facts)


def rows_to_show(data: Dataset, count: int, *, seed: int, columns: int = 1) -> NDArray[np.int64]:
    """Draw rows at random: whole lines of ``columns`` rows for each class, or ``count`` rows of data without classes.

    Args:
        data: the data set.
        count: rows that fill a picture; with more classes than lines there are more, one line for each class.
        seed: of the draw.
        columns: rows in a line.
    """
    order = np.random.default_rng(derive(seed, "shown")).permutation(len(data))
    if data.labels is not None:
        classes = len(np.unique(data.labels[data.labels >= 0]))
        each = max(1, count // columns // max(1, classes)) * columns
        found = rows_by_class(data.labels[order], each)
        if found is not None:
            return order[found]
    return order[:count]


def rows_by_class(labels: Any, columns: int, max_classes: int = 32) -> NDArray[np.int64] | None:
    """Return ``columns`` row numbers of each class, class by class, or None if there are fewer than two classes.

    Args:
        labels: class numbers, (count,), an array or a tensor, -1 where the class is unknown; or None.
        columns: rows per class: its first rows, repeated where there are fewer.
        max_classes: classes beyond this number are left out.
    """
    if labels is None:
        return None
    numbers = np.asarray(labels)
    present = np.unique(numbers[numbers >= 0])[:max_classes]
    rows = [np.resize(np.flatnonzero(numbers == number), columns) for number in present]
    return np.concatenate(rows) if len(rows) > 1 else None


def hold_out(
    count: int, seed: int, labels: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw held-out rows at random: 10 % below 20,000 samples, 5 % from there on.

    Where that would leave a class without a training row, one of its rows is exchanged for the next one in the random
    order whose class has others to train on; if there is none, fewer rows are held out, but at least one.

    Args:
        count: number of samples.
        seed: of the random order.
        labels: class numbers, (count,), -1 where the class is unknown; or None.

    Returns:
        The row numbers for training, and those held out; both sorted.
    """
    size = max(1, round(count * (0.1 if count < 20_000 else 0.05)))
    order = np.random.default_rng(seed).permutation(count)
    held_out, train = order[:size], order[size:]
    if labels is not None:
        held_out, train = _with_all_classes(held_out, train, labels)
    return np.sort(train), np.sort(held_out)


def _with_all_classes(
    held_out: NDArray[np.int64], train: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Move rows so that every class has one for training; nothing moves where all have."""
    lost = np.setdiff1d(labels[held_out], labels[train])
    lost = lost[lost >= 0]
    if not len(lost):
        return held_out, train
    moved = [int(held_out[labels[held_out] == number][0]) for number in lost]
    trained, counts = np.unique(labels[train], return_counts=True)
    left = dict(zip(trained.tolist(), counts.tolist(), strict=True))
    exchanged: list[int] = []
    for row in train.tolist():
        if len(exchanged) == len(moved):
            break
        number = int(labels[row])
        if number < 0 or left[number] > 1:
            exchanged.append(row)
            left[number] -= 1

    # With nothing to exchange, fewer rows are held out; the last one stays.
    moved = moved[: len(held_out) + len(exchanged) - 1]
    held_out = np.append(held_out[~np.isin(held_out, moved)], np.array(exchanged, dtype=np.int64))
    return held_out, np.append(train[~np.isin(train, exchanged)], np.array(moved, dtype=np.int64))


def _from_bytes(part: Tensor) -> Tensor:
    return part.float().div_(127.5).sub_(1.0) if part.dtype == torch.uint8 else part
