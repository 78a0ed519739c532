"""Unusual series: found by the encoder of a run, with the windows and the values that make them so."""

from pathlib import Path

import numpy as np
import pytest

import sparring
from sparring.errors import SparringWarning
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run on noisy waves of two channels."""
    folder = tmp_path_factory.mktemp("series")
    np.save(folder / "waves.npy", waves(200, seed=0))
    small = {"samples": 3000, "batch": 32, "width": 16, "seed": 0}
    return sparring.train(
        str(folder / "waves.npy"), recipe="series/gan", judge="none", out=folder / "run", display=Silent(), **small
    ).folder


def waves(count: int, seed: int) -> np.ndarray:
    """Return waves of random phases, (count, 16, 2)."""
    random = np.random.default_rng(seed)
    phases = random.uniform(0, 6.3, size=(count, 1, 1)) + np.arange(2)
    return np.sin(np.arange(16)[None, :, None] * 0.6 + phases) + 0.05 * random.normal(size=(count, 16, 2))


def test_spikes_are_found_with_their_place(run: Path, tmp_path: Path) -> None:
    given = waves(60, seed=1)
    odd = np.arange(60) % 6 == 0
    given[odd, 9, 1] += 6.0
    np.save(tmp_path / "given.npy", given)
    found = sparring.detect(run, str(tmp_path / "given.npy"), out=tmp_path / "scores.csv", seed=0, display=Silent())
    assert found.method == "f-anogan"
    scores = np.array(found.scores)
    assert scores[odd].min() > scores[~odd].max()
    assert found.names[0] == "1"
    places = [found.columns[row] for row in np.flatnonzero(odd)]
    assert np.mean([any("at step 10" in name for name in names) for names in places]) > 0.8
    assert "at step 10" in (tmp_path / "scores.csv").read_text().splitlines()[1]


def test_windows_are_named_by_their_steps(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.concatenate(list(waves(3, seed=2)))[None])
    with pytest.warns(SparringWarning, match=r"windows of 16 steps, which overlap\.$"):
        found = sparring.detect(run, str(tmp_path / "long.npy"), seed=0, display=Silent())
    assert found.names[:2] == ("steps 1 to 16", "steps 2 to 17") and len(found.names) == 3 * 16 - 15


def test_series_have_no_classes(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "given.npy", waves(3, seed=1))
    with pytest.raises(sparring.SparringError, match="for series"):
        sparring.detect(run, str(tmp_path / "given.npy"), labels="kind", display=Silent())
