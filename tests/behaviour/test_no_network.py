"""A run opens no connection, and leaves only files that cannot execute code."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sparring
from sparring.api.sample import sample
from sparring.runs.display import Silent

SOURCE = Path(sparring.__file__).parent
DATA_ONLY = {".safetensors", ".json", ".jsonl", ".png", ".gif", ".html", ".md"}
"""Endings of files that are read as data by whatever opens them."""


@pytest.fixture(scope="module")
def connections() -> Iterator[list[str]]:
    """Refuse every connection and every look-up of a name, and keep what was asked for."""
    asked: list[str] = []

    def refuse(*arguments: Any, **options: Any) -> Any:
        asked.append(str(arguments[-1:]))
        raise OSError("no network in this test")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        for name in ("getaddrinfo", "create_connection", "gethostbyname"):
            patch.setattr(socket, name, refuse)
        yield asked


@pytest.fixture(scope="module")
def run(connections: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, trained without a network."""
    out = tmp_path_factory.mktemp("runs") / "run"
    sparring.train("ring", samples=256, batch=64, width=8, latent_size=2, out=out, display=Silent())
    return out


def test_no_verb_opens_a_connection(run: Path, connections: list[str], tmp_path: Path) -> None:
    sparring.inspect("ring")
    sparring.evaluate(run, "ring", count=64)
    sparring.detect(run, "ring", method="nearest")
    sparring.diagnose(run)
    sample(run, count=4, out=tmp_path / "samples")
    assert connections == []
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("example.org", 443))


def test_only_named_downloads_can_open_one() -> None:
    opening = re.compile(
        r"urllib\.request|\bsocket\.(?:socket|create_connection)\(|http\.client|\brequests\b|urlopen|\bhttpx\b|from_pretrained\("
    )
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if opening.search(path.read_text())}
    assert found == {"data/downloads.py", "metrics/extractors/dinov2.py"}


def test_a_run_folder_holds_no_file_that_could_execute_code(run: Path) -> None:
    """TensorBoard's events are protocol buffers, and the lock is empty."""
    files = [path for path in run.rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix not in DATA_ONLY]
    assert files and all(path.parent.name == "tensorboard" or path.name == "lock" for path in others)
    assert (run / "lock").stat().st_size == 0
    assert not [path for path in files if path.stat().st_mode & 0o111], "no file is executable"
