"""Simple models of series keep what they claim to keep, and repeat."""

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.modalities.series.comparators import COMPARATORS, block_bootstrap, mixture, noisy_copies, samples
from sparring.modalities.series.judging.closeness import closer_to_train, closest_series, exact_copies
from sparring.modalities.series.judging.dynamics import autocorrelation_error, cross_correlation_error
from sparring.modalities.series.judging.learning import boosted_test, halves
from sparring.modalities.series.judging.marginals import channel_marginals, length_error, missing_error
from sparring.samples import take
from toys.processes import autoregressive, channels_of, series_of, split_of

REAL = series_of(autoregressive(1200))
CHANNELS = channels_of(REAL)


def gapped(count=600):
    random = np.random.default_rng(0)
    values = autoregressive(count, seed=3)
    return series_of(values, random.integers(2, 25, count), random.random(values.shape) < 0.2)


@pytest.mark.parametrize("name", COMPARATORS)
def test_equal_seeds_give_equal_series(name):
    some = take(REAL, slice(0, 200))
    first, again, other = (COMPARATORS[name](some, CHANNELS, 0)(50, seed) for seed in (3, 3, 4))
    assert torch.equal(first.values, again.values) and not torch.equal(first.values, other.values)
    assert first.values.dtype == torch.float64 and first.missing.dtype == torch.bool
    assert first.values.shape == (50, 24, 2) and first.attributes.shape == (50, 0)


@pytest.mark.parametrize("name", COMPARATORS)
def test_correlations_and_values_are_kept(name):
    fake = COMPARATORS[name](REAL, CHANNELS, 0)(1200, 0)
    assert autocorrelation_error(REAL, fake, CHANNELS) < 0.09
    assert cross_correlation_error(REAL, fake, CHANNELS) < 0.05
    assert channel_marginals(REAL, fake, CHANNELS).min() > (0.7 if name == "block bootstrap" else 0.95)


@pytest.mark.parametrize("name", COMPARATORS)
def test_lengths_and_missing_values_are_those_of_training_series(name):
    real = gapped()
    real = real._replace(attributes=torch.arange(600.0).double()[:, None])
    channels = channels_of(real)
    fake = COMPARATORS[name](real, channels, 0)(600, 0)
    assert length_error(real, fake) < 0.08 and missing_error(real, fake, channels) < 0.02
    rows = fake.attributes[:, 0].long()
    assert torch.equal(fake.missing, real.missing[rows]) and torch.equal(fake.length, real.length[rows])
    assert (fake.values[fake.missing] == 0).all() and fake.values.isfinite().all()


def test_a_mixture_is_better_than_a_bootstrap_and_copies_are_copies():
    held_out = series_of(autoregressive(1200, seed=1))
    mixed, blocks, copies = (fit(REAL, CHANNELS, 0)(1200, 0) for fit in (mixture, block_bootstrap, noisy_copies))
    tests = [boosted_test(halves(held_out, 0), halves(side, 0), CHANNELS) for side in (mixed, blocks)]
    assert tests[0] < 0.65 < tests[1]
    assert closer_to_train(REAL, held_out, copies, CHANNELS) == 1 and exact_copies(REAL, copies, CHANNELS) == 0
    assert closer_to_train(REAL, held_out, mixed, CHANNELS) < 0.7


def test_a_bootstrap_draws_blocks_of_changes():
    series = series_of(np.arange(20.0)[:, None, None] * np.arange(13.0)[:, None])  # Rises of 0 to 19 a step.
    fake = block_bootstrap(series, channels_of(series), 0)(200, 0)
    rises = fake.values[..., 0].diff(dim=1)
    assert torch.isin(rises, torch.arange(20.0).double()).all()
    assert (rises[:, :6] == rises[:, :1]).all() and (rises[:, 6:] == rises[:, 6:7]).all()
    assert (rises[:, 0] != rises[:, 6]).any()


def test_whole_numbers_and_gaps_stay_what_they_are():
    counts = series_of(np.random.default_rng(0).poisson(3, (300, 10, 1)))
    for kind in ("integer", "gap"):
        channels = channels_of(counts, kind=kind)
        for fit in COMPARATORS.values():
            fake = fit(counts, channels, 0)(300, 0).values
            assert torch.equal(fake, fake.round()) if kind == "integer" else fake.min() >= 0


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_few_series_and_steps_are_enough(name, count, steps):
    few = series_of(autoregressive(count, steps))
    fake = COMPARATORS[name](few, channels_of(few), 0)(10, 0)
    assert fake.values.shape == (10, steps, 2) and fake.values.isfinite().all()


@pytest.mark.parametrize("name", COMPARATORS)
def test_constants_huge_numbers_and_missing_channels_are_kept(name):
    values = np.stack([np.full((40, 6), 5.0), np.sign(autoregressive(40, 6, 0.0, 1))[..., 0] * 1e300], 2)
    values = np.concatenate([values, np.zeros((40, 6, 1))], 2)
    missing = np.zeros(values.shape, dtype=bool)
    missing[..., 2] = True
    series = series_of(values, missing=missing)
    small = series_of(np.where(np.abs(values) > 1e3, np.sign(values), values), missing=missing)
    fake = COMPARATORS[name](series, channels_of(small), 0)(30, 0)
    assert fake.values.isfinite().all() and fake.missing[..., 2].all()
    assert torch.allclose(fake.values[..., 0], torch.tensor(5.0, dtype=torch.float64))


def test_no_series_are_refused():
    for fit in COMPARATORS.values():
        with pytest.raises(SparringError, match="0 series"):
            fit(series_of(np.zeros((0, 5, 2))), CHANNELS, 0)


def test_comparators_are_fitted_to_the_training_series():
    split = split_of(take(REAL, slice(0, 400)), series_of(autoregressive(100, seed=1)))
    found = samples(split, 30, 0)
    assert list(found) == ["mixture", "block bootstrap", "noisy copies"]
    assert torch.equal(found["mixture"].values, samples(split, 30, 0)["mixture"].values)
    assert (
        closest_series(REAL, found["noisy copies"], CHANNELS) < 0.1 < closest_series(REAL, found["mixture"], CHANNELS)
    )
