import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.dataset import Dataset, hold_out, rows_to_show
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


@given(counts=st.lists(st.integers(1, 40), min_size=2, max_size=8), seed=st.integers(0, 2**32))
def test_every_class_has_a_training_row(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, held_out = hold_out(len(labels), seed, labels)
    assert sorted([*train, *held_out]) == list(range(len(labels))) and len(held_out) >= 1
    lost = set(range(len(counts))) - set(labels[train].tolist())
    assert len(lost) == (1 if max(counts) == 1 else 0)
    if len(labels) >= 2 * len(counts) + len(held_out):
        assert len(held_out) == max(1, round(len(labels) * 0.1))


@given(counts=st.lists(st.integers(1, 40), min_size=2, max_size=8), seed=st.integers(0, 2**32))
def test_the_split_of_data_whose_classes_all_have_training_rows_does_not_depend_on_labels(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, held_out = hold_out(len(labels), seed)
    if len(np.unique(labels[train])) == len(counts):
        for given_labels in (labels, np.where(labels == 0, -1, labels)):
            found = hold_out(len(labels), seed, given_labels)
            assert np.array_equal(found[0], train) and np.array_equal(found[1], held_out)


def test_a_rare_class_is_not_held_out_whole():
    labels = np.repeat([0, 1, 2], [40, 29, 2])
    for seed in range(200):
        train, held_out = hold_out(71, seed, labels)
        assert set(labels[train]) == {0, 1, 2} and len(held_out) == 7


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


def test_rows_to_show_are_a_random_sample_in_lines_of_one_class():
    labels = np.repeat([0, 1, -1], [500, 40, 10])
    data = Dataset(np.zeros((550, 1), np.uint8), labels)
    rows = rows_to_show(data, 64, seed=3, columns=8)
    assert labels[rows].tolist() == [0] * 32 + [1] * 32 and len(set(rows)) == 64
    assert rows[:32].max() > 250 and (np.diff(rows[:32]) < 0).any()
    assert rows.tolist() == rows_to_show(data, 64, seed=3, columns=8).tolist()
    assert rows.tolist() != rows_to_show(data, 64, seed=4, columns=8).tolist()
    many = rows_to_show(Dataset(data.samples, np.arange(550) % 20), 64, seed=3, columns=8)
    assert (many.reshape(20, 8) % 20 == np.arange(20)[:, None]).all()


def test_rows_of_one_log_that_are_shown_are_not_consecutive():
    data = Dataset(np.zeros((5000, 24, 1), np.float32))
    rows = rows_to_show(data, 16, seed=0)
    assert len(set(rows)) == 16 and np.ptp(rows) > 2500
    assert sorted(rows_to_show(data, 10_000, seed=0)) == list(range(5000))
