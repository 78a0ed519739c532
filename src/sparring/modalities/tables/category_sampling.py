"""Training by sampling: every row is drawn for a category, which is its condition (Xu et al. 2019, section 4.3)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from sparring.data.dataset import Dataset, ReadRows
from sparring.flow import Batch
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known
from sparring.modalities.tables.levels import CategoryLevels
from sparring.randomness import RandomStream
from sparring.samples import map_tensors, take, to_device


def sampled_by_category(data: Dataset, columns: Sequence[Column]) -> Dataset:
    """Return rows that are drawn for one of their categories each, and have its cell as the condition.

    With random numbers, the row of a batch is any row of ``data`` with a category that is drawn by the logarithm of its
    frequency, of a column that is drawn uniformly. Without, it is the row itself, with the cell of one column; columns
    take turns.

    Args:
        data: arrays of the form of ``Rows``.
        columns: of the rows; at least one has two categories.
    """
    return replace(data, read=_reader(data.read, data.samples, CategoryRows(data.samples, columns)))


@final
class CategoryRows:
    """The rows of each category of each column.

    Args:
        rows: arrays of the form of ``Rows``.
        columns: of the rows.

    Attributes:
        columns: numbers of the columns that have at least two categories, (choices,).
    """

    def __init__(self, rows: Any, columns: Sequence[Column]) -> None:
        chosen = [at for at, column in enumerate(columns) if column.is_choice]
        levels = [CategoryLevels(columns[at]) for at in chosen]
        most = max(one.size for one in levels)
        counts, order = (
            torch.zeros(len(chosen), most, dtype=torch.int64),
            np.empty((len(chosen), len(rows.values)), "i4"),
        )
        for place, (at, one) in enumerate(zip(chosen, levels, strict=True)):
            cells = (torch.from_numpy(np.ascontiguousarray(part[:, at])) for part in rows)
            codes = one.codes(*cells)
            counts[place] = torch.bincount(codes, minlength=most)
            order[place] = np.argsort(codes.numpy(), kind="stable")
        self.columns = torch.tensor(chosen)
        self._order, self._counts = torch.from_numpy(order), counts
        self._starts = counts.cumsum(1) - counts

        # With log(1 + n) rather than log n, a category of a single row is drawn, too.
        mass = counts.double().log1p()
        self._until = mass.cumsum(1) / mass.sum(1, keepdim=True)

    def draw(self, random: RandomStream) -> tuple[Tensor, Tensor]:
        """Draw a column and a row for each row of ``random``, (rows,) each."""
        column = random.integers("column", len(self.columns)).cpu()
        level = (self._until[column] <= random.uniform("category").cpu()[:, None]).sum(1)
        counts = self._counts[column, level]
        within = (random.uniform("row").cpu().double() * counts).long()
        return self.columns[column], self._order[column, self._starts[column, level] + within].long()


def _reader(read: ReadRows, rows: Any, categories: CategoryRows) -> ReadRows:
    """Return the function that reads rows as ``sampled_by_category`` says."""

    def read_category(stored: Batch, random: RandomStream | None = None) -> Batch:
        if random is None:
            batch = read(stored, None)
            column = categories.columns[torch.arange(len(batch.real.missing)) % len(categories.columns)]
        else:
            column, chosen = categories.draw(random)
            drawn = map_tensors(torch.from_numpy, take(rows, chosen.numpy()))
            batch = read(stored._replace(real=to_device(drawn, random.device)), random)
        real: Rows = batch.real
        known = torch.zeros_like(real.missing).scatter_(1, column[:, None].to(real.missing.device), True)
        return batch._replace(condition=Known(real.values, real.missing, known))

    return read_category
