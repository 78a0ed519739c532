"""Thresholds and their rates of false alarms."""

import numpy as np
import pytest

from sparring.detection.threshold import checked_rate, clopper_pearson, threshold_of
from sparring.errors import SparringError


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.9])
def test_new_normal_samples_exceed_the_threshold_at_the_rate(rate: float) -> None:
    random, alarms = np.random.default_rng(0), []
    for seed in range(200):
        found = threshold_of(random.normal(size=400), rate, seed)
        alarms.append(found.alarms / found.tested_on)
    assert np.mean(alarms) == pytest.approx(rate, abs=4 * np.std(alarms) / np.sqrt(200))


def test_intervals_hold_the_rate_in_at_least_95_percent() -> None:
    random = np.random.default_rng(1)
    inside = []
    for hits in random.binomial(50, 0.07, size=500):
        low, high = clopper_pearson(int(hits), 50)
        inside.append(low <= 0.07 <= high)
    assert np.mean(inside) >= 0.94


@pytest.mark.parametrize(
    ("hits", "count", "interval"),
    [(0, 10, (0, 0.3085)), (10, 10, (0.6915, 1)), (2, 20, (0.0123, 0.3170)), (0, 0, (0, 1))],
)
def test_intervals_are_those_of_clopper_and_pearson(hits: int, count: int, interval: tuple[float, float]) -> None:
    assert clopper_pearson(hits, count) == pytest.approx(interval, abs=1e-4)


def test_too_few_samples_take_the_highest_score_and_say_so() -> None:
    found = threshold_of(np.arange(50.0), 0.01, 0)
    assert found.found_on == found.tested_on == 25 and found.is_highest
    assert "198 held-out samples, and there are 50" in found.remarks()[0]
    assert not threshold_of(np.arange(198.0), 0.01, 0).is_highest
    assert threshold_of(np.arange(196.0), 0.01, 0).is_highest


def test_a_single_sample_is_enough_for_a_threshold() -> None:
    found = threshold_of(np.array([3.0]), 0.5, 0)
    assert found.value == 3 and found.rate is None and found.words() == "not measured"


@pytest.mark.parametrize("rate", [0, 1, -0.1, 2, float("nan"), float("inf"), "0.1", True, None])
def test_rates_outside_0_and_1_are_refused(rate: object) -> None:
    with pytest.raises(SparringError, match="false_alarms="):
        checked_rate(rate)
