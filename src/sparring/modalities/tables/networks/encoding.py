"""The encoding of rows as networks need it: the levels of each column, and vectors of them."""

import math
from collections.abc import Sequence
from typing import Any, Protocol, final

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

WAVES = 8
"""Waves over the levels of an ordered column."""
MIN_ORDERED = 5
"""Levels below which nothing is gained by their order."""


class Encoding(Protocol):
    """Maps cells, which have ``values`` and ``missing``, to levels; see ``modalities.tables.levels.Levels``."""

    @property
    def sizes(self) -> Sequence[int]:
        """Number of levels of each column."""
        ...

    @property
    def width(self) -> int:
        """Number of levels of all columns together."""
        ...

    @property
    def ordered(self) -> Sequence[int]:
        """Number of levels of each column that have an order, which come first; 0 where there are none."""
        ...

    @property
    def missing(self) -> Sequence[float]:
        """Share of the missing cells of each column, whose level is the last one; 0 where there are none."""
        ...

    def normalize(self, sample: Any) -> Tensor:
        """Return one-hot vectors of all columns, and the position of each cell, (count, width + columns)."""
        ...

    def codes(self, sample: Any) -> Tensor:
        """Return the number of each cell's level, (count, columns) int64."""
        ...

    def has_level(self, sample: Any) -> Tensor:
        """Return which cells have a level, (count, columns) bool."""
        ...

    def sparsity(self, sample: Any) -> Tensor:
        """Return the surprise of values among those of their level, (count, columns), not negative."""
        ...

    def rows(self, codes: Tensor, positions: Tensor, condition: Any = None) -> Any:
        """Return the rows of levels and positions inside them, with the known cells of a condition as they are."""
        ...


class KnownCells(Protocol):
    """Cells of which some are known."""

    @property
    def known(self) -> Tensor:
        """Return which cells are known, (count, columns) bool."""
        ...


@final
class Waves(nn.Module):
    """Smooth functions of ordered levels, by which neighbours share what is learned of them.

    They are √2 cos(π k r) / k for k from 1 to 8, where r in (0, 1) is the place of a level in its column. What a
    weight of each level alone learns from its own rows, weights of waves learn from all: on 398 rows of ten
    measurements a completer is better than independent columns with them, and worse without.

    Each column has waves of its own: a matrix of all levels and all waves would be zero nearly everywhere, and grow
    with the square of the columns.

    Attributes:
        count: number of waves, of all ordered columns together.
    """

    cosines: Tensor
    places: Tensor

    def __init__(self, encoding: Encoding) -> None:
        super().__init__()
        columns = [count if count >= MIN_ORDERED else 0 for count in encoding.ordered]
        ordered = [count for count in columns if count]
        self.count, most, frequency = WAVES * len(ordered), max(ordered, default=0), torch.arange(1, WAVES + 1)
        cosines, places = torch.zeros(len(ordered), most, WAVES), list[Tensor]()
        # Levels without waves have the place after all others, whose product is 0.
        number = 0
        for size, count in zip(encoding.sizes, columns, strict=True):
            if count:
                place = (torch.arange(count) + 0.5) / count
                cosines[number, :count] = math.sqrt(2) * torch.cos(math.pi * frequency * place[:, None]) / frequency
                places.append(number * most + torch.arange(count))
                number += 1
            places.append(torch.full((size - count,), len(ordered) * most))
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("places", torch.cat(places), persistent=False)

    @property
    def has_waves(self) -> Tensor:
        """Return which levels have any, (width,) bool."""
        columns, most, _ = self.cosines.shape
        return self.places < columns * most

    def forward(self, weights: Tensor) -> Tensor:
        """Return the sum of the waves of each level, (width, units), for weights of the waves, (count, units)."""
        sums = torch.bmm(self.cosines, weights.view(len(self.cosines), WAVES, weights.shape[1]))
        return pad(sums.flatten(0, 1), (0, 0, 0, 1)).index_select(0, self.places)


class VectorEncoding(Protocol):
    """Maps conditions to vectors, for networks of rows as vectors; see ``modalities.tables.mode_vectors.ModeVectors``.

    A row is a vector of ``scalars`` numbers in [-1, 1], one-hot vectors of ``width`` numbers, and ``places`` numbers in
    [0, 1] that are independent of everything.
    """

    @property
    def scalars(self) -> int:
        """Number of columns of numbers."""
        ...

    @property
    def sizes(self) -> Sequence[int]:
        """Length of each one-hot vector."""
        ...

    @property
    def width(self) -> int:
        """Length of all one-hot vectors together."""
        ...

    @property
    def places(self) -> int:
        """Number of columns of categories."""
        ...

    @property
    def condition_width(self) -> int:
        """Length of conditions; 0 where there are none."""
        ...

    def conditions(self, condition: Any, like: Tensor) -> Tensor:
        """Return known categories as one-hot vectors, 0 where none is known, (count, condition_width)."""
        ...

    def drawn_conditions(self, uniform: Tensor) -> Tensor:
        """Return a drawn category for each row of numbers in [0, 1), (count, 2): (count, condition_width)."""
        ...
