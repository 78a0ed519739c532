"""Columns of series: numbers that change over time become channels, and what does not change becomes attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.ranges import about_range
from sparring.data.columns.reader import MIN_SHARE, Tally
from sparring.data.labels import listed
from sparring.errors import SparringError
from sparring.modalities.series.coding import Channel
from sparring.modalities.series.sequences import AttributeColumn, ChannelColumn, Floats, Integers
from sparring.text import printable

CHOICES = ("continuous", "integer", "attribute", "category", "entity", "time", "drop")
"""Kinds that a user can choose for a column of series; a pattern such as %d.%m.%Y stands for times."""
MAX_CATEGORIES = 1000
"""Categories of an attribute."""
MAX_INTEGER = 1e15
"""Number from which whole ones count as continuous."""
EXAMPLE_LENGTH = 40
MAX_PROBLEMS = 20
"""Columns that a message names."""


@final
@dataclass(frozen=True)
class Cells:
    """Cells of a column as numbers.

    Args:
        values: for each row its number, NaN where it has none.
        form: form of the numbers.
        decimals: digits after the decimal point; None for as many as needed.
        odd: number of cells that are neither missing nor numbers.
        example: one of these.
        endless: number of cells beyond ``numbers.MAX_NUMBER``, which count as missing.
    """

    values: Floats
    form: str
    decimals: int | None
    odd: int = 0
    example: str = ""
    endless: int = 0

    @property
    def is_whole(self) -> bool:
        """True if all numbers are whole and small enough to be exact."""
        present = self.values[~np.isnan(self.values)]
        whole = bool((present == np.floor(present)).all()) and bool((np.abs(present) < MAX_INTEGER).all())
        return whole and self.decimals is not None

    def remarks(self, name: str) -> list[str]:
        """Return sentences about cells that count as missing."""
        told = [f"{cells_count_as(self.odd)} missing, such as {printable(self.example)!r}."] if self.odd else []
        told += [f"{cells_count_as(self.endless)} missing, being infinite or beyond 1e300."] if self.endless else []
        return [f"Column {printable(name)!r}: {one}" for one in told]


def cells_count_as(count: int) -> str:
    """Return the beginning of a sentence about cells that count as something else."""
    return "1 cell counts as" if count == 1 else f"{count:,} cells count as"


def about_ranges(columns: Sequence[ChannelColumn], channels: Sequence[Channel]) -> list[str]:
    """Return a sentence on each column most of whose values are outside the range of its channel.

    Args:
        columns: that were read.
        channels: of the training data, in the same order.
    """
    told = list[str]()
    for column, channel in zip(columns, channels, strict=True):
        ends = np.array([channel.quantiles[0], channel.quantiles[-1]])
        if channel.kind != "gap":
            low, high = numbers.written(ends, numbers.with_decimal_point(channel.form), channel.decimals)
            told += about_range(channel.name, column.values, (ends[0], ends[1]), f"{low} to {high}")
    return told


def number_cells(tally: Tally, *, form: str | None = None, decimal_comma: bool = False) -> Cells:
    """Return the cells of a column as numbers, in a form if it is known and most cells have it."""
    if tally.numbers is not None and not tally.dated:
        values, texts = tally.numbers, tally.texts
        form, odd, example = tally.form, tally.odd.total(), next(iter(tally.odd), "")
    else:
        texts = tally.texts
        counts = tally.counts.tolist()
        parsed = numbers.parsed(texts, form or "")
        if form is None or np.isnan(parsed).any():
            found = numbers.form_of(texts, counts, decimal_comma=decimal_comma)
            other = numbers.parsed(texts, found)
            if form is None or np.isnan(other).sum() < np.isnan(parsed).sum():
                form, parsed = found, other
        wrong = np.flatnonzero(np.isnan(parsed))
        odd, example = int(tally.counts[wrong].sum()), texts[wrong[0]] if len(wrong) else ""
        values = np.append(parsed, np.nan)[tally.codes] if tally.codes is not None else np.full(tally.rows, np.nan)
    endless = np.abs(values) > numbers.MAX_NUMBER
    values = np.where(endless, np.nan, values)
    right = [text for text in texts if numbers.number(text, form) is not None]
    decimals = numbers.enough_decimals(values[~np.isnan(values)], numbers.decimals_in(right, form))
    return Cells(values, form, decimals, odd, example[:EXAMPLE_LENGTH], int(endless.sum()))


@final
@dataclass(frozen=True)
class Layout:
    """Order of the rows of a table.

    Args:
        order: rows by series and time.
        starts: first of these of each series.
        source: name of the table.
    """

    order: Integers
    starts: Integers
    source: str

    @property
    def several(self) -> bool:
        """True if there is more than one series."""
        return len(self.starts) > 1


def columns_of(
    tallies: Mapping[str, Tally], chosen: Mapping[str, str], layout: Layout, *, decimal_comma: bool
) -> tuple[list[ChannelColumn], list[AttributeColumn], list[str]]:
    """Return channels, attributes, and remarks on cells that count as missing and on columns that are left out.

    Args:
        tallies: column → its cells.
        chosen: column → kind that the user chose.
        layout: order of the rows.
        decimal_comma: whether the file suggests that a comma is a decimal one.

    Raises:
        SparringError: a column can be neither, or is not of its chosen kind.
    """
    channels, attributes, remarks = list[ChannelColumn](), list[AttributeColumn](), list[str]()
    unusable = list[SparringError]()
    for name, tally in tallies.items():
        kind = chosen.get(name, "")
        if not tally.present and not tally.endless:
            remarks.append(f"Left out the column {printable(name)!r}, which has no values.")
            continue
        cells = number_cells(tally, decimal_comma=decimal_comma)
        if kind in ("continuous", "integer"):
            channels.append(_channel(tally, cells, kind, layout, remarks))
            continue
        is_numeric = kind != "category" and not cells.odd
        if is_numeric and np.isnan(cells.values).all():
            remarks += [*cells.remarks(name), f"Left out the column {printable(name)!r}, which has no finite numbers."]
        elif kind in ("attribute", "category") or _is_fixed(tally, cells, layout, is_numeric=is_numeric):
            attributes.append(_attribute(tally, cells, kind, layout, is_numeric=is_numeric))
            remarks += cells.remarks(name) if is_numeric else []
        elif is_numeric:
            channels.append(_channel(tally, cells, "", layout, remarks))
        else:
            unusable.append(_changing_text(tally, cells, layout))
    if unusable:
        raise _together(unusable)
    return channels, attributes, remarks


def _channel(tally: Tally, cells: Cells, chosen: str, layout: Layout, remarks: list[str]) -> ChannelColumn:
    """Return a column as a channel, and add remarks on its cells.

    Raises:
        SparringError: no cell is a number, although the user said so.
    """
    if np.isnan(cells.values).all():
        raise SparringError(
            found=f"no number in the column {tally.name!r} of {layout.source}",
            expected=f"numbers, since {option('columns')} says {chosen}",
            remedy=f"choose another kind for it, or {option('columns', f'{tally.name}=drop')}",
        )
    remarks += cells.remarks(tally.name)
    values, decimals, whole = cells.values[layout.order], cells.decimals, cells.is_whole
    if chosen == "integer" and not whole:
        remarks.append(f"Column {printable(tally.name)!r}: its numbers are rounded to whole ones.")
        values, decimals = np.rint(values), 0
    reason = "as given" if chosen else "all numbers are whole" if whole else "numbers that change over time"
    is_integer = chosen == "integer" or (whole and chosen != "continuous")
    kind = "integer" if is_integer else "continuous"
    return ChannelColumn(tally.name, kind, values, decimals, cells.form, tally.blank, reason)  # type: ignore[arg-type]


def _codes(tally: Tally, layout: Layout) -> Floats:
    """Return the number of the text of each row, in order; NaN where it is missing."""
    assert tally.codes is not None
    codes = tally.codes[layout.order].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _is_fixed(tally: Tally, cells: Cells, layout: Layout, *, is_numeric: bool) -> bool:
    """Return whether a column does not change within any series.

    Numbers of the only series change, and so do numbers that are missing in a part of a series.
    """
    if is_numeric and not layout.several:
        return False
    if tally.codes is None and not is_numeric:
        return False
    values = cells.values[layout.order] if is_numeric else _codes(tally, layout)
    absent = np.isnan(values)
    partly = np.logical_or.reduceat(absent, layout.starts) & ~np.logical_and.reduceat(absent, layout.starts)
    return not _changes(values, layout.starts).any() and not (is_numeric and partly.any())


def _changes(values: Floats, starts: Integers) -> Integers:
    """Return which series have several values."""
    low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    return np.asarray(low < high)


def _attribute(tally: Tally, cells: Cells, chosen: str, layout: Layout, *, is_numeric: bool) -> AttributeColumn:
    """Return a column as an attribute.

    Raises:
        SparringError: it changes within a series, or has too many categories.
    """
    if not is_numeric and tally.codes is None:
        raise _too_many(tally, layout)
    values = cells.values[layout.order] if is_numeric else _codes(tally, layout)
    changes = np.flatnonzero(_changes(values, layout.starts))
    if len(changes):
        raise SparringError(
            found=f"a column {tally.name!r} that changes within {len(changes):,} series of {layout.source}",
            expected=f"one value in each series, since {option('columns')} says {chosen}",
            remedy=f"choose another kind for it, or {option('columns', f'{tally.name}=drop')}",
        )
    fixed = np.fmax.reduceat(values, layout.starts)
    reason = "as given" if chosen else "it does not change within a series"
    if is_numeric:
        decimals = numbers.enough_decimals(fixed[~np.isnan(fixed)], cells.decimals)
        return AttributeColumn(tally.name, fixed, (), decimals, cells.form, tally.blank, reason)

    # Categories: the most frequent first, then by their text.
    present = fixed[~np.isnan(fixed)].astype(np.int64)
    counts = np.bincount(present, minlength=len(tally.texts)).tolist()
    order = sorted(range(len(counts)), key=lambda place: (-counts[place], tally.texts[place]))
    if len(order) > MAX_CATEGORIES:
        raise _too_many(tally, layout)
    ranks = np.empty(len(order) + 1)
    ranks[order], ranks[-1] = np.arange(len(order)), np.nan
    places = np.where(np.isnan(fixed), len(order), fixed).astype(np.int64)
    categories = tuple(tally.texts[place] for place in order)
    return AttributeColumn(tally.name, ranks[places], categories, blank=tally.blank, reason=reason)


def _too_many(tally: Tally, layout: Layout) -> SparringError:
    return SparringError(
        found=f"more than {MAX_CATEGORIES:,} different texts in the column {tally.name!r} of {layout.source}",
        expected=f"at most {MAX_CATEGORIES:,} categories",
        remedy=f"leave it out by {option('columns', f'{tally.name}=drop')}",
    )


def _changing_text(tally: Tally, cells: Cells, layout: Layout) -> SparringError:
    """Return the error for a column of text that changes over time."""
    name, example = tally.name, printable((cells.example or next(iter(tally.texts), ""))[:EXAMPLE_LENGTH])
    share = 1 - cells.odd / max(1, tally.present)
    found = f"text such as {example!r} in the column {name!r} of {layout.source}, which changes over time"
    if share >= MIN_SHARE:
        choice = f"correct the cells, or give {option('columns', f'{name}=continuous')}, where they count as missing"
    elif dates.form_of(tally.texts, tally.counts.tolist()).share >= MIN_SHARE:
        choice = (
            f"give {option('columns', f'{name}=time')} if it is the time of the rows, or {name}=drop to leave it out"
        )
    else:
        choice = f"give {option('columns', f'{name}=entity')} if it names the series, or {name}=drop to leave it out"
    return SparringError(found=found, expected="numbers, or one value in each series", remedy=f"{choice}")


def _together(errors: Sequence[SparringError]) -> SparringError:
    """Return the errors for several columns as one."""
    return SparringError(
        found="; ".join(one.found for one in errors[:MAX_PROBLEMS]),
        expected=errors[0].expected,
        remedy="; ".join(one.remedy for one in errors[:MAX_PROBLEMS]),
    )


def require_choices(chosen: Mapping[str, str], names: Sequence[str], source: str) -> None:
    """Refuse choices of columns that there are not, of kinds that there are not, or of two entities or times.

    Raises:
        SparringError: there is one.
    """
    for name, kind in chosen.items():
        if name not in names:
            raise SparringError(
                found=f"no column {name!r} in {source}",
                expected=f"one of {', '.join(names[:20])}{', …' if len(names) > 20 else ''}",
                remedy=f"check the name in {option('columns')}",
            )
        if kind not in CHOICES and not dates.is_form(kind):
            raise SparringError(
                found=f"the kind {kind!r} of the column {name!r}",
                expected=f"for series one of {', '.join(CHOICES)}, or a pattern of dates such as %d.%m.%Y",
                remedy=f"check {option('columns')}",
            )
    for role in ("entity", "time"):
        several = [name for name, kind in chosen.items() if kind == role or (role == "time" and "%" in kind)]
        if len(several) > 1:
            raise SparringError(
                found=f"several columns of the kind {role}: {listed(several)}",
                expected="at most one",
                remedy=f"leave all but one out, as by {option('columns', 'NAME=drop')}",
            )
