"""A small classifier trained on labelled real images: an extractor that needs no download, and a source of labels.

Its scores compare only with scores of the same weights, whose hash is in its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sparring.data.dataset import Dataset, Split
from sparring.data.sampler import EpochSampler
from sparring.errors import SparringError
from sparring.metrics.extractors.small_network import (
    BATCH,
    CHUNK,
    build,
    cached_network,
    descend,
    in_chunks,
    require_images,
)
from sparring.randomness import derive, seeded

STEPS, STEPS_LARGE, LARGE_COUNT = 400, 1000, 10_000
"""Training steps; those for large data; and the number of samples from which data is large."""
LABEL_SMOOTHING = 0.05


@final
@dataclass(frozen=True)
class Classifier:
    """A trained network as an extractor of its 64 last features.

    Args:
        network: see ``small_network.build``; frozen.
        name: "classifier-" and the first 12 digits of the SHA-256 of the weights.
    """

    network: nn.Sequential
    name: str
    cacheable = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return in_chunks(self.network[:-1], samples)

    def probabilities(self, features: Float[Tensor, "count features"]) -> Float[Tensor, "count classes"]:
        """Return class probabilities, by the last layer alone."""
        return in_chunks(self.network[-1:], features).softmax(1)

    def predict(self, samples: Tensor) -> Int[Tensor, " count"]:
        """Return class numbers of images in [-1, 1], (count, channels, height, width)."""
        return predicted(self.network, samples)


def train_classifier(split: Split, seed: int) -> Classifier:
    """Return a classifier trained on ``split.train``, or the one that was trained on it before.

    Raises:
        SparringError: no labels, fewer than two classes, not images of at least 8 × 8, or a training that would exceed
            the ``training_limit``.
    """
    network = _initialised(split.train, classes_of(split), seed)
    name = cached_network("classifier", network, split, seed, lambda: _fit(network, split.train, seed))
    return Classifier(network, name)


def fitted(train: Dataset, classes: int, seed: int) -> nn.Sequential:
    """Return a network trained on ``train`` without a cache; the same input gives the same weights."""
    network = _initialised(train, classes, seed)
    _fit(network, train, seed)
    return network.eval().requires_grad_(False)


def predicted(network: nn.Module, samples: Tensor) -> Int[Tensor, " count"]:
    """Return class numbers of images in [-1, 1], (count, channels, height, width)."""
    return in_chunks(network, samples).argmax(1)


def accuracy(predict: Callable[[Tensor], Tensor], dataset: Dataset) -> float:
    """Return the share of labelled samples whose label is predicted, in [0, 1]."""
    correct = 0
    for start in range(0, len(dataset), CHUNK):
        samples, _, labels = dataset.batch(slice(start, start + CHUNK))
        assert labels is not None
        correct += int(predict(samples).eq(labels).sum())
    return correct / max(len(dataset), 1)


def classes_of(split: Split) -> int:
    """Return the number of classes of labelled images.

    Raises:
        SparringError: no labels, fewer than two classes, or not images of at least 8 × 8.
    """
    labels = split.train.labels
    remedy = "use the extractor pixels"
    if labels is None or split.held_out.labels is None:
        raise SparringError(found="no labels", expected="a class for every sample", remedy=remedy)
    require_images(split.train.samples.shape[1:])
    if len(np.unique(labels)) < 2:
        raise SparringError(found="one class", expected="at least two", remedy=remedy)
    return max(len(split.facts.classes), int(labels.max()) + 1)


def _initialised(train: Dataset, classes: int, seed: int) -> nn.Sequential:
    with seeded(seed, "classifier"):
        return build(train.samples.shape[1:], classes)


def _fit(network: nn.Sequential, train: Dataset, seed: int) -> None:
    rows = EpochSampler(len(train), BATCH, derive(seed, "classifier-rows"))

    def loss(step: int) -> Tensor:
        samples, _, labels = train.batch(rows.rows(step))
        assert labels is not None
        return cross_entropy(network(samples), labels, label_smoothing=LABEL_SMOOTHING)

    descend(network, STEPS if len(train) < LARGE_COUNT else STEPS_LARGE, loss)
