"""Numbers as text: thousands separators, decimal commas, and the digits that a column has."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLAIN = ""
"""Form of numbers with a decimal point, such as -1234.5 and 1e6."""
FORMS: dict[str, re.Pattern[str]] = {
    ",": re.compile(r"[-+]?[0-9]+(,[0-9]+)?(e[-+]?[0-9]+)?", re.IGNORECASE),
    ",.": re.compile(r"[-+]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3})(\.[0-9]+)?"),
    ".,": re.compile(r"[-+]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]{1,3})(,[0-9]+)?"),
    " ,": re.compile(r"[-+]?([0-9]{1,3}([   ][0-9]{3})+|[0-9]{1,3})(,[0-9]+)?"),
    " .": re.compile(r"[-+]?([0-9]{1,3}([   ][0-9]{3})+|[0-9]{1,3})(\.[0-9]+)?"),
    "'.": re.compile(r"[-+]?([0-9]{1,3}(['’][0-9]{3})+|[0-9]{1,3})(\.[0-9]+)?"),
}
"""Thousands separator, if there is one, and decimal mark → what a number looks like."""
UNITS = "kg|mg|g|t|km|cm|mm|m|ml|l|ms|s|min|h|kW|kWh|EUR|USD|GBP|CHF|JPY|CNY|GB|MB|kB"
WITH_UNIT = re.compile(
    r"(?P<before>[$€£¥₹₩₽₺]\s?|[A-Z]{3}\s)?(?P<number>[-+]?[0-9](?:[0-9.,'’   ]*[0-9])?(?:e[-+]?[0-9]+)?)"
    rf"(?P<after>\s?[$€£¥₹₩₽₺%‰°]|\s?°[CF]|(?:{UNITS})|\s[A-Za-zµ²³/]{{1,6}})?"
)
"""A number with a currency before it, or with a currency, a per cent sign or a short unit after it."""
MIN_UNIT_SHARE = 0.9
"""Share of cells with the same unit from which it belongs to the form of the column."""
SPACES, QUOTES = str.maketrans("", "", "   "), str.maketrans("", "", "'’")
AMBIGUOUS = re.compile(r"[-+]?[0-9]{1,3},[0-9]{3}")
"""Numbers whose comma may separate thousands or decimals."""
LEADING_ZERO = re.compile(r"0[0-9]+")
MAX_NUMBER = 1e300
"""Numbers beyond it count as infinite: differences of two would be."""
MAX_DECIMALS = 15
EXACT = 2.0**53
"""Number from which float64 rounds whole ones."""


def form_of(texts: Sequence[str], counts: Sequence[int], *, decimal_comma: bool = False) -> str:
    """Return the form in which most cells are numbers; see ``unit_of`` about units.

    Args:
        texts: distinct cells.
        counts: how often each occurs.
        decimal_comma: whether the file suggests that a comma is a decimal one.
    """
    plain = sum(count for text, count in zip(texts, counts, strict=True) if number(text) is not None)
    if plain == sum(counts):
        return PLAIN
    found = {PLAIN: plain}
    for form, pattern in FORMS.items():
        found[form] = sum(count for text, count in zip(texts, counts, strict=True) if pattern.fullmatch(text))
    if not any(found.values()) and (unit := _usual_unit(texts, counts)):
        before, after = unit
        bare = [text.removeprefix(before).removesuffix(after) for text in texts]
        return f"{before}{{{form_of(bare, counts, decimal_comma=decimal_comma)}}}{after}"
    if found[","] == found[",."] > plain and not decimal_comma:
        return ",."
    return max(found, key=lambda form: (found[form], form == PLAIN))


def _usual_unit(texts: Sequence[str], counts: Sequence[int]) -> tuple[str, str] | None:
    """Return what stands before and after the numbers of nearly all cells, if it is a unit."""
    units = Counter[tuple[str, str]]()
    for text, count in zip(texts, counts, strict=True):
        match = WITH_UNIT.fullmatch(text)
        # Leading zeros are those of keys, such as 0012 A.
        if match and not LEADING_ZERO.fullmatch(match["number"]):
            units[match["before"] or "", match["after"] or ""] += count
    unit, share = next(iter(units.most_common(1)), (("", ""), 0))
    return unit if any(unit) and share >= MIN_UNIT_SHARE * sum(counts) else None


@lru_cache(256)
def unit_of(form: str) -> tuple[str, str, str]:
    """Return what a form has before the numbers, the form of these, and what it has after them.

    A form with a unit has braces around that of the numbers, such as ``{,} €`` and ``${,.}``.
    """
    match = re.fullmatch(r"([^{}]*)\{([^{}]*)\}([^{}]*)", form)
    return (match[1], match[2], match[3]) if match else ("", form, "")


def has_decimal_comma(form: str) -> bool:
    """Return whether numbers of a form, with a unit or without, have a comma before their decimals.

    >>> has_decimal_comma("{,} €"), has_decimal_comma("{,.} kg")
    (True, False)
    """
    return unit_of(form)[1].endswith(",")


def with_decimal_point(form: str) -> str:
    """Return the form in which numbers stand in a sentence: with a decimal point, and with the unit of the column.

    >>> with_decimal_point("{.,} €"), with_decimal_point(",."), with_decimal_point(",")
    ('{} €', ',.', '')
    """
    before, _, after = unit_of(form)
    if not has_decimal_comma(form):
        return form
    return f"{before}{{{PLAIN}}}{after}" if before or after else PLAIN


def without_unit(text: str, form: str) -> str:
    """Return the number of a cell without the unit of its column."""
    before, _, after = unit_of(form)
    return text.removeprefix(before).removesuffix(after)


def is_ambiguous(texts: Sequence[str]) -> bool:
    """Return whether commas may separate thousands or decimals in all cells that have one."""
    commas = [text for text in texts if "," in text]
    return bool(commas) and all(AMBIGUOUS.fullmatch(text) for text in commas)


def number(text: str, form: str = PLAIN) -> float | None:
    """Return the number that a cell without spaces around it holds; None if it holds none."""
    before, marks, after = unit_of(form)
    if before or after:
        has_unit = text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after)
        return number(without_unit(text, form), marks) if has_unit else None
    if form == PLAIN:
        if "_" in text:
            return None
        try:
            found = float(text)
        except ValueError:
            return None
        return None if math.isnan(found) else found
    return float(plain_text(text, form)) if FORMS[form].fullmatch(text) else None


def plain_text(text: str, form: str) -> str:
    """Return a number in the plain form, without a unit."""
    text, form = without_unit(text, form), unit_of(form)[1]
    thousands, mark = form[:-1], form[-1:]
    if thousands == " ":
        text = text.translate(SPACES)
    elif thousands == "'":
        text = text.translate(QUOTES)
    elif thousands:
        text = text.replace(thousands, "")
    return text.replace(",", ".") if mark == "," else text


def parsed(texts: Sequence[str], form: str) -> NDArray[np.float64]:
    """Return the numbers that cells hold, NaN where they hold none."""
    values = [number(text, form) for text in texts]
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def decimals_in(texts: Sequence[str], form: str) -> int | None:
    """Return the most digits after the decimal mark; None where a number has an exponent or too many digits."""
    most = 0
    for text in texts:
        plain = plain_text(text, form)
        if "e" in plain or "E" in plain:
            return None
        most = max(most, len(plain) - plain.find(".") - 1 if "." in plain else 0)
    return most if most <= MAX_DECIMALS else None


def enough_decimals(values: NDArray[np.float64], decimals: int | None) -> int | None:
    """Return the fewest digits, at least ``decimals``, to which values are rounded already; None if there are none."""
    while decimals is not None and len(values):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = values * 10.0**decimals
            exact = np.abs(scaled - np.rint(scaled)) <= 1e-5 + np.abs(scaled) * 2.0**-50
        if exact.all():
            break
        decimals = decimals + 1 if decimals < MAX_DECIMALS else None
    return decimals


def written(values: NDArray[Any], form: str, decimals: int | None) -> list[str]:
    """Return numbers as text that reads back as the same values, if these are rounded to ``decimals`` digits."""
    before, form, after = unit_of(form)
    if before or after:
        return [f"{before}{text}{after}" for text in written(values, form, decimals)]
    thousands, mark = form[:-1], form[-1:]
    if decimals is None:
        texts = [repr(value).removesuffix(".0") for value in values.tolist()]
    else:
        texts = [f"{value:{',' if thousands else ''}.{decimals}f}" for value in values.tolist()]
        zero = f"{0:.{decimals}f}"
        texts = [zero if text == f"-{zero}" else text for text in texts]
    if form in (PLAIN, ",."):
        return texts
    swap = str.maketrans({",": thousands, ".": mark or "."})
    return [text.translate(swap) for text in texts]
