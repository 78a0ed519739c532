"""The benchmark of unusual samples runs to its end on short trainings."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "anomalies.py"


def table_of(data: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        env={**os.environ, "SPARRING_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "recipes"),
    [("digits-3", ["images/vae:samples=200"]), ("cancer", ["tables/masked:samples=200", "tables/tvae:samples=200"])],
)
def test_benchmark_prints_a_line_for_each_detector(name: str, recipes: list[str], tmp_path: Path) -> None:
    printed = table_of(tmp_path, "--sets", name, "--recipes", *recipes)
    assert all(f"\n| {row} | " in printed for row in [*recipes, "nearest", "isolation-forest"])


@pytest.mark.slow
def test_benchmark_judges_and_shows_heat_maps(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for part in ("train", "val", "test"):
        (tmp_path / "facades" / part).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, size=(16, 32, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "facades" / part / f"{number}.jpg")
    words = ["--sets", "facades", "--recipes", "images/vae:samples=200", "--side", "16", "--sheet"]
    printed = table_of(tmp_path, *words, str(tmp_path / "maps.png"))
    assert all(f"\n| {row}: places | " in printed for row in ("images/vae:samples=200", "mean photograph"))
    with Image.open(tmp_path / "maps.png") as sheet:
        assert sheet.width > 6 * 16
