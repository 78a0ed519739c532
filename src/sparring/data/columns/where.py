"""Conditions of columns as users write them: "sex=Female,age>=65", or mappings from columns to values."""

import csv
import datetime
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sparring.arguments import option
from sparring.data.in_memory import dense
from sparring.errors import SparringError, shown

OPERATORS = re.compile("<=|>=|!=|==|=|<|>")
FORM = "write COLUMN=VALUE, COLUMN>=VALUE or COLUMN=A|B, with commas between (or, in Python, a dict of columns)"


class Condition(NamedTuple):
    """A part of --where.

    Args:
        name: of the column.
        operator: =, !=, <, <=, > or >=.
        values: one text, or several of which the cell is one.
    """

    name: str
    operator: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return it as users write it."""
        return f"{self.name}{self.operator}{'|'.join(self.values)}"


def parts_of(text: str, name: str) -> list[str]:
    """Return the parts of an option, between which there are commas or line breaks.

    Args:
        text: as the user wrote it; quotation marks enclose a part that has a comma.
        name: of the option.

    Raises:
        SparringError: a part is too long.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    except csv.Error as error:
        raise SparringError(
            found=f"text of {len(text):,} characters in {option(name)} that cannot be separated into parts ({error})",
            expected="parts with commas between them",
            remedy="write it shorter",
        ) from None
    return [part for row in rows for part in row]


def conditions_of(given: Any, names: Sequence[str], example: str = "sex=Female,age>=65") -> list[Condition]:
    """Return the parts of --where.

    Args:
        given: as for ``predicates_of``.
        names: of the columns; they may contain operators.
        example: for messages.

    Raises:
        SparringError: a part has no column or no operator, or a list of values is empty.
    """
    if isinstance(given, Mapping):
        return [Condition(str(name), "=", _texts(str(name), value)) for name, value in given.items()]
    if given is not None and not isinstance(given, str):
        raise SparringError(
            found=f"{shown(given)} for where",
            expected=f'text such as "{example}", or a mapping from columns to values',
            remedy="write where=\"age>=65\", or where={'age': [65, 66]}",
        )
    if given is not None and not given.strip():
        raise SparringError(found=f"an empty {option('where')}", expected="conditions of columns", remedy=FORM)
    found = list[Condition]()
    for part in parts_of(given, "where") if given is not None else ():
        matches = list(OPERATORS.finditer(part))
        known = [one for one in matches if part[: one.start()].strip() in names]
        match = next(iter(known or matches), None)
        if match is None or not part[: match.start()].strip():
            before = found[-1] if found else None
            decimals = before is not None and part.strip().isdecimal() and before.values[0][-1:].isdecimal()
            raise SparringError(
                found=f"{part!r} in {option('where')}",
                expected=f"columns and their values, such as {example}",
                remedy=f"write the decimal point as a point: {before.text}.{part.strip()}"
                if before and decimals
                else FORM,
            )
        name, text = part[: match.start()].strip(), part[match.end() :].strip()
        found.append(Condition(name, "=" if match[0] == "==" else match[0], (text,)))
    return found


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """Return a value, or each one of an array or another iterable, as the text of a cell.

    Raises:
        SparringError: there are none.
    """
    value = dense(value)
    plain = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or not getattr(value, "ndim", 1)
    values = (value,) if plain else tuple(value)
    if not values:
        raise SparringError(
            found=f"an empty list of values for {name!r} in where",
            expected="at least one value",
            remedy="give one, or leave the column out",
        )
    return tuple(map(_text, values))


def _text(value: Any) -> str:
    """Return a value as text: moments as ISO dates, without a time at midnight."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    text = str(value)
    return text.replace("T", " ").removesuffix(" 00:00:00") if type(value).__name__ == "datetime64" else text
