"""Usefulness of generated rows for learning: train on synthetic rows, test on real ones."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import SparringError, nearest
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import Floats, Integers, check, values_of
from sparring.modalities.tables.judging.learning import MIN_ROWS, OneHot, boosted_features, boosted_trees, fill_unknown
from sparring.samples import take

MIN_CLASSES, MAX_CLASSES = 2, 20
"""Categories of a column that is chosen as the target."""
LOWEST_R2 = -1.0
"""Value of R² below which a learner is no worse: one useless learner must not decide the mean."""


def target_of(columns: Sequence[Column], named: str | None = None) -> int | None:
    """Return the place of the target: the named column, or the last one of 2 to 20 categories, else the last number.

    None for a table of neither.

    Raises:
        SparringError: there is no learned column of that name.
    """
    names = [column.name for column in columns]
    if named is not None:
        if named not in names:
            raise SparringError(
                found=f"the unknown target column {named!r}",
                expected=f"one of {', '.join(map(repr, names[:10]))}{', …' if len(names) > 10 else ''}",
                remedy=f"check the spelling{nearest(named, names)}",
            )
        return names.index(named)
    classes = [place for place, one in enumerate(columns) if MIN_CLASSES <= len(one.categories) <= MAX_CLASSES]
    numbers = [place for place, one in enumerate(columns) if one.is_numeric]
    return next(iter(classes[-1:] or numbers[-1:]), None)


def usefulness(train: Rows, test: Rows, columns: Sequence[Column], target: int, seed: int = 0) -> dict[str, float]:
    """Return scores of learners that are trained on ``train`` to predict one column, on real rows.

    Four learners (AdaBoost of 50 trees, a tree of depth 20, logistic or linear regression, a network of 50 hidden
    units) give a mean, as in Xu et al. 2019, section 5; boosted trees stand beside them. Rows without the target are
    left out. The value of a perfect generator is that of real training rows, which are given in place of ``train``.

    Args:
        train: generated or real rows, at least 20 with the target.
        test: real rows that nothing was trained on, at least one with the target.
        columns: of the rows.
        target: place of the column to predict.
        seed: of the learners.

    Returns:
        For categories ``target_f1``, the mean F1 of the four in [0, 1]: of the rarer class of two, or else the mean
        over all classes of ``test``; and ``target_auc``, the AUC of boosted trees in [0, 1], over all classes alike
        (one against the others). For numbers ``target_r2``, the mean R² of the four, each at least −1, and
        ``target_r2_boosted``, of boosted trees.

    Raises:
        SparringError: too few rows, or a target that has one value in ``test``.
    """
    from threadpoolctl import threadpool_limits

    check(columns, train, test)
    if len(columns) < 2:
        raise SparringError(
            found="a table of one column",
            expected="columns to predict it from",
            remedy="add the columns that explain it",
        )
    train, test = (take(side, ~side.missing[:, target]) for side in (train, test))
    check(columns, train, at_least=MIN_ROWS)
    check(columns, test)
    inputs = OneHot(train, columns, target)
    features, test_features = inputs(train), inputs(test)
    wanted, truth = values_of(train)[:, target], values_of(test)[:, target]
    if len(np.unique(truth)) < 2:
        raise SparringError(
            found=f"a single value of {columns[target].name!r} in the real rows",
            expected="a target that varies",
            remedy="name another target",
        )
    trees, others = (_without(boosted_features(side, columns), target) for side in (train, test))
    fill_unknown(trees)
    categorical = [not column.is_numeric for place, column in enumerate(columns) if place != target]

    # One thread: several would wait for one another after each of many small products.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some learners have not converged.
        if columns[target].is_numeric:
            return _of_numbers(
                (features, wanted),
                (test_features, truth),
                (trees, others, boosted_trees(categorical, seed, numeric_target=True)),
                seed,
            )
        return _of_classes(
            (features, wanted.astype(np.int64)),
            (test_features, truth.astype(np.int64)),
            (trees, others, boosted_trees(categorical, seed)),
            seed,
        )


def _of_classes(
    train: tuple[NDArray[np.float32], Integers],
    test: tuple[NDArray[np.float32], Integers],
    boosted: tuple[Floats, Floats, Any],
    seed: int,
) -> dict[str, float]:
    """Return ``target_f1`` and ``target_auc``."""
    from sklearn.metrics import f1_score, roc_auc_score

    (features, wanted), (test_features, truth) = train, test
    found, classes = np.unique(wanted), np.unique(truth)
    if len(found) < 2:
        # Learners that know one class always predict it.
        return {"target_f1": _f1(truth, np.full_like(truth, found[0]), f1_score), "target_auc": 0.5}
    predicted = [one.fit(features, wanted).predict(test_features) for one in _classifiers(seed)]
    scores = [_f1(truth, one, f1_score) for one in predicted]

    trees, others, learner = boosted
    learner.fit(trees, wanted)
    probabilities = dict(zip(found.tolist(), learner.predict_proba(others).T, strict=True))
    unknown = np.zeros(len(truth))
    # Two classes have one AUC, from either side.
    areas = [
        float(roc_auc_score(truth == one, probabilities.get(int(one), unknown)))
        for one in (classes if len(classes) > 2 else classes[1:])
    ]
    return {"target_f1": sum(scores) / len(scores), "target_auc": sum(areas) / len(areas)}


def _of_numbers(
    train: tuple[NDArray[np.float32], Floats],
    test: tuple[NDArray[np.float32], Floats],
    boosted: tuple[Floats, Floats, Any],
    seed: int,
) -> dict[str, float]:
    """Return ``target_r2`` and ``target_r2_boosted``."""
    from sklearn.metrics import r2_score

    (features, wanted), (test_features, truth) = train, test
    # In units of the real rows, so that learners see numbers about 1.
    middle, spread = float(np.median(truth)), float(np.abs(truth - np.median(truth)).max()) or 1.0
    deviation = float(((truth - middle) / spread).std()) or 1.0
    wanted, truth = ((side - middle) / spread / deviation for side in (wanted, truth))
    wanted = np.clip(wanted, -1e6, 1e6)
    scores = [r2_score(truth, one.fit(features, wanted).predict(test_features)) for one in _regressors(seed)]
    trees, others, learner = boosted
    best = r2_score(truth, learner.fit(trees, wanted).predict(others))
    mean = math.fsum(max(float(score), LOWEST_R2) for score in scores) / len(scores)
    return {"target_r2": mean, "target_r2_boosted": max(float(best), LOWEST_R2)}


def _f1(truth: Integers, predicted: Integers, f1_score: Any) -> float:
    """Return the F1 of the rarer class of two, or the mean over all classes that occur."""
    classes, counts = np.unique(truth, return_counts=True)
    if len(classes) == 2:
        return float(
            f1_score(truth == classes[counts.argmin()], predicted == classes[counts.argmin()], zero_division=0)
        )
    return float(f1_score(truth, predicted, labels=classes, average="macro", zero_division=0))


def _classifiers(seed: int) -> list[Any]:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.tree import DecisionTreeClassifier

    return [
        AdaBoostClassifier(n_estimators=50, random_state=seed % 2**32),
        DecisionTreeClassifier(max_depth=20, random_state=seed % 2**32),
        LogisticRegression(max_iter=200),
        MLPClassifier(hidden_layer_sizes=(50,), max_iter=50, random_state=seed % 2**32),
    ]


def _regressors(seed: int) -> list[Any]:
    from sklearn.ensemble import AdaBoostRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPRegressor
    from sklearn.tree import DecisionTreeRegressor

    return [
        AdaBoostRegressor(n_estimators=50, random_state=seed % 2**32),
        DecisionTreeRegressor(max_depth=20, random_state=seed % 2**32),
        LinearRegression(),
        MLPRegressor(hidden_layer_sizes=(50,), max_iter=50, random_state=seed % 2**32),
    ]


def _without(features: Floats, place: int) -> Floats:
    kept: Floats = np.delete(features, place, axis=1)
    return kept
