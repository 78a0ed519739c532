"""Comparison of methods on the same samples: scores, thresholds, and areas under ROC curves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sparring.data.dataset import Dataset
from sparring.detection.areas import areas
from sparring.detection.result import MethodResult
from sparring.detection.scoring import Scorer, largest_places, scores_of
from sparring.detection.threshold import threshold_of
from sparring.modality import Listing

MAX_NAMED = 3
"""Columns that are named for each row."""


@final
@dataclass(frozen=True)
class Scored:
    """Samples as one method scored them.

    Args:
        result: unusual samples, threshold and areas.
        scores: of all samples, (count,).
        columns: columns that contribute most to each score, the largest first; none for other samples than rows.
    """

    result: MethodResult
    scores: NDArray[np.float64]
    columns: list[list[int]]


def compared(
    scorers: Mapping[str, Scorer],
    samples: Dataset,
    held_out: Dataset,
    *,
    rate: float,
    seed: int,
    listing: Listing,
    normal: tuple[str, ...],
    on_progress: Callable[[int, int], None],
) -> dict[str, Scored]:
    """Score samples by several methods.

    Args:
        scorers: method → its scorer.
        samples: the samples.
        held_out: normal samples, by which thresholds are chosen.
        rate: of false alarms, in (0, 1).
        seed: of the choice of thresholds.
        listing: classes of the samples.
        normal: classes that are normal; none to compute no areas.
        on_progress: called with the number of finished methods and of all.
    """
    found = dict[str, Scored]()
    for name, scorer in scorers.items():
        threshold = threshold_of(scores_of(scorer, held_out), rate, seed)
        parts, columns = list[NDArray[np.float64]](), list[list[int]]()
        for part in scorer(samples):
            parts.append(part.score.numpy())
            # Images have heat maps; columns of rows, and steps of series, have names.
            if part.places is not None and part.places.dim() <= 3:
                columns += largest_places(part.places.flatten(1), MAX_NAMED)
        scores = np.concatenate(parts)
        area, classes = None, dict[str, float]()
        if normal and listing.labels is not None:
            area, classes = areas(scores, listing.labels, listing.classes, normal)
        unusual = int((scores > threshold.value).sum())
        result = MethodResult(unusual=unusual, threshold=threshold, auroc=area, classes=classes)
        found[name] = Scored(result, scores, columns)
        on_progress(len(found), len(scorers))
    return found
