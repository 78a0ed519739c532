"""Metrics of series, on data whose answers are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.modalities.series.judging import closeness, dynamics, learning, marginals
from sparring.modalities.series.judging.learning import halves
from sparring.modalities.series.judging.recurrent import Recurrent
from sparring.modalities.series.judging.values import cropped, some_series, standardised, values_of
from toys.processes import autoregressive, channels_of, series_of

REAL = series_of(autoregressive(1000))
FAIR = series_of(autoregressive(1000, seed=1))
ROUGH = series_of(autoregressive(1000, phi=0.2, seed=2))
SHIFTED = series_of(autoregressive(1000, seed=5) + 1.5)
CHANNELS = channels_of(REAL)
ERRORS = (dynamics.autocorrelation_error, dynamics.cross_correlation_error, dynamics.spectrum_error)


def holes(series, share=0.2, seed=0):
    """Return series of different lengths with missing values, otherwise the same."""
    random = np.random.default_rng(seed)
    lengths = random.integers(16, series.values.shape[1] + 1, len(series.values))
    return series_of(series.values, lengths, random.random(series.values.shape) < share)


@pytest.mark.parametrize("error", ERRORS)
def test_two_halves_of_one_process_have_no_error(error):
    assert 0 <= error(REAL, FAIR, CHANNELS) < 0.05
    assert error(REAL, REAL, CHANNELS) == 0


@pytest.mark.parametrize("error", [dynamics.autocorrelation_error, dynamics.spectrum_error])
def test_another_memory_is_an_error(error):
    assert error(REAL, ROUGH, CHANNELS) > 0.1


def test_autocorrelations_are_those_of_the_process():
    found = dynamics.autocorrelations(autoregressive(4000, steps=200, channels=1))
    wanted = 0.8 ** np.arange(1, 13)
    assert np.abs(found[:, 0] - wanted).max() < 0.06  # Means of the series are known to 1 / 200 × 9 only.
    assert (found[:, 0] < wanted).all()


def test_channels_that_lose_their_correlation_are_an_error():
    apart = autoregressive(1000, seed=3)
    apart[..., 1] = autoregressive(1000, channels=1, seed=4)[..., 0]
    # Of two numbers, the correlations of values and of changes, both √½.
    assert dynamics.cross_correlation_error(REAL, series_of(apart), CHANNELS) == pytest.approx(0.707, abs=0.03)
    assert math.isnan(dynamics.cross_correlation_error(*[series_of(REAL.values[..., :1])] * 2, CHANNELS[:1]))


def test_a_sine_has_its_power_at_its_frequency():
    phases = np.random.default_rng(0).random((50, 1)) * 2 * np.pi
    waves = np.sin(2 * np.pi * np.arange(48) / 8 + phases)[..., None]
    power, places = dynamics.spectra(waves)[:, 0], dynamics.frequencies(48)
    assert places[power.argmax()] == pytest.approx(1 / 8)
    assert power.max() == pytest.approx(48 / 4) and np.sort(power)[-2] < 1e-9
    # Of whole series, the mean of their periodograms.
    whole = autoregressive(50, 48, 0.5, 1)[..., 0]
    about = np.abs(np.fft.rfft(whole - whole.mean(1, keepdims=True), axis=1)[:, 1:]) ** 2 / 48
    assert np.allclose(dynamics.spectra(whole[..., None])[:, 0], about.mean(0))
    real = series_of(waves + 0.1 * autoregressive(50, 48, 0.0, 1))
    louder = series_of(2 * values_of(real))
    assert dynamics.spectrum_error(real, louder, channels_of(real)) == pytest.approx(math.log10(4))


@pytest.mark.parametrize("error", ERRORS)
def test_missing_values_and_lengths_do_not_change_what_is_estimated(error):
    gaps = series_of(FAIR.values, missing=holes(FAIR).missing & (torch.arange(24) < 16)[:, None])
    assert error(REAL, gaps, CHANNELS) < 0.05
    # About its own mean, a shorter series has lower autocorrelations.
    assert error(REAL, holes(FAIR), CHANNELS) < 0.08
    gone = holes(FAIR)
    other = gone._replace(values=gone.values.masked_fill(gone.missing, 1e9))
    assert error(REAL, gone, CHANNELS) == error(REAL, other, CHANNELS)


def test_values_that_are_missing_do_not_count():
    gone = holes(FAIR)
    assert marginals.channel_marginals(REAL, gone, CHANNELS).min() > 0.97
    shifted = series_of(values_of(FAIR) + 1)
    assert marginals.channel_marginals(REAL, shifted, CHANNELS).max() < 0.7
    empty = FAIR._replace(missing=torch.ones_like(FAIR.missing))
    assert marginals.channel_marginals(REAL, empty, CHANNELS).tolist() == [0, 0]
    assert np.isnan(marginals.channel_marginals(empty, REAL, CHANNELS)).all()


def test_tails_are_measured_in_deviations():
    assert marginals.tail_error(REAL, FAIR, CHANNELS) < 0.1
    # A normal distribution that is twice as wide has its quantiles at .01 and .99 2.33 deviations farther out.
    wide = series_of(2 * values_of(FAIR))
    assert marginals.tail_error(REAL, wide, CHANNELS) == pytest.approx(2.33, abs=0.1)


def test_missing_shares_and_lengths_are_compared():
    gone = holes(FAIR, 0.3)
    assert marginals.missing_error(FAIR, gone, CHANNELS) == pytest.approx(0.3, abs=0.02)
    assert math.isnan(marginals.missing_error(REAL, FAIR, CHANNELS))
    assert math.isnan(marginals.length_error(REAL, FAIR))
    short = series_of(FAIR.values, [12] * 500 + [24] * 500)
    assert marginals.length_error(REAL, short) == pytest.approx(0.5)
    assert math.isnan(marginals.missing_error(REAL, short, CHANNELS))  # After the end nothing is missing.


def test_gradients_of_the_recurrent_network_are_those_of_its_outputs():
    random = np.random.default_rng(0)
    network = Recurrent(3, 4, random)
    steps = random.standard_normal((5, 3, 6)).astype(np.float32)
    within = (np.arange(5)[:, None] < np.array([5, 5, 3, 1, 4, 2])).astype(np.float32)
    at_output = random.standard_normal((5, 6)).astype(np.float32)
    network.forward(steps, within)
    gradients = network.backward(at_output)
    for name, weight in network.weights.items():
        for at in np.ndindex(weight.shape):
            kept, ends = weight[at], []
            for change in (1e-2, -1e-2):
                weight[at] = kept + change
                ends.append(float((network.forward(steps, within).astype(np.float64) * at_output).sum()))
            weight[at] = kept
            assert gradients[name][at] == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=2e-2, abs=5e-3), name


def test_the_recurrent_network_agrees_with_that_of_torch():
    """Torch multiplies by the reset gate after the product; with one unit and a gate of 1 both are the same."""
    random = np.random.default_rng(0)
    ours, theirs = Recurrent(2, 1, random), torch.nn.GRU(2, 1)
    ours.weights["bias"][1] = 50.0
    with torch.no_grad():
        weights = torch.from_numpy(ours.weights["input"])
        theirs.weight_ih_l0.copy_(weights[[1, 0, 2]])
        hidden = np.concatenate([ours.weights["gates"][[1, 0]], ours.weights["candidate"]])
        theirs.weight_hh_l0.copy_(torch.from_numpy(hidden))
        theirs.bias_ih_l0.copy_(torch.tensor([50.0, 1.0, 0.0]))
        theirs.bias_hh_l0.zero_()
        steps = random.standard_normal((7, 2, 4)).astype(np.float32)
        states, _ = theirs(torch.from_numpy(steps).transpose(1, 2))
    outputs = ours.forward(steps, np.ones((7, 4), np.float32))
    assert np.allclose(outputs, ours.weights["output"] * states[..., 0].numpy(), atol=1e-5)


def test_recurrent_judges_tell_other_series_and_not_equal_ones():
    real = halves(REAL, 0)
    good, bad = (learning.discriminative(real, halves(side, 0), CHANNELS, updates=400) for side in (FAIR, SHIFTED))
    assert good < 0.08 and bad > 0.25
    assert learning.discriminative(real, halves(FAIR, 0), CHANNELS, updates=50) == learning.discriminative(
        real, halves(FAIR, 0), CHANNELS, updates=50
    )


def test_prediction_is_as_good_as_the_process_allows():
    """A channel that is the other one a step later can be foretold, and cannot from series without that."""
    walk = autoregressive(600, 13, channels=1, seed=6)
    chained = np.concatenate([walk[:, 1:], walk[:, :-1]], 2)
    real, lost = series_of(chained), series_of(np.concatenate([walk[:, 1:], autoregressive(600, 12, 0.8, 1, 7)], 2))
    channels = channels_of(real)
    good, bad = (learning.predictive(side, real, channels, updates=1000) for side in (real, lost))
    assert good < 0.08 and bad > 0.1
    single = learning.predictive(series_of(walk), series_of(walk), channels_of(series_of(walk)), updates=300)
    assert single < 0.14


def test_learners_take_lengths_and_missing_values():
    gone, other = (holes(some_series(side, 400, 0), seed=seed) for seed, side in enumerate((REAL, FAIR)))
    channels = channels_of(gone)
    assert learning.discriminative(halves(gone, 0), halves(other, 0), channels, updates=100) < 0.12
    assert 0 < learning.predictive(other, gone, channels, updates=50) < 0.5
    assert learning.boosted_test(halves(gone, 0), halves(other, 0), channels) == pytest.approx(0.5, abs=0.12)


def test_boosted_trees_tell_noise_that_the_recurrent_judge_does_not():
    noisy = series_of(values_of(REAL) + 0.3 * autoregressive(1000, phi=0.0, seed=8))
    fair, strong = (learning.boosted_test(halves(REAL, 0), halves(one, 0), CHANNELS) for one in (FAIR, ROUGH))
    assert fair == pytest.approx(0.5, abs=0.08) and strong > 0.9
    assert learning.boosted_test(halves(REAL, 0), halves(noisy, 0), CHANNELS) > 0.7


def test_learners_refuse_too_few_series_and_series_of_one_step():
    few = some_series(REAL, 10, 0)
    with pytest.raises(SparringError, match=r"5 series.*at least 20"):
        learning.boosted_test(halves(few, 0), halves(FAIR, 0), CHANNELS)
    with pytest.raises(SparringError, match="10 series"):
        learning.predictive(few, REAL, CHANNELS)
    single = series_of(REAL.values[:, :1])
    with pytest.raises(SparringError, match="0 series with a value of 'b' after the first step"):
        learning.predictive(single, single, CHANNELS)


def test_long_series_are_cut_at_random_steps():
    whole = series_of(np.arange(300.0).repeat(2).reshape(1, 300, 2).repeat(50, 0), [300] * 25 + [40] * 25)
    cut = cropped(whole, 100, 0)
    assert cut.values.shape == (50, 100, 2) and (cut.length[:25] == 100).all() and (cut.length[25:] == 40).all()
    starts = cut.values[:, 0, 0]
    assert len(starts[:25].unique()) > 10 and (starts[25:] == 0).all()
    assert (cut.values[:25, 99, 0] == starts[:25] + 99).all()
    assert cropped(REAL, 100, 0) is REAL


def test_copies_are_found_as_copies():
    near = series_of(values_of(REAL) + 1e-9)
    assert closeness.exact_copies(REAL, REAL, CHANNELS) == 1 and closeness.exact_copies(REAL, near, CHANNELS) == 0
    assert closeness.near_copies(REAL, FAIR, near, CHANNELS) == 1
    assert closeness.near_copies(REAL, FAIR, series_of(autoregressive(1000, seed=9)), CHANNELS) < 0.03
    assert closeness.closer_to_train(REAL, FAIR, near, CHANNELS) == 1
    assert closeness.closer_to_train(REAL, FAIR, FAIR, CHANNELS) == 0
    fresh = series_of(autoregressive(1000, seed=9))
    assert closeness.closer_to_train(REAL, FAIR, fresh, CHANNELS) == pytest.approx(0.5, abs=0.05)
    assert closeness.closest_series(REAL, near, CHANNELS) < 1e-6 < closeness.closest_series(REAL, fresh, CHANNELS)


def test_distances_know_lengths_and_missing_values():
    one = series_of(np.zeros((1, 4, 1)))
    channel = channels_of(series_of([[[-1.0], [1.0]]]))
    away = series_of(np.full((1, 4, 1), 2.0))
    assert closeness.closest_series(one, away, channel) == pytest.approx(2)
    assert closeness.closest_series(one, series_of(one.values, [2]), channel) == pytest.approx(math.sqrt(0.5))
    assert closeness.exact_copies(one, series_of(one.values, [2]), channel) == 0


def windows(first, last, steps=12):
    """Windows of one long walk between two of its steps."""
    walk = np.random.default_rng(0).standard_normal((2000, 2)).cumsum(0)[first:last]
    return np.lib.stride_tricks.sliding_window_view(walk, steps, axis=0).transpose(0, 2, 1)


def test_windows_of_one_series_are_told_from_independent_series():
    assert closeness.overlap(series_of(windows(0, 100))) == 11
    assert closeness.overlap(series_of(windows(0, 100)[::3])) == 9
    assert closeness.overlap(REAL) == 0 and closeness.overlap(series_of(windows(0, 12))) == 0
    assert closeness.overlap(series_of(np.ones((50, 12, 2)))) == 0


def test_halves_of_windows_are_stretches():
    held_out = series_of(np.concatenate([windows(200, 240), windows(260, 300), windows(400, 420)]))
    others, fresh = closeness.alternating(held_out, 0)
    assert len(others.values) == 38 and len(fresh.values) == 29
    one, other = closeness.alternating(REAL, 0)
    assert len(one.values) == len(other.values) == 500 and not torch.equal(one.values, REAL.values[:500])


def test_closeness_does_not_depend_on_the_number_of_held_out_series():
    """With a tenth of the series held out, copies are found as they are with a half, and fair series pass."""
    few, fresh = some_series(FAIR, 100, 0), series_of(autoregressive(1000, seed=9))
    assert closeness.closer_to_train(REAL, few, REAL, CHANNELS) == 1
    assert closeness.closer_to_train(REAL, few, few, CHANNELS) == 0
    assert closeness.closer_to_train(REAL, few, fresh, CHANNELS) == pytest.approx(0.5, abs=0.12)
    assert closeness.closer_to_train(REAL, REAL, fresh, CHANNELS) == 0.5


@pytest.mark.parametrize("error", [*ERRORS, marginals.tail_error])
def test_one_series_one_step_and_constants_have_no_error_or_a_number(error):
    one = series_of(REAL.values[:1])
    assert np.isfinite(error(one, one, CHANNELS))
    for case in (series_of(REAL.values[:, :1]), series_of(np.ones((30, 24, 2)))):
        found = error(case, case, channels_of(case))
        assert math.isnan(found) or found == 0
    constant = series_of(np.ones((30, 24, 2)))
    assert error(REAL, constant, CHANNELS) > 0.05


def test_numbers_of_any_size_are_judged():
    huge = series_of(1e300 * autoregressive(60))
    # The survey's standard deviation must not overflow, as that of NumPy would.
    channels = tuple(replace(one, mean=0.0, deviation=1e300) for one in channels_of(REAL))
    channels = tuple(replace(one, quantiles=(-5e300, 5e300)) for one in channels)
    assert np.isfinite(standardised(huge, channels)).all()
    for error in (*ERRORS, marginals.tail_error, closeness.closest_series):
        assert error(huge, huge, channels) == 0
        assert np.isfinite(error(REAL, huge, CHANNELS))
    assert learning.boosted_test(halves(REAL, 0), halves(huge, 0), CHANNELS) > 0.99
    assert learning.discriminative(halves(REAL, 0), halves(huge, 0), CHANNELS, updates=20) <= 0.5


def test_broken_series_are_refused():
    broken = REAL.values.clone()
    broken[3, 2, 1] = math.inf
    with pytest.raises(SparringError, match="not finite in 1 of 1000 series"):
        dynamics.spectrum_error(REAL, REAL._replace(values=broken), CHANNELS)
    with pytest.raises(SparringError, match=r"shape \(1000, 24, 2\)"):
        marginals.tail_error(REAL, FAIR, CHANNELS[:1])
    with pytest.raises(SparringError, match="0 series"):
        closeness.exact_copies(REAL, some_series(REAL, 0, 0), CHANNELS)
