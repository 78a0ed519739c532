"""Data with one fault each is reported, healthy data is not."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparring.data.dataset import Split
from sparring.watchdog.data import MAX_CHECKED, MAX_CLASS_SHARE, MAX_REPEATED, MIN_SAMPLES, UNHEALTHY_DATA, check_data

Make = Callable[..., Split]
BOUNDS = (-1.0, 1.0)


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def images(count: int = 600) -> Any:
    return random().integers(0, 256, size=(count, 1, 8, 8), dtype=np.uint8)


def faults_of(split: Split, bounds: tuple[float, float] | None = BOUNDS) -> list[str]:
    """Explanations of the faults."""
    findings = check_data(split, bounds)
    for finding in findings:
        assert finding.finding == UNHEALTHY_DATA and (finding.step, finding.samples) == (0, 0)
        assert finding.explanation.endswith(".") and finding.advice.endswith(".")
        assert finding.evidence
        json.dumps(finding.evidence)
    return [finding.explanation for finding in findings]


def test_healthy_data_has_no_faults(split: Make) -> None:
    assert not faults_of(split(), None)
    assert not faults_of(split(images()))
    assert not faults_of(split(images(), np.arange(600) % 3, classes=3))
    assert not faults_of(split(random().uniform(-1, 1, size=(600, 3, 8, 8)).astype(np.float32)))


def test_unscaled_values_are_reported(split: Make) -> None:
    (finding,) = check_data(split(random().uniform(0, 255, size=(600, 1, 8, 8)).astype(np.float32)), BOUNDS)
    assert "outside [-1.0, 1.0]" in finding.explanation and "Scale" in finding.advice
    assert finding.evidence[0].startswith("values from ") and finding.evidence[0].endswith(" to 255")


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_one_value_far_outside_is_reported(shift: float, split: Make) -> None:
    values = random().uniform(-1, 1, size=(600, 1, 8, 8)).astype(np.float32)
    values[300, 0, 4, 4] = shift
    assert len(faults_of(split(values))) == 1
    assert not faults_of(split(values), None)


def test_values_slightly_outside_are_accepted(split: Make) -> None:
    assert not faults_of(split(random().uniform(-1.2, 1.2, size=(600, 1, 8, 8)).astype(np.float32)))


@pytest.mark.parametrize("level", [0.7, -1e-3, 1e4])
def test_nearly_constant_values_are_reported(level: float, split: Make) -> None:
    nearly = level * (1 + 1e-7 * random().normal(size=(600, 2))).astype(np.float32)
    assert "all values are nearly the same." in faults_of(split(nearly.astype(np.float32)), None)


def test_nearly_constant_images_are_reported(split: Make) -> None:
    nearly = 0.7 * (1 + 1e-5 * random().normal(size=(600, 1, 8, 8)))
    assert faults_of(split(nearly.astype(np.float32))) == ["all values are nearly the same."]


@pytest.mark.parametrize("spread", [0.7, 0.01])
def test_columns_far_from_zero_are_not_all_the_same(spread: float, split: Make) -> None:
    table = 1000 + spread * random().normal(size=(600, 2))
    assert not faults_of(split(table.astype(np.float32)), None)


def test_constant_data_is_reported_as_copies_too(split: Make) -> None:
    faults = faults_of(split(np.zeros((600, 2), dtype=np.float32)), None)
    assert [explanation.split()[0] for explanation in faults] == ["all", "many"]


@pytest.mark.parametrize(("share", "count"), [(MAX_REPEATED + 0.05, 1), (MAX_REPEATED - 0.05, 0)])
def test_many_copies_are_reported(share: float, count: int, split: Make) -> None:
    samples = images(1000)
    copies = round(share * 1000)
    samples[:copies] = samples[-1]
    faults = faults_of(split(samples, held_out=0))
    assert len(faults) == count and all("copies" in explanation for explanation in faults)


def test_distinct_samples_are_counted(split: Make) -> None:
    (finding,) = check_data(split(np.repeat(images(250), 4, axis=0), held_out=0), BOUNDS)
    assert finding.evidence == ("250 distinct samples of 1,000", "75% repeat another one")


@pytest.mark.parametrize(("share", "count"), [(MAX_CLASS_SHARE + 0.05, 1), (MAX_CLASS_SHARE - 0.05, 0)])
def test_a_dominant_class_is_reported(share: float, count: int, split: Make) -> None:
    labels = (np.arange(1000) >= share * 1000).astype(np.int64)
    faults = faults_of(split(images(1000), labels, classes=2, held_out=0))
    assert len(faults) == count and all("one class" in explanation for explanation in faults)


def test_classes_with_samples_are_counted(split: Make) -> None:
    (finding,) = check_data(split(images(), np.full(600, 2), classes=4), BOUNDS)
    assert finding.evidence == ("1 of 4 classes have samples", "100% are of one class")


def test_unknown_labels_are_not_a_class(split: Make) -> None:
    classes, few = np.arange(600) % 3, np.arange(600) % 10 == 0
    assert not faults_of(split(images(), np.where(few, classes, -1), classes=3))
    assert not faults_of(split(images(), np.full(600, -1), classes=3))
    (finding,) = check_data(split(images(), np.where(few, 0, -1), classes=3), BOUNDS)
    assert finding.evidence == ("1 of 3 classes have samples", "100% are of one class")


def test_a_single_class_is_accepted_where_there_are_no_others(split: Make) -> None:
    assert not faults_of(split(images(), np.zeros(600, dtype=np.int64), classes=1))
    assert not faults_of(split(images(), classes=4))


@pytest.mark.parametrize(("count", "faults"), [(MIN_SAMPLES - 1, 1), (MIN_SAMPLES, 0)])
def test_few_samples_are_reported(count: int, faults: int, split: Make) -> None:
    findings = check_data(split(images(count + 20), held_out=20), BOUNDS)
    assert len(findings) == faults
    assert all(one.evidence == (f"{count} training samples", "20 held out") for one in findings)


def test_several_faults_are_reported_one_by_one(split: Make) -> None:
    faults = faults_of(
        split(np.full((100, 1, 8, 8), 9.0, dtype=np.float32), np.zeros(100, int), classes=2, held_out=10)
    )
    assert [explanation.split()[0] for explanation in faults] == ["values", "many", "nearly", "there"]


def test_large_data_is_checked_in_part(split: Make) -> None:
    """From the first sample to the last: a fault at either end is not missed."""
    samples = random().normal(size=(3 * MAX_CHECKED, 1)).astype(np.float32)
    assert not faults_of(split(samples, held_out=0), (-9.0, 9.0))
    samples[-1] = 100.0
    assert len(faults_of(split(samples, held_out=0), (-9.0, 9.0))) == 1
    samples[MAX_CHECKED:] = 0.5
    assert "many samples are copies of others, and will be memorised." in faults_of(split(samples, held_out=0), None)
