"""The benchmark of stock windows runs to its end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOCK = ROOT.parent / "shared" / "data" / "tables" / "stock.csv"


@pytest.mark.slow
@pytest.mark.skipif(not STOCK.is_file(), reason="needs stock.csv in shared/data/tables")
def test_benchmark_prints_its_table_and_writes_its_values(tmp_path: Path) -> None:
    words = [STOCK, "--seeds", "1", "--rows", "noisy copies", "--json", tmp_path / "values.json"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "stock.py"), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "\n| noisy copies | " in done.stdout
    (values,) = json.loads((tmp_path / "values.json").read_text(encoding="utf-8"))["noisy copies"]
    assert values["closer"] > 0.9 < values["strong"] and values["disc."] < 0.1
