"""Options by which users give cells: --where for those of new rows, and tables whose missing cells are filled in."""

from collections.abc import Mapping
from typing import Any

import torch

from sparring.data.conditions import INPUT, ConditionSpec
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.tables import data, dates, numbers
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.conditions import CATEGORY, KNOWN, Known, nothing_known
from sparring.samples import concatenate

WHERE = "where"
MAX_ROWS = 10_000_000
"""Rows that are generated in one call."""


def known_cells(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Known:
    """Return rows of which the cells of ``--where`` are known, and those of ``--input`` that are not missing.

    Raises:
        SparringError: there is no such column, category or number, or the inputs cannot be read.
    """
    if INPUT in options:
        rows = concatenate([data.read(str(one), view, facts).batch(slice(None)).real for one in options[INPUT]])
        condition = Known(rows.values, rows.missing, ~rows.missing)
    else:
        size = min(count or 1, MAX_ROWS), view.shape[0]
        empty = Rows(torch.zeros(size, dtype=torch.float64), torch.zeros(size, dtype=torch.bool))
        condition = nothing_known(empty)
    for name, text in cells_of(options.get(WHERE)).items():
        at, value = _cell(name, text, facts)
        condition.values[:, at], condition.missing[:, at], condition.known[:, at] = value or 0.0, value is None, True
    return condition


def known_category(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Known:
    """Return rows of which at most one cell is known, that of ``--where``, in a column of categories.

    Raises:
        SparringError: another cell or a further one is asked for, or there is no such column or category.
    """
    condition = known_cells(options, view, facts, count)
    choices = torch.tensor([column.is_choice for column in coding_of(facts).learned])
    if bool((condition.known & ~choices).any()) or bool((condition.known.sum(1) > 1).any()):
        names = [column.name for column in coding_of(facts).learned if column.is_choice]
        raise SparringError(
            found=" and ".join(f"{name}={text}" for name, text in cells_of(options.get(WHERE)).items()) + " in --where",
            expected=f"one category of one column, of {', '.join(names[:8])}{', …' if len(names) > 8 else ''}",
            remedy="ask for one category, or train tables/masked or tables/gan, which take any cells",
        )
    return condition


def cells_of(given: Any) -> dict[str, str]:
    """Return column → text of a cell, from "sex=Female,age=37" or a mapping.

    Raises:
        SparringError: it is neither.
    """
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    cells = {}
    for part in str(given).split(",") if given is not None else ():
        name, equals, text = part.partition("=")
        if not equals or not name.strip():
            raise SparringError(
                found=f"{part!r} in --where",
                expected="columns and their values, such as sex=Female,age=37",
                remedy="write COLUMN=VALUE, with commas between (where={...} in Python, also for text with commas)",
            )
        cells[name.strip()] = text.strip()
    return cells


def _cell(name: str, text: str, facts: Facts) -> tuple[int, float | None]:
    """Return the number of a column, and the value of a cell of it; None for a missing one.

    Raises:
        SparringError: there is no such column, or no such value in it.
    """
    columns = {column.name: (at, column) for at, column in enumerate(coding_of(facts).learned)}
    if name not in columns:
        raise SparringError(
            found=f"the column {name!r} in --where",
            expected=f"one of {', '.join(columns)}",
            remedy=f"check the spelling{nearest(name, list(columns))}",
        )
    at, column = columns[name]
    if text == column.blank and column.missing:
        return at, None
    value = _value(text, column)
    if value is None:
        some = ", ".join(column.categories[:8]) + (", …" if len(column.categories) > 8 else "")
        raise SparringError(
            found=f"{name}={text} in --where",
            expected=f"a {column.kind}" if column.is_numeric else f"one of {some}",
            remedy=f"check the spelling{nearest(text, list(column.categories))}",
        )
    return at, value


def _value(text: str, column: Column) -> float | None:
    """Return the value of a cell, None if it is none of the column."""
    if column.kind == "date":
        found = float(dates.parsed([text], column.form)[0])
        return None if found != found else found
    if column.is_numeric:
        return numbers.number(text)
    return float(column.categories.index(text)) if text in column.categories else None


CONDITIONS: Mapping[str, ConditionSpec] = {
    KNOWN: ConditionSpec(
        {WHERE: "values of columns, such as sex=Female,age=37", INPUT: "a table whose missing cells are filled in"},
        known_cells,
    ),
    CATEGORY: ConditionSpec({WHERE: "one category of one column, such as sex=Female"}, known_category),
}
"""Conditions of tables, by their name in ``View.condition``."""
