"""Rows as vectors that keep how far a number lies outside the range of its column, and back."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known, completed
from sparring.modalities.tables.levels import CategoryLevels
from sparring.randomness import RandomStream

MAX_DEVIATIONS = 100.0
"""Standard deviations from the mean at which numbers are clipped."""


@final
class StandardVectors:
    """Maps ``Rows`` to vectors, and back; see ``sparring.flow.Normalizer``.

    A vector, (count, scalars + width) float32, has for each column of numbers the distance from its mean in standard
    deviations, at most 100, and 0 where the cell is missing; then one-hot vectors: of (present, missing) for each
    column of numbers that can be missing, and of the levels of each category.

    Args:
        columns: of the rows.

    Attributes:
        scalars: columns of numbers.
        sizes: length of each one-hot vector.
        width: of all one-hot vectors together.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        numeric = [at for at, column in enumerate(columns) if column.is_numeric]
        others = [at for at, column in enumerate(columns) if not column.is_numeric]
        self.order = torch.tensor([*numeric, *others])
        self.back = self.order.argsort()

        # Numbers: their mean and deviation, range and decimals, and which of them can be missing.
        self.numbers = [columns[at] for at in numeric]
        means = [float(np.mean(column.quantiles)) for column in self.numbers]
        spreads = [float(np.std(column.quantiles)) for column in self.numbers]
        self.mean = torch.tensor(means, dtype=torch.float64)
        self.spread = torch.tensor([spread if spread > 0 else 1.0 for spread in spreads], dtype=torch.float64)
        self.optional = torch.tensor([at for at, column in enumerate(self.numbers) if column.missing > 0]).long()

        # Categories, and all one-hot vectors.
        self.categories = [CategoryLevels(columns[at]) for at in others]
        self.scalars = len(numeric)
        self.sizes = [*[2] * len(self.optional), *(levels.size for levels in self.categories)]
        self.width = sum(self.sizes)

    def normalize(self, sample: Rows, random: RandomStream | None = None) -> Tensor:
        """Return the vectors of rows."""
        order, device = self.order.to(sample.values.device), sample.values.device
        values, missing = sample.values[:, order].double(), sample.missing[:, order]
        deviations = (values[:, : self.scalars] - self.mean.to(device)) / self.spread.to(device)
        deviations = deviations.clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        optional = self.optional.to(device)
        absent = torch.zeros_like(deviations, dtype=torch.bool)
        absent[:, optional] = missing[:, optional]

        codes = [*missing[:, optional].long().unbind(1)]
        cells = zip(values[:, self.scalars :].unbind(1), missing[:, self.scalars :].unbind(1), strict=True)
        codes += [levels.codes(*cell) for levels, cell in zip(self.categories, cells, strict=True)]
        vectors = [one_hot(code, size).float() for code, size in zip(codes, self.sizes, strict=True)]
        return torch.cat([torch.where(absent, 0.0, deviations).float(), *vectors], 1)

    def denormalize(self, sample: Tensor, condition: Known | None = None) -> Rows:
        """Return the rows of vectors, numbers within the range of their column, and known cells as they are."""
        scalars, vectors = sample.split([self.scalars, self.width], 1)
        device, codes = sample.device, [part.argmax(1) for part in vectors.split(self.sizes, 1)]

        # Numbers, rounded as those of their column are.
        values = [*(self.mean.to(device) + self.spread.to(device) * scalars.double()).unbind(1)]
        for at, column in enumerate(self.numbers):
            decimals = 0 if column.kind in ("integer", "date") else column.decimals
            clamped = values[at].clamp(column.quantiles[0], column.quantiles[-1])
            values[at] = clamped if decimals is None else clamped.round(decimals=decimals)
        missing = [torch.zeros_like(code, dtype=torch.bool) for code in values]
        for at, code in zip(self.optional.tolist(), codes, strict=False):
            missing[at] = code == 1

        # Categories.
        middle = sample.new_full((sample.shape[0],), 0.5, dtype=torch.float64)
        for levels, code in zip(self.categories, codes[len(self.optional) :], strict=True):
            values.append(levels.values(code, middle))
            missing.append(levels.absent(code))
        absent, back = torch.stack(missing, 1), self.back.to(device)
        rows = Rows(torch.where(absent, 0.0, torch.stack(values, 1))[:, back], absent[:, back])
        return rows if condition is None else completed(rows, condition)

    def residual(self, rows: Tensor, made: Tensor) -> Tensor:
        """Return the error of each cell, (batch, columns): |a - b| of numbers, and 1 - p of the cell's own level."""
        numbers = (rows[:, : self.scalars] - made[:, : self.scalars]).abs()
        parts = zip(*(side[:, self.scalars :].split(self.sizes, 1) for side in (rows, made)), strict=True)
        wrong = [1 - (own * chances).sum(1) for own, chances in parts]
        optional = len(self.optional)
        if optional:
            numbers = numbers.index_add(1, self.optional.to(rows.device), torch.stack(wrong[:optional], 1))
        return torch.cat([numbers, *(one[:, None] for one in wrong[optional:])], 1)[:, self.back.to(rows.device)]
