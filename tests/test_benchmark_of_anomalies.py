"""The benchmark of anomalies runs to its end on short trainings."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "anomalies.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("digits-3", ["isolation forest", "nearest neighbour", "images/ganomaly"]),
        ("cancer", ["isolation forest", "nearest neighbour", "tables/masked", "tables/ganomaly", "tables/tvae"]),
    ],
)
def test_benchmark_prints_its_table(name: str, rows: list[str]) -> None:
    words = ["--sets", name, "--rows", *rows, "--seeds", "1", "--samples", "200"]
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert all(f"\n| {row} | " in done.stdout for row in rows)
