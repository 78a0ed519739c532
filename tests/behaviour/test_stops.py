"""Ctrl-C, SIGTERM, a full disk and a second trainer, with real processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.training.checkpoint import checkpoints

Command = Callable[..., tuple[int, str]]
Digest = Callable[[Path], dict[str, str]]

SMALL = ("--batch", "32", "--width", "8", "--latent-size", "2")


def started(points: Path, out: Path, *words: str) -> "subprocess.Popen[str]":
    """`sparring train` at work, in the middle of training."""
    command = [sys.executable, "-m", "sparring", "train", str(points), *SMALL, "--out", str(out), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while not (out / "log.jsonl").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.02)
    return process


def test_ctrl_c_saves_and_the_run_ends_as_if_never_stopped(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    numbers = ("--samples", "12800")
    assert command("train", points, *SMALL, *numbers, "--out", whole, saved_every=60)[0] == 0
    process = started(points, out, *numbers)
    process.send_signal(signal.SIGSTOP)

    # One trainer per run.
    code, said = command("resume", out)
    assert code == 2 and "another process training" in said, said

    # The first signal saves, and says how to go on.
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert f"sparring resume {out}" in said and "Traceback" not in said
    (saved,) = checkpoints(out / "checkpoints")
    assert 0 < json.loads((saved / "state.json").read_text())["samples"] == int(saved.name) < 12_800

    # Resumed, it ends where the other did, with the same figures on the way.
    code, said = command("resume", out, saved_every=60)
    assert code == 0 and re.search(r"Resumed from \d+", said), said
    assert digest(out) == digest(whole)
    assert figures(out) == figures(whole)


def figures(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "samples_per_second"} for line in lines]


@pytest.mark.slow
def test_sigterm_saves_as_well(points: Path, tmp_path: Path) -> None:
    process = started(points, tmp_path / "run", "--minutes", "5")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    assert f"sparring resume {tmp_path / 'run'}" in said and "Traceback" not in said


def test_the_second_signal_ends_at_once(points: Path, tmp_path: Path) -> None:
    """Both arrive before the first could be heeded."""
    process = started(points, tmp_path / "run", "--minutes", "5")
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert "Traceback" not in said
    assert not checkpoints(tmp_path / "run" / "checkpoints")


def test_damage_is_said_and_the_older_checkpoint_is_used(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert command("train", points, "--samples", 640, *SMALL, "--out", run)[0] == 0
    (run / "report.html").unlink()
    before = digest(run)
    newest = checkpoints(run / "checkpoints")[-1] / "players.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    code, said = command("resume", run)
    assert code == 0 and "damaged and was skipped" in said, said
    assert digest(run) == before
    (run / "report.html").unlink()
    for checkpoint in checkpoints(run / "checkpoints"):
        (checkpoint / "state.json").write_text("{}")
    code, said = command("resume", run)
    assert code == 2 and "at least one whole checkpoint" in said and "Traceback" not in said, said


def test_a_full_disk_is_said_and_leaves_the_older_checkpoint(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    crash = {"SPARRING_CRASH_AT": "checkpoint-after-players:4"}
    command("train", points, "--samples", 640, *SMALL, "--out", run, environment=crash)
    before = [path.name for path in checkpoints(run / "checkpoints")]
    code, said = command("resume", run, largest_file=10_000)
    assert code == 2, said
    assert "could not be written" in said and "the previous one is untouched" in said and "Traceback" not in said
    assert [path.name for path in checkpoints(run / "checkpoints")] == before
    code, said = command("resume", run)
    assert code == 0 and "damaged" not in said, said
