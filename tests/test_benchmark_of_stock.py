"""The benchmark of stock windows runs to its end, and writes the half from which closeness is measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOCK = ROOT.parent / "shared" / "data" / "tables" / "stock.csv"


def benchmark(*words: object) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, str(ROOT / "benchmarks" / "stock.py"), *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.skipif(not STOCK.is_file(), reason="needs stock.csv in shared/data/tables")
def test_benchmark_prints_its_table_and_writes_its_values(tmp_path: Path) -> None:
    done = benchmark(STOCK, "--seeds", "1", "--rows", "noisy copies", "--json", tmp_path / "values.json")
    assert done.returncode == 0, done.stderr
    assert "\n| noisy copies | " in done.stdout
    (values,) = json.loads((tmp_path / "values.json").read_text(encoding="utf-8"))["noisy copies"]
    assert values["closer"] > 0.9 < values["strong"] and values["disc."] < 0.1


@pytest.mark.slow
def test_half_holds_the_days_of_every_other_block(tmp_path: Path) -> None:
    table, half = tmp_path / "days.csv", tmp_path / "half.csv"
    table.write_text("a,b\n" + "".join(f"{day},0\n" for day in range(300)), encoding="utf-8")
    done = benchmark(table, "--half", half)
    assert done.returncode == 0, done.stderr
    days = [*((0, day) for day in range(96)), *((2, day) for day in range(192, 288))]
    assert half.read_text(encoding="utf-8") == "block,a,b\n" + "".join(f"{block},{day},0\n" for block, day in days)


@pytest.mark.slow
def test_runs_on_half_belong_to_runs(tmp_path: Path) -> None:
    done = benchmark(tmp_path / "days.csv", "--seeds", "1", "--apart", tmp_path)
    assert done.returncode == 2 and "as many runs as --run" in done.stderr
