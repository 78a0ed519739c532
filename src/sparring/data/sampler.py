"""Shuffled batches without end: batch k is a pure function of (seed, k)."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sparring.randomness import derive


@final
@dataclass
class EpochSampler:
    """Row numbers, reshuffled for every epoch; batches continue across the ends of epochs.

    Every row appears exactly once per epoch. If the data set is smaller than a batch, a batch spans several epochs.

    Args:
        count: samples in the data set.
        batch: samples per batch.
        seed: equal seeds give equal batches.
    """

    count: int
    batch: int
    seed: int
    _orders: dict[int, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def rows(self, number: int) -> NDArray[np.int64]:
        """Return the row numbers of batch ``number``, (batch,)."""
        positions = number * self.batch + np.arange(self.batch)
        epochs, offsets = np.divmod(positions, self.count)
        rows = np.empty(self.batch, dtype=np.int64)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            rows[here] = self._order(epoch)[offsets[here]]
        return rows

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Return the permutation of an epoch, (count,); at most two are kept in memory."""
        if epoch not in self._orders:
            if len(self._orders) > 1:
                self._orders.clear()
            self._orders[epoch] = np.random.default_rng(derive(self.seed, "order", epoch)).permutation(self.count)
        return self._orders[epoch]
