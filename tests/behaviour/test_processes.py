"""Two processes give the same result as one; a process that dies or hangs is named and ends the run."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.api.train import train
from sparring.runs.display import Silent
from sparring.training.checkpoint import Snapshot, load_checkpoint

SMALL = ("--batch", "64", "--width", "8", "--latent-size", "2")


def torchrun(source: Path | str, out: Path, *words: str, processes: int = 2) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += ["-m", "sparring", "train", str(source), "--out", str(out), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONFAULTHANDLER": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=240)
    return process.returncode, output


def assert_alike(one: Snapshot, other: Snapshot) -> None:
    """Compare up to rounding: sums run in another order, and Adam divides by numbers near zero."""
    places = ("step", "samples", "micro_batch")
    assert [one.state[name] for name in places] == [other.state[name] for name in places]
    for name, (value, enabled) in one.state["controls"].items():
        assert other.state["controls"][name] == (pytest.approx(value, rel=1e-4, abs=1e-6), enabled)
    torch.testing.assert_close(one.players, other.players, rtol=1e-5, atol=1e-6)


def test_two_processes_give_the_same_weights_as_one(points: Path, tmp_path: Path) -> None:
    code, output = finished(torchrun(points, tmp_path / "two", "--samples", "1280", *SMALL))
    assert code == 0, output
    numbers = {"samples": 1280, "batch": 64, "width": 8, "latent_size": 2}
    train(points, judge="none", out=tmp_path / "one", display=Silent(), **numbers)
    snapshots = [load_checkpoint(tmp_path / name / "checkpoints")[0] for name in ("one", "two")]
    assert_alike(*snapshots)
    assert output.count("Trained on 1,280 samples") == 1
    assert (tmp_path / "two" / "report.html").exists()


def assert_ended_with_a_sentence(output: str, processes: int) -> None:
    """Each process ended with code 2, unless torchrun was faster to stop it once the first had ended."""
    codes = re.findall(r"exitcode +: (-?[0-9]+)", output)
    assert len(codes) == processes and "2" in codes and set(codes) <= {"2", "-15"}, output


def test_more_processes_than_samples_in_a_batch_end_with_one_sentence(points: Path, tmp_path: Path) -> None:
    process = torchrun(points, tmp_path / "run", "--samples", "64", "--batch", "1")
    code, output = finished(process)
    assert code != 0 and output.count("Found a batch of 1 for 2 processes") == 1, output
    assert_ended_with_a_sentence(output, 2)
    assert output.count("sparring (rank ") == 1 and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_an_error_of_the_first_process_ends_the_others_too(points: Path, tmp_path: Path) -> None:
    """The others wait for the name of the run folder, which the first one finds to exist."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").touch()
    code, output = finished(torchrun(points, tmp_path / "run", "--samples", "64", *SMALL))
    assert code != 0 and output.count("runs are never overwritten") == output.count("sparring (rank ") == 1, output
    assert_ended_with_a_sentence(output, 2)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["images/r3gan", "images/vae"])
def test_two_processes_give_the_same_image_networks_as_one(recipe: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(64, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    numbers = ("--samples", "160", "--batch", "16", "--width", "8", "--latent-size", "4", "--recipe", recipe)
    numbers += ("--precision", "float32")
    code, output = finished(torchrun(tmp_path / "images.npz", tmp_path / "two", *numbers))
    assert code == 0, output
    train(
        tmp_path / "images.npz",
        recipe=recipe,
        samples=160,
        batch=16,
        width=8,
        latent_size=4,
        precision="float32",
        out=tmp_path / "one",
        display=Silent(),
    )
    one, other = (load_checkpoint(tmp_path / name / "checkpoints")[0] for name in ("one", "two"))
    places = ("step", "samples", "micro_batch")
    assert [one.state[name] for name in places] == [other.state[name] for name in places]
    for name, (value, enabled) in one.state["controls"].items():
        assert other.state["controls"][name] == (pytest.approx(value, rel=1e-4, abs=1e-6), enabled)
    # Compare each tensor by its norm: a few single weights differ more, where Adam divides by gradients near zero.
    assert one.players.keys() == other.players.keys()
    for name, weight in one.players.items():
        apart = float((weight.double() - other.players[name].double()).norm())
        assert apart <= 1e-5 * float(weight.double().norm()), name


def ranks(out: Path, process: "subprocess.Popen[str]") -> dict[int, int]:
    """Return the process number of each rank, once both are training."""
    deadline = time.monotonic() + 120
    while not (out / "log.jsonl").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "environ").read_bytes().split(b"\0")
                parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue
            if int(parent) == process.pid:
                found.update({int(word[5:]): int(folder.name) for word in words if re.fullmatch(rb"RANK=\d+", word)})
    assert set(found) == {0, 1}
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_dies_or_hangs_is_named_and_ends_the_run(
    rank: int, number: signal.Signals, points: Path, tmp_path: Path
) -> None:
    process = torchrun(points, tmp_path / "run", "--minutes", "10", *SMALL)
    try:
        time.sleep(3)
        victims = ranks(tmp_path / "run", process)
        time.sleep(3)
        began = time.monotonic()
        os.kill(victims[rank], number)
        code, output = finished(process)
        assert time.monotonic() - began < 30, output
        assert code != 0
        assert re.search(rf"sparring \(rank {1 - rank}\): .*rank {rank}\b", output), output
    finally:
        process.kill()


@pytest.mark.slow
def test_an_interrupted_torchrun_saves_a_checkpoint(points: Path, tmp_path: Path) -> None:
    process = torchrun(points, tmp_path / "run", "--minutes", "10", *SMALL)
    ranks(tmp_path / "run", process)
    process.send_signal(signal.SIGINT)
    _, output = finished(process)
    assert f"sparring resume {tmp_path / 'run'}" in output, output
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 1
