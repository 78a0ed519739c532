"""Cells of a column while a table is read: numbers of distinct texts, or numbers and dates where these are too many."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.dates import Dates
from sparring.data.readers.cells import MAX_CELLS, Cells, is_missing
from sparring.errors import SparringError, reading_file
from sparring.text import number_of

MAX_TEXTS = 20_000
"""Distinct cells above which a column of numbers or dates is kept as numbers."""
MAX_CHARACTERS = 2**28
"""Characters of distinct cells above which a column is taken for free text, unread from there on."""
MIN_SHARE = 0.9
"""Share of cells from which a column is one of numbers, or of dates."""
PART = 4096
"""Cells in which one that is no number is looked for."""

Parse: TypeAlias = Callable[[Sequence[str]], NDArray[np.float64]]
"""Cells without spaces around them → numbers, NaN where a cell is none."""


@final
@dataclass(frozen=True)
class Tally:
    """All cells of a column.

    Args:
        name: of the column.
        rows: number of cells.
        blanks: missing cells as they were written, with their counts.
        texts: distinct cells that are not missing, without spaces around them; a sample where ``numbers`` is given.
        counts: how often each occurs.
        codes: for each row the place of its text, -1 where it is missing; None where ``numbers`` is given.
        numbers: for each row its number, or its date in seconds since 1970; NaN where it is missing or neither.
        form: pattern of these numbers or dates.
        dated: what is known of the dates, or None.
        odd: cells that are neither missing nor such a number, with their counts; empty where ``codes`` is given.
        endless: whether there was more text than is kept.
    """

    name: str
    rows: int
    blanks: Counter[str]
    texts: list[str]
    counts: NDArray[np.int64]
    codes: NDArray[np.int32] | None = None
    numbers: NDArray[np.float64] | None = None
    form: str = ""
    dated: Dates | None = None
    odd: Counter[str] = field(default_factory=Counter)
    endless: bool = False

    @property
    def present(self) -> int:
        """Number of cells that are not missing."""
        return self.rows - self.blanks.total()

    @property
    def blank(self) -> str:
        """The most frequent text of missing cells."""
        return self.blanks.most_common(1)[0][0] if self.blanks else ""


@final
class ColumnReader:
    """Takes the cells of a column, some at a time.

    Args:
        name: of the column.
        as_text: whether its cells are never numbers or dates.
        expected: "number" or "date" where the kind of its cells is known, else "".
        form: form that is expected of them; others are looked for only where few cells have it.
        decimal_comma: whether the file suggests that a comma is a decimal one.
    """

    def __init__(
        self,
        name: str,
        *,
        as_text: bool = False,
        expected: str = "",
        form: str = "",
        decimal_comma: bool = False,
    ) -> None:
        self.name, self.expected, self.form, self.decimal_comma = name, expected, form, decimal_comma
        self.rows, self._settled, self._endless = 0, as_text, False
        self._texts, self._codes = _Places(), array("i")
        self._parse: Parse | None = None
        self._numbers = array("d")
        self._blanks, self._odd = Counter[str](), Counter[str]()
        self._dates: Dates | None = None
        self._sample: list[str] = []

    def add(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        self.rows += len(cells)
        if self._endless:
            return
        if self._parse is not None:
            self._numbers.frombytes(self._parsed(cells).tobytes())
            return
        self._codes.extend(map(self._texts.__getitem__, cells))
        if len(self._texts) > MAX_TEXTS:
            if not self._settled:
                self._settle()
            elif len(self._texts) * self._length > MAX_CHARACTERS:
                self._sample = list(islice(self._texts, MAX_TEXTS))
                self._texts, self._codes, self._endless = _Places(), array("i"), True

    def tally(self) -> Tally:
        """Return all cells; nothing can be added any more."""
        if self._endless:
            texts = sorted({text.strip() for text in self._sample})
            counts = np.ones(len(texts), dtype=np.int64)
            return Tally(self.name, self.rows, Counter(), texts, counts, endless=True)
        if self._parse is not None:
            return Tally(
                self.name,
                self.rows,
                self._blanks,
                self._sample,
                np.ones(len(self._sample), dtype=np.int64),
                numbers=np.frombuffer(self._numbers, dtype=np.float64),
                form=self.form,
                dated=self._dates,
                odd=self._odd,
            )
        codes = np.frombuffer(self._codes, dtype=np.int32) if self._codes else np.zeros(0, dtype=np.int32)
        every = np.bincount(codes, minlength=len(self._texts))
        blanks, places, where = Counter[str](), _Places(), list[int]()
        for text, count in zip(self._texts, every.tolist(), strict=True):
            plain = text.strip()
            if is_missing(plain):
                blanks[plain] += count
                where.append(-1)
            else:
                where.append(places[plain])
        found = np.array(where, dtype=np.int32)[codes] if where else codes
        texts = list(places)
        counts = np.bincount(found[found >= 0], minlength=len(texts))
        return Tally(self.name, self.rows, blanks, texts, counts, found, form=self.form)

    def _settle(self) -> None:
        """Keep numbers from here on if most cells are numbers or dates; else keep on numbering distinct texts."""
        self._settled = True
        self._length = sum(map(len, islice(self._texts, MAX_TEXTS))) / MAX_TEXTS
        self._sample = [plain for text in self._texts if not is_missing(plain := text.strip())]
        self._parse = self._expected_parser() or self._found_parser()
        if self._parse is not None:
            # The cells so far are numbered: their numbers take the places of these.
            codes = np.frombuffer(self._codes, dtype=np.int32)
            every = self._parsed(list(self._texts), np.bincount(codes))
            self._numbers.frombytes(every[codes].tobytes())
            self._texts, self._codes = _Places(), array("i")

    def _expected_parser(self) -> Parse | None:
        """Return the conversion that is expected, if most cells have its form."""
        if not self.expected:
            return None
        convert, form = numbers.parsed if self.expected == "number" else dates.parsed, self.form
        if np.isnan(convert(self._sample, form)).mean() > 1 - MIN_SHARE:
            return None
        self._dates = Dates(form, share=1.0) if self.expected == "date" else None
        return lambda cells: convert(cells, form)

    def _found_parser(self) -> Parse | None:
        """Return the conversion of numbers or of dates, if most cells are some."""
        ones = [1] * len(self._sample)
        form = numbers.form_of(self._sample, ones, decimal_comma=self.decimal_comma)
        if np.isnan(numbers.parsed(self._sample, form)).mean() <= 1 - MIN_SHARE:
            if any(map(numbers.LEADING_ZERO.fullmatch, self._sample)):
                return None
            self.form = form
            return lambda cells: numbers.parsed(cells, form)
        found = dates.form_of(self._sample, ones)
        if found.share < MIN_SHARE or found.others:
            return None
        self.form, self._dates = found.form, found
        return lambda cells: dates.parsed(cells, found.form)

    def _parsed(self, cells: Sequence[str], counts: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Return the numbers of cells, and count those that are missing or no numbers."""
        assert self._parse is not None
        if self._dates is None and self.form == numbers.PLAIN and counts is None:
            try:
                values = np.array(array("d", map(float, cells)))
                # Python takes these for numbers, too.
                if not np.isnan(values).any() and "_" not in "".join(cells):
                    return values
            except ValueError:
                pass
        where = list[int]()
        plain = [cell.strip() for cell in cells]
        values = np.full(len(cells), math.nan)
        for at, cell in enumerate(plain):
            if is_missing(cell):
                self._blanks[cell] += 1 if counts is None else int(counts[at])
            else:
                where.append(at)
        values[where] = self._parse([plain[at] for at in where])
        for at in np.flatnonzero(np.isnan(values[where])).tolist():
            row = where[at]
            self._odd[plain[row][:80]] += 1 if counts is None else int(counts[row])
        return values


def filled(source: str, cells: Cells, readers: Mapping[str, ColumnReader]) -> int:
    """Pass the rows of a table to the readers of its columns, by name, and return how many there are.

    Raises:
        SparringError: there are none, or too many, or the file is damaged.
    """
    places = [(at, readers[name]) for at, name in enumerate(cells.names) if name in readers]
    count = 0
    with reading_file(source, "a table"):
        for chunk in cells.chunks:
            count += len(chunk[0]) if chunk else 0
            if count * len(places) > MAX_CELLS:
                raise SparringError(
                    found=f"over {MAX_CELLS:,} cells in {source}",
                    expected="fewer, so that they fit into memory",
                    remedy=f"give a part of the rows, or leave columns out by {option('columns', 'NAME=drop')}",
                )
            for at, reader in places:
                reader.add(chunk[at])
    if not count:
        empty = f"a table of {number_of(cells.empty, 'row')}, none of which has a value," if cells.empty else ""
        raise SparringError(
            found=f"{empty or 'a table without rows'} in {source}",
            expected="rows of values below the heading",
            remedy="check the file",
        )
    return count


class _Places(dict[str, int]):
    """Text → its number, in the order in which texts were first asked for."""

    def __missing__(self, text: str) -> int:
        self[text] = place = len(self)
        return place
