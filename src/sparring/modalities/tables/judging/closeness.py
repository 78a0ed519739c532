"""Closeness of generated rows to those that were trained on: copies, closest records, and an attack.

Distances are Euclidean in the features of ``space.Space``; all functions take rows and compute them in chunks of at
most 128 MiB. Give other real rows in place of the generated ones for the value of a perfect generator.
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from sparring.metrics.closeness import LOW_SHARE, equal_share, near_share, nearer_share
from sparring.metrics.distances import nearest
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.cells import check, missing_of, values_of
from sparring.modalities.tables.judging.space import Space
from sparring.samples import concatenate, take

CHUNK = 50_000
"""Training rows whose content is compared at once."""


def exact_copies(train: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return the share of generated rows that are equal to a training row in every cell, in [0, 1]; lower is better."""
    check(columns, train, fake)
    starts = range(0, len(train.values), CHUNK)
    return equal_share(_keys(fake), (_keys(take(train, slice(start, start + CHUNK))) for start in starts))


def near_copies(train: Rows, held_out: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return the share of generated rows as close to a training row as the closest 1 % of held-out rows, in [0, 1].

    Lower is better; about .01 for other real rows, and more where more than 1 % of these are equal to a training row.

    Args:
        train: all training rows.
        held_out: real rows that were not trained on.
        fake: generated rows.
        columns: of the rows.
    """
    space = Space(train, columns)
    held, ours = (_closest(space, rows, train) for rows in (held_out, fake))
    return near_share(held, ours)


def closest_record(train: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return the 5th percentile of the distances from generated rows to their closest training row, at least 0.

    A number that is one decile off counts .1, another category 1. As high as that of other real rows is right.
    """
    space = Space(train, columns)
    return float(_closest(space, fake, train).quantile(LOW_SHARE))


def closer_to_train(train: Rows, held_out: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return the share of generated rows that are closer to a training row than to any held-out row, in [0, 1].

    ½ for a generator that knows the distribution and not its training rows; ties count half. Equal numbers of both are
    compared, since the closest of more rows is closer: the larger side is cut to the size of the smaller one.

    Args:
        train: training rows in random order.
        held_out: real rows that were not trained on, in random order.
        fake: generated rows.
        columns: of the rows.
    """
    size = min(len(train.values), len(held_out.values))
    train, held_out = (Rows(side.values[:size], side.missing[:size]) for side in (train, held_out))
    # Ranks among both: among the training rows alone these would be spaced more evenly than others, which is a bias.
    space = Space(concatenate([train, held_out]), columns)
    ours, theirs = _closest(space, fake, train), _closest(space, fake, held_out)
    return nearer_share(ours, theirs)


def membership_attack(members: Rows, others: Rows, fake: Rows, columns: Sequence[Column]) -> float:
    """Return the AUC of an attack that tells training rows from others by their distance to the closest generated row.

    In [0, 1]; ½ where generated rows give nothing away, 1 where they are the training rows (Hilprecht et al. 2019,
    Monte Carlo attacks; Stadler et al. 2022 on their limits: it finds what is true of most rows, not of the rarest).

    Args:
        members: training rows.
        others: real rows that were not trained on.
        fake: generated rows.
        columns: of the rows.
    """
    from sklearn.metrics import roc_auc_score

    space = Space(concatenate([members, others]), columns)
    near, far = _closest(space, members, fake), _closest(space, others, fake)
    scores = -np.round(np.concatenate([near.numpy(), far.numpy()]), 9)
    return float(roc_auc_score(np.arange(len(scores)) < len(near), scores))


def _closest(space: Space, rows: Rows, others: Rows) -> Tensor:
    """Return the distance from each row to the closest of the others, (count,)."""
    return nearest(space.features(rows), space.features(others))[0]


def _keys(rows: Rows) -> list[bytes]:
    """Return the content of each row as bytes."""
    missing = missing_of(rows)
    values = np.where(missing, 0.0, np.nan_to_num(values_of(rows))) + 0.0  # −0 is 0.
    return [row.tobytes() for row in np.concatenate([values, missing], 1)]
