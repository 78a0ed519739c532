"""Areas under ROC curves, where the samples have labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option, separated
from sparring.data.labels import listed
from sparring.errors import SparringError, nearest

MAX_CLASSES = 50
"""Classes of which each has an area of its own."""


def normal_classes(given: Sequence[str], classes: Sequence[str], trained_on: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of samples that count as normal; none where nothing can be compared.

    Args:
        given: names that the user gave; without any, those of the training data.
        classes: of the samples.
        trained_on: of the training data.

    Raises:
        SparringError: the samples have no such class, or no class.
    """
    given = separated(given, classes)
    for name in given:
        if name not in classes:
            raise SparringError(
                found=f"the class {name!r} in {option('normal')}",
                expected=f"a class of the samples: {listed(classes) or 'they have none'}",
                remedy=f"check the name{nearest(name, list(classes))}"
                if classes
                else f"give each class a folder, or a file of labels: {option('labels')}",
            )
    chosen = given or [name for name in classes if name in trained_on]
    return tuple(dict.fromkeys(chosen)) if set(chosen) != set(classes) else ()


def areas(
    scores: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str], normal: Sequence[str]
) -> tuple[float | None, dict[str, float]]:
    """Return the area under the ROC curve of all unusual samples against the normal ones, and that of each class.

    Args:
        scores: (count,).
        labels: class numbers, (count,), -1 where the class is unknown: these samples do not count.
        classes: names of the classes.
        normal: those that are normal.

    Returns:
        None and nothing where one side is empty.
    """
    from sklearn.metrics import roc_auc_score

    numbers = [classes.index(name) for name in normal]
    is_normal = np.isin(labels, numbers)
    others = [number for number in np.unique(labels[labels >= 0]).tolist() if number not in numbers]
    if not is_normal.any() or not others:
        return None, {}

    def area(odd: NDArray[np.bool_]) -> float:
        both = is_normal | odd
        return float(roc_auc_score(odd[both], scores[both]))

    each = {classes[number]: area(labels == number) for number in others[:MAX_CLASSES]}
    return area(~is_normal & (labels >= 0)), each
