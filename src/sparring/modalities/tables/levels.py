"""Levels: the cells of a row as one-hot vectors, which networks learn alike, whatever the units of their columns.

A category is a level, and so is a missing cell. Numbers are cut at quantiles, so that levels are about equally
frequent; a number that is more frequent than that, such as 0, is a level of its own. Inside its level a number has a
position, which is uniform and independent of everything else; rare categories share a level in the same way.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known, completed
from sparring.randomness import RandomStream

BINS = 32
"""Levels that a numeric column is cut into, beside its frequent values."""
MAX_CATEGORIES = 256
"""Levels of categories; rarer ones share the last."""
DISTINCT = 0.5
"""Share of distinct quantiles up to which a column has only the values that they show, and none between these."""

NEIGHBOURS = 0.02
"""Share of the quantiles of a column up to the one whose distance tells how sparse values are."""

MIN_LENGTH = 1e-300
"""Length from which parts of it do not underflow."""


@final
class Levels:
    """Maps ``Rows`` to vectors, and back; see ``sparring.flow.Normalizer``.

    Vectors are (count, width + columns) float32: one-hot vectors of all columns, and the position of each cell inside
    its level, in [0, 1].

    Attributes:
        columns: levels of each column.
        sizes: number of levels of each column.
        ordered: number of levels of each column that have an order, as those of numbers do.
        missing: share of missing cells of each column.
        width: of all columns together.
        count: number of rows that the levels were found in.
    """

    def __init__(self, columns: Sequence[Column], bins: int = BINS, count: int = 1) -> None:
        self.count = count
        self.columns: list[ColumnLevels] = [
            NumberLevels(column, bins) if column.is_numeric else CategoryLevels(column) for column in columns
        ]
        self.sizes = [column.size for column in self.columns]
        self.ordered = [len(one.starts) if isinstance(one, NumberLevels) else 0 for one in self.columns]
        self.missing = [column.missing for column in columns]
        self.width = sum(self.sizes)

    def normalize(self, sample: Rows | Known, random: RandomStream | None = None) -> Tensor:
        """Return the vectors of rows, with every cell in the middle of its level."""
        codes = self.codes(sample)
        vectors = [one_hot(column, size) for column, size in zip(codes.unbind(1), self.sizes, strict=True)]
        return torch.cat([*(vector.float() for vector in vectors), torch.full(codes.shape, 0.5).to(codes.device)], 1)

    def denormalize(self, sample: Tensor, condition: Known | None = None) -> Rows:
        """Return the rows of vectors, in which the largest number of a column counts, and known cells as they are."""
        chosen = [part.argmax(1) for part in sample[:, : self.width].split(self.sizes, 1)]
        return self.rows(torch.stack(chosen, 1), sample[:, self.width :], condition)

    def rows(self, codes: Tensor, positions: Tensor, condition: Known | None = None) -> Rows:
        """Return the rows of levels and positions inside them, (count, columns) each, with known cells as they are."""
        cells = list(zip(self.columns, codes.unbind(1), positions.double().unbind(1), strict=True))
        values = [column.values(code, position) for column, code, position in cells]
        missing = [column.absent(code) for column, code, _ in cells]
        rows = Rows(torch.stack(values, 1), torch.stack(missing, 1))
        return rows if condition is None else completed(rows, condition)

    def by_column(self, values: Tensor) -> Tensor:
        """Return the sums of numbers of the levels of each column, (count, columns); see ``sparring.flow.Columnar``."""
        sums = [part.sum(1) for part in values[:, : self.width].split(self.sizes, 1)]
        return torch.stack(sums, 1) + values[:, self.width :]

    def codes(self, sample: Rows | Known) -> Tensor:
        """Return the number of each cell's level, (count, columns) int64."""
        cells = zip(self.columns, sample.values.unbind(1), sample.missing.unbind(1), strict=True)
        return torch.stack([column.codes(values, missing) for column, values, missing in cells], 1)

    def has_level(self, sample: Rows | Known) -> Tensor:
        """Return which cells have a level, (count, columns) bool: all but missing ones of columns that had none."""
        always = torch.tensor([column.has_missing for column in self.columns]).to(sample.missing.device)
        return always | ~sample.missing

    def sparsity(self, sample: Rows | Known) -> Tensor:
        """Return the surprise of values among those of their level, (count, columns) float32; see ``NumberLevels``.

        That of a cell without a level is log(n + 1), since a state that n rows never had has a probability of about
        1 / (n + 1). A missing cell has none beyond its level.
        """
        cells = zip(self.columns, sample.values.unbind(1), sample.missing.unbind(1), strict=True)
        found = torch.stack([column.sparsity(values, self.count) * ~missing for column, values, missing in cells], 1)
        return torch.where(self.has_level(sample), found, math.log(self.count + 1)).float()


class ColumnLevels(ABC):
    """Levels of one column; a missing cell is the last one.

    Attributes:
        size: number of levels.
        has_missing: whether cells can be missing.
    """

    def __init__(self, present: int, has_missing: bool) -> None:
        self.size, self.has_missing = present + has_missing, has_missing

    def codes(self, values: Tensor, missing: Tensor) -> Tensor:
        """Return the numbers of levels, (count,) int64; a cell that cannot be missing counts as its value."""
        present = self.present(values)
        return torch.where(missing, self.size - 1, present) if self.has_missing else present

    def absent(self, codes: Tensor) -> Tensor:
        """Return whether levels are that of missing cells, (count,) bool."""
        return (codes == self.size - 1) & self.has_missing

    @abstractmethod
    def present(self, values: Tensor) -> Tensor:
        """Return the levels of values that are not missing, (count,) int64."""

    @abstractmethod
    def sparsity(self, values: Tensor, rows: int) -> Tensor:
        """Return the surprise of values among those of their level in so many rows, (count,) float64, not negative."""

    @abstractmethod
    def values(self, codes: Tensor, positions: Tensor) -> Tensor:
        """Return the values at positions in [0, 1] of levels, (count,) float64; 0 for missing cells."""


@final
class CategoryLevels(ColumnLevels):
    """Levels of categories, the rarest of which share one."""

    def __init__(self, column: Column) -> None:
        count = len(column.categories)
        self.own = count if count <= MAX_CATEGORIES else MAX_CATEGORIES - 1
        rare = torch.tensor(column.shares[self.own :], dtype=torch.float64)
        self.until = rare.cumsum(0) / rare.sum().clamp(min=1e-12)  # Positions at which each rare category ends.
        super().__init__(self.own + bool(len(rare)), column.missing > 0)

    def frequencies(self, column: Column) -> Tensor:
        """Return the share of each level of the column among all cells, (size,) float64."""
        shares = torch.tensor(column.shares, dtype=torch.float64)
        parts = [shares[: self.own], shares[self.own :].sum()[None]] if len(self.until) else [shares]
        missing = [torch.tensor([column.missing], dtype=torch.float64)] if self.has_missing else []
        return torch.cat([*((1 - column.missing) * part for part in parts), *missing])

    def present(self, values: Tensor) -> Tensor:
        return values.long().clamp(0, self.size - self.has_missing - 1)

    def sparsity(self, values: Tensor, rows: int) -> Tensor:
        return torch.zeros_like(values, dtype=torch.float64)

    def values(self, codes: Tensor, positions: Tensor) -> Tensor:
        found = torch.where(self.absent(codes), 0, codes)
        if len(self.until):
            rare = torch.searchsorted(self.until.to(positions.device), positions.contiguous()).clamp(
                max=len(self.until) - 1
            )
            found = torch.where(found == self.own, self.own + rare, found)
        return found.double()


@final
class NumberLevels(ColumnLevels):
    """Levels of numbers: parts of the quantile function.

    Args:
        column: with its quantiles.
        bins: number of parts, beside frequent values.
    """

    def __init__(self, column: Column, bins: int) -> None:
        quantiles = np.array(column.quantiles)
        distinct, counts = np.unique(quantiles, return_counts=True)

        # Levels begin at every n-th quantile, at frequent values, and at the values after those.
        frequent = np.flatnonzero(counts > len(quantiles) / bins)
        starts = [quantiles[np.arange(bins) * len(quantiles) // bins], distinct[frequent]]
        starts.append(distinct[np.minimum(frequent + 1, len(distinct) - 1)])
        self.starts = torch.from_numpy(distinct if len(distinct) <= bins else np.unique(np.concatenate(starts)))
        self.quantiles = torch.from_numpy(quantiles)
        self.is_discrete = len(distinct) <= DISTINCT * len(quantiles)

        # Places of a level in the quantile function: a frequent value has its own alone, others reach the next level.
        self.first = torch.searchsorted(self.quantiles, self.starts)
        following = torch.cat([self.first[1:], self.first.new_tensor([len(quantiles)])])
        is_value = self.quantiles[following - 1] == self.quantiles[self.first]
        own = (is_value & (following - self.first > 1)) | torch.tensor(self.is_discrete)
        self.last = torch.where(own, following - 1, following.clamp(max=len(quantiles) - 1))
        self.decimals = 0 if column.kind in ("integer", "date") else column.decimals
        self.neighbour, self.typical = self._neighbourhood(distinct)
        super().__init__(len(self.starts), column.missing > 0)

    def present(self, values: Tensor) -> Tensor:
        return (self.starts[1:].to(values.device) <= values[:, None]).sum(1)

    def sparsity(self, values: Tensor, rows: int) -> Tensor:
        """Return log(1 + r / r̄) + log(1 + n d / w): the second for values outside of the range of the n rows.

        r is the distance to the k-th nearest quantile, and r̄ a usual one. 1 / r is an estimate of the density
        (Loftsgaarden & Quesenberry 1965); r is 0 of the values of a column that has no others. It falls off so slowly
        that no value would be unlikely, so values at a distance d from a range of width w count as a state that n rows
        never had, with a probability of about 1 / (n + 1) at d = w.
        """
        # A quarter of all lengths, no sum of which then overflows.
        quarters, quantiles = values.double() / 4, self.quantiles.to(values.device) / 4
        distance = (quarters[:, None] - quantiles).abs().kthvalue(self.neighbour, 1).values
        low, high = quantiles[0], quantiles[-1]
        outside = torch.maximum(low - quarters, quarters - high).clamp(min=0)
        width = float(high - low) if float(high - low) > MIN_LENGTH else self.typical / 4
        near = (distance + self.typical / 4).log() - math.log(self.typical / 4)
        # log(1 + n d / w) without n d, which could overflow.
        far = (outside + width / rows).log() - math.log(width / rows)
        return near + torch.where(outside > 0, far, 0.0)

    def _neighbourhood(self, distinct: np.ndarray) -> tuple[int, float]:
        """Return k and r̄, half the mean width of k quantiles; of a column of some values 1, and their mean gap."""
        if self.is_discrete:
            neighbour, gaps = 1, torch.from_numpy(distinct / 2).diff()
        else:
            neighbour = min(max(2, round(NEIGHBOURS * len(self.quantiles))), len(self.quantiles))
            gaps = self.quantiles[neighbour - 1 :] / 4 - self.quantiles[: len(self.quantiles) - neighbour + 1] / 4
        # Of a constant column its value takes the place of r̄, or 1.
        candidates = (2 * float(gaps.mean()), abs(float(distinct[-1])), 1.0)
        return neighbour, next(one for one in candidates if MIN_LENGTH < one < math.inf)

    def values(self, codes: Tensor, positions: Tensor) -> Tensor:
        """Interpolate the quantile function, unless it shows all values that there are; see ``ColumnLevels``."""
        device, present = codes.device, codes.clamp(max=len(self.starts) - 1)
        first, last, quantiles = (part.to(device) for part in (self.first, self.last, self.quantiles))
        begin, end = first[present].double(), last[present].double()
        place = begin + positions.clamp(0, 1) * (end - begin)
        if self.is_discrete:
            found = quantiles[place.round().long()]
        else:
            below = place.floor().long()
            found = torch.lerp(quantiles[below], quantiles[(below + 1).clamp(max=len(quantiles) - 1)], place - below)
        found = found if self.decimals is None else found.round(decimals=self.decimals)
        return torch.where(self.absent(codes), 0.0, found)
