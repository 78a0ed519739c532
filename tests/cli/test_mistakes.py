"""What a person gets wrong: one sentence, exit code 2, no traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.api.train import train
from sparring.cli import main
from sparring.errors import SparringError
from sparring.runs.display import Silent

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line in an empty folder: (exit code, all that was printed)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str]:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to make mistakes with."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=128, batch=64, width=8, latent_size=2, out=out, display=Silent())
    return out


MISTAKES: list[tuple[str, str]] = [
    ("inspect", "DATA"),
    ("inspect nowhere/", "nowhere"),
    ("inspect rng", "ring"),
    ("inspect empty.npy", "empty.npy"),
    ("inspect ring --recipe points/rin", "did you mean 'points/ring'"),
    ("train", "DATA"),
    ("train nowhere/", "nowhere"),
    ("train ring --recipe points/rign", "did you mean 'points/ring'"),
    ("train ring --recipe images/dcgan", "images, which is what the recipe"),
    ("train ring --recipe mine.py:Recipe", "no file 'mine.py'"),
    ("train ring --widht 8", "did you mean 'width'"),
    ("train ring --minuts 8", "did you mean 'minutes'"),
    ("train ring --samples 0", "a number above zero"),
    ("train ring --samples many", "many"),
    ("train ring --minutes -1", "a number above zero"),
    ("train ring --micro-batch 0", "a number above zero"),
    ("train ring --until loss<1", "a comparison such as"),
    ("train ring --until setled", "settled, or a comparison such as"),
    ("train ring --until settled --watchdog off", "--until settled with --watchdog off"),
    ("train ring --watchdog reapir", "did you mean 'repair'"),
    ("train ring --watchdog on", "one of repair, warn, off"),
    ("train ring --device tpu", "cpu, cuda, cuda:1 or mps"),
    ("train ring --device cuda:99", "cuda:99"),
    ("train ring --gamma -3", "gamma"),
    ("train ring --loss hing", "loss"),
    ("train ring --out full", "runs are never overwritten"),
    ("train ring --batch 1000000", "at least a batch of 1000000"),
    ("resume nowhere", "no recipe.json in nowhere"),
    ("resume full", "no recipe.json in full"),
    ("sample nowhere", "neither recipe.json nor config.json"),
    ("sample RUN --count 0", "a count of at least 1"),
    ("sample RUN --truncation 5", "a truncation from 0 to 2"),
    ("sample RUN --label cat", "trained without conditions"),
    ("evaluate nowhere --data ring", "nowhere"),
    ("evaluate RUN", "data"),
    ("evaluate RUN --data nowhere", "nowhere"),
    ("recipes points/rnig", "did you mean 'points/ring'"),
    ("trian ring", "train"),
    ("train ring extra", "extra"),
    ("doctor --markdwon", "--markdown"),
]


@pytest.mark.parametrize(("line", "words"), MISTAKES)
def test_one_sentence(line: str, words: str, say: Say, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "empty.npy").touch()
    code, said = say(*line.replace("RUN", str(finished)).split())
    assert code == 2, said
    assert words.lower() in said.lower(), said
    assert "Traceback" not in said
    complaint = [text for text in said.splitlines() if text.strip()]
    assert len(complaint) == 1 and complaint[0].startswith("sparring: "), said
    assert not (tmp_path / "runs").exists()


def test_debug_shows_where(say: Say) -> None:
    with pytest.raises(SparringError, match="nowhere"):
        say("resume", "nowhere", "--debug")


def test_a_second_run_takes_the_next_number(say: Say, tmp_path: Path) -> None:
    for number in ("001", "002"):
        small = ("--samples", 64, "--batch", 64, "--width", 8, "--latent-size", 2)
        code, said = say("train", "ring", *small)
        assert code == 0, said
        assert (tmp_path / "runs" / f"ring-{number}" / "report.html").exists()
        assert f"sparring sample runs/ring-{number}" in said


def test_recipes(say: Say) -> None:
    code, said = say("recipes")
    assert code == 0 and "points/ring" in said and "images/r3gan" in said
    code, said = say("recipes", "points/ring")
    assert code == 0 and "--width" in said and "--gamma" in said


def test_doctor(say: Say) -> None:
    for words in (("doctor",), ("doctor", "--markdown")):
        code, said = say(*words)
        assert code == 0
        assert all(word in said for word in ("python", "torch", "sparring", "cpu", "bfloat16", "GiB", "cache"))


def test_from_sampling_to_judging(say: Say, finished: Path, tmp_path: Path) -> None:
    code, said = say("sample", finished, "--count", 20, "--out", "made")
    assert code == 0 and (tmp_path / "made-grid.png").exists(), said
    code, said = say("evaluate", finished, "--data", "ring", "--count", 200, "--json", "scores.json")
    assert code == 0 and (tmp_path / "scores.json").exists(), said
    code, said = say("inspect", "ring", "--json", "facts.json", "--sheet", "sheet.png")
    assert code == 0 and (tmp_path / "facts.json").exists() and (tmp_path / "sheet.png").exists(), said


def test_version(say: Say) -> None:
    code, said = say("--version")
    assert code == 0 and said.strip()
