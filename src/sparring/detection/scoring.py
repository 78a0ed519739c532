"""Scores of many samples, by a network or by a simple detector, some samples at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.detection.baselines import FeatureSpace, Score
from sparring.detection.conditions import Given
from sparring.flow import Anomaly, Batch
from sparring.games.game import Detecting
from sparring.samples import Sample, batch_size, rows_within, shapes, take

if TYPE_CHECKING:
    from sparring.model import Model

PASS_BYTES, MAX_ROWS = 2**22, 1024
"""Bytes and rows of the samples that are scored at once."""
HIGHEST = float(torch.finfo(torch.float32).max)
"""Score of samples that are too far away for a number."""


class Scorer(Protocol):
    """Anything that scores the samples of a data set."""

    def __call__(self, data: Dataset) -> Iterator[Anomaly]:
        """Yield how unusual samples are, in order, some at a time, on the CPU."""
        ...


@final
class NetworkScorer:
    """Scores by a game, or by an encoder beside one.

    Args:
        model: the model.
        detector: on ``device``.
        device: device to compute on.
    """

    def __init__(self, model: "Model", detector: Detecting, device: torch.device) -> None:
        self.given, self.detector, self.device = Given(model), detector, device

    def __call__(self, data: Dataset) -> Iterator[Anomaly]:
        size = rows_within(PASS_BYTES, data.shapes, MAX_ROWS)
        for start in range(0, len(data), size):
            yield self._of(data.batch(slice(start, start + size)).real)

    def of(self, samples: Sample) -> Anomaly:
        """Return how unusual samples in memory are."""
        size = rows_within(PASS_BYTES, shapes(samples), MAX_ROWS)
        parts = [self._of(take(samples, slice(start, start + size))) for start in range(0, batch_size(samples), size)]
        places = [part.places for part in parts if part.places is not None]
        return Anomaly(torch.cat([part.score for part in parts]), torch.cat(places) if places else None)

    def _of(self, samples: Sample) -> Anomaly:
        with torch.no_grad():
            found = self.given.anomaly(self.detector, Batch(samples), self.device)
        return Anomaly(_finite(found.score), None if found.places is None else _finite(found.places))


@final
class FeatureScorer:
    """Scores by a simple detector in the features of samples.

    Args:
        space: of the features.
        score: of features.
    """

    def __init__(self, space: FeatureSpace, score: Score) -> None:
        self.space, self.score = space, score

    def __call__(self, data: Dataset) -> Iterator[Anomaly]:
        for features in self.space.of(data):
            yield Anomaly(_finite(torch.from_numpy(self.score(features))))


def scores_of(scorer: Scorer, data: Dataset) -> NDArray[np.float64]:
    """Return the scores of all samples, (count,)."""
    return np.concatenate([part.score.numpy() for part in scorer(data)])


def largest_places(places: Tensor, count: int) -> list[list[int]]:
    """Return the columns that contribute most to each score, the largest first; none that contribute nothing.

    Args:
        places: (batch, columns).
        count: columns of each sample at most.
    """
    values, columns = places.topk(min(count, places.shape[1]), dim=1)
    return [
        [column for column, value in zip(*row, strict=True) if value > 0]
        for row in zip(columns.tolist(), values.tolist(), strict=True)
    ]


def _finite(values: Tensor) -> Tensor:
    return values.double().nan_to_num(HIGHEST, HIGHEST, -HIGHEST).clamp(-HIGHEST, HIGHEST).cpu()
