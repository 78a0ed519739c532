import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.sampler import EpochSampler


@given(count=st.integers(1, 40), batch=st.integers(1, 60), seed=st.integers(0, 2**40))
def test_every_epoch_is_a_permutation(count, batch, seed):
    sampler = EpochSampler(count, batch, seed)
    epochs = 3
    steps = -(-epochs * count // batch)
    rows = np.concatenate([sampler.rows(step) for step in range(steps)])
    for epoch in range(epochs):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(
    count=st.integers(1, 40),
    batch=st.integers(1, 60),
    seed=st.integers(0, 2**40),
    steps=st.lists(st.integers(0, 500), max_size=8),
)
def test_a_batch_is_a_function_of_seed_and_number(count, batch, seed, steps):
    used = EpochSampler(count, batch, seed)
    for step in steps:
        rows = used.rows(step)
        assert rows.shape == (batch,) and rows.dtype == np.int64
        assert np.array_equal(rows, EpochSampler(count, batch, seed).rows(step))


def test_seeds_give_different_orders():
    assert not np.array_equal(EpochSampler(1000, 100, 0).rows(0), EpochSampler(1000, 100, 1).rows(0))


def test_epochs_have_different_orders():
    sampler = EpochSampler(1000, 1000, 0)
    assert not np.array_equal(sampler.rows(0), sampler.rows(1))
