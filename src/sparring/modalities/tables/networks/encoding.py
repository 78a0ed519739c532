"""The encoding of rows as networks need it: the levels of each column, and vectors of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor


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

    def normalize(self, sample: Any) -> Tensor:
        """Return one-hot vectors of all columns, and the position of each cell, (count, width + columns)."""
        ...

    def codes(self, sample: Any) -> Tensor:
        """Return the number of each cell's level, (count, columns) int64."""
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
