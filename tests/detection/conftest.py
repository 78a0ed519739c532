"""Runs with detectors: points on a plane in space, and small images of two classes."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import sparring
from sparring.runs.display import Silent

NORMAL, ODD = 100, 50
"""Rows of the test data that lie on the plane, and those after them, which do not."""


def on_plane(random: np.random.Generator, count: int) -> np.ndarray:
    """Return points (a, b, a + b) with some noise."""
    plane = random.normal(size=(count, 2))
    return np.column_stack([plane, plane.sum(1)]) + 0.02 * random.normal(size=(count, 3))


def write_csv(path: Path, points: np.ndarray, header: str = "a,b,c") -> str:
    np.savetxt(path, points, delimiter=",", header=header, comments="")
    return str(path)


@pytest.fixture(scope="session")
def plane_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on points of a plane, beside odd.csv, the last rows of which are not on it."""
    folder, random = tmp_path_factory.mktemp("plane"), np.random.default_rng(0)
    data = write_csv(folder / "plane.csv", on_plane(random, 500))
    odd = on_plane(random, ODD) + np.array([0.0, 0.0, 2.0])
    write_csv(folder / "odd.csv", np.concatenate([on_plane(random, NORMAL), odd]))
    numbers = {"samples": 20_000, "batch": 100, "width": 32, "latent_size": 2, "places": 0, "max_frequency": 2.0}
    sparring.train(
        data, recipe="points/ring", judge="none", out=folder / "run", watchdog="off", display=Silent(), **numbers
    )
    return folder / "run"


@pytest.fixture
def plane(plane_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, called run, beside odd.csv in the current folder."""
    shutil.copy(plane_run.parent / "odd.csv", tmp_path / "odd.csv")
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(plane_run, tmp_path / "run")


def squares(random: np.random.Generator, count: int) -> np.ndarray:
    """Return dark 8 × 8 images with a bright half: the left one in even rows, the right one in odd ones."""
    images = random.integers(0, 60, size=(count, 8, 8))
    images[::2, :, :4] += 180
    images[1::2, :, 4:] += 180
    return images.astype(np.uint8)


@pytest.fixture(scope="session")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on images of the classes left and right, beside test.npz, which has another class, middle."""
    folder, random = tmp_path_factory.mktemp("halves"), np.random.default_rng(0)
    sides = np.array(["left", "right"])
    np.savez(folder / "halves.npz", images=squares(random, 200), labels=np.resize(sides, 200))
    middle = random.integers(0, 60, size=(20, 8, 8))
    middle[:, 2:6, 2:6] += 180
    images = np.concatenate([squares(random, 40), middle.astype(np.uint8)])
    np.savez(folder / "test.npz", images=images, labels=np.append(np.resize(sides, 40), ["middle"] * 20))
    small = {"width": 8, "discriminator_width": 8, "latent_size": 4, "batch": 16, "resolution": (8, 8)}
    sparring.train(
        str(folder / "halves.npz"),
        recipe="images/r3gan",
        samples=2000,
        judge="none",
        out=folder / "run",
        watchdog="off",
        display=Silent(),
        **small,
    )
    return folder / "run"
