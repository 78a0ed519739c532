"""How generated images are judged: by their pixels and, where there are labels, by classifiers of the real ones."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

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
from sparring.metrics.metric import MetricValues, rounded
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset, cached
from sparring.modalities.images.similarity import similarity_within
from sparring.modalities.images.spectrum import spectrum_distance
from sparring.modalities.images.stacked import digits_of, stacked_modes
from sparring.randomness import derive, generator

LARGEST_FOR_VECTORS = 1024
MOST_FOR_VECTORS = 5000
MOST_PAIRS, FEWEST_PAIRS, VALUES_IN_PAIRS = 1000, 50, 1_000_000
"""Pairs whose similarity is looked at: fewer of large images."""
MOST_DIGITS = 60_000
FOUND = 0.1
"""Of the images that a class has by its share among the real ones: so many make it found."""
STACKS = tuple(f"{number:03}" for number in range(1000))
"""The classes of StackedMNIST."""

Predict: TypeAlias = Callable[[Tensor], Tensor]


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Those that are named, by their names, or ``pixels`` and, where it can be trained, ``own``.

    Args:
        split: real images.
        seed: of what is trained on them.
        names: of "pixels"; "own": a classifier, or without labels a network that learnt to tell images apart;
            "inception", "inception-legacy" and "dinov2", and each with ":" and where its weights are; and
            "file.py:function".

    Raises:
        SparringError: there is none of such a name, or it cannot be had.
    """
    if names:
        return {name: _extractor(name, split, seed) for name in names}
    found: dict[str, Extractor] = {"pixels": Pixels()}
    try:
        found["own"] = _own(split, seed)
    except SparringError:
        return found
    return found


def _extractor(name: str, split: Split, seed: int) -> Extractor:
    if ".py:" in name:
        return load_function(name)
    kind, _, place = name.partition(":")
    makers: dict[str, Callable[[], Extractor]] = {
        "pixels": Pixels,
        "own": lambda: _own(split, seed),
        "inception": lambda: load_inception(Path(place) if place else None),
        "inception-legacy": lambda: load_inception(Path(place) if place else None, legacy=True),
        "dinov2": lambda: load_dinov2(*([place] if place else [])),
    }
    if kind not in makers:
        raise SparringError(
            found=f"the extractor {name!r}",
            expected=f"one of {', '.join(makers)}, or your own as file.py:function",
            remedy=f"look at the spelling{nearest(kind, list(makers))}",
        )
    return makers[kind]()


def _own(split: Split, seed: int) -> Extractor:
    labels = split.train.labels
    if labels is not None and len(np.unique(labels)) > 1 and split.facts.classes != STACKS:
        return train_classifier(split, seed)
    return train_self_supervised(split, seed)


def measure(split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
    """What is told from images themselves, not from features.

    With labels ``opinion``; and where ``further`` is set ``similarity`` and ``spectrum``, with labels
    ``class_coverage``, and of stacks of three digits ``stacked_modes`` and ``stacked_kl``. What a classifier says is
    compared with what it says of held-out images.
    """
    # Made when first asked: never, where everything was measured before.
    predict, own = cache(partial(judge, split, seed)), cache(partial(_classifier, split, seed))
    digit = cache(partial(digit_judge, split, seed))
    shares = _shares(split)

    def of_side(one: Repeat, side: Subset, unseen: Subset) -> MetricValues:
        found: MetricValues = _appearance(one, side) if further else {}
        classifier, tell_digits = (own(), digit()) if further else (None, None)
        if classifier is not None and one.real.batch().label is not None:
            found |= _tried("class_coverage", lambda: min(_coverage_of_classes(one, side, classifier).values()))
        if tell_digits is not None:
            found |= _stacks(unseen.batch(), tell_digits)
        said = opinion(unseen.batch(), predict(), shares)
        if one.fake.batch().label is None:
            said.pop("agreement", None)
        return found | said

    name = f"images {split.facts.fingerprint} {split.train.samples.shape} {seed}"
    return cached(
        f"{name} {further}", lambda one: (of_side(one, one.fake, one.fake), of_side(one, one.floor, one.held_out))
    )


def by_class(one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
    """What is found of each class, by its name; nothing where there is no classifier.

    ``coverage`` and ``coverage_floor``; the ``share`` of samples seen as of this class, and ``real_share``; and
    ``agreement`` of the samples that were asked for as it.
    """
    predict, own, labels = judge(split, seed), _classifier(split, seed), one.real.batch().label
    fake = one.fake.batch()
    if predict is None or own is None or labels is None or not fake.real.isfinite().all():
        return {}
    seen = predict(fake.real)
    try:
        found, floors = (_coverage_of_classes(one, side, own) for side in (one.fake, one.floor))
    except SparringError:
        return {}
    rows: dict[str, dict[str, float]] = {}
    for label in sorted(found):
        row = {
            "coverage": found[label],
            "coverage_floor": floors[label],
            "share": seen.eq(label).double().mean().item(),
            "real_share": labels.eq(label).double().mean().item(),
        }
        if fake.label is not None and fake.label.eq(label).any():
            row["agreement"] = seen[fake.label.eq(label)].eq(label).double().mean().item()
        rows[split.facts.classes[label] if label < len(split.facts.classes) else str(label)] = row
    return rows


def _appearance(one: Repeat, side: Subset) -> MetricValues:
    images, real = side.batch(), one.real.batch()
    # Within classes, or on neither side.
    labels = images.label if one.fake.batch().label is not None else None
    pairs = min(MOST_PAIRS, max(FEWEST_PAIRS, VALUES_IN_PAIRS // images.real[0].numel()))
    random = generator(one.seed, "pairs")
    return {
        **_tried("similarity", lambda: similarity_within(images.real, labels, generator=random, pairs=pairs)),
        **_tried("spectrum", lambda: spectrum_distance(real.real, images.real)),
    }


def _coverage_of_classes(one: Repeat, side: Subset, own: Extractor) -> dict[int, float]:
    """Class number → the share of its real images with an image of ``side`` nearby; see ``distances.covered``."""
    labels = one.real.batch().label
    assert labels is not None
    near = covered(one.real.features(own), side.features(own)).double()
    return {int(label): near[labels == label].mean().item() for label in labels.unique()}


def _stacks(batch: Batch, digit: Predict) -> MetricValues:
    found = stacked_modes(digits_of(batch.real, digit))
    return {"stacked_modes": float(found.modes), "stacked_kl": found.kl}


def _tried(name: str, compute: Callable[[], float]) -> MetricValues:
    try:
        return {name: rounded(compute())}
    except SparringError as error:
        return {name: error}


def opinion(batch: Batch, predict: Predict | None, shares: Tensor | None = None) -> MetricValues:
    """What a classifier of real images says of others.

    Args:
        batch: images in [-1, 1], (count, channels, height, width), and the classes asked for, (count,), or None.
        predict: the classifier; without one nothing is measured.
        shares: of the classes among real images, (classes,); None where any image is enough for a class to be found.

    Returns:
        ``agreement``: the share of samples said to be of the class asked for, in [0, 1], if there are any;
        ``classes``: how many classes are found, each in at least a tenth of the images that its share would make: a
        few that are taken for another class do not count.
    """
    finite = batch.real.flatten(1).isfinite().all(1)
    if predict is None or not finite.any():
        return {}
    seen = predict(batch.real[finite])
    counts = torch.bincount(seen, minlength=0 if shares is None else len(shares))
    enough = torch.ones(1) if shares is None else (FOUND * shares * len(seen)).clamp(min=1)
    found: MetricValues = {"classes": float((counts >= enough).sum())}
    if batch.label is not None:
        found["agreement"] = int(seen.eq(batch.label[finite]).sum()) / len(batch.real)
    return found


def judge(split: Split, seed: int) -> Predict | None:
    """A classifier of ``split``'s images, or None where there are no two classes, or no images to train one on.

    It is a support vector machine on raw pixels (radial kernel, gamma "scale") for at most 5,000 images of at most
    1,024 values, and the convolutional classifier of the project for more or larger ones.
    """
    if split.train.labels is None or len(np.unique(split.train.labels)) < 2 or split.facts.classes == STACKS:
        return None
    try:
        return _judge(split, seed)
    except SparringError:
        return None


def digit_judge(split: Split, seed: int) -> Predict | None:
    """For stacks of three digits, whose classes are the 1,000 numbers "000" to "999": who tells the digits apart."""
    labels = split.train.labels
    if split.facts.classes != STACKS or labels is None:
        return None
    digits = np.stack([labels // 100, labels // 10 % 10, labels % 10], 1).reshape(-1)
    shape = split.train.samples.shape
    single = split.train.samples.reshape(-1, 1, *shape[2:])
    some = np.random.default_rng(seed).permutation(len(single))[:MOST_DIGITS]
    network = fitted(Dataset(single[np.sort(some)], digits[np.sort(some)]), 10, seed)
    return lambda images: predicted(network, images)


def _classifier(split: Split, seed: int) -> Classifier | None:
    if split.facts.classes == STACKS:
        return None
    try:
        return train_classifier(split, seed)
    except SparringError:
        return None


def _shares(split: Split) -> Tensor | None:
    labels = split.train.labels
    return None if labels is None else torch.from_numpy(np.bincount(labels) / len(labels))


def _judge(split: Split, seed: int) -> Predict:
    shape = split.train.samples.shape
    if int(np.prod(shape[1:])) <= LARGEST_FOR_VECTORS and shape[0] <= MOST_FOR_VECTORS:
        return _support_vectors(split.train, seed)
    return train_classifier(split, seed).predict


def _support_vectors(train: Dataset, seed: int) -> Predict:
    from sklearn.svm import SVC

    samples, _, labels = train.batch(slice(None))
    assert labels is not None
    machine = SVC(kernel="rbf", gamma="scale", random_state=derive(seed, "support vectors") % 2**32)
    machine.fit(samples.flatten(1).numpy(), labels.numpy())
    return lambda images: torch.from_numpy(machine.predict(images.flatten(1).cpu().numpy()))
