"""Two-sample tests: accuracy of classifiers that separate generated from real samples; ½ for a perfect generator.

They raise SparringError as ``distances`` does.
"""

import warnings

import torch
from torch import Generator, Tensor

from sparring.metrics.distances import Features, checked, squared_distances

HIDDEN_UNITS = 64
EPOCHS = 30
BATCH = 200


def nearest_neighbour_test(real: Features, fake: Features) -> float:
    """Return the leave-one-out accuracy of 1-NN (Lopez-Paz & Oquab 2017; Xu et al. 2018, section 2.2), in [0, 1].

    Above ½ real and generated samples are separable; far below ½ generated samples lie on real ones, as copies do.
    Give equally many samples on both sides: otherwise equal distributions do not give ½. A tie counts for the other
    kind, so that exact copies do not count as separable.
    """
    real, fake = checked(real, fake, at_least=2)
    both, kind = torch.cat([real, fake]), torch.arange(len(real) + len(fake)) >= len(real)
    own = torch.zeros(len(both), dtype=torch.bool)  # True where the nearest other sample is of the same kind.
    for rows, squared in squared_distances(both, both):
        columns = torch.arange(rows.start, rows.stop)
        squared[torch.arange(len(columns)), columns] = torch.inf  # No sample is its own neighbour.
        # Distances to the nearest other sample of the same kind and of the other kind, (chunk,) each.
        same = squared.masked_fill(kind[rows, None] != kind, torch.inf).amin(1)
        other = squared.masked_fill(kind[rows, None] == kind, torch.inf).amin(1)
        own[rows] = same < other
    return own.double().mean().item()


def classifier_test(real: Features, fake: Features, *, generator: Generator) -> float:
    """Return the test accuracy of a network with 64 hidden units, trained on half of both (Lopez-Paz & Oquab 2017).

    In [0, 1]; for equal distributions about normal around ½ with deviation ½/√n, n the number of test samples.

    Args:
        real: at least eight samples.
        fake: at least eight samples.
        generator: draws the halves and the initial weights.
    """
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    real, fake = checked(real, fake, at_least=8)

    # Half of each side to train on, the other half to test on; equally many of both sides.
    count = min(len(real), len(fake))
    halves = []
    for side in (real, fake):
        rows = torch.randperm(len(side), generator=generator)[:count]
        halves.append((side[rows[: count // 2]], side[rows[count // 2 :]]))
    (real_train, real_test), (fake_train, fake_test) = halves
    train, test = torch.cat([real_train, fake_train]), torch.cat([real_test, fake_test])
    mean, deviation = train.mean(0), train.std(0).clamp(min=1e-6)
    inputs, test_inputs = (((side - mean) / deviation).float().numpy() for side in (train, test))

    # One thread: several would wait for one another after each of many small products.
    seed = int(torch.randint(2**31, (1,), generator=generator))
    network = MLPClassifier(
        (HIDDEN_UNITS,),
        alpha=1e-2,
        batch_size=min(BATCH, len(train)),
        learning_rate_init=3e-3,
        max_iter=EPOCHS,
        random_state=seed,
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It has not converged: the number of epochs is part of the test.
        network.fit(inputs, _kinds(real_train, fake_train))
        return float(network.score(test_inputs, _kinds(real_test, fake_test)))


def _kinds(real: Tensor, fake: Tensor) -> list[int]:
    return [0] * len(real) + [1] * len(fake)
