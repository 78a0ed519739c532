"""Features of series: for metrics, and cheaply for the watchdog."""

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.distances import frechet
from sparring.modalities.series.features import MAX_FEATURES, cheap_features, extra_signals, extractors, summaries
from toys.processes import autoregressive, channels_of, facts_of, series_of, split_of

REAL = series_of(autoregressive(1500))
FAIR = series_of(autoregressive(1500, seed=1))
ROUGH = series_of(autoregressive(1500, phi=0.2, seed=2))
CHANNELS = channels_of(REAL)


def test_summaries_are_what_they_are_called():
    ramp = series_of(np.arange(8.0).reshape(1, 8, 1))
    channel = channels_of(series_of([[[-1.0], [1.0]]]))  # A mean of 0 and a deviation of 1.
    mean, deviation, change, last, first, *_ = summaries(series_of(ramp.values / 2), channel)[0].tolist()
    assert (mean, change, last, first) == (1.75, 0.5, 3.5, 0.0) and deviation == pytest.approx(np.arange(8).std() / 2)
    wave = series_of(np.cos(2 * np.pi * 2 * np.arange(16) / 16).reshape(1, 16, 1))
    found = summaries(wave, channel)[0]
    assert found[11].item() == pytest.approx(1) and found[[9, 10, 12, 13, 14]].abs().max() < 1e-9
    # One wave has 8 steps: lag 4 is half of one, and lag 8 a whole one.
    assert found[7].item() == pytest.approx(-1) and found[8].item() == pytest.approx(1)


def test_features_of_training_series_have_a_variance_of_one():
    split = split_of(REAL, FAIR)
    (extractor,) = extractors(split, 0).values()
    found = extractor(REAL)
    assert extractor.name == "series" and found.dtype == torch.float32 and found.shape == (1500, 30)
    assert torch.allclose(found.std(0), torch.ones(30), atol=0.05) and found.mean(0).abs().max() < 0.05
    assert torch.equal(found, extractors(split, 0)["series"](REAL))
    with pytest.raises(SparringError, match="unknown extractor 'pixels'"):
        extractors(split, 0, ["pixels"])


def test_other_memory_is_farther_than_other_series():
    extractor = extractors(split_of(REAL, FAIR), 0)["series"]
    near, far = (frechet(extractor(REAL), extractor(side)) for side in (FAIR, ROUGH))
    assert near < 0.5 < 10 * near < far


def test_missing_values_do_not_change_features():
    random = np.random.default_rng(0)
    gone = series_of(REAL.values, random.integers(1, 25, 1500), random.random(REAL.values.shape) < 0.3)
    other = gone._replace(values=gone.values.masked_fill(gone.missing, 1e9))
    extractor = extractors(split_of(REAL, FAIR), 0)["series"]
    assert torch.equal(extractor(gone), extractor(other)) and extractor(gone).isfinite().all()
    facts = facts_of(REAL, CHANNELS)
    assert torch.equal(cheap_features(gone, facts), cheap_features(other, facts))
    assert extra_signals(gone, other)["roughness"] == 0


@pytest.mark.parametrize("values", [np.ones((30, 1, 2)), np.ones((30, 20, 2)), np.full((30, 20, 2), 1e300)])
def test_odd_series_have_finite_features(values):
    series = series_of(values)
    huge = series_of(np.sign(autoregressive(30, values.shape[1])) * 1e300)
    split = split_of(REAL if values.shape[1] > 1 and values.max() < 2 else series, series)
    for side in (series, huge):
        found = extractors(split, 0)["series"](side)
        assert found.isfinite().all() and cheap_features(side, split.facts).isfinite().all()


def test_many_channels_have_few_features_each():
    series = series_of(autoregressive(50, 6, channels=300))
    channels = channels_of(series, names=[f"c{at}" for at in range(300)])
    facts = facts_of(series, channels)
    assert cheap_features(series, facts).shape == (50, 150)
    assert cheap_features(series_of(REAL.values), facts_of(REAL, CHANNELS)).shape == (1500, 10)
    assert cheap_features(series, facts).shape[1] <= MAX_FEATURES


def test_signals_are_the_missing_share_and_the_roughness():
    fair = extra_signals(REAL, FAIR)
    assert fair["missing"] == 0 and fair["roughness"] < 0.02
    louder = extra_signals(REAL, series_of(10 * FAIR.values))
    assert louder["roughness"] == pytest.approx(1, abs=0.02)
    gone = series_of(FAIR.values, missing=np.random.default_rng(0).random(FAIR.values.shape) < 0.4)
    assert extra_signals(REAL, gone)["missing"] == pytest.approx(0.4, abs=0.02)
    short = series_of(FAIR.values, [5] * 1500)
    assert extra_signals(REAL, short)["missing"] == 0
    flat = extra_signals(REAL, series_of(np.zeros((20, 24, 2))))
    assert flat["roughness"] == 3
    assert extra_signals(series_of(np.zeros((20, 24, 2))), REAL)["roughness"] == 0
