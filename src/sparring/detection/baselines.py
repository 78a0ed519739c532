"""Simple detectors that need no network: distance to the nearest training sample, and an isolation forest."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.dataset import Dataset, Split
from sparring.metrics.extractors.extractor import Extractor, Pixels, Unbounded
from sparring.modality import Modality
from sparring.randomness import derive
from sparring.samples import rows_within

MAX_TRAINING = 20_000
"""Training samples that are used at most."""
MAX_DIMENSIONS = 128
"""Dimensions of features above which they are reduced by PCA."""
MAX_FEATURE = 1e30
"""Bound of features: forests store float32."""
PASS_BYTES, MAX_ROWS = 2**26, 1024
"""Bytes and rows of the samples that are read at once."""

Features: TypeAlias = NDArray[np.float64]
Score: TypeAlias = Callable[[Features], NDArray[np.float64]]
"""Features, (count, size) → scores, (count,)."""


class FeatureSpace:
    """Features of samples, (count, size): those of the modality, without bounds; pictures as their values.

    Above ``MAX_DIMENSIONS`` they are reduced by PCA.

    Args:
        split: the training data.
        modality: of the samples.
        seed: of the choice of training samples, and of the extractor.
    """

    def __init__(self, split: Split, modality: Modality, seed: int) -> None:
        is_picture = len(split.train.shapes) == 1 and len(split.train.shapes[0]) == 3
        found: Extractor = Pixels() if is_picture else list(modality.extractors(split, seed).values())[-1]
        self._extract = found.unbounded if isinstance(found, Unbounded) else found
        self._reduce: Any = None

        # A random part of the training data.
        random = np.random.default_rng(derive(seed, "baselines"))
        rows = np.sort(random.permutation(len(split.train))[:MAX_TRAINING])
        train = np.concatenate(list(self.of(split.train.subset(rows))))
        if min(train.shape) > 1 and train.shape[1] > MAX_DIMENSIONS:
            from sklearn.decomposition import PCA

            size = min(MAX_DIMENSIONS, *train.shape)
            self._reduce = PCA(size, svd_solver="randomized", random_state=derive(seed, "PCA") % 2**32).fit(train)
            train = self._reduce.transform(train)
        self.train: Features = train

    def of(self, data: Dataset) -> Iterator[Features]:
        """Yield the features of samples, in order, some at a time."""
        size = rows_within(PASS_BYTES, data.shapes, MAX_ROWS)
        for start in range(0, len(data), size):
            values = self._extract(data.batch(slice(start, start + size)).real).double().cpu()
            features = values.nan_to_num(MAX_FEATURE, MAX_FEATURE, -MAX_FEATURE).clamp(-MAX_FEATURE, MAX_FEATURE)
            yield features.numpy() if self._reduce is None else self._reduce.transform(features.numpy())


def nearest(train: Features, seed: int) -> Score:
    """Return the distance to the nearest of the training samples as a score."""
    known = torch.from_numpy(train)

    def score(features: Features) -> NDArray[np.float64]:
        found: NDArray[np.float64] = torch.cdist(torch.from_numpy(features), known).min(1).values.numpy()
        return found

    return score


def isolation_forest(train: Features, seed: int) -> Score:
    """Return the score of an isolation forest of 100 trees (Liu et al. 2008), in [0, 1]."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=derive(seed, "forest") % 2**32).fit(train)
    return partial(_isolation, forest)


def _isolation(forest: Any, features: Features) -> NDArray[np.float64]:
    return -np.asarray(forest.score_samples(features), dtype=np.float64)


BASELINES: dict[str, Callable[[Features, int], Score]] = {"nearest": nearest, "isolation-forest": isolation_forest}
"""Name → (features of training samples, seed) → score."""
