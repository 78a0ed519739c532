"""How generated images are judged: by their pixels and, where there are labels, by classifiers of the real ones."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError
from sparring.evaluation.classifier import train_classifier
from sparring.evaluation.extractors import Extractor, Pixels
from sparring.randomness import derive

LARGEST_FOR_VECTORS = 1024
MOST_FOR_VECTORS = 5000

Predict: TypeAlias = Callable[[Tensor], Tensor]


def extractors(split: Split, seed: int) -> Mapping[str, Extractor]:
    """``pixels``, and ``classifier`` for labelled images that one can be trained on."""
    found: dict[str, Extractor] = {"pixels": Pixels()}
    if split.train.labels is not None:
        try:
            found["classifier"] = train_classifier(split, seed)
        except SparringError:
            return found
    return found


def measures(samples: Tensor, labels: Tensor | None, split: Split, seed: int) -> Mapping[str, float]:
    """What a classifier of the real images says of generated ones.

    It is a support vector machine on raw pixels (radial kernel, gamma "scale") for at most 5,000 images of at most
    1,024 values, and the convolutional classifier of the project for more or larger ones.

    Args:
        samples: generated images in [-1, 1], (count, channels, height, width).
        labels: the classes that were asked for, (count,), or None.
        split: real images; without labels nothing is measured.
        seed: of the classifier.

    Returns:
        ``agreement``: the share of samples said to be of the class asked for, in [0, 1], if ``labels`` are given;
        ``classes``: how many classes are seen in the samples.
    """
    finite = samples.flatten(1).isfinite().all(1)
    if split.train.labels is None or len(np.unique(split.train.labels)) < 2 or not finite.any():
        return {}
    try:
        predict = _judge(split, seed)
    except SparringError:
        return {}
    seen = predict(samples[finite])
    found = {"classes": float(len(torch.unique(seen)))}
    if labels is not None:
        found["agreement"] = int(seen.eq(labels[finite]).sum()) / len(samples)
    return found


def _judge(split: Split, seed: int) -> Predict:
    shape = split.train.samples.shape
    if int(np.prod(shape[1:])) <= LARGEST_FOR_VECTORS and shape[0] <= MOST_FOR_VECTORS:
        return _support_vectors(split.train, seed)
    return train_classifier(split, seed).predict


def _support_vectors(train: Dataset, seed: int) -> Predict:
    from sklearn.svm import SVC

    samples, labels = train.batch(slice(None))
    assert labels is not None
    machine = SVC(kernel="rbf", gamma="scale", random_state=derive(seed, "support vectors") % 2**32)
    machine.fit(samples.flatten(1).numpy(), labels.numpy())
    return lambda images: torch.from_numpy(machine.predict(images.flatten(1).cpu().numpy()))
