"""Kinds of columns, each with its reason in words."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.columns import dates, numbers
from sparring.data.columns.reader import MIN_SHARE, Tally
from sparring.errors import SparringError
from sparring.modalities.tables import keys
from sparring.modalities.tables.coding import Kind
from sparring.text import printable

CHOICES = ("continuous", "integer", "date", "category", "boolean", "identifier", "drop")
"""Kinds that a user can choose; a pattern such as %d.%m.%Y stands for dates."""
MIN_ROWS = 20
"""Cells from which a column of unique values may be one of identifiers."""
MIN_MANY = 50
"""Cells from which a column of mostly unique texts is not learned."""
MOSTLY = 0.9
"""Share of distinct texts among the cells of a column from which these are mostly unique."""
NEARLY = 0.99
LONG = 50
"""Characters of a text, on average, from which it is free text rather than a category."""
MAX_CODES = 10
"""Distinct whole numbers up to which they may be codes."""
YEARS = (1500, 2200)
CODE_NAMES = re.compile(
    r"(^|[^a-z])(id|code|class|type|category|zip|zipcode|zip_code|postcode|plz|label|target|cluster|group|kind|status"
    r"|gender|sex|species|region|district)([^a-z]|$)"
)
"""Names of columns whose numbers are codes."""
KEY_NAMES = re.compile(r"(^|[^a-z])(id|key|uuid|guid|index|no|nr|number|rownames|row)([^a-z]|$)|[a-z](Id|ID)$")
PAIRS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"0", "1"}, {"on", "off"})
"""Pairs of words that stand for truth values, in lower case."""
MAX_PROBLEMS = 20
"""Columns that a message names."""
REMEDY = "{name}={kind} for --columns (columns= in Python)"


@final
@dataclass(frozen=True)
class Found:
    """Kind of a column.

    Args:
        kind: the kind.
        reason: the reason in a few words.
        values: for each row its number, NaN where it is missing; None for categories and what is not learned.
        form: pattern of numbers, dates or identifiers.
        decimals: digits after the decimal mark.
        remarks: full sentences about cells that were changed or are unusual.
        problem: of a column that cannot be used: what was found, as a noun phrase.
    """

    kind: Kind
    reason: str
    values: NDArray[np.float64] | None = None
    form: str = ""
    decimals: int | None = None
    remarks: tuple[str, ...] = ()
    problem: str = ""


def kind_of(tally: Tally, chosen: str = "", *, decimal_comma: bool = False) -> Found:
    """Return the kind of a column.

    Args:
        tally: its cells.
        chosen: kind or pattern of dates that the user chose; "" to find it.
        decimal_comma: whether the file suggests that a comma is a decimal one.

    Raises:
        SparringError: its cells are not of the chosen kind.
    """
    if chosen in ("category", "boolean"):
        return Found(_of_categories(tally, chosen), "as given")
    if chosen == "identifier":
        return Found("identifier", "as given", form=keys.form_of(tally.texts))
    if chosen == "date" or dates.is_form(chosen):
        return _chosen_dates(tally, chosen)
    if chosen in ("continuous", "integer"):
        return _chosen_numbers(tally, chosen, decimal_comma)
    if tally.endless:
        return _free_text(tally, "more text than is kept")
    if not tally.present:
        return Found("constant", "all cells are missing")
    if tally.codes is not None and len(tally.texts) == 1:
        return Found("constant", f"every cell is {_shown(tally.texts[0])}")
    if tally.numbers is not None:
        return _dates(tally, tally.dated) if tally.dated else _numbers(tally, tally.numbers, tally.form, decimal_comma)

    # Few distinct cells, or text: look at each of them once.
    counts = tally.counts.tolist()
    form = numbers.form_of(tally.texts, counts, decimal_comma=decimal_comma)
    parsed = numbers.parsed(tally.texts, form)
    # A few numbers with a unit, such as doses, are categories.
    has_unit = numbers.unit_of(form)[1] != form
    share = float(tally.counts[~np.isnan(parsed)].sum() / tally.present)
    share = 0.0 if has_unit and len(tally.texts) <= MAX_CODES else share
    found = dates.form_of(tally.texts, counts)
    if found.share >= MIN_SHARE and (share < 1 or found.form == "%Y%m%d"):
        return _dates(tally, found)
    if share == 1.0:
        return _numbers(tally, _per_row(tally, parsed), form, decimal_comma)
    if share >= MIN_SHARE and (~np.isnan(parsed)).sum() > MAX_CODES:
        odd = Counter(
            {text: count for text, count, value in zip(tally.texts, counts, parsed, strict=True) if math.isnan(value)}
        )
        return _mixed(odd, tally.present, "numbers")
    return _words(tally, share)


def _numbers(tally: Tally, values: NDArray[np.float64], form: str, decimal_comma: bool) -> Found:
    """Return the kind of a column of numbers."""
    if tally.odd:
        return _mixed(tally.odd, tally.present, "numbers")
    values, remarks = _finite(values)
    present = values[~np.isnan(values)]
    before, marks, after = numbers.unit_of(form)
    if before or after:
        remarks.append(f"'{printable(before + after)}' is read as the unit of each number, and written with it.")
    if marks in (",", ",.") and numbers.is_ambiguous([numbers.without_unit(text, form) for text in tally.texts]):
        role = "separates thousands" if marks == ",." else "is a decimal comma"
        example = next(text for text in tally.texts if "," in text)
        remarks.append(f"The comma in {example} {role}.")
    if not len(present):
        return Found("constant", "no cell is a finite number", remarks=tuple(remarks))
    whole = present == np.floor(present)
    decimals = numbers.enough_decimals(present, numbers.decimals_in(tally.texts, form))
    found = Found("continuous", "", values, form, decimals, tuple(remarks))
    if not whole.all():
        broken = int((~whole).sum())
        return replace(
            found, reason=f"{broken:,} of {len(present):,} values {'is' if broken == 1 else 'are'} no whole number"
        )
    if np.abs(present).max() >= 1e15 or decimals is None:
        return replace(found, reason="numbers with exponents, or too large for exact whole ones", decimals=None)
    return _whole_numbers(tally, replace(found, kind="integer"), present)


def _whole_numbers(tally: Tally, found: Found, present: NDArray[np.float64]) -> Found:
    """Return the kind of a column of whole numbers: truth values, codes, identifiers or numbers."""
    distinct, name = np.unique(present), tally.name.lower()
    padded = any(map(numbers.LEADING_ZERO.fullmatch, tally.texts))
    unique = len(distinct) >= NEARLY * len(present) and len(present) >= MIN_ROWS
    rising = bool((np.diff(present) >= 0).all())
    years = YEARS[0] <= distinct[0] and distinct[-1] <= YEARS[1]
    has_unit = numbers.unit_of(found.form)[1] != found.form
    if unique and not years and not has_unit and (rising or KEY_NAMES.search(tally.name) or KEY_NAMES.search(name)):
        order = "in order" if rising else "under the name of a key"
        reason = f"{len(distinct):,} different whole numbers in {len(present):,} cells, {order}"
        return Found("identifier", reason, form=keys.COUNTED)
    few = tally.codes is not None and len(tally.texts) <= MAX_CODES and len(present) >= 2 * len(distinct)
    if few and set(tally.texts) == {"0", "1"}:
        return Found("boolean", "every cell is 0 or 1")
    if padded:
        return Found("category", "numbers with leading zeros")
    if tally.codes is not None and CODE_NAMES.search(name) and len(present) >= 2 * len(distinct):
        return Found("category", f"whole numbers under the name {_shown(tally.name)}, which are codes")
    steps = np.unique(np.diff(distinct))
    if few and (len(distinct) == 2 or len(steps) > 1):
        what = "two whole numbers" if len(distinct) == 2 else f"{len(distinct)} whole numbers with uneven gaps"
        return Found("category", f"{what}, which look like codes")
    return replace(found, reason=f"whole numbers, {len(distinct):,} different ones")


def _dates(tally: Tally, found: dates.Dates) -> Found:
    """Return the kind of a column most of whose cells are dates."""
    if found.others:
        return _several_patterns(tally, found)
    if tally.numbers is not None:
        values, odd = tally.numbers, tally.odd
    else:
        parsed = dates.parsed(tally.texts, found.form)
        values = _per_row(tally, parsed)
        pairs = zip(tally.texts, tally.counts.tolist(), np.isnan(parsed).tolist(), strict=True)
        odd = Counter({text: count for text, count, wrong in pairs if wrong})
    if odd:
        return _mixed(odd, tally.present, "dates")
    words = dates.in_words(found.form)
    remarks = tuple[str, ...]()
    if found.ambiguous:
        other = "%m/%d/%Y".replace("/", re.sub("[%a-zA-Z-]", "", found.form[:6])[:1] or "/")
        remark = (
            f"The dates are read as {words}, since no cell tells the order of day and month: {other} exchanges them."
        )
        remarks = (f"{remark[:-1]} ({REMEDY.format(name=printable(tally.name), kind=other)}).",)
    return Found("date", f"dates, {words}", values, found.form, found.decimals, remarks)


def _several_patterns(tally: Tally, found: dates.Dates) -> Found:
    example = next((text for text in tally.texts if not np.isnan(dates.parsed([text], found.form))[0]), "")
    shown = [f"{dates.in_words(found.form)} ({example})"] + [
        f"{dates.in_words(form)} ({text})" for form, text in found.others[:4]
    ]
    return Found("text", "", problem=f"dates of several forms: {', '.join(shown)}")


def _words(tally: Tally, numeric: float) -> Found:
    """Return the kind of a column of text."""
    distinct, present = len(tally.texts), tally.present
    lower = {text.lower() for text in tally.texts}
    if distinct == 2 and lower in PAIRS:
        return Found("boolean", f"every cell is {_shown(tally.texts[0])} or {_shown(tally.texts[1])}")
    length = float(np.average([len(text) for text in tally.texts], weights=tally.counts))
    unique = distinct > MOSTLY * present
    if distinct >= NEARLY * present and present >= MIN_ROWS and keys.are_keys(tally.texts):
        reason = f"{distinct:,} different keys in {present:,} cells, such as {_shown(tally.texts[0])}"
        return Found("identifier", reason, form=keys.form_of(tally.texts))
    if (unique and present >= MIN_MANY) or (length >= LONG and distinct > 0.5 * present and present > 2):
        return _free_text(
            tally, f"{distinct:,} different texts in {present:,} cells, {length:.0f} characters on average"
        )
    mixed = f"; {numeric:.0%} of the cells are numbers" if numeric > 0 else ""
    return Found("category", f"{distinct:,} different texts in {present:,} cells{mixed}")


def _free_text(tally: Tally, words: str) -> Found:
    example = max(tally.texts[:100], key=len, default="")
    return Found("text", words, problem=f"free text ({words}, such as {_shown(example)})")


def _mixed(odd: Counter[str], present: int, kind: str) -> Found:
    examples = ", ".join(_shown(text) for text, _ in odd.most_common(3))
    share = f"{odd.total():,} of {present:,} cells"
    return Found(
        "text", "", problem=f"{'words' if kind == 'numbers' else 'other cells'} among {kind} ({examples}; {share})"
    )


def _chosen_numbers(tally: Tally, chosen: str, decimal_comma: bool) -> Found:
    """Return a column as numbers; cells that are none are missing."""
    form, values = tally.form, tally.numbers
    if values is None or tally.dated:
        form = numbers.form_of(tally.texts, tally.counts.tolist(), decimal_comma=decimal_comma)
        parsed = numbers.parsed(tally.texts, form)
        values = _per_row(tally, parsed) if tally.codes is not None else np.full(tally.rows, math.nan)
    values, remarks = _finite(values)
    present = values[~np.isnan(values)]
    if not len(present):
        raise _not_of_kind(tally, "numbers", chosen)
    lost = tally.present - len(present) - sum("infinite" in remark for remark in remarks)
    if lost > 0 and not remarks:
        remarks.append(f"{missing_words(lost, 'cell')}, not being a number.")
    decimals = numbers.enough_decimals(
        present, numbers.decimals_in([text for text in tally.texts if numbers.number(text, form) is not None], form)
    )
    kind: Kind = "integer" if chosen == "integer" else "continuous"
    if kind == "integer" and not (present == np.rint(present)).all():
        remarks.append(f"{int((present != np.rint(present)).sum()):,} numbers are rounded to whole ones.")
        values, decimals = np.rint(values), 0
    return Found(kind, "as given", values, form, decimals, tuple(remarks))


def _chosen_dates(tally: Tally, chosen: str) -> Found:
    """Return a column as dates, of a pattern that the user gave or of the most frequent one; others are missing."""
    if tally.numbers is not None and tally.dated and chosen in ("date", tally.dated.form):
        found, values = tally.dated, tally.numbers
    else:
        found = dates.Dates(chosen) if "%" in chosen else dates.form_of(tally.texts, tally.counts.tolist())
        parsed = dates.parsed(tally.texts, found.form) if found.form else np.full(len(tally.texts), math.nan)
        values = _per_row(tally, parsed) if tally.codes is not None else np.full(tally.rows, math.nan)
    lost = tally.present - int((~np.isnan(values)).sum())
    if lost == tally.present:
        raise _not_of_kind(tally, "dates", chosen)
    remarks = (
        (f"{missing_words(lost, 'cell')}, not being a date of the form {dates.in_words(found.form)}.",) if lost else ()
    )
    return Found("date", "as given", values, found.form, found.decimals, remarks)


def _of_categories(tally: Tally, chosen: str) -> Kind:
    if not tally.present or tally.endless:
        if tally.endless:
            raise _not_of_kind(tally, "few enough different texts", chosen)
        return "constant"
    if chosen == "boolean" and len(tally.texts) > 2:
        raise _not_of_kind(tally, f"two different ones in place of {len(tally.texts):,}", chosen)
    return "boolean" if chosen == "boolean" and len(tally.texts) == 2 else "category"


def _not_of_kind(tally: Tally, expected: str, chosen: str) -> SparringError:
    example = f", such as {_shown(tally.texts[0])}," if tally.texts else ""
    return SparringError(
        found=f"cells{example} in the column {tally.name!r}",
        expected=f"{expected}, since {option('columns')} says {chosen}",
        remedy="choose another kind for it",
    )


def _finite(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Return numbers without infinite ones, which count as missing, and remarks on these and on enormous ones."""
    endless = np.abs(values) > numbers.MAX_NUMBER
    remarks = [f"{missing_words(int(endless.sum()), 'infinite value')}."] if endless.any() else []
    values = np.where(endless, math.nan, values) if endless.any() else values
    present = np.abs(values[~np.isnan(values)])
    if len(present) and present.max() > 1e6 * max(1.0, float(np.quantile(present, 0.99, method="lower"))):
        remarks.append(
            f"The largest number is {present.max():.3g}, far from the others: it may stand for a missing value."
        )
    if len(present) and present.max() >= numbers.EXACT and (present == np.floor(present)).all():
        remarks.append(f"Whole numbers from {int(numbers.EXACT):,} on are rounded.")
    return values, remarks


def missing_words(count: int, what: str) -> str:
    """Return that ``count`` cells count as missing, in words."""
    return f"1 {what} counts as missing" if count == 1 else f"{count:,} {what}s count as missing"


def _per_row(tally: Tally, parsed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number of the text of each row, NaN where it is missing."""
    assert tally.codes is not None
    return np.append(parsed, math.nan)[tally.codes]


def _shown(text: str) -> str:
    return f"'{printable(text if len(text) <= 40 else text[:40] + '…')}'"


def listed_problems(problems: Sequence[tuple[str, str]], source: str) -> SparringError:
    """Return the error for columns that cannot be used.

    Args:
        problems: name of each column, and what was found in it.
        source: name of the table.
    """
    listed = [f"{found} in the column {name!r}" for name, found in problems[:MAX_PROBLEMS]]
    more = f", and {len(problems) - MAX_PROBLEMS} more such columns" if len(problems) > MAX_PROBLEMS else ""
    options = ",".join(f'"{one}=drop"' if "," in one else f"{one}=drop" for one, _ in problems[:MAX_PROBLEMS])
    free = next((name for name, found in problems if found.startswith("free text")), None)
    texts = "" if free is None else f"; to learn these texts alone, give {option('columns', f'{free}=text')}"
    return SparringError(
        found=f"{'; '.join(listed)} of {source}{more}",
        expected="numbers of one form, dates of one form, or categories",
        remedy=f"correct the cells, leave the column out by {option('columns', options)}, or choose its "
        f"kind in the same way (continuous or date, where other cells count as missing, or category){texts}",
    )
