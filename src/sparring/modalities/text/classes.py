"""Classes of texts, as a classifier of real ones predicts them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch
from scipy.sparse import csr_matrix, hstack
from torch import Tensor

from sparring.data.dataset import Split
from sparring.flow import Batch
from sparring.metrics.metric import MetricValues
from sparring.metrics.sample_sets import Repeat
from sparring.modalities.text.features import FITTED, gram_counts
from sparring.modalities.text.render import lengths
from sparring.randomness import derive, generator

FOUND_SHARE = 0.1
"""Share of the expected texts of a class that must occur for the class to count as found."""
INVERSE_REGULARISATION = 10.0
"""Inverse strength of the regularisation of the classifier."""
MAX_STEPS = 200
"""Steps in which it is fitted."""

Predict: TypeAlias = Callable[[Tensor], Tensor]
"""Texts, (count, length) → class numbers, (count,)."""


def classifier(split: Split, seed: int) -> Predict | None:
    """Fit logistic regression on lengths and n-grams of training texts; None with fewer than two classes."""
    from sklearn.linear_model import LogisticRegression

    labels = split.train.labels
    if labels is None or len(np.unique(labels[labels >= 0])) < 2:
        return None
    known = np.flatnonzero(labels >= 0)
    order = torch.randperm(len(known), generator=generator(seed, "classified"))[:FITTED].sort().values
    rows = known[order.numpy()]
    random = derive(seed, "classifier") % 2**32
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MAX_STEPS, random_state=random)
    model.fit(_features(split.train.batch(rows).real), labels[rows])
    return lambda samples: torch.from_numpy(np.asarray(model.predict(_features(samples))))


def class_metrics(batch: Batch, predict: Predict | None, split: Split) -> MetricValues:
    """Return metrics of the classes that a classifier predicts for texts.

    Args:
        batch: the texts, and the classes asked for.
        predict: the classifier; without one there are no metrics.
        split: the data.

    Returns:
        ``agreement``: share of texts predicted as the class asked for, where classes were asked for; ``classes``:
        number of classes found, each in at least a tenth of the texts that its share of the data lets expect.
    """
    if predict is None or split.train.labels is None:
        return {}
    found, numbers = predict(batch.real), split.train.labels
    shares = np.bincount(numbers[numbers >= 0], minlength=len(split.facts.classes)) / len(numbers)
    enough = np.maximum(1, FOUND_SHARE * shares * len(found))
    values: MetricValues = {"classes": float((np.bincount(found.numpy(), minlength=len(shares)) >= enough).sum())}
    if batch.label is not None and (batch.label >= 0).any():
        asked = batch.label >= 0
        values["agreement"] = found[asked].eq(batch.label[asked]).double().mean().item()
    return values


def by_class(one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
    """Return metrics of each class by its name; nothing without classes.

    ``share``, of generated texts predicted as this class, and ``real_share``, of real ones that have it; and
    ``agreement``, of the texts that were generated as this class.
    """
    predict, labels, fake = classifier(split, seed), one.real.batch().label, one.fake.batch()
    if predict is None or labels is None:
        return {}
    found, rows = predict(fake.real), dict[str, dict[str, float]]()
    for number, name in enumerate(split.facts.classes):
        values = [found.eq(number), labels.eq(number)]
        row = dict(zip(("share", "real_share"), (one.double().mean().item() for one in values), strict=True))
        if fake.label is not None and fake.label.eq(number).any():
            row["agreement"] = found[fake.label.eq(number)].eq(number).double().mean().item()
        rows[name] = row
    return rows


def _features(samples: Tensor) -> csr_matrix:
    """Return counts of n-grams on a logarithmic scale, scaled to length one, and which length a text has."""
    counts = gram_counts(samples)
    counts.data = np.log1p(counts.data)
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(1)).ravel())
    tokens = lengths(samples).cpu().numpy()
    own = csr_matrix((np.ones(len(tokens)), (np.arange(len(tokens)), tokens)), (len(tokens), samples.shape[1] + 1))
    return hstack([counts.multiply(1 / np.maximum(norms, 1e-9)[:, None]), own]).tocsr()
