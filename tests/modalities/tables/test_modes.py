"""Mixtures of the quantiles of a column: known ones are found, and equal quantiles give equal modes."""

import time

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.mixture import BayesianGaussianMixture

from sparring.modalities.tables.modes import MAX_MODES, MIN_WEIGHT, Modes, fitted_modes

KNOTS = (np.arange(1001) + 0.5) / 1001


def quantiles(weights, means, deviations, count=200_000):
    """Quantiles of rows of a mixture."""
    random = np.random.default_rng(0)
    chosen = random.choice(len(weights), count, p=weights)
    return np.quantile(random.normal(np.array(means)[chosen], np.array(deviations)[chosen]), np.linspace(0, 1, 1001))


def cumulative(modes: Modes, values: np.ndarray) -> np.ndarray:
    """Distribution function of a mixture."""
    return norm.cdf(values[:, None], modes.means, np.maximum(modes.deviations, 1e-9)) @ modes.weights


def distance(modes: Modes, values: np.ndarray) -> float:
    """Largest difference between the distribution functions of a mixture and of quantiles."""
    return float(np.abs(cumulative(modes, values) - KNOTS).max())


def test_modes_that_lie_apart_are_found():
    values = quantiles((0.5, 0.2, 0.3), (0, 100, -40), (1, 5, 0.5))
    modes = fitted_modes(values)
    for weight, mean, deviation in ((0.5, 0, 1), (0.2, 100, 5), (0.3, -40, 0.5)):
        here = np.abs(modes.means - mean) < 6 * deviation
        assert modes.weights[here].sum() == pytest.approx(weight, abs=0.01)
        assert modes.means[here] @ modes.weights[here] / weight == pytest.approx(mean, abs=0.1 * deviation + 0.2)
        assert (modes.deviations[here] < 1.3 * deviation).all()
    assert (np.diff(modes.means) > 0).all()


@pytest.mark.parametrize(
    "values",
    [
        norm.ppf(KNOTS),
        KNOTS,
        -np.log(1 - KNOTS),
        quantiles((0.6, 0.4), (0, 4), (1, 0.3)),
        1.6e9 + 1e6 * norm.ppf(KNOTS),
        1e300 * (KNOTS - 0.5),
    ],
    ids=["normal", "uniform", "exponential", "two", "dates", "huge"],
)
def test_mixtures_have_the_distribution_of_the_column(values):
    modes = fitted_modes(values)
    assert distance(modes, values) < 0.03 and len(modes.weights) <= MAX_MODES
    assert modes.weights.sum() == pytest.approx(1) and modes.weights.min() > 0.9 * MIN_WEIGHT


@pytest.mark.parametrize("values", [norm.ppf(KNOTS), quantiles((0.5, 0.2, 0.3), (0, 9, -9), (1, 2, 0.5))])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_mixtures_fit_as_well_as_those_of_scikit_learn(values):
    """Same model, other start and priors; the oracle is fitted to the same quantiles."""
    oracle = BayesianGaussianMixture(n_components=MAX_MODES, weight_concentration_prior=1e-3, random_state=0).fit(
        values[:, None]
    )
    theirs = Modes(oracle.weights_, oracle.means_[:, 0], np.sqrt(oracle.covariances_[:, 0, 0]))
    assert distance(fitted_modes(values), values) < distance(theirs, values) + 0.01


def test_a_frequent_value_is_a_mode_of_its_own():
    values = np.concatenate([np.zeros(900), np.linspace(100, 5000, 101)])
    modes = fitted_modes(values)
    assert modes.means[0] == 0 and modes.deviations[0] == 0 and modes.weights[0] == pytest.approx(0.9, abs=0.01)
    assert (modes.means[1:] > 100).all()


@pytest.mark.parametrize("values", [[3.0, 3.0], [0.0, 0.0, 0.0], [1e300] * 5])
def test_a_constant_has_one_mode(values):
    modes = fitted_modes(values)
    assert modes.means.tolist() == values[:1] and modes.deviations.tolist() == [0] and modes.weights.tolist() == [1]


@pytest.mark.parametrize("values", [[1.0, 2.0], [-1e300, 0.0, 1e300], [0.0, 1e-300], list(range(11))])
def test_few_quantiles_are_enough(values):
    modes = fitted_modes(values)
    assert all(np.isfinite(part).all() for part in modes) and modes.weights.sum() == pytest.approx(1)


def test_modes_follow_the_unit_and_repeat():
    values = quantiles((0.5, 0.5), (0, 5), (1, 1))
    one, again, other = fitted_modes(values), fitted_modes(tuple(values.tolist())), fitted_modes(1000 * values + 7)
    assert all(np.array_equal(*pair) for pair in zip(one, again, strict=True))
    np.testing.assert_allclose(other.means, 1000 * one.means + 7, rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(other.deviations, 1000 * one.deviations, rtol=1e-6)


def test_a_fit_takes_a_fraction_of_a_second():
    values = norm.ppf(KNOTS)
    began = time.process_time()
    fitted_modes(values)
    assert time.process_time() - began < 0.3
