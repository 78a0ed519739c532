"""Cells of rows as arrays, and the checks that all metrics of tables share."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparring.metrics.comparable import require_comparable
from sparring.modalities.tables.coding import Column, Rows
from sparring.samples import take

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


def values_of(rows: Rows) -> Floats:
    """Return the values, (count, columns), with NaN where they are missing."""
    missing = missing_of(rows)
    values: Floats = np.where(missing, np.nan, rows.values.detach().cpu().double().numpy())
    return values


def missing_of(rows: Rows) -> Mask:
    """Return which cells are missing, (count, columns)."""
    missing: Mask = rows.missing.detach().cpu().numpy().astype(bool)
    return missing


def codes_of(values: Floats, most: int) -> Integers:
    """Return numbers of categories, (count,): −1 where they are missing, ``most`` − 1 for all beyond the first ones.

    Categories are ordered by frequency, so that only rare ones share a number.

    Args:
        values: numbers of categories, NaN where they are missing.
        most: different numbers that are returned, without that of missing ones.
    """
    codes: Integers = np.where(np.isnan(values), -1, np.clip(np.nan_to_num(values), 0, most - 1)).astype(np.int64)
    return codes


def some_rows(rows: Rows, count: int, seed: int) -> Rows:
    """Return ``count`` of the rows, in random order, or all of them where there are fewer."""
    return take(rows, np.random.default_rng(seed).permutation(len(rows.values))[:count])


def check(columns: Sequence[Column], *sides: Rows, at_least: int = 1) -> None:
    """Refuse rows that cannot be compared.

    Args:
        columns: of the rows.
        sides: real rows and others.
        at_least: number of rows that every side needs.

    Raises:
        SparringError: other columns, too few rows, or values that are neither finite nor missing.
    """
    for rows in sides:
        require_comparable("rows", rows.values, rows.missing, [("column", len(columns))], at_least)
