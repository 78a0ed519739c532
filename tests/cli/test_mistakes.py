"""Mistakes on the command line give one sentence, exit code 2 and no traceback."""

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sparring.cli import main
from sparring.errors import SparringError

Run = Callable[..., tuple[int, str]]


MISTAKES: list[tuple[str, str]] = [
    ("inspect", "DATA"),
    ("inspect EMPTY", "a single dot means the current folder"),
    ("inspect nowhere/", "nowhere"),
    ("inspect rng", "ring"),
    ("inspect empty.npy", "empty.npy"),
    ("inspect ring --recipe points/rin", "did you mean 'points/ring'"),
    ("train", "DATA"),
    ("train mnst", "did you mean 'mnist'"),
    ("train a.png b.png c.png", "name the folder: sparring train ."),
    ("evaluate RUN --data a.png b.png", "1 more path, such as b.png"),
    ("train ring --recipe vae", "one of points/vae, images/vae"),
    ("train ring --recipe dcgan", "the recipe images/dcgan is for"),
    ("train ring --epochs 3", "give --samples 150000, which is 3 times the 50,000 samples of ring"),
    ("train ring --steps 10 --batch-size 32", "give --samples 320, which is 10 times the 32 samples of a batch"),
    ("train ring --batch 64 --batch-size 32", "two values for batch"),
    ("train ring --lr fast", "'fast' for learning_rate, but expected a number"),
    ("train ring --gamma high", "'high' for gamma, but expected a number, or 'auto'"),
    ("train ring --config full", "no run in the folder full"),
    ("train ring --config key.json", "the key 'widht' in key.json"),
    ("train ring --config own.json", "the recipe 'mine.py:X' of your own in own.json"),
    ("train --config key.json --continue", "the key 'widht'"),
    ("train ring --continue", "--continue without --out"),
    ("train ring --out RUN/x", "inside the model run"),
    ("train ring --out dangling", "a link to nothing"),
    ("sample RUN --out dangling", "a link to nothing"),
    ("sample RUN --out key.json", "the name of a file"),
    ("sample .", "neither recipe.json nor config.json"),
    ("completion tcsh", "one of bash, zsh, fish"),
    ("train EMPTY", "a single dot means the current folder"),
    ("train nowhere/", "nowhere"),
    ("train ring --labels true", "--labels for points"),
    ("train digits --labels nowhere.csv", "no file of labels at nowhere.csv"),
    ("train digits --pairs nowhere.csv", "'nowhere.csv' for pairs"),
    ("train digits --pairs folders", "whose images have no names"),
    ("train digits --to nowhere/", "nothing at nowhere"),
    ("train ring --to nowhere/", "--to for points"),
    ("train ring --recipe points/rign", "did you mean 'points/ring'"),
    ("train ring --recipe images/dcgan", "images, which is what the recipe"),
    ("train ring --recipe mine.py:Recipe", "no file 'mine.py'"),
    ("train ring --widht 8", "did you mean 'width'"),
    ("train ring --minuts 8", "did you mean 'minutes'"),
    ("train ring --samples 0", "a whole number of at least 1"),
    ("train ring --samples many", "many"),
    ("train ring --minutes -1", "a number above zero"),
    ("train ring --minutes inf", "a number above zero"),
    ("train ring --minutes 1e400", "a number above zero"),
    ("train ring --samples 1e400", "--samples"),
    ("train ring --samples 1000000000000000000000", "a whole number of at least 1"),
    ("train ring --samples 1.5", "a whole number"),
    ("train ring --seed -1", "--seed -1"),
    ("train ring --seed 1.5", "a whole number"),
    ("train ring --seed x", "a whole number"),
    ("train ring --packing 10000000", "packing"),
    ("train ring --width 100000", "width"),
    ("train ring --micro-batch 3 --packing 2", "a multiple of 2"),
    ("train ring --device meta", "no device 'meta'"),
    ("train ring --device cuda:9", "no device 'cuda:9'"),
    ("train ring --until fd<1e999", "a comparison such as"),
    ("train ring --micro-batch 0", "a whole number of at least 1"),
    ("train ring --until loss<1", "a comparison such as"),
    ("train ring --until setled", "settled, or a comparison such as"),
    ("train ring --until settled --watchdog off", "the goal 'settled' with the watchdog off"),
    ("train ring --watchdog reapir", "did you mean 'repair'"),
    ("train ring --watchdog on", "one of repair, warn, off"),
    ("train ring --device tpu", "cpu, cuda, cuda:1 or mps"),
    ("train ring --device cuda:99", "cuda:99"),
    ("train ring --gamma -3", "gamma"),
    ("train ring --loss hing", "loss"),
    ("train ring --out full", "runs are never overwritten"),
    ("train ring --batch 1000000", "at least a batch of 1000000"),
    ("train ring --batch 1000000", "give --batch "),
    ("resume nowhere", "no recipe.json in nowhere"),
    ("resume full", "no recipe.json in full"),
    ("sample nowhere", "neither recipe.json nor config.json"),
    ("sample RUN --count 0", "--count 0, but expected a whole number from 1 to"),
    ("sample RUN --truncation 5", "--truncation 5.0, but expected a number from 0 to 2"),
    ("sample RUN --label cat", "trained without conditions"),
    ("sample RUN --count 1000000000000000000", "a whole number from 1 to 100,000,000"),
    ("sample RUN --device cuda:9", "no device 'cuda:9'"),
    ("sample RUN --device meta", "no device 'meta'"),
    ("sample RUN --device xpu", "no device 'xpu'"),
    ("sample RUN --seed -1", "--seed -1"),
    ("apply RUN nowhere --device meta", "inputs for a model that takes none, but expected no such option"),
    ("resume RUN", "a finished run"),
    ("resume RUN --samples 128", "a budget of 128 samples"),
    ("resume RUN --samples 1.5", "a whole number"),
    ("resume RUN --device meta", "no device 'meta'"),
    ("sample RUN --out made.npz", "the name of a file, made.npz"),
    ("apply RUN ring --out made.zip", "the name of a file, made.zip"),
    ("train ring --out made.png", "the name of a file, made.png"),
    ("sample RUN --out full", "files at full that sparring did not write (file)"),
    ("evaluate nowhere --data ring", "nowhere"),
    ("evaluate a.png", "no data to compare ./a.png with, but expected real data"),
    ("evaluate RUN --data ring --count 1000000000000000000", "a whole number from 2 to 1,000,000"),
    ("evaluate RUN --data ring --count 1", "a whole number from 2 to"),
    ("compare RUN RUN --data ring --count 1.5", "a whole number"),
    ("inspect ring --device meta", "--device"),
    ("evaluate RUN --data nowhere", "nowhere"),
    ("recipes points/rnig", "did you mean 'points/ring'"),
    ("trian ring", "train"),
    ("train ring extra", "extra"),
    ("train ring --range 5 --out x", "'--out' for --range, but expected 2 numbers. See `sparring train --help`"),
    ("inspect ring --range 5", "--range 5, but expected 2 values"),
    ("inspect ring --json", "no value of --json, but expected a value"),
    ("sample RUN --label -dash", "no value of --label, but expected a value. Write --label=-dash if that is the value"),
    ("train ring --out EMPTY", "an empty path for --out"),
    ("train ring --out=", "an empty path for --out"),
    ("train ring --out a.x", "a file at a.x, but expected a folder"),
    ("train ring --config broken.json", "Correct the file"),
    ("train ring --width x", "expected an integer"),
    ("sample RUN --label a --label b", "several --label, but expected --label once"),
    ("evaluate RUN --data ring --seed 1 --seed 2", "several --seed, but expected --seed once"),
    ("evaluate RUN --data ring --count x", "'x' for --count, but expected a whole number"),
    ("evaluate RUN --data ring --protocol flor", "expected one of floor, standard"),
    ("doctor --markdwon", "--markdown"),
]


@pytest.mark.parametrize(("line", "words"), MISTAKES)
def test_mistakes_are_reported_in_one_sentence(line: str, words: str, run: Run, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for name in ("empty.npy", "a.png", "b.png", "c.png"):
        (tmp_path / name).touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "a.x").touch()
    (tmp_path / "broken.json").write_text('{"hidden": 8,}')
    (tmp_path / "key.json").write_text('{"widht": 8}')
    (tmp_path / "own.json").write_text('{"recipe": "mine.py:X"}')
    code, output = run(*("" if word == "EMPTY" else word for word in line.replace("RUN", str(finished)).split()))
    assert code == 2, output
    assert words.lower() in output.lower(), output
    assert "Traceback" not in output
    complaint = [text for text in output.splitlines() if text.strip()]
    assert len(complaint) == 1 and complaint[0].startswith("sparring: "), output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "too little memory (MemoryError)"),
        (RuntimeError("[enforce fail] can't allocate memory: you tried to allocate 8 bytes\nmore"), "8 bytes), but"),
    ],
)
def test_a_command_that_runs_out_of_memory_says_so(
    error: Exception, words: str, run: Run, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sparring.api.sample.sample", fail)
    code, output = run("sample", finished)
    assert code == 2 and words in output and len(output.splitlines()) == 1


@pytest.mark.parametrize("file", ["recipe.json", "report.html", "model/config.json", "model"])
def test_a_file_of_a_model_stands_for_it(file: str, run: Run, finished: Path) -> None:
    code, output = run("sample", finished / file, "--count", 2, "--out", "made")
    assert code == 0 and "Wrote 2 samples" in output, output


def test_completion_prints_a_script_that_names_commands_and_options(run: Run) -> None:
    for shell in ("bash", "zsh", "fish"):
        code, script = run("completion", shell)
        assert code == 0 and "evaluate" in script and "false-alarms" in script
        assert "images/r3gan" in script and ("quick full none" in script or '"quick" "full" "none"' in script)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_values_and_leaves_the_rest_to_files(run: Run, tmp_path: Path) -> None:
    _, script = run("completion", "bash")
    (tmp_path / "script").write_text(script)
    # The last word is completed; a folder may have the name of a command.
    lines = ["train --recipe images/r3", "recipes tables/ct", "train --judge ''", "train x --watchdog re"]
    lines += ["train sample --ju", "train c", "evaluate r --data c"]
    asked = "source ./script; complete -p sparring; "
    for line in lines:
        asked += f"COMP_WORDS=(sparring {line}) COMP_CWORD={len(line.split())}; _sparring; "
        asked += 'echo "${COMPREPLY[*]}"; '
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == [
        "complete -o bashdefault -o default -F _sparring sparring",
        *("images/r3gan", "tables/ctgan", "quick full none", "repair", "--judge", "", ""),
    ]


def test_other_errors_keep_their_traceback(run: Run, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("sparring.api.sample.sample", fail)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        run("sample", finished)


def test_debug_raises_the_error(run: Run) -> None:
    with pytest.raises(SparringError, match="nowhere"):
        run("resume", "nowhere", "--debug")


def test_a_second_run_takes_the_next_number(run: Run, tmp_path: Path) -> None:
    for number in ("001", "002"):
        small = ("--samples", 64, "--batch", 64, "--width", 8, "--latent-size", 2)
        code, output = run("train", "ring", *small)
        assert code == 0, output
        assert (tmp_path / "runs" / f"ring-{number}" / "report.html").exists()
        assert f"sparring sample runs/ring-{number}" in output


def test_recipes_lists_recipes_and_fields(run: Run) -> None:
    code, output = run("recipes")
    assert code == 0 and "points/ring" in output and "images/r3gan" in output
    code, output = run("recipes", "points/ring")
    assert code == 0 and "--width" in output and "--gamma" in output


def test_doctor_reports_versions_and_devices(run: Run) -> None:
    for words in (("doctor",), ("doctor", "--markdown")):
        code, output = run(*words)
        assert code == 0
        assert all(word in output for word in ("python", "torch", "sparring", "cpu", "bfloat16", "GiB", "cache"))


def test_sample_evaluate_and_inspect_write_their_files(run: Run, finished: Path, tmp_path: Path) -> None:
    code, output = run("sample", finished, "--count", 20, "--out", "made")
    assert code == 0 and (tmp_path / "made-grid.png").exists(), output
    code, output = run("sample", finished, "--count", 4, "--out", "made")
    assert code == 0 and len(np.load(tmp_path / "made" / "points-000000.npy")) == 4, output
    code, output = run(
        "evaluate", finished, "--data", "ring", "--count", 200, "--json", "scores.json", "--report", "r.html"
    )
    assert code == 0 and (tmp_path / "scores.json").exists() and "\nWrote r.html\n" in output, output
    code, output = run("inspect", "ring", "--json", "facts.json", "--sheet", "sheet.png")
    assert code == 0 and (tmp_path / "facts.json").exists() and (tmp_path / "sheet.png").exists(), output
    assert output.endswith("Wrote sheet.png\n")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "line", ["--help", "train --help", "recipes", "recipes images/r3gan", "inspect ring", "sample nowhere-猫", "doctor"]
)
def test_every_command_prints_on_terminals_of_any_encoding(
    line: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    code = 0
    try:
        main(line.split())
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    assert code == (2 if "nowhere" in line else 0)
    for stream in streams:
        stream.flush()
    assert sum(len(stream.buffer.getvalue()) for stream in streams) > 20  # type: ignore[attr-defined]


def test_an_evaluation_is_printed_in_full_without_the_characters_of_its_paths(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(finished, tmp_path / "猫 é")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    main(["evaluate", str(copy), "--data", "ring", "--count", "100"])
    # Long lines are wrapped at spaces.
    printed = " ".join(stream.buffer.getvalue().decode("ascii").split())  # type: ignore[attr-defined]
    assert "\\u732b \\xe9" in printed and "Fr\\xe9chet" in printed


def test_names_in_markdown_of_the_doctor_are_literal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.cli.doctor._rows", lambda: [("cuda:0", "a|b <img src=x>\x1b[2J")])
    _, output = run("doctor", "--markdown")
    assert "| cuda:0 | a\\|b &lt;img src=x&gt;\\\\x1b\\[2J |" in output


def test_version_is_printed(run: Run) -> None:
    code, output = run("--version")
    assert code == 0 and output.strip()
