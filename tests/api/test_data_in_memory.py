"""Every function that reads data takes arrays, tensors and lists in place of a path."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))


def test_arrays_are_trained_on_inspected_evaluated_and_compared(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    inspection = sparring.inspect(points, measure=False)
    assert inspection.facts.count == 200 and inspection.facts.modality == "points"
    fields = {"samples": 64, "batch": 32, "width": 8, "out": tmp_path / "run", "display": Silent()}
    run = sparring.train(points, **fields)
    assert run.record.facts.fingerprint == inspection.facts.fingerprint
    assert sparring.evaluate(run.folder, points, display=Silent()).scores
    other = torch.from_numpy(points) * 0.9
    assert sparring.evaluate(other, points, display=Silent()).scores
    assert sparring.compare(run.folder, other, points, display=Silent())


def test_none_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        sparring.SparringError, match=r"Found no data, but expected DATA: a folder, a file or the name of a data set"
    ):
        sparring.train(None)
