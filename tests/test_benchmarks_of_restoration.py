"""The benchmarks of completion, enlargement and translation run to their end on a few images."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
TINY = ["--side", "16", "--steps", "2", "--seeds", "0", "--train", "40", "--count", "8"]
FIELDS = ["--field", "width=4", "--field", "discriminator_width=4", "--field", "batch=4"]


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "facades").is_dir(), reason="needs the facades in shared/data")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        (
            ["completion.py", DATA, "--sets", "facades", "--holes", "strokes"],
            ["diffusion", "L2 only", "gated (default)"],
        ),
        (["enlarge.py", DATA / "facades", "--factors", "2"], ["bicubic", "ours"]),
        (
            ["facades.py", DATA / "facades", "--targets", "labels", "--field", "blocks=1"],
            ["input as output", "L1 alone", "L1 + adversarial", "CycleGAN, pairs hidden", "CUT, pairs hidden"],
        ),
    ],
)
def test_benchmark_prints_its_table(words: list[str | Path], names: list[str], tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "benchmarks" / str(words[0])), *map(str, words[1:])]
    done = subprocess.run(
        [*script, *TINY, *FIELDS, "--sheet", str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert all(f"\n| {name} | " in done.stdout for name in names)
    assert len(list(tmp_path.glob("*.png"))) == 1
