"""Dates and times as text: the pattern of a column, and conversion from and to seconds since 1970."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

DATE = re.compile(
    r"(?:(?P<year>[0-9]{4})(?P<a>[-/.])(?P<month>[0-9]{1,2})(?P=a)(?P<day>[0-9]{1,2})"
    r"|(?P<first>[0-9]{1,2})(?P<b>[-/.])(?P<second>[0-9]{1,2})(?P=b)(?P<last>[0-9]{4}|[0-9]{2}))"
    r"(?:(?P<between>[T ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<seconds>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r"(?P<zone> ?Z| ?UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
"""Year, month and day in any order, with or without a time."""
YEAR = "(?:1[5-9]|2[01])[0-9]{2}"
YEAR_AND_MONTH = re.compile(
    rf"(?P<year>{YEAR})(?P<a>[-/])(?P<month>0?[1-9]|1[0-2])|(?P<first>0?[1-9]|1[0-2])(?P<b>[-/])(?P<last>{YEAR})"
)
"""A year from 1500 to 2199 and a month; with a point between them it would be a number."""
COMPACT = re.compile(r"(19|20)[0-9]{6}")
"""Dates such as 20240131."""
PARTS = {
    "%Y": "([0-9]{4})", "%y": "([0-9]{2})", "%m": "([0-9]{1,2})", "%-m": "([0-9]{1,2})", "%d": "([0-9]{1,2})",
    "%-d": "([0-9]{1,2})", "%H": "([0-9]{1,2})", "%-H": "([0-9]{1,2})", "%M": "([0-9]{2})", "%S": "([0-9]{2})",
    "%f": "([0-9]{1,9})",
}  # fmt: skip
"""Parts of a pattern → what they look like. %-d is a number without a leading zero."""
ISO = "%Y-%m-%d %H:%M:%S.%f"
"""Pattern of ISO dates, with a time or without."""
TOKEN = re.compile(r"%-?[a-zA-Z]")
MONTH = 2_629_746.0
"""Seconds of an average month."""
LATEST_IN_2000S = 68
"""Two digits of a year up to which it is one of the 2000s, as in POSIX."""
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0
"""Seconds since 1970 of the first moment of year 1 and the last one of year 9999."""
TIME = {1: "%H:%M", 2: "%H:%M:%S", 3: "%H:%M:%S.%f"}
"""Precision → pattern of a time."""


@final
class Dates(NamedTuple):
    """Pattern of the dates of a column.

    Args:
        form: the pattern, as in strptime; empty if there is none.
        decimals: digits of a fraction of a second; None if there is none.
        share: share of the cells that are dates.
        ambiguous: whether day and month could be exchanged.
        others: further patterns that occur, with an example each.
    """

    form: str = ""
    decimals: int | None = None
    share: float = 0.0
    ambiguous: bool = False
    others: tuple[tuple[str, str], ...] = ()


def form_of(texts: Sequence[str], counts: Sequence[int]) -> Dates:
    """Find the pattern of most dates among distinct cells, which occur as often as ``counts`` says."""
    total = sum(counts)
    if total and all(COMPACT.fullmatch(text) for text in texts) and not np.isnan(parsed(texts, "%Y%m%d")).any():
        return Dates("%Y%m%d", share=1.0)
    matches = [
        (found, text, count) for text, count in zip(texts, counts, strict=True) if (found := DATE.fullmatch(text))
    ]
    if not matches:
        return _year_and_month(texts, counts)

    # Group them by everything in which patterns differ but their precision.
    groups = dict[tuple[str, ...], list[tuple[re.Match[str], str, int]]]()
    between = Counter(match["between"] for match, _, _ in matches if match["between"])
    usual = between.most_common(1)[0][0] if between else ""
    for match, text, count in matches:
        order = "ymd" if match["year"] else "dmy"
        if order == "dmy" and (int(match["first"]) > 12) != (int(match["second"]) > 12):
            order = "dmY" if int(match["first"]) > 12 else "mdY"
        parts = order, match["a"] or match["b"], str(len(match["year"] or match["last"])), match["between"] or usual
        groups.setdefault(tuple(map(str, parts)), []).append((match, text, count))
    # Dates that could be of both orders belong to the one that others show.
    for key in [key for key in groups if key[0] == "dmy"]:
        clear = [("dmY", *key[1:]), ("mdY", *key[1:])]
        target = max(clear, key=lambda one: len(groups.get(one, ())))
        if target in groups:
            groups[target] += groups.pop(key)
    sizes = {key: sum(count for _, _, count in group) for key, group in groups.items()}
    main = max(sizes, key=lambda key: sizes[key])
    others = [(_form(key, groups[key])[0], groups[key][0][1]) for key in groups if key != main]
    form, decimals = _form(main, groups[main])
    return Dates(form, decimals, sum(sizes.values()) / total, main[0] == "dmy", tuple(others))


def _year_and_month(texts: Sequence[str], counts: Sequence[int]) -> Dates:
    """Find the pattern of months, such as 2020-01; of other cells there is none."""
    groups = dict[tuple[bool, str], list[tuple[str, str, int]]]()
    for text, count in zip(texts, counts, strict=True):
        if match := YEAR_AND_MONTH.fullmatch(text):
            key = match["year"] is not None, match["a"] or match["b"]
            groups.setdefault(key, []).append((match["month"] or match["first"], text, count))
    sizes = {key: sum(count for _, _, count in group) for key, group in groups.items()}
    forms = list[str]()
    order = sorted(groups, key=lambda key: -sizes[key])
    for key in order:
        months = {month for month, _, _ in groups[key]}
        short = any(len(month) == 1 for month in months) and not any(month[0] == "0" for month in months)
        month = "%-m" if short else "%m"
        forms.append(f"%Y{key[1]}{month}" if key[0] else f"{month}{key[1]}%Y")
    if not forms:
        return Dates()
    others = tuple((form, groups[key][0][1]) for form, key in zip(forms[1:], order[1:], strict=True))
    return Dates(forms[0], share=sum(sizes.values()) / sum(counts), others=others)


def _form(key: tuple[str, ...], group: Sequence[tuple[re.Match[str], str, int]]) -> tuple[str, int | None]:
    """Return the pattern of a group of dates, and the digits of a fraction of a second."""
    order, mark, digits, between = key
    matches = [match for match, _, _ in group]
    numbers = [part for match in matches for part in (match["month"], match["day"], match["first"], match["second"])]
    short = any(part is not None and len(part) == 1 for part in numbers)
    padded = any(part is not None and part[0] == "0" for part in numbers)
    dash = "-" if short and not padded else ""
    year = "%Y" if digits == "4" else "%y"
    names = {"y": year, "Y": year, "d": f"%{dash}d", "m": f"%{dash}m"}
    form = mark.join(names[one] for one in order)
    fractions = [len(match["fraction"]) for match in matches if match["fraction"]]
    precision = max(
        3 if match["fraction"] else 2 if match["seconds"] else 1 if match["hour"] else 0 for match in matches
    )
    if precision:
        hours = [match["hour"] for match in matches if match["hour"]]
        bare = any(len(hour) == 1 for hour in hours) and not any(hour[0] == "0" and len(hour) == 2 for hour in hours)
        form += between + TIME[precision].replace("%H", "%-H" if bare else "%H")
    zones = {match["zone"] or "" for match in matches}
    zone = zones.pop() if len(zones) == 1 else "+00:00"
    return form + zone, min(6, max(fractions)) if fractions else None


def parsed(texts: Sequence[str], form: str) -> NDArray[np.float64]:
    """Return seconds since 1970 of dates in a pattern, NaN for cells that are none.

    A time may be less precise than the pattern, or be absent. Where the pattern has a zone, times in other zones are
    converted.
    """
    pattern, names = _reader(form)
    rows = [found.groups() if (found := pattern.fullmatch(text)) else None for text in texts]
    nothing = ("",) * pattern.groups
    columns = dict(zip(names, zip(*(row or nothing for row in rows), strict=True), strict=True)) if texts else {}

    def part(name: str, default: int) -> NDArray[np.int64]:
        cells = columns.get(name)
        if cells is None:
            return np.full(len(texts), default, dtype=np.int64)
        return np.array([int(cell) if cell else default for cell in cells], dtype=np.int64)

    year, month, day = part("%Y", 1970), part("%m", 1), part("%d", 1)
    if "%y" in columns:
        short = part("%y", 70)
        year = short + np.where(short > LATEST_IN_2000S, 1900, 2000)
    hour, minute, second = part("%H", 0), part("%M", 0), part("%S", 0)
    valid = np.array([row is not None for row in rows], dtype=bool)
    valid &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (np.clip(month, 1, 12) - 1)
    days = months.astype("datetime64[D]") + (day - 1)
    valid &= days.astype("datetime64[M]") == months
    seconds = days.astype(np.int64) * 86400.0 + hour * 3600.0 + minute * 60.0 + second
    if "%f" in columns:
        seconds = seconds + np.array([float(f"0.{cell}") if cell else 0.0 for cell in columns["%f"]])
    if "zone" in columns:
        seconds = seconds - np.array([_offset(cell) for cell in columns["zone"]]) + _offset(_zone(form))
    return np.where(valid, seconds, math.nan)


@lru_cache(64)
def _reader(form: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return an expression that matches dates in a pattern, and the names of its groups."""
    zone = _zone(form)
    plain = form.removesuffix(zone)
    names, text, depth = list[str](), "", 0
    for piece in re.split(r"(%-?[a-zA-Z])", plain):
        if piece not in PARTS:
            text += re.escape(piece)
            continue
        name = piece.replace("-", "")
        # The separator before the hour, the second and the fraction is optional with them.
        if name in ("%H", "%S", "%f") and names:
            separator = r"[.,]" if name == "%f" else text[-2:] if text[-2:] == "\\ " else text[-1:]
            text = text[: -2 if name == "%f" or text[-2:] == "\\ " else -1]
            text += f"(?:{separator}"
            depth += 1
        names.append(name)
        text += PARTS[piece]
    text += ")?" * depth
    if zone:
        text += r"( ?Z| ?UTC|[+-][0-9]{2}:?[0-9]{2})?"
        names.append("zone")
    return re.compile(text), tuple(names)


def _zone(form: str) -> str:
    found = re.search(r"( ?Z| ?UTC|[+-][0-9]{2}:?[0-9]{2})$", form)
    return found[0] if found else ""


def _offset(zone: str | None) -> float:
    """Return the seconds by which a zone is ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return 0.0
    return (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600.0 + int(zone[-2:]) * 60.0)


def is_form(form: str) -> bool:
    """Return whether a text is a pattern with a year, a month and a day, or without day and time, of known parts."""
    found = TOKEN.findall(form)
    names = [one.replace("-", "") for one in found]
    whole = "%m" in names and len({"%Y", "%y"} & set(names)) == 1 and len(set(names)) == len(names)
    whole &= "%d" in names or len(names) == 2
    return whole and all(one in PARTS for one in found)


def has_days(form: str) -> bool:
    """Return whether a pattern has a day; others have a year and a month alone."""
    return "%d" in form.replace("-d", "d")


def month_starts(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the start of the nearest month, as seconds since 1970."""
    moments = np.clip(np.nan_to_num(seconds), FIRST, LAST).astype(np.int64).astype("datetime64[s]")
    months = moments.astype("datetime64[M]")
    start, end = months.astype("datetime64[s]"), (months + 1).astype("datetime64[s]")
    nearest = np.minimum(months + (moments - start >= end - moments), np.datetime64("9999-12"))
    found: NDArray[np.float64] = nearest.astype("datetime64[s]").astype(np.float64)
    return found


def unit_of(form: str, decimals: int | None) -> float:
    """Return the seconds to which a pattern rounds: a month, a day, a minute, a second, or a fraction of one."""
    if not has_days(form):
        return MONTH
    digits = decimals or (6 if "%f" in form else 0)
    return 86400.0 if "H" not in form else 60.0 if "%S" not in form else 10.0**-digits


def written(seconds: NDArray[np.float64], form: str, decimals: int | None) -> list[str]:
    """Return dates as text, rounded to what the pattern shows."""
    digits, unit = decimals or (6 if "%f" in form else 0), unit_of(form, decimals)
    whole = np.clip(np.nan_to_num(seconds) if has_days(form) else month_starts(seconds), FIRST, LAST)
    # Fractions are rounded as integers, so that a second never has ten tenths.
    if unit == MONTH:
        ticks, fraction = whole.astype(np.int64), np.zeros(len(whole), dtype=np.int64)
    elif unit >= 1:
        ticks, fraction = (np.floor(whole / unit + 0.5) * unit).astype(np.int64), np.zeros(len(whole), dtype=np.int64)
    else:
        scale = 10**digits
        base = np.floor(whole)
        parts = np.rint((whole - base) * scale).astype(np.int64)
        ticks, fraction = base.astype(np.int64) + parts // scale, parts % scale
    moments = ticks.astype("datetime64[s]")
    days, months, years = (moments.astype(f"datetime64[{one}]") for one in "DMY")
    year = years.astype(np.int64) + 1970
    clock = ticks - days.astype(np.int64) * 86400
    values = {
        "%Y": (year, "04d"), "%y": (year % 100, "02d"), "%f": (fraction, f"0{digits}d"),
        "%m": ((months - years).astype(np.int64) + 1, "02d"), "%d": ((days - months).astype(np.int64) + 1, "02d"),
        "%H": (clock // 3600, "02d"), "%M": (clock // 60 % 60, "02d"), "%S": (clock % 60, "02d"),
    }  # fmt: skip
    tokens = TOKEN.findall(form)
    named = [(values[one.replace("-", "")][0].tolist(), "d" if "-" in one else values[one][1]) for one in tokens]
    template = TOKEN.sub("\0", form.replace("%%", "%"))
    pieces = template.split("\0")
    rows = zip(*(column for column, _ in named), strict=True) if named else iter([()] * len(whole))
    styles = [style for _, style in named]
    return [
        pieces[0]
        + "".join(f"{value:{style}}{piece}" for value, style, piece in zip(row, styles, pieces[1:], strict=True))
        for row in rows
    ]


WORDS = {"%Y": "year", "%y": "short year", "%m": "month", "%d": "day", "%H": "hour", "%M": "minute", "%S": "second"}
"""Part of a pattern → its name."""


def in_words(form: str) -> str:
    """Return a pattern in words: ``day.month.year``."""
    return TOKEN.sub(lambda found: WORDS.get(found[0].replace("-", ""), "fraction"), form)
