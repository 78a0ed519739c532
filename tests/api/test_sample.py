"""Samples are written in parts that fit into memory, and only where there is room for them."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from sparring.api import sample as module
from sparring.api.sample import sample
from sparring.api.train import train
from sparring.errors import SparringError
from sparring.model import Model
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=128, batch=64, width=8, latent_size=2, judge="none", out=out, display=Silent())
    return out


def test_parts_hold_the_samples_of_the_whole(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sample(run, count=150, out=tmp_path / "whole")
    monkeypatch.setattr(module, "PART_BYTES", 1)
    parts = sample(run, count=150, out=tmp_path / "parts")
    assert [path.name for path in parts.files if path.suffix == ".npy"] == [
        "points-000000.npy",
        "points-000064.npy",
        "points-000128.npy",
    ]
    tables = [np.load(path) for path in parts.files if path.suffix == ".npy"]
    np.testing.assert_array_equal(np.concatenate(tables), np.load(whole.files[0]))
    assert parts.count == whole.count == 150 and parts.overview[0].exists()


def test_ctrl_c_keeps_no_sample_and_says_so(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 1)
    accepted, calls = Model.accepted, list[int]()

    def interrupted(self: Model, count: int, *given: Any, **numbers: Any) -> Any:
        calls.append(count)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return accepted(self, count, *given, **numbers)

    monkeypatch.setattr(Model, "accepted", interrupted)
    with pytest.raises(KeyboardInterrupt, match="no sample is kept"):
        sample(run, count=150, out=tmp_path / "made", display=Silent())
    assert len(calls) == 2 and not list((tmp_path / "made").glob("*.npy"))
    assert sample(run, count=2, out=tmp_path / "made", display=Silent()).count == 2


def test_samples_for_which_there_is_no_room_are_refused_first(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(100))
    with pytest.raises(SparringError, match=r"count=1000, for which .* of disk space are needed"):
        sample(run, count=1000, out=tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("length", [225, 232, 240, 255])
def test_a_name_that_the_overview_cannot_have_is_refused_first(length: int, run: Path, tmp_path: Path) -> None:
    out = tmp_path / ("n" * length)
    try:
        assert sample(run, count=2, out=out).overview[0].exists()
    except SparringError as error:
        assert length > 225 and "too long for the overview" in str(error)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"out": None}, "None for the samples"),
        ({"model": None}, "None for the model"),
        ({"count": "3"}, "count='3'"),
        ({"count": 10**8 + 1}, "from 1 to 100,000,000"),
        ({"seed": 0.5}, "seed=0.5"),
        ({"device": ""}, "no device ''"),
    ],
)
def test_odd_arguments_are_one_sentence(choices: dict[str, Any], words: str, run: Path, tmp_path: Path) -> None:
    arguments = {"model": run, "out": tmp_path / "made", "count": 2, **choices}
    with pytest.raises(SparringError, match=words):
        sample(arguments.pop("model"), **arguments)
    assert not (tmp_path / "made").exists()
