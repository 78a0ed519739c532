"""Can real and generated samples be told apart? Accuracies of judges that try; ½ is what a perfect generator leaves."""

import warnings
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from sparring.metrics.distances import Features, checked, squared_distances

HIDDEN = 64
ROUNDS = 30
BATCH = 200


class NearestNeighbour(NamedTuple):
    """Shares in [0, 1] of samples whose nearest other sample is of their own kind; each ½ where both sets are alike.

    ``accuracy`` is of all samples, ``real`` of the real ones, ``fake`` of the generated ones. Above ½ they can be told
    apart; far below ½, generated samples sit on real ones: copies.
    """

    accuracy: float
    real: float
    fake: float


def nearest_neighbour_test(real: Features, fake: Features) -> NearestNeighbour:
    """Leave-one-out accuracy of the nearest neighbour (Lopez-Paz & Oquab 2017; Xu et al. 2018, section 2.2).

    Take equally many samples on both sides: else ½ is not what equal distributions give. A tie counts for the other
    kind, so that exact copies do not count as told apart.

    Raises:
        SparringError: fewer than two samples, values that are not finite, or different numbers of features.
    """
    real, fake = checked(real, fake, at_least=2)
    both, kind = torch.cat([real, fake]), torch.arange(len(real) + len(fake)) >= len(real)
    own = torch.zeros(len(both), dtype=torch.bool)
    for rows, squared in squared_distances(both, both):
        here = torch.arange(rows.start, rows.stop)
        squared[torch.arange(len(here)), here] = torch.inf
        same = squared.masked_fill(kind[rows, None] != kind, torch.inf).amin(1)
        other = squared.masked_fill(kind[rows, None] == kind, torch.inf).amin(1)
        own[rows] = same < other
    shares = [part.double().mean().item() for part in (own, own[: len(real)], own[len(real) :])]
    return NearestNeighbour(*shares)


def classifier_test(real: Features, fake: Features, *, generator: Generator) -> float:
    """Accuracy, on the half it was not trained on, of a network with 64 hidden units (Lopez-Paz & Oquab 2017).

    In [0, 1]; under equal distributions about normal around ½ with deviation ½/√n, n the samples of both sides tested.

    Args:
        generator: decides the halves and the network's start.

    Raises:
        SparringError: fewer than eight samples, values that are not finite, or different numbers of features.
    """
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    real, fake = checked(real, fake, at_least=8)
    count = min(len(real), len(fake))
    halves = []
    for side in (real, fake):
        rows = torch.randperm(len(side), generator=generator)[:count]
        halves.append((side[rows[: count // 2]], side[rows[count // 2 :]]))
    (real_train, real_test), (fake_train, fake_test) = halves
    train, test = torch.cat([real_train, fake_train]), torch.cat([real_test, fake_test])
    centre, spread = train.mean(0), train.std(0).clamp(min=1e-6)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    judge = MLPClassifier(
        (HIDDEN,),
        alpha=1e-2,
        batch_size=min(BATCH, len(train)),
        learning_rate_init=3e-3,
        max_iter=ROUNDS,
        random_state=seed,
    )
    learnt_from, tested_on = (((side - centre) / spread).float().numpy() for side in (train, test))
    # One thread: several would wait for one another after each of many small products.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # That it could train on is no news: the number of rounds is part of the test.
        judge.fit(learnt_from, _kinds(real_train, fake_train))
        return float(judge.score(tested_on, _kinds(real_test, fake_test)))


def _kinds(real: Tensor, fake: Tensor) -> list[int]:
    return [0] * len(real) + [1] * len(fake)
