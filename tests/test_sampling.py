"""The loop that generates samples, and conditions drawn from data."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from sparring.data.dataset import Dataset
from sparring.games.duel import Duel
from sparring.sampling import SAMPLES_PER_PASS, clamp, conditions_from, generate


def test_a_sample_does_not_depend_on_the_count(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    many = generate(game, 2 * SAMPLES_PER_PASS + 3, seed=1, stream="here/")
    for count in (1, SAMPLES_PER_PASS, SAMPLES_PER_PASS + 1):
        torch.testing.assert_close(generate(game, count, seed=1, stream="here/"), many[:count])
    assert not torch.equal(generate(game, 3, seed=1, stream="there/"), many[:3])


def test_conditions_occur_in_the_proportions_of_the_data() -> None:
    labels = np.repeat([0, 1], [90, 10])
    batch = conditions_from(Dataset(np.arange(100.0)[:, None], labels, labels), 100, seed=0)
    assert Counter(batch.condition.tolist()) == {0: 90, 1: 10}
    more = conditions_from(Dataset(np.arange(100.0)[:, None], labels, labels), 250, seed=0)
    assert torch.equal(more.real[:100], batch.real) and torch.equal(more.real[100:200], batch.real)


def test_conditions_come_with_their_real_samples() -> None:
    real = np.random.default_rng(0).normal(size=(50, 2))
    batch = conditions_from(Dataset(real, conditions=2 * real), 20, seed=3)
    assert torch.equal(batch.condition, 2 * batch.real)


def test_values_are_clamped_to_the_bounds() -> None:
    assert clamp(torch.tensor([-3.0, 0.5]), (-1.0, 1.0)).tolist() == [-1.0, 0.5]
    assert clamp(torch.tensor([-3.0]), None).tolist() == [-3.0]
