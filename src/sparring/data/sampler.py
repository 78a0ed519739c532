"""Batches without end: the k-th batch is a function of (seed, k) alone."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sparring.randomness import derive


@final
@dataclass
class EpochSampler:
    """Row numbers, in a fresh random order every epoch; batches run on across the ends of epochs.

    Every row appears exactly once per epoch. A data set smaller than a batch is gone through several times per batch.

    Args:
        count: samples in the data set.
        batch: samples per batch.
        seed: equal seeds give equal batches.
    """

    count: int
    batch: int
    seed: int
    _orders: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def rows(self, step: int) -> NDArray[np.int64]:
        """The row numbers of batch ``step``, (batch,)."""
        positions = step * self.batch + np.arange(self.batch)
        epochs, places = np.divmod(positions, self.count)
        rows = np.empty(self.batch, dtype=np.int64)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            rows[here] = self._order(epoch)[places[here]]
        return rows

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._orders:
            if len(self._orders) > 1:
                self._orders.clear()
            self._orders[epoch] = np.random.default_rng(derive(self.seed, "order", epoch)).permutation(self.count)
        return self._orders[epoch]
