"""Samples ready to be trained on: arrays, in memory or memory-mapped."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.facts import Facts
from sparring.flow import Batch


@final
@dataclass(frozen=True)
class Dataset:
    """Samples and their labels.

    Args:
        samples: (count, *shape); uint8 stands for [-1, 1] in 256 steps, float32 is taken as it is.
        labels: (count,) int64 class numbers, or None.
    """

    samples: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, rows: NDArray[np.int64] | slice, device: torch.device | str = "cpu") -> Batch:
        """The samples at ``rows`` as float32 on ``device``, with their labels."""
        samples = torch.from_numpy(np.array(self.samples[rows])).to(device)
        labels = None if self.labels is None else torch.from_numpy(np.array(self.labels[rows])).to(device)
        if samples.dtype == torch.uint8:
            samples = samples.float().div_(127.5).sub_(1.0)
        return Batch(samples, labels)


@final
@dataclass(frozen=True)
class Split:
    """The data of one experiment: what is trained on, and what is kept aside to judge by."""

    train: Dataset
    held_out: Dataset
    facts: Facts


def hold_out(count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers to train on and to keep aside: 10 % below 20,000 samples, 5 % from there on; both sorted."""
    aside = max(1, round(count * (0.1 if count < 20_000 else 0.05)))
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[aside:]), np.sort(order[:aside])
