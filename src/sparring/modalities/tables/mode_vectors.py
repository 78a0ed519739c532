"""Rows as vectors of modes and categories (Xu et al. 2019, section 4.2), and back."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import Known, completed
from sparring.modalities.tables.levels import CategoryLevels
from sparring.modalities.tables.modes import fitted_modes
from sparring.randomness import RandomStream

REACH = 4.0
"""Standard deviations of a mode from its mean to α = ±1."""
SINGLE = 1e-6
"""Width of a mode that is a single value, in half ranges of its column."""


@final
class ModeVectors:
    """Maps ``Rows`` to vectors, and back; see ``sparring.flow.Normalizer``.

    A vector has three parts: α in [-1, 1], the place of each number in its mode; one-hot vectors of the modes of each
    number, of which a missing cell is one more, and of the levels of each category; and the place of each category in
    its level, in [0, 1], which networks need not see (see ``levels.CategoryLevels``). Columns that can be conditions
    stand last.

    Args:
        columns: of the rows.

    Attributes:
        scalars: columns of numbers.
        sizes: length of each one-hot vector.
        width: of all one-hot vectors together.
        places: columns of categories.
        condition_width: of the one-hot vectors of the columns that can be conditions; these are the last ones.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        numeric = [at for at, column in enumerate(columns) if column.is_numeric]
        others = [at for at, column in enumerate(columns) if not column.is_numeric]
        self.order = torch.tensor([*numeric, *sorted(others, key=lambda at: columns[at].is_choice)])
        self.back = self.order.argsort()
        self.numbers = Numbers([columns[at] for at in numeric])
        self.categories = Categories([columns[at] for at in self.order[len(numeric) :].tolist()])
        self.scalars, self.places = len(numeric), len(others)
        self.sizes = [*self.numbers.sizes, *self.categories.sizes]
        self.width = sum(self.sizes)
        self.starts = torch.tensor([0, *self.sizes]).cumsum(0)[:-1]

        # Columns that can be conditions are the last ones.
        self.first = len(self.sizes) - self.categories.choices
        self.condition_width = sum(self.sizes[self.first :])
        self.condition_starts = torch.tensor([0, *self.sizes[self.first :]]).cumsum(0)[:-1]

    def normalize(self, sample: Rows, random: RandomStream | None = None) -> Tensor:
        """Return the vectors of rows, (count, scalars + width + places) float32.

        The mode of a number is drawn from its posterior; without random numbers it is the most probable one.
        """
        order = self.order.to(sample.values.device)
        values, missing = sample.values[:, order], sample.missing[:, order]
        uniform = None if random is None else random.uniform("modes", self.scalars)
        alpha, modes = self.numbers.encoded(values[:, : self.scalars], missing[:, : self.scalars], uniform)
        codes = torch.cat([modes, self.categories.codes(values[:, self.scalars :], missing[:, self.scalars :])], 1)
        vectors = alpha.new_zeros(codes.shape[0], self.width).scatter_(1, codes + self.starts.to(codes), 1.0)
        return torch.cat([alpha, vectors, alpha.new_full((codes.shape[0], self.places), 0.5)], 1)

    def denormalize(self, sample: Tensor, condition: Known | None = None) -> Rows:
        """Return the rows of vectors, in which the largest number of a column counts, and known cells as they are."""
        alpha, vectors, places = sample.split([self.scalars, self.width, self.places], 1)
        codes = torch.stack([part.argmax(1) for part in vectors.split(self.sizes, 1)], 1)
        numbers = self.numbers.decoded(alpha, codes[:, : self.scalars])
        categories = self.categories.decoded(codes[:, self.scalars :], places)
        values, missing = (
            torch.cat(pair, 1)[:, self.back.to(codes.device)] for pair in zip(numbers, categories, strict=True)
        )
        rows = Rows(values, missing)
        return rows if condition is None else completed(rows, condition)

    def by_column(self, values: Tensor) -> Tensor:
        """Return the sums of the numbers of each column, (count, columns); see ``sparring.flow.Columnar``."""
        alpha, vectors, places = values.split([self.scalars, self.width, self.places], 1)
        sums = torch.stack([part.sum(1) for part in vectors.split(self.sizes, 1)], 1)
        return (sums + torch.cat([alpha, places], 1))[:, self.back.to(values.device)]

    def conditions(self, condition: Known | None, like: Tensor) -> Tensor:
        """Return the one-hot vectors of known categories, 0 where they are not known, (count, condition_width).

        Args:
            condition: the known cells; None for none.
            like: any tensor of ``count`` rows.
        """
        vectors = like.new_zeros(like.shape[0], self.condition_width)
        if condition is None or not self.condition_width:
            return vectors
        order = self.order[self.first :].to(like.device)
        codes = self.categories.codes(condition.values[:, order], condition.missing[:, order], self.categories.choices)
        return vectors.scatter_(1, codes + self.condition_starts.to(codes), condition.known[:, order].to(vectors))

    def drawn_conditions(self, uniform: Tensor) -> Tensor:
        """Return one category for each row, one-hot: any column, and a category by its frequency (section 4.3).

        Args:
            uniform: numbers in [0, 1), (count, 2).
        """
        column = (uniform[:, 0] * self.categories.choices).long().clamp(max=self.categories.choices - 1)
        until = self.categories.until.to(uniform)[column]  # (count, levels)
        level = (until <= uniform[:, 1:]).sum(1)
        place = self.condition_starts.to(column)[column] + level
        return uniform.new_zeros(uniform.shape[0], self.condition_width).scatter_(1, place[:, None], 1.0)


@final
class Numbers:
    """Modes of all columns of numbers.

    Attributes:
        sizes: modes of each column, of which a missing cell is the last one.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        modes = [fitted_modes(column.quantiles) for column in columns]
        most = max((len(one.weights) for one in modes), default=0)

        def padded(values: Sequence[np.ndarray], rest: float) -> Tensor:
            """Return (columns, modes) float64."""
            table = torch.full((len(columns), most), rest, dtype=torch.float64)
            for row, some in zip(table, values, strict=True):
                row[: len(some)] = torch.from_numpy(some)
            return table

        self.weights = padded([one.weights for one in modes], 0.0)
        self.means = padded([one.means for one in modes], 0.0)
        self.deviations = padded([one.deviations for one in modes], 0.0)
        ends = [(column.quantiles[0], column.quantiles[-1]) for column in columns]
        self.lowest, self.highest = torch.tensor(ends, dtype=torch.float64).reshape(-1, 2).unbind(1)

        # For the posterior, a single value is a mode far narrower than the range of its column.
        narrow = (self.highest / 2 - self.lowest / 2)[:, None] * SINGLE
        self.widths = torch.where(self.deviations > 0, self.deviations, torch.where(narrow > 0, narrow, 1.0))
        self.has_missing = torch.tensor([column.missing > 0 for column in columns], dtype=torch.bool)
        self.counts = torch.tensor([len(one.weights) for one in modes], dtype=torch.int64)
        self.decimals = [0 if column.kind in ("integer", "date") else column.decimals for column in columns]
        self.sizes = (self.counts + self.has_missing).tolist()

    def encoded(self, values: Tensor, missing: Tensor, uniform: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return α and the numbers of modes of cells, (count, columns) each; α of a missing cell is 0.

        Args:
            values: (count, columns) float64.
            missing: (count, columns) bool.
            uniform: numbers in [0, 1) that choose modes by their posterior, (count, columns); None for the most
                probable ones.
        """
        means, widths, weights = (part.to(values.device) for part in (self.means, self.widths, self.weights))
        values = values.maximum(self.lowest.to(values)).minimum(self.highest.to(values))
        distance = (values[:, :, None] - means) / widths  # (count, columns, modes)
        posterior = (weights.log() - widths.log() - distance.square() / 2).softmax(2)
        if uniform is None:
            modes = posterior.argmax(2)
        else:
            modes = (posterior.cumsum(2)[:, :, :-1] <= uniform[:, :, None]).sum(2)
            modes = modes.minimum(self.counts.to(modes) - 1)
        alpha = (distance.gather(2, modes[:, :, None])[:, :, 0] / REACH).clamp(-1, 1)
        missing = missing & self.has_missing.to(missing.device)
        return torch.where(missing, 0, alpha).float(), torch.where(missing, self.counts.to(modes), modes)

    def decoded(self, alpha: Tensor, modes: Tensor) -> tuple[Tensor, Tensor]:
        """Return values, rounded and within the range of their column, and which are missing, (count, columns) each."""
        device, missing = alpha.device, modes == self.counts.to(modes)
        place = torch.where(missing, 0, modes).T
        means, deviations = (part.to(device).gather(1, place).T for part in (self.means, self.deviations))
        values = means + REACH * deviations * alpha.double().clamp(-1, 1)
        values = values.maximum(self.lowest.to(device)).minimum(self.highest.to(device))
        for column, decimals in enumerate(self.decimals):
            if decimals is not None:
                values[:, column] = values[:, column].round(decimals=decimals)
        return torch.where(missing, 0.0, values), missing


@final
class Categories:
    """Levels of all columns of categories, those that can be conditions last.

    Attributes:
        sizes: levels of each column, of which a missing cell is the last one.
        choices: number of columns that can be conditions.
        until: frequency of each level of these and of those before it, padded by 2, (choices, levels) float64.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.levels = [CategoryLevels(column) for column in columns]
        self.sizes = [levels.size for levels in self.levels]
        self.has_missing = torch.tensor([levels.has_missing for levels in self.levels], dtype=torch.bool)
        self.last = torch.tensor(self.sizes, dtype=torch.int64) - 1
        self.last_present = self.last - self.has_missing.long()
        self.choices = sum(column.is_choice for column in columns)
        chosen = range(len(columns) - self.choices, len(columns))
        self.until = torch.full((self.choices, max((self.sizes[at] for at in chosen), default=0)), 2.0).double()
        for row, at in zip(self.until, chosen, strict=True):
            row[: self.sizes[at] - 1] = self.levels[at].frequencies(columns[at]).cumsum(0)[:-1]

    def codes(self, values: Tensor, missing: Tensor, last: int | None = None) -> Tensor:
        """Return the numbers of levels, (count, columns) int64; see ``ColumnLevels.codes`` for one column.

        Args:
            values: (count, columns).
            missing: (count, columns) bool.
            last: number of columns, if these are only the last ones.
        """
        these = slice(len(self.sizes) - (len(self.sizes) if last is None else last), None)
        has_missing, end, end_present = (
            part[these].to(values.device) for part in (self.has_missing, self.last, self.last_present)
        )
        present = values.long().clamp(min=0).minimum(end_present)
        return torch.where(missing & has_missing, end, present)

    def decoded(self, codes: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers of categories, float64, and which are missing, (count, columns) each."""
        if not self.levels:
            return codes.double(), codes.bool()
        cells = list(zip(self.levels, codes.unbind(1), places.double().unbind(1), strict=True))
        values = [levels.values(code, place) for levels, code, place in cells]
        return torch.stack(values, 1), torch.stack([levels.absent(code) for levels, code, _ in cells], 1)
