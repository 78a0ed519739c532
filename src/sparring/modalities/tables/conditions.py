"""Conditions of rows: some of their cells, any of them, or one category."""

from typing import NamedTuple

import torch
from torch import Tensor

from sparring.data.dataset import ReadRows
from sparring.flow import Batch
from sparring.modalities.tables.coding import Rows
from sparring.randomness import RandomStream

KNOWN = "known"
"""Name of the condition in ``View.condition`` and ``Facts.offers``."""
CATEGORY = "category"
"""Name of the condition that is one cell of a column of categories; see ``category_sampling``."""
UNCONDITIONED = 0.5
"""Share of the rows in training of which nothing is known."""


class Known(NamedTuple):
    """Rows of which some cells are known.

    Args:
        values: as those of ``Rows``; anything where a cell is not known.
        missing: likewise.
        known: (count, columns) bool.
    """

    values: Tensor
    missing: Tensor
    known: Tensor


def nothing_known(rows: Rows) -> Known:
    """Return a condition that leaves all cells of rows open."""
    return Known(rows.values, rows.missing, torch.zeros_like(rows.missing))


def some_known(rows: Rows, random: RandomStream) -> Known:
    """Return half of the rows without known cells, and the others with a random number of random ones, but not all."""
    columns = rows.missing.shape[1]
    order = random.uniform("order", columns).argsort(1).argsort(1)  # (count, columns): a permutation in each row.
    count = random.integers("count", columns) * (random.uniform("conditioned") >= UNCONDITIONED)
    return Known(rows.values, rows.missing, order < count[:, None])


def with_known(read: ReadRows) -> ReadRows:
    """Return a function that reads stored rows with some of their cells as conditions; without random numbers none."""

    def read_known(stored: Batch, random: RandomStream | None = None) -> Batch:
        batch = read(stored, random)
        rows: Rows = batch.real
        return batch._replace(condition=nothing_known(rows) if random is None else some_known(rows, random))

    return read_known


def completed(rows: Rows, condition: Known) -> Rows:
    """Return rows with the known cells in place of their own."""
    return Rows(
        torch.where(condition.known, condition.values.to(rows.values), rows.values),
        (condition.known & condition.missing) | (~condition.known & rows.missing),
    )
