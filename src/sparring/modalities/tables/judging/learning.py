"""Features for learners of tables, and boosted trees."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, check, codes_of, some_rows, values_of
from sparring.randomness import derive

BOOSTED_CATEGORIES = 255
"""Most categories of a column of boosted trees."""
ONE_HOT_CATEGORIES = 50
"""Categories of a column that other learners tell from one another."""
MAX_DEVIATIONS = 10.0
"""Standard deviations beyond which numbers are clipped."""
MIN_ROWS = 20
"""Rows without which nothing is learned."""


def boosted_features(rows: Rows, columns: Sequence[Column]) -> Floats:
    """Return rows as boosted trees take them, (count, columns): numbers, and numbers of categories; NaN where missing.

    Categories beyond the 255 most frequent ones are one.
    """
    values = values_of(rows)
    for place, column in enumerate(columns):
        if not column.is_numeric:
            codes = codes_of(values[:, place], BOOSTED_CATEGORIES)
            values[:, place] = np.where(codes < 0, np.nan, codes)
    return values


def fill_unknown(inputs: Floats) -> None:
    """Write 0 into columns that have no value in the training rows: boosted trees refuse such columns."""
    inputs[:, np.isnan(inputs).all(0)] = 0


def boosted_trees(categorical: list[bool], seed: int, *, numeric_target: bool = False) -> Any:
    """Return boosted trees that are not yet trained: scikit-learn's histogram gradient boosting, as it is by default.

    Args:
        categorical: which columns are categories.
        seed: of the rows that decide when to stop, where there are more than 10,000.
        numeric_target: predict numbers rather than classes.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if numeric_target else HistGradientBoostingClassifier
    return kind(categorical_features=np.array(categorical), random_state=seed % 2**32)


def boosted_test(real: Rows, fake: Rows, columns: Sequence[Column], seed: int = 0) -> float:
    """Return the AUC of boosted trees that tell generated from real rows, in [0, 1]; ½ for equal distributions.

    Trained on one half of equally many rows of both, tested on the other half (Lopez-Paz & Oquab 2017, with a stronger
    classifier). Far more sensitive than shapes and trends: most generators of tables are above .9. About normal around
    ½ with deviation .58 / √n for n test rows in all.

    Args:
        real: at least 20 real rows that the generator was not trained on; else copies look like real rows.
        fake: at least 20 generated rows.
        columns: of the rows.
        seed: draws the halves.
    """
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    check(columns, real, fake, at_least=MIN_ROWS)
    count = min(len(real.values), len(fake.values))
    sides = [
        boosted_features(some_rows(side, count, derive(seed, name)), columns)
        for name, side in (("real", real), ("fake", fake))
    ]
    half = count // 2
    train, test = np.concatenate([side[:half] for side in sides]), np.concatenate([side[half:] for side in sides])
    fill_unknown(train)
    kinds, test_kinds = np.repeat([0, 1], half), np.repeat([0, 1], count - half)
    trees = boosted_trees([not column.is_numeric for column in columns], derive(seed, "trees"))
    with threadpool_limits(1):
        return float(roc_auc_score(test_kinds, trees.fit(train, kinds).predict_proba(test)[:, 1]))


@final
class OneHot:
    """Features for learners that take numbers alone: standardised numbers, one-hot categories, indicators.

    Args:
        rows: training rows, whose means and deviations count.
        columns: of the rows.
        left_out: place of the target.
    """

    def __init__(self, rows: Rows, columns: Sequence[Column], left_out: int) -> None:
        self._columns, self._left_out, values = columns, left_out, values_of(rows)
        # Of numbers of any size; a column without values has a mean of 0.
        self._scales = [_largest(one) for one in values.T]
        scaled = [one[~np.isnan(one)] / scale for one, scale in zip(values.T, self._scales, strict=True)]
        self._means = [float(one.mean()) if len(one) else 0.0 for one in scaled]
        self._deviations = [max(float(one.std()), 1e-12) if len(one) else 1.0 for one in scaled]

    def __call__(self, rows: Rows) -> NDArray[np.float32]:
        """Return the features of rows, (count, features)."""
        parts = []
        for place, (column, values) in enumerate(zip(self._columns, values_of(rows).T, strict=True)):
            if place == self._left_out:
                continue
            if column.is_numeric:
                missing = np.isnan(values)
                standard = (values / self._scales[place] - self._means[place]) / self._deviations[place]
                parts.append(np.nan_to_num(np.clip(standard, -MAX_DEVIATIONS, MAX_DEVIATIONS))[:, None])
                if column.missing:
                    parts.append(missing[:, None].astype(float))
            else:
                codes = codes_of(values, ONE_HOT_CATEGORIES)
                width = min(len(column.categories), ONE_HOT_CATEGORIES)
                parts.append((codes[:, None] == np.arange(width)).astype(float))
        return np.concatenate(parts or [np.zeros((len(rows.values), 1))], 1).astype(np.float32)


def _largest(values: Floats) -> float:
    """Return the largest absolute value, or 1 where there is none but 0."""
    present = np.abs(values[~np.isnan(values)])
    return float(present.max()) or 1.0 if len(present) else 1.0
