"""The examples run unchanged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def ring(steps: int, folder: Path) -> tuple[int, float]:
    """Run the example; return the number of modes and the quality in percent of its last line."""
    command = [sys.executable, str(EXAMPLES / "ring_of_gaussians.py"), str(steps)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"step +(\d+)  modes (\d)/8  quality ([\d.]+)%", done.stdout)
    assert len(lines) == 10 and lines[-1][0] == str(steps)
    with Image.open(folder / "ring.png") as picture:
        assert picture.size == (400, 400)
    return int(lines[-1][1]), float(lines[-1][2])


def test_800_steps_find_all_modes(tmp_path: Path) -> None:
    modes, quality = ring(800, tmp_path)
    assert modes == 8 and quality > 20


@pytest.mark.slow
def test_3000_steps_find_all_modes_with_high_quality(tmp_path: Path) -> None:
    modes, quality = ring(3000, tmp_path)
    assert modes == 8 and quality > 60


def test_the_ring_example_is_short_and_does_not_import_sparring() -> None:
    text = (EXAMPLES / "ring_of_gaussians.py").read_text()
    assert not re.search(r"^\s*(?:import|from) sparring", text, re.MULTILINE)
    assert len(text.splitlines()) <= 130
