"""`--continue`: torchrun restarts a run of which a rank was killed, and it ends as if nothing had happened."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = ("--samples", "640", "--batch", "64", "--width", "8", "--latent-size", "2")


def torchrun(points: Path, out: Path, victim: int, step: int) -> tuple[int, str]:
    """Train with two ranks under a line that restarts once, and return exit code and output."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", "1", "--monitor-interval", "0.1", str(Path(__file__).with_name("restarts.py"))]
    command += [str(victim), str(step), "train", str(points), "--out", str(out), "--continue", *SMALL]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, timeout=400
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("victim", "step"), [(0, 6), (1, 6), (1, 1)])
def test_torchrun_restarts_a_run_that_lost_a_rank_and_ends_it_bit_for_bit(
    victim: int, step: int, points: Path, digest: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    code, output = torchrun(points, tmp_path / "whole", victim, -1)
    assert code == 0, output
    code, output = torchrun(points, tmp_path / "killed", victim, step)
    assert code == 0, output
    assert "Signal 9" in output or "SIGKILL" in output or "exitcode: -9" in output, output
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")

    # The same line once more finds the run finished.
    code, output = torchrun(points, tmp_path / "killed", victim, -1)
    assert code == 0 and output.count("is finished: nothing to do") == 1, output
