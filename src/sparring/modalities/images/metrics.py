"""Metrics of images: from their pixels and, where there are labels, from classifiers trained on the real ones."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError, nearest
from sparring.flow import Batch
from sparring.metrics.distances import covered
from sparring.metrics.extractors.classifier import Classifier, fitted, predicted, train_classifier
from sparring.metrics.extractors.dinov2 import load_dinov2
from sparring.metrics.extractors.extractor import Extractor, Pixels
from sparring.metrics.extractors.inception import load_inception
from sparring.metrics.extractors.own_function import load_function
from sparring.metrics.extractors.self_supervised import train_self_supervised
from sparring.metrics.extractors.small_network import training_was_cut_short
from sparring.metrics.metric import MetricValues, attempted, known
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset, cached
from sparring.modalities.images.similarity import similarity_within
from sparring.modalities.images.spectrum import spectrum_distance
from sparring.modalities.images.stacked import digits_of, stacked_modes
from sparring.randomness import derive, generator

MAX_SVM_VALUES = 1024
"""Values per image up to which labels are predicted by a support vector machine."""
MAX_SVM_IMAGES = 5000
"""Images up to which a support vector machine is trained."""
MAX_COARSE_IMAGES, COMPONENTS = 2500, 128
"""Images that it is trained on where there is no time for a network, and principal components of them."""
MIN_PAIRS, MAX_PAIRS = 50, 1000
"""Bounds of the number of pairs whose similarity is averaged."""
MAX_VALUES_IN_PAIRS = 1_000_000
"""Values of one side of all pairs together: fewer pairs of large images."""
MAX_DIGITS = 60_000
"""Images that a classifier of stacked digits is trained on."""
FOUND_SHARE = 0.1
"""Share of the expected images of a class that must occur for the class to count as found."""
STACKED_CLASSES = tuple(f"{number:03}" for number in range(1000))
"""Class names of stacked digits."""

Predict: TypeAlias = Callable[[Tensor], Tensor]
"""Images, (count, channels, height, width) in [-1, 1] → class numbers, (count,)."""


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors, or by default ``pixels`` and, where it can be trained, ``own``.

    Grey real images that are compared in colour have ``pixels`` alone by default.

    Args:
        split: real images.
        seed: random seed of the training of ``own``.
        names: any of "pixels"; "own", a classifier, or without labels a self-supervised network; "inception",
            "inception-legacy" and "dinov2", each optionally with ":" and the path of its weights; and
            "file.py:function".

    Raises:
        SparringError: there is no extractor of such a name, or it is not available.
    """
    if names:
        return {name: _extractor(name, split, seed) for name in names}
    found: dict[str, Extractor] = {"pixels": Pixels()}
    # A network that is trained on grey images ignores the colour of others.
    if split.facts.shape[0] < split.train.samples.shape[1]:
        return found
    try:
        found["own"] = _trained_extractor(split, seed)
    except SparringError:
        return found
    return found


def _extractor(name: str, split: Split, seed: int) -> Extractor:
    if ".py:" in name:
        return load_function(name)
    kind, _, path = name.partition(":")

    # Loaders, not extractors: nothing is trained or downloaded until one is chosen.
    loaders: dict[str, Callable[[], Extractor]] = {
        "pixels": Pixels,
        "own": lambda: _trained_extractor(split, seed),
        "inception": lambda: load_inception(Path(path) if path else None),
        "inception-legacy": lambda: load_inception(Path(path) if path else None, legacy=True),
        "dinov2": lambda: load_dinov2(*([path] if path else [])),
    }
    if kind not in loaders:
        raise SparringError(
            found=f"the unknown extractor {name!r}",
            expected=f"one of {', '.join(loaders)}, or your own as file.py:function",
            remedy=f"check the spelling{nearest(kind, list(loaders))}",
        )
    return loaders[kind]()


def _trained_extractor(split: Split, seed: int) -> Extractor:
    """Train a classifier, or without usable labels a self-supervised network."""
    labels = split.train.labels
    if labels is not None and len(np.unique(labels)) > 1 and split.facts.classes != STACKED_CLASSES:
        return train_classifier(split, seed)
    return train_self_supervised(split, seed)


def measure(split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
    """Return the metrics that are computed from images, not from features.

    With labels those of ``classifier_metrics``; where ``further`` is set, also ``similarity`` and ``spectrum``, with
    labels ``class_coverage``, and for stacked digits ``stacked_modes`` and ``stacked_kl``. Predictions for generated
    images are compared with those for held-out ones.
    """
    # Classifiers are trained on first use: never, where all metrics come from the cache.
    label_of = cache(partial(label_classifier, split, seed))
    features = cache(partial(_class_features, split, seed))
    digit_of = cache(partial(digit_classifier, split, seed))
    shares = _class_shares(split)

    def measured(one: Repeat, side: Subset, unseen: Subset) -> MetricValues:
        """Measure a set, and the predictions for ``unseen``, a set that no classifier was trained on."""
        found = _appearance(one, side) if further else {}
        extractor, predict_digits = (features(), digit_of()) if further else (None, None)
        if extractor is not None and one.real.batch().label is not None:
            found |= attempted("class_coverage", lambda: min(_coverage_by_class(one, side, extractor).values()))
        if predict_digits is not None:
            found |= _stacked(unseen.batch(), predict_digits)
        predictions = classifier_metrics(unseen.batch(), label_of(), shares)
        # Without requested classes there is nothing for predictions to agree with.
        if one.fake.batch().label is None:
            predictions.pop("agreement", None)
        return known(found) | predictions

    name = f"images {split.facts.fingerprint} {split.train.samples.shape} {seed}"
    return cached(
        f"{name} {further}",
        lambda one: (measured(one, one.fake, one.fake), measured(one, one.floor, one.held_out)),
        # Without the time to train its classifier, an evaluation has fewer values than the next one.
        keep=lambda: not training_was_cut_short(),
    )


def by_class(one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
    """Return metrics of each class by its name; nothing where there is no classifier.

    ``coverage`` and ``coverage_floor``; ``share``, of generated images predicted as this class, and ``real_share``; and
    ``agreement``, of the images that were generated as this class.
    """
    extractor, labels, fake = _class_features(split, seed), one.real.batch().label, one.fake.batch()
    predict = None if extractor is None else label_classifier(split, seed)
    if predict is None or extractor is None or labels is None or not fake.real.isfinite().all():
        return {}

    # Predict classes, and compute the coverage of each; no rows where there are too few samples for it.
    predicted_labels = predict(fake.real)
    try:
        coverage, floors = (_coverage_by_class(one, side, extractor) for side in (one.fake, one.floor))
    except SparringError:
        return {}

    # One row per class, named where the class has a name.
    rows: dict[str, dict[str, float]] = {}
    for label in sorted(coverage):
        row = {
            "coverage": coverage[label],
            "coverage_floor": floors[label],
            "share": predicted_labels.eq(label).double().mean().item(),
            "real_share": labels.eq(label).double().mean().item(),
        }
        if fake.label is not None and fake.label.eq(label).any():
            row["agreement"] = predicted_labels[fake.label.eq(label)].eq(label).double().mean().item()
        rows[split.facts.classes[label] if label < len(split.facts.classes) else str(label)] = row
    return rows


def _appearance(one: Repeat, side: Subset) -> MetricValues:
    """Similarity within ``side``, and distance of its spectrum from that of real images."""
    images, real = side.batch(), one.real.batch()
    # Pairs are drawn within classes for both sides or for neither, so that the sides are comparable.
    labels = images.label if one.fake.batch().label is not None else None
    pairs = min(MAX_PAIRS, max(MIN_PAIRS, MAX_VALUES_IN_PAIRS // images.real[0].numel()))
    random = generator(one.seed, "pairs")
    return {
        **attempted("similarity", lambda: similarity_within(images.real, labels, generator=random, pairs=pairs)),
        **attempted("spectrum", lambda: spectrum_distance(real.real, images.real)),
    }


def _coverage_by_class(one: Repeat, side: Subset, extractor: Extractor) -> dict[int, float]:
    """Class number → share of its real images with an image of ``side`` nearby; see ``distances.covered``."""
    labels = one.real.batch().label
    assert labels is not None
    near = covered(one.real.features(extractor), side.features(extractor)).double()
    return {int(label): near[labels == label].mean().item() for label in labels.unique()}


def _stacked(batch: Batch, predict_digits: Predict) -> MetricValues:
    found = stacked_modes(digits_of(batch.real, predict_digits))
    return {"stacked_modes": float(found.modes), "stacked_kl": found.kl}


def classifier_metrics(batch: Batch, predict: Predict | None, shares: Tensor | None = None) -> MetricValues:
    """Return metrics of the classes that a classifier of real images predicts.

    Args:
        batch: images in [-1, 1], (count, channels, height, width), and the classes asked for, (count,), or None.
        predict: the classifier; without one there are no metrics.
        shares: shares of the classes among real images, (classes,); None to count every class that occurs as found.

    Returns:
        ``agreement``: share of images predicted as the class asked for, in [0, 1], where classes were asked for;
        ``classes``: number of classes found, each in at least a tenth of the images that its share predicts, so that
        a few misclassified images do not count.
    """
    finite = batch.real.flatten(1).isfinite().all(1)
    if predict is None or not finite.any():
        return {}
    predictions = predict(batch.real[finite])
    counts = torch.bincount(predictions, minlength=0 if shares is None else len(shares))
    enough = torch.ones(1) if shares is None else (FOUND_SHARE * shares * len(predictions)).clamp(min=1)
    found: MetricValues = {"classes": float((counts >= enough).sum())}
    if batch.label is not None:
        found["agreement"] = int(predictions.eq(batch.label[finite]).sum()) / len(batch.real)
    return found


def label_classifier(split: Split, seed: int) -> Predict | None:
    """Train a classifier of the images, or return None with fewer than two classes or too few images to train on.

    It is a support vector machine on raw pixels (radial kernel, gamma "scale") for at most 5,000 images of at most
    1,024 values, and the convolutional classifier of ``metrics.extractors`` for more or larger ones; where there is no
    time to train that, ``_coarse_classifier``.
    """
    labels = split.train.labels
    if labels is None or len(np.unique(labels)) < 2 or split.facts.classes == STACKED_CLASSES:
        return None
    count, *shape = split.train.samples.shape
    try:
        if int(np.prod(shape)) <= MAX_SVM_VALUES and count <= MAX_SVM_IMAGES:
            return _support_vector_machine(split.train, seed)
        return train_classifier(split, seed).predict
    except SparringError:
        return _coarse_classifier(split.train, seed) if training_was_cut_short() else None


def _coarse_classifier(train: Dataset, seed: int) -> Predict:
    """Train a support vector machine on principal components of shrunken images, where there is no time for a network.

    It predicts in milliseconds, so that the repeats for the intervals take no longer.
    """
    from sklearn.decomposition import PCA

    factor = min(1.0, math.sqrt(MAX_SVM_VALUES / math.prod(train.samples.shape[1:])))
    height, width = (max(1, int(side * factor)) for side in train.samples.shape[2:])
    rows = np.random.default_rng(seed).permutation(len(train))[:MAX_COARSE_IMAGES]
    components = PCA(min(COMPONENTS, train.samples.shape[1] * height * width, len(rows)), random_state=0)

    def shrunken(images: Tensor) -> NDArray[np.float32]:
        values: NDArray[np.float32] = adaptive_avg_pool2d(images.cpu(), (height, width)).flatten(1).numpy()
        return values

    samples, _, labels = train.batch(np.sort(rows))
    assert labels is not None
    machine = _machine(seed).fit(components.fit_transform(shrunken(samples)), labels.numpy())
    return lambda images: torch.from_numpy(machine.predict(components.transform(shrunken(images))))


def digit_classifier(split: Split, seed: int) -> Predict | None:
    """Train a classifier of the single digits of stacked ones, or return None for other data."""
    labels = split.train.labels
    if split.facts.classes != STACKED_CLASSES or labels is None:
        return None
    digits = np.stack([labels // 100, labels // 10 % 10, labels % 10], 1).reshape(-1)
    rows = np.sort(np.random.default_rng(seed).permutation(len(digits))[:MAX_DIGITS])
    stacked = split.train.samples[rows // 3]  # (rows, 3, height, width)
    single = stacked[np.arange(len(rows)), rows % 3][:, None]  # (rows, 1, height, width)
    network = fitted(Dataset(single, digits[rows]), 10, seed)
    return lambda images: predicted(network, images)


def _class_features(split: Split, seed: int) -> Classifier | None:
    if split.facts.classes == STACKED_CLASSES:
        return None
    try:
        return train_classifier(split, seed)
    except SparringError:
        return None


def _class_shares(split: Split) -> Tensor | None:
    labels = split.train.labels
    return None if labels is None else torch.from_numpy(np.bincount(labels) / len(labels))


def _support_vector_machine(train: Dataset, seed: int) -> Predict:
    samples, _, labels = train.batch(slice(None))
    assert labels is not None
    machine = _machine(seed).fit(samples.flatten(1).numpy(), labels.numpy())
    return lambda images: torch.from_numpy(machine.predict(images.flatten(1).cpu().numpy()))


def _machine(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel="rbf", gamma="scale", random_state=derive(seed, "support vectors") % 2**32)
