"""The command line in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.api.train import train
from sparring.cli import main
from sparring.runs.display import Silent

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in an empty folder: (exit code, everything that was printed)."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> tuple[int, str]:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return command


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, which no test changes."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=128, batch=64, width=8, latent_size=2, out=out, display=Silent())
    return out
