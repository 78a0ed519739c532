"""Data with one fault each, and data with none."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparring.data.dataset import Split
from sparring.watchdog.data import FEW, LOOKED_AT, NAME, ONE_CLASS, REPEATED, unhealthy

Make = Callable[..., Split]
BOUNDS = (-1.0, 1.0)


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def images(count: int = 600) -> Any:
    return random().integers(0, 256, size=(count, 1, 8, 8), dtype=np.uint8)


def said(split: Split, bounds: tuple[float, float] | None = BOUNDS) -> list[str]:
    """What is wrong, in the first words."""
    findings = unhealthy(split, bounds)
    for finding in findings:
        assert finding.name == NAME and (finding.step, finding.samples) == (0, 0)
        assert finding.says.endswith(".") and finding.advice.endswith((".", "?"))
        assert finding.evidence
        json.dumps(finding.evidence)
    return [finding.says for finding in findings]


def test_nothing_is_wrong_with_healthy_data(split: Make) -> None:
    assert not said(split(), None)
    assert not said(split(images()))
    assert not said(split(images(), np.arange(600) % 3, classes=3))
    assert not said(split(random().uniform(-1, 1, size=(600, 3, 8, 8)).astype(np.float32)))


def test_values_from_0_to_255_that_were_not_scaled(split: Make) -> None:
    (finding,) = unhealthy(split(random().uniform(0, 255, size=(600, 1, 8, 8)).astype(np.float32)), BOUNDS)
    assert "outside [-1.0, 1.0]" in finding.says and "Scale" in finding.advice
    assert finding.evidence[0].startswith("values from ") and finding.evidence[0].endswith(" to 255")


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_one_value_far_outside_is_enough(shift: float, split: Make) -> None:
    values = random().uniform(-1, 1, size=(600, 1, 8, 8)).astype(np.float32)
    values[300, 0, 4, 4] = shift
    assert len(said(split(values))) == 1
    assert not said(split(values), None)


def test_a_little_outside_is_let_be(split: Make) -> None:
    assert not said(split(random().uniform(-1.2, 1.2, size=(600, 1, 8, 8)).astype(np.float32)))


@pytest.mark.parametrize("level", [0.7, -1e-3, 1e4])
def test_values_that_are_nearly_the_same(level: float, split: Make) -> None:
    nearly = level * (1 + 1e-5 * random().normal(size=(600, 2))).astype(np.float32)
    assert said(split(nearly.astype(np.float32)), None) == ["all values are nearly the same."]


def test_data_of_one_value(split: Make) -> None:
    """Of which all samples are copies too."""
    constant = said(split(np.zeros((600, 2), dtype=np.float32)), None)
    assert [words.split()[0] for words in constant] == ["all", "many"]


@pytest.mark.parametrize(("share", "count"), [(REPEATED + 0.05, 1), (REPEATED - 0.05, 0)])
def test_copies(share: float, count: int, split: Make) -> None:
    samples = images(1000)
    copies = round(share * 1000)
    samples[:copies] = samples[-1]
    faults = said(split(samples, held_out=0))
    assert len(faults) == count and all("copies" in words for words in faults)


def test_copies_are_counted(split: Make) -> None:
    (finding,) = unhealthy(split(np.repeat(images(250), 4, axis=0), held_out=0), BOUNDS)
    assert finding.evidence == ("250 different samples of 1,000", "75% repeat another one")


@pytest.mark.parametrize(("share", "count"), [(ONE_CLASS + 0.05, 1), (ONE_CLASS - 0.05, 0)])
def test_one_class_among_others(share: float, count: int, split: Make) -> None:
    labels = (np.arange(1000) >= share * 1000).astype(np.int64)
    faults = said(split(images(1000), labels, classes=2, held_out=0))
    assert len(faults) == count and all("one class" in words for words in faults)


def test_classes_without_samples_are_counted(split: Make) -> None:
    (finding,) = unhealthy(split(images(), np.full(600, 2), classes=4), BOUNDS)
    assert finding.evidence == ("1 of 4 classes have samples", "100% are of one class")


def test_unknown_labels_are_no_class(split: Make) -> None:
    some, few = np.arange(600) % 3, np.arange(600) % 10 == 0
    assert not said(split(images(), np.where(few, some, -1), classes=3))
    assert not said(split(images(), np.full(600, -1), classes=3))
    (finding,) = unhealthy(split(images(), np.where(few, 0, -1), classes=3), BOUNDS)
    assert finding.evidence == ("1 of 3 classes have samples", "100% are of one class")


def test_a_single_class_is_no_fault_where_there_are_no_others(split: Make) -> None:
    assert not said(split(images(), np.zeros(600, dtype=np.int64), classes=1))
    assert not said(split(images(), classes=4))


@pytest.mark.parametrize(("count", "faults"), [(FEW - 1, 1), (FEW, 0)])
def test_few_samples(count: int, faults: int, split: Make) -> None:
    findings = unhealthy(split(images(count + 20), held_out=20), BOUNDS)
    assert len(findings) == faults
    assert all(one.evidence == (f"{count} samples to train on", "20 held out") for one in findings)


def test_several_faults_are_said_one_by_one(split: Make) -> None:
    faults = said(split(np.full((100, 1, 8, 8), 9.0, dtype=np.float32), np.zeros(100, int), classes=2, held_out=10))
    assert [words.split()[0] for words in faults] == ["values", "many", "nearly", "there"]


def test_large_data_is_looked_at_in_part(split: Make) -> None:
    """From the first sample to the last: a fault at either end is not missed."""
    samples = random().normal(size=(3 * LOOKED_AT, 1)).astype(np.float32)
    assert not said(split(samples, held_out=0), (-9.0, 9.0))
    samples[-1] = 100.0
    assert len(said(split(samples, held_out=0), (-9.0, 9.0))) == 1
    samples[LOOKED_AT:] = 0.5
    assert "many samples are copies of others, and will be memorised." in said(split(samples, held_out=0), None)
