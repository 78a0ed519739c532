"""The evaluation measures series beside real ones."""

from functools import partial

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.evaluation.glossary import GLOSSARY, is_default
from sparring.flow import Batch
from sparring.metrics.sample_sets import Repeat, SampleSet, Subset, in_memory
from sparring.modalities.series import metrics
from sparring.modalities.series.judging import encoder, learning
from sparring.modalities.series.metrics import measure
from sparring.samples import take
from toys.processes import autoregressive, series_of, split_of

LIKENESS = {"marginals", "tail_error", "autocorrelation_error", "cross_correlation_error", "spectrum_error"}
CLOSENESS = {"exact_copies", "near_copies", "closest_series", "closer_to_train"}
LEARNED = {"boosted_test", "discriminative", "predictive", "context_frechet"}


@pytest.fixture(scope="module")
def split():
    return split_of(series_of(autoregressive(600, 10)), series_of(autoregressive(300, 10, seed=1)))


@pytest.fixture(autouse=True)
def few_updates(monkeypatch):
    """Train for a moment: what is learned is tested with the learners."""
    for name in ("discriminative", "predictive"):
        monkeypatch.setattr(metrics, name, partial(getattr(learning, name), updates=20))
    monkeypatch.setattr(encoder, "STEPS", 20)


def repeat(split, fake, size=200, seed=0):
    def subset(data):
        return Subset(SampleSet(data), torch.arange(size))

    held_out = subset(split.held_out)
    return Repeat(subset(split.train), subset(in_memory(Batch(fake))), held_out, held_out, seed=seed)


def test_default_metrics_are_cheap_ones_and_shown_by_default(split):
    fake, floor = measure(split, 0, further=False)(repeat(split, series_of(autoregressive(200, 10, seed=2))))
    assert set(fake) == set(floor) == LIKENESS <= set(GLOSSARY) and all(map(is_default, LIKENESS))
    assert fake["marginals"] > 0.9 < floor["marginals"] and fake["autocorrelation_error"] < 0.1


def test_further_metrics_stand_beside_a_floor_of_real_series(split):
    copies = split.train.batch(slice(0, 200)).real
    fake, floor = measure(split, 0)(repeat(split, copies))
    assert set(fake) == set(floor) == LIKENESS | CLOSENESS | LEARNED <= set(GLOSSARY)
    assert all(isinstance(value, float) for value in (*fake.values(), *floor.values()))
    assert fake["exact_copies"] == fake["near_copies"] == 1 and floor["exact_copies"] == 0
    assert floor["near_copies"] < 0.06 and fake["closest_series"] < floor["closest_series"]
    assert fake["closer_to_train"] > 0.55 and floor["closer_to_train"] == pytest.approx(0.5, abs=0.12)
    assert floor["boosted_test"] == pytest.approx(0.5, abs=0.12)
    assert measure(split, 0)(repeat(split, copies)) == (fake, floor)


def test_repeats_train_no_recurrent_network(split):
    fake, floor = measure(split, 0)(repeat(split, series_of(autoregressive(200, 10, seed=2)), seed=1))
    assert set(fake) == set(floor) == LIKENESS | CLOSENESS | {"boosted_test", "context_frechet"}


def test_lengths_and_missing_values_are_measured_where_there_are_any():
    random = np.random.default_rng(0)

    def some(count, seed):
        values = autoregressive(count, 10, seed=seed)
        return series_of(values, random.integers(3, 11, count), random.random(values.shape) < 0.1)

    split = split_of(some(300, 0), some(200, 1))
    fake, floor = measure(split, 0, further=False)(repeat(split, some(200, 2)))
    assert set(fake) == set(floor) == LIKENESS | {"missing_error", "length_error"}
    assert fake["missing_error"] < 0.03 and fake["length_error"] < 0.15


def test_windows_have_an_ideal_share_in_place_of_a_floor():
    walk = np.random.default_rng(0).standard_normal((900, 1)).cumsum(0)
    windows = np.lib.stride_tricks.sliding_window_view(walk, 10, axis=0).transpose(0, 2, 1)
    blocks = np.arange(len(windows)) // 60 % 3
    inside = np.arange(len(windows)) % 60 < 51
    split = split_of(
        series_of(windows[inside & (blocks < 2)].copy()), series_of(windows[inside & (blocks == 2)].copy())
    )
    fake, floor = measure(split, 0)(repeat(split, series_of(windows[:200].copy())))
    assert floor["closer_to_train"] == 0.5 and fake["exact_copies"] > 0.5


@pytest.mark.parametrize(
    "case", ["one series", "one step", "one channel", "constants", "huge numbers", "nothing there"]
)
def test_odd_series_have_values_or_reasons(case):
    count = 1 if case == "one series" else 60
    series = series_of(
        autoregressive(count, 1 if case == "one step" else 8, channels=1 if case == "one channel" else 2)
    )
    if case == "constants":
        series = series_of(np.ones((count, 8, 2)))
    elif case == "huge numbers":
        series = series_of(np.sign(series.values.numpy()) * 1e300)
    elif case == "nothing there":
        series = series_of(series.values, missing=np.ones(series.values.shape, dtype=bool))
    split = split_of(series, series)
    for values in measure(split, 0)(repeat(split, take(series, slice(None)), count)):
        assert all(isinstance(value, SparringError) or np.isfinite(value) for value in values.values())
        assert {"exact_copies", "boosted_test", "predictive"} <= set(values)
        if case in ("one series", "one step"):
            assert isinstance(values["predictive"], SparringError)


def test_an_encoder_repeats_and_knows_no_padding(split):
    found = encoder.train_encoder(split, 0)
    assert found.name.startswith("series-encoder-") and found.name == encoder.train_encoder(split, 0).name
    series = series_of(autoregressive(5, 10), [4] * 5)
    longer = series_of(np.concatenate([series.values.numpy(), np.zeros((5, 30, 2))], 1), [4] * 5)
    assert torch.allclose(found(series), found(longer), atol=1e-5) and found(series).shape == (5, 64)
    hidden = series._replace(values=series.values.masked_fill(series.missing, 1e9))
    assert torch.equal(found(series), found(hidden))


def test_views_of_one_series_are_found_again():
    """Features by which each series finds its own other view have a lower loss than others."""
    one = torch.eye(8)
    assert encoder.contrastive(one, one) < 0.1 < 1 < encoder.contrastive(one, one.flip(0))
