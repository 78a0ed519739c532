"""Ctrl-C, SIGTERM, damage, a full disk and a second trainer, with real processes."""

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
    """Start `sparring train`, and return its process once it is training."""
    command = [sys.executable, "-m", "sparring", "train", str(points), *SMALL, "--out", str(out), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while not (out / "log.jsonl").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.02)
    return process


def test_ctrl_c_saves_and_the_resumed_run_equals_an_uninterrupted_one(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    numbers = ("--samples", "12800")
    assert command("train", points, *SMALL, *numbers, "--out", whole, saved_every=60)[0] == 0
    process = started(points, out, *numbers)
    process.send_signal(signal.SIGSTOP)

    # A second trainer of the same run is refused.
    code, output = command("resume", out)
    assert code == 2 and "another process training" in output, output

    # The first signal saves a checkpoint and prints the command that continues the run.
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, output = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert f"sparring resume {out}" in output and "Traceback" not in output
    (saved,) = checkpoints(out / "checkpoints")
    assert 0 < json.loads((saved / "state.json").read_text())["samples"] == int(saved.name) < 12_800

    # The resumed run ends with the checkpoint of the uninterrupted one, and logs the same figures.
    code, output = command("resume", out, saved_every=60)
    assert code == 0 and re.search(r"Resumed at \d+", output), output
    assert digest(out) == digest(whole)
    assert figures(out) == figures(whole)


def figures(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "samples_per_second"} for line in lines]


@pytest.mark.slow
def test_sigterm_saves_a_checkpoint(points: Path, tmp_path: Path) -> None:
    process = started(points, tmp_path / "run", "--minutes", "5")
    process.send_signal(signal.SIGTERM)
    _, output = process.communicate(timeout=120)
    assert process.returncode == 143, output
    assert f"sparring resume {tmp_path / 'run'}" in output and "Traceback" not in output


def test_a_second_signal_ends_the_process_without_saving(points: Path, tmp_path: Path) -> None:
    """Both arrive before the first is handled."""
    process = started(points, tmp_path / "run", "--minutes", "5")
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        process.send_signal(number)
    _, output = process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert "Traceback" not in output
    assert not checkpoints(tmp_path / "run" / "checkpoints")


def test_a_damaged_checkpoint_is_reported_and_the_older_one_is_used(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert command("train", points, "--samples", 640, *SMALL, "--out", run)[0] == 0
    (run / "report.html").unlink()
    before = digest(run)
    newest = checkpoints(run / "checkpoints")[-1] / "players.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    code, output = command("resume", run)
    assert code == 0 and "damaged and was skipped" in output, output
    assert digest(run) == before
    (run / "report.html").unlink()
    for checkpoint in checkpoints(run / "checkpoints"):
        (checkpoint / "state.json").write_text("{}")
    code, output = command("resume", run)
    assert code == 2 and "at least one intact checkpoint" in output and "Traceback" not in output, output


def test_a_full_disk_is_reported_and_leaves_the_older_checkpoint(
    command: Command, digest: Digest, points: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    crash = {"SPARRING_CRASH_AT": "checkpoint-after-players:4"}
    command("train", points, "--samples", 640, *SMALL, "--out", run, environment=crash)
    before = [path.name for path in checkpoints(run / "checkpoints")]
    code, output = command("resume", run, largest_file=10_000)
    assert code == 2, output
    assert "could not be written" in output and "the previous one is untouched" in output and "Traceback" not in output
    assert [path.name for path in checkpoints(run / "checkpoints")] == before
    code, output = command("resume", run)
    assert code == 0 and "damaged" not in output, output
