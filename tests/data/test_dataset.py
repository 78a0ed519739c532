import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.dataset import Dataset, hold_out
from sparring.errors import SparringError


@given(count=st.integers(2, 3000), seed=st.integers(0, 2**32))
def test_hold_out_partitions_the_rows(count, seed):
    train, held_out = hold_out(count, seed)
    assert sorted([*train, *held_out]) == list(range(count))
    assert len(held_out) == max(1, round(count * 0.1))
    assert (np.diff(train) > 0).all() and (np.diff(held_out) > 0).all()


@pytest.mark.parametrize(("count", "share"), [(19_999, 0.1), (20_000, 0.05), (60_000, 0.05)])
def test_hold_out_takes_five_to_ten_per_cent(count, share):
    assert len(hold_out(count, 0)[1]) == round(count * share)


def test_bytes_are_mapped_to_minus_one_to_one():
    samples = np.array([0, 51, 255], dtype=np.uint8).reshape(3, 1, 1, 1)
    batch = Dataset(samples, np.array([2, 0, 1])).batch(np.array([2, 0]))
    assert torch.equal(batch.real.flatten(), torch.tensor([1.0, -1.0]))
    assert batch.label is not None and batch.label.tolist() == [1, 2]


def test_floats_are_not_changed():
    samples = np.array([[0.5, 7.0]], dtype=np.float32)
    batch = Dataset(samples).batch(slice(None))
    assert batch.real.tolist() == [[0.5, 7.0]] and batch.condition is None


def test_arrays_of_different_lengths_are_refused():
    for choices in ({"labels": np.zeros(3, np.int64)}, {"conditions": np.zeros((5, 2))}):
        with pytest.raises(SparringError, match="rows, but expected as many conditions and labels as samples"):
            Dataset(np.zeros((4, 2), np.float32), **choices)
