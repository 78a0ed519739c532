"""A run is evaluated with the data that it was trained on where no data is named, if that is still the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.cli import main
from sparring.errors import SparringError
from sparring.runs.display import Silent

SMALL: dict[str, Any] = {"samples": 64, "batch": 64, "width": 8, "latent_size": 2, "judge": "none", "display": Silent()}


class Listening(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).standard_normal((300, 2)).astype(np.float32))
    return sparring.train(tmp_path / "points.npy", out=tmp_path / "run", **SMALL).folder


def test_the_recorded_data_is_used_and_named(run: Path) -> None:
    display, named = Listening(), run.parent / "points.npy"
    found = sparring.evaluate(run, count=100, display=display)
    assert found == sparring.evaluate(run, named, count=100, display=Silent())
    assert display.sentences == [f"Compared with {named}, the data that {run} was trained on."]


def test_two_runs_or_a_run_and_samples_are_compared_with_it(run: Path) -> None:
    np.save(run.parent / "other.npy", np.zeros((150, 2), np.float32))
    for second in (run, run.parent / "other.npy"):
        found = sparring.compare(run, second, count=100, display=Silent())
        assert found.first.data == str(run.parent / "points.npy")


def test_changed_data_is_refused_unless_it_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(run.parent / "points.npy", np.zeros((300, 2), np.float32))
    with pytest.raises(SparringError, match=r"other data in .*points\.npy than when .*run was trained.*data='PATH'"):
        sparring.evaluate(run, count=100, display=Silent())
    with pytest.raises(SystemExit):
        main(["evaluate", str(run), "--count", "100"])
    assert "--data PATH" in capsys.readouterr().err
    assert sparring.evaluate(run, run.parent / "points.npy", count=100, display=Silent()).count == 100


def test_without_a_place_data_has_to_be_named(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "made.npy", np.zeros((150, 2), np.float32))
    with pytest.raises(SparringError, match=r"no data to compare .*made\.npy with.*data='PATH'"):
        sparring.evaluate(tmp_path / "made.npy")
    (tmp_path / "points.npy").unlink()
    with pytest.raises(SparringError, match=r"nothing at .*points\.npy, but expected the data of the run"):
        sparring.evaluate(run)


def test_runs_on_different_data_need_one_for_both(run: Path, tmp_path: Path) -> None:
    other = sparring.train("ring", out=tmp_path / "other", **SMALL).folder
    with pytest.raises(SparringError, match=r"runs on different data \(.*points\.npy and ring\)"):
        sparring.compare(run, other)
