"""Series as they are read: one after the other, in the order of time, before they are cut to one length."""

from dataclasses import dataclass, field
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.series.coding import ChannelKind

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


@final
@dataclass(frozen=True)
class ChannelColumn:
    """A column of numbers that change over time.

    Args:
        name: its heading.
        kind: its kind.
        values: for each row its number, NaN where it is missing.
        decimals: digits after the decimal point; None for as many as needed.
        form: form of the numbers, see ``data.columns.numbers.FORMS``.
        blank: text of a missing value.
        reason: reason for the kind in a few words.
    """

    name: str
    kind: ChannelKind
    values: Floats
    decimals: int | None = None
    form: str = ""
    blank: str = ""
    reason: str = ""


@final
@dataclass(frozen=True)
class AttributeColumn:
    """A column that does not change within a series.

    Args:
        name: its heading.
        values: for each series its number, or the number of its category; NaN where it is missing.
        categories: text of each category, the most frequent first; none for numbers.
        decimals: as for ``ChannelColumn``.
        form: likewise.
        blank: likewise.
        reason: likewise.
    """

    name: str
    values: Floats
    categories: tuple[str, ...] = ()
    decimals: int | None = None
    form: str = ""
    blank: str = ""
    reason: str = ""


@final
@dataclass(frozen=True)
class Clock:
    """Times of rows.

    Args:
        name: heading of their column; "" where there is none.
        form: pattern of dates; "" for numbers.
        values: for each row its time, a number or seconds since 1970; None where there is none.
        step: time between steps; 0 where steps are not equally far apart.
    """

    name: str = ""
    form: str = ""
    values: Floats | None = None
    step: float = 1.0


@final
@dataclass(frozen=True)
class Sequences:
    """Series of any lengths.

    Args:
        names: of the series.
        starts: first row of each, (series,); the rows of a series follow one another.
        rows: number of all rows.
        channels: columns that change; the one of the kind "gap" comes last.
        attributes: columns that do not.
        clock: times of the rows.
        entity: heading of the column that names the series; "" where none does.
        remarks: full sentences about what was changed or left out.
    """

    names: tuple[str, ...]
    starts: Integers
    rows: int
    channels: tuple[ChannelColumn, ...]
    attributes: tuple[AttributeColumn, ...] = ()
    clock: Clock = field(default_factory=Clock)
    entity: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def lengths(self) -> Integers:
        """Number of rows of each series."""
        return np.diff(np.append(self.starts, self.rows))
