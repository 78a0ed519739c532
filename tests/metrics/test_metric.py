"""Every metric in the table is in the glossary, and moves in the direction stated there."""

import pytest
import torch

from sparring.evaluation.glossary import (
    DEFAULT,
    GLOSSARY,
    NO_DIFFERENCE,
    ON_REQUEST,
    QUESTIONS,
    better,
    by_question,
    interval,
)
from sparring.metrics.metric import METRICS, compute_metrics

NAMES = [name for metric in METRICS for name in metric.names]


def normal(count, seed, spread=1.0, shift=0.0):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)) * spread + shift


def test_names_are_unique_and_in_the_glossary():
    assert len(set(NAMES)) == len(NAMES) and set(NAMES) <= set(GLOSSARY)


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_seeds_give_equal_values(seed):
    real, fake = normal(200, 0), normal(200, 1)
    assert compute_metrics(real, fake, seed=seed) == compute_metrics(real, fake, seed=seed)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "vendi"])
def test_shifted_features_are_worse(name):
    real, fair, shifted = normal(400, 0), normal(400, 1), normal(400, 2, shift=1.5)
    good, bad = compute_metrics(real, fair)[name], compute_metrics(real, shifted)[name]
    assert (good < bad) == (GLOSSARY[name].better == "lower")


def test_a_single_mode_is_less_diverse():
    real, fair, narrow = normal(400, 0), normal(400, 1), normal(400, 2, spread=0.05, shift=1.0)
    for name in ("recall", "coverage", "vendi"):
        assert compute_metrics(real, narrow)[name] < compute_metrics(real, fair)[name]


def test_rows_are_ordered_by_question():
    rows = by_question(NAMES)
    asked = [question for question, _ in rows if question]
    assert asked == [question for question in QUESTIONS if question in asked] == ["Good?", "Diverse?"]
    assert sorted(name for _, name in rows) == sorted(NAMES)


def test_numbers_with_their_intervals():
    assert interval(0.123456, 0.0123) == "0.1235 ± 0.012"
    assert interval(0.5, None) == "0.5" and interval(None, 0.1) == "–"
    assert better("lower", NO_DIFFERENCE) == "lower is better; no significant difference from real"
    assert better("higher", "higher is better") == "higher is better"


def test_the_default_verdict_has_six_metrics():
    assert {"frechet", "precision", "recall", "coverage", "agreement", "copies"} == DEFAULT
    assert set(GLOSSARY) >= DEFAULT | ON_REQUEST
    computed = {name for metric in METRICS if metric.default for name in metric.names}
    assert {"frechet", "precision", "recall", "coverage"} <= computed
