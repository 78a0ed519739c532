"""Headings of tables: whether the first row names the columns, and what else stands above the rows."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, final

from sparring.arguments import is_number
from sparring.data.readers.cells import INDEX_NAMES, is_missing, unique_names
from sparring.text import printable

LIKE_A_VALUE = re.compile(r"[-+]?[0-9][0-9.,'/:\-\s]*([TZ][0-9.:\-+Z]*)?%?")
"""Numbers in any notation, and dates."""
MOSTLY = 0.5
"""Share of the cells of a column from which it counts as one of values."""


@final
class Heading(NamedTuple):
    """Heading of a table.

    Args:
        names: of the columns, each once and none empty.
        rows: rows above the first one of values.
        unnamed_first: whether the first column has no name, as an index that pandas writes.
        remarks: full sentences about what was assumed.
    """

    names: tuple[str, ...]
    rows: int
    unnamed_first: bool = False
    remarks: tuple[str, ...] = ()


def heading_of(rows: Sequence[Sequence[str]], known: Sequence[str] = ()) -> Heading:
    """Find the heading of a table.

    Args:
        rows: the first rows.
        known: names of columns that are expected; empty if any can be.
    """
    first = [cell.strip() for cell in rows[0]]
    if _is_title(rows) and not (known and set(known) <= set(unique_names(first)[0])):
        heading, title = heading_of(rows[1:], known), f"Left out the first row, {_quoted(list(filter(None, first)))}"
        return heading._replace(rows=heading.rows + 1, remarks=(f"{title}, which is a title.", *heading.remarks))
    below = [row for row in rows[1:] if len(row) >= len(first)]
    columns = [[row[at].strip() for row in below] for at in range(len(first))]
    # Row names, as R writes them, have no heading.
    if below and all(len(row) == len(first) + 1 and row[-1].strip() for row in below) and any(map(_is_word, first)):
        names, remarks = unique_names(["", *first])
        return Heading(names, 1, True, tuple(remarks))
    names, remarks = unique_names(first)
    index = first[0] in INDEX_NAMES and len(first) > 1
    if known and set(known) <= set(names):
        return Heading(names, 1, index, tuple(remarks))
    why = _is_heading(first, columns)
    if why is None:
        quoted = _quoted(first)
        return Heading(
            tuple(f"column {at}" for at in range(1, len(first) + 1)),
            0,
            remarks=(f"The first row, {quoted}, is read as values, so the columns have numbers for names.",),
        )
    remarks += [why] if why else []
    if len(rows) > 3 and _is_second_heading(rows[1], rows[2:]):
        remarks.append(f"Left out the second row, {_quoted(rows[1])}, which is another heading.")
        return Heading(names, 2, index, tuple(remarks))
    return Heading(names, 1, index, tuple(remarks))


def _is_title(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has one cell alone, and the second one a word over every column, some of values."""
    if len(rows) < 3 or len(rows[1]) < 2 or sum(bool(cell.strip()) for cell in rows[0]) != 1:
        return False
    columns = zip(*(row for row in rows[2:] if len(row) == len(rows[1])), strict=True)
    below = [[cell.strip() for cell in column] for column in columns]
    return all(_is_word(cell.strip()) for cell in rows[1]) and any(_share_of_values(one) > MOSTLY for one in below)


def _is_heading(first: Sequence[str], columns: Sequence[Sequence[str]]) -> str | None:
    """Return None if the first row holds values, else a remark, which is empty where the case is clear."""
    words = [_is_word(cell) for cell in first]
    numbers = [cell for cell in first if not is_missing(cell) and not _is_word(cell)]
    over_values = [
        word and _share_of_values(column) > MOSTLY for word, column in zip(words, columns, strict=True) if column
    ]
    told = f"Took the first row, {_quoted(first)}, for names of columns, although it has numbers."
    if any(over_values):
        return told if numbers else ""
    if first[0] == "" and len(first) > 1 and _is_counted(first[1:]):
        return ""
    if not numbers:
        # Words over words: the first row is one of values if these words recur below it.
        recurring = sum(cell in column for cell, column in zip(first, columns, strict=True))
        return None if not any(words) or recurring * 2 > len(first) else ""
    below = [column for cell, column in zip(first, columns, strict=True) if cell in numbers]
    if len(numbers) > 1 and _is_sequence(numbers) and any(words):
        return told
    if len(numbers) > 1 and _is_counted(numbers) and any(any("." in cell for cell in column) for column in below):
        return told
    return None


def _is_second_heading(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row has words, such as units, above values, and no values itself."""
    over = list[str]()
    for at, cell in enumerate(row):
        column = [other[at].strip() for other in below if len(other) > at]
        if _share_of_values(column) > 0.9 and sum(not is_missing(one) for one in column) > 1:
            over.append(cell.strip())
    return bool(over) and all(_is_word(cell) or is_missing(cell) for cell in over) and any(map(_is_word, over))


def _share_of_values(column: Sequence[str]) -> float:
    present = [cell for cell in column if not is_missing(cell)]
    return sum(not _is_word(cell) for cell in present) / max(1, len(present))


def _is_word(cell: str) -> bool:
    return not is_missing(cell) and not is_number(cell) and not LIKE_A_VALUE.fullmatch(cell)


def _is_counted(cells: Sequence[str]) -> bool:
    """Return whether the cells are 0, 1, 2, …"""
    return all(cell == str(at) for at, cell in enumerate(cells))


def _is_sequence(cells: Sequence[str]) -> bool:
    """Return whether the cells are whole numbers with equal steps, such as years."""
    if not all(cell.isascii() and cell.isdigit() and len(cell) < 10 for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}


def _quoted(cells: Sequence[str]) -> str:
    text = printable(",".join(cells))
    return f"'{text if len(text) <= 80 else text[:80] + '…'}'"
