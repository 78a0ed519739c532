"""The command line in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.cli import main

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
