"""Cells of tables as text, some rows at a time: the form in which every reader of tables returns them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from sparring.text import printable

Chunk: TypeAlias = Sequence[Sequence[str]]
"""Some rows of a table: for each column its cells, in the order of the rows."""

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")
"""Cells that stand for a missing value, in lower case."""
INDEX_NAMES = ("", "Unnamed: 0")
"""Headings that pandas gives the column of an index."""
CELLS_AT_ONCE, MAX_ROWS_AT_ONCE = 2**19, 2**16
"""Cells and rows of a chunk."""
MAX_COLUMNS = 20_000
MAX_CELLS = 100_000_000
"""Cells of a table: each takes 8 bytes while it is trained on."""


@final
@dataclass
class Cells:
    """A table that is being read.

    Args:
        names: of the columns, each once and none empty.
        chunks: the rows, in order; can be iterated once.
        remarks: full sentences about what was repaired; complete at the end of ``chunks``.
        index: whether the first column has no name, as an index that pandas writes.
        decimal_comma: whether the file suggests that a comma is a decimal one.
        empty: rows that were left out since they have no value; complete at the end of ``chunks``.
    """

    names: tuple[str, ...]
    chunks: Iterator[Chunk]
    remarks: list[str] = field(default_factory=list)
    index: bool = False
    decimal_comma: bool = False
    empty: int = 0


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value; spaces around it do not count."""
    return len(cell) < 16 and cell.strip().lower() in MISSING


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return printable names of columns, each once and none empty, and remarks on those that were changed.

    A second ``a`` becomes ``a.2``; a column without a name gets its number.
    """
    plain = [printable(name.strip()) for name in names]
    plain = [name if name not in INDEX_NAMES else f"column {at}" for at, name in enumerate(plain, 1)]
    taken, repeated = set(plain), dict[str, int]()
    found, renamed = list[str](), list[str]()
    for name in plain:
        if name in repeated:
            number = repeated[name] + 1
            while f"{name}.{number}" in taken:
                number += 1
            repeated[name] = number
            renamed.append(f"{name}.{number}")
            taken.add(renamed[-1])
            found.append(renamed[-1])
        else:
            repeated[name] = 1
            found.append(name)
    if not renamed:
        return tuple(found), []
    shown = ", ".join(renamed[:5]) + (f" and {len(renamed) - 5} more" if len(renamed) > 5 else "")
    return tuple(found), [f"Several columns have the same name: the later ones are called {shown}."]


def rows_at_once(columns: int) -> int:
    """Return how many rows of a table a chunk has."""
    return max(1, min(MAX_ROWS_AT_ONCE, CELLS_AT_ONCE // max(1, columns)))
