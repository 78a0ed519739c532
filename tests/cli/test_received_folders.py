"""Folders from elsewhere: damage or hostility ends in one sentence, or in a sentence beside the result."""

import os
import shutil
from pathlib import Path

import pytest

from sparring.api.train import train
from sparring.cli import main
from sparring.manifest import write_manifest
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import read_json, write_json

FILES = ("players.safetensors", "optimisers.safetensors", "state.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=128, batch=64, width=8, latent_size=2, out=out, display=Silent())
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(finished, tmp_path / "run")


def code_of(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


VERBS = [
    ("sample", "run", "--count", "2"),
    ("evaluate", "run", "--data", "ring"),
    ("compare", "run", "run", "--data", "ring"),
    ("detect", "run", "ring"),
    ("diagnose", "run"),
    ("resume", "run"),
]


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
@pytest.mark.parametrize("name", ["log.jsonl", "good", "model/README.md", "checkpoints/000000064/state.json"])
def test_no_verb_follows_a_link_in_a_run_folder(
    name: str, words: tuple[str, ...], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = run.parent / "outside"
    outside.write_text("kept")
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(outside)
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    assert code_of(*words) == 2 and "a link at" in capsys.readouterr().err
    assert outside.read_text() == "kept" and before == {file: file.stat().st_mtime_ns for file in run.rglob("*")}


def test_a_pipe_in_a_run_folder_is_not_waited_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "log.jsonl").unlink()
    os.mkfifo(run / "log.jsonl")
    assert code_of("diagnose", "run") == 2 and "no regular file" in capsys.readouterr().err


def test_sample_says_on_standard_error_that_it_uses_an_older_checkpoint(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = run / "checkpoints" / "000000128"
    older = shutil.copytree(newest, newest.with_name("000000064"), dirs_exist_ok=True)
    write_json(older / "state.json", {**read_json(older / "state.json"), "samples": 64})
    write_manifest(older, FILES, Run(run).record.identity, 64)
    (newest / "state.json").write_bytes(b"")
    assert code_of("sample", "run", "--count", "2") == 0
    told = capsys.readouterr()
    assert "Checkpoint 000000128 is damaged and was skipped" in told.err and "Wrote 2 samples" in told.out
    assert "The model is the one that was saved at 64 samples." in told.err


def test_an_empty_recipe_is_no_permission_to_run_code_that_a_folder_names(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.parent / "mine.py").write_text("raise SystemExit('it ran')")
    config = read_json(run / "model" / "config.json")
    write_json(run / "model" / "config.json", {**config, "format": 2, "recipe": "mine.py:Recipe"})
    (run / "model" / "manifest.json").unlink()
    for words in (("--recipe", ""), ()):
        assert code_of("sample", "run/model", *words) == 2
        assert "it ran" not in capsys.readouterr().err
