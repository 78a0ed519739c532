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
