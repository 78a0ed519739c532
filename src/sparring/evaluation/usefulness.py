"""Are the samples of use? What a classifier learns from them, tested on held-out real samples."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError
from sparring.metrics.extractors.classifier import accuracy, classes_of, fitted, predicted
from sparring.randomness import generator


def usefulness(samples: Tensor, labels: Tensor | None, split: Split, seed: int) -> dict[str, tuple[float, float]]:
    """Accuracies on held-out real samples, in [0, 1] (classification accuracy score, Ravuri & Vinyals 2019).

    Args:
        samples: generated images in [-1, 1], (count, channels, height, width).
        labels: the classes that were asked for, (count,), or None, which is refused.
        split: labelled real images.
        seed: of the classifiers, and of which real samples stand against the generated ones.

    Returns:
        name → (value, floor). ``trained_on_samples``: of a classifier that saw generated samples alone, beside one that
        saw equally many real ones. ``trained_on_both``: of one that saw them beside all real training samples, beside
        one that saw the real ones alone.

    Raises:
        SparringError: no labels on one side, fewer than two classes, or not images of at least 8 × 8.
    """
    classes = classes_of(split)
    if labels is None:
        raise SparringError(
            found="samples without classes",
            expected="a model that was trained with classes, to learn from its samples which is which",
            remedy="leave --useful out",
        )
    real, count = split.train, min(len(samples), len(split.train))
    rows = torch.randperm(len(real), generator=generator(seed, "equally many"))[:count].numpy()
    fake = Dataset(samples[:count].numpy(), labels[:count].numpy())

    def learned(*parts: Dataset) -> float:
        network = fitted(_joined(*parts), classes, seed)
        return accuracy(lambda images: predicted(network, images), split.held_out)

    few, everything = _rows(real, rows), _rows(real, np.arange(len(real)))
    return {
        "trained_on_samples": (learned(fake), learned(few)),
        "trained_on_both": (learned(everything, fake), learned(everything)),
    }


def _rows(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    samples, _, labels = dataset.batch(rows)
    assert labels is not None
    return Dataset(samples.numpy(), labels.numpy())


def _joined(*parts: Dataset) -> Dataset:
    labels = [part.labels for part in parts if part.labels is not None]
    return Dataset(np.concatenate([part.samples for part in parts]), np.concatenate(labels))
