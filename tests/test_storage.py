"""What is written is whole, or not there."""

import json
import math
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from sparring import storage
from sparring.errors import SparringError
from sparring.storage import (
    append_line,
    read_json,
    read_lines,
    remove_unfinished,
    sha256,
    unfinished,
    write_bytes,
    write_folder,
    write_json,
)

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@one_folder
@given(values)
def test_json_comes_back(tmp_path: Path, content: object) -> None:
    write_json(tmp_path / "file.json", content)
    assert read_json(tmp_path / "file.json") == content


@one_folder
@given(some.binary(max_size=2000))
def test_bytes_come_back(tmp_path: Path, content: bytes) -> None:
    write_bytes(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@one_folder
@given(some.text(min_size=1), values, values)
def test_a_key_twice_is_refused(tmp_path: Path, key: str, one: object, other: object) -> None:
    twice = f"{{{json.dumps(key)}: {json.dumps(one)}, {json.dumps(key)}: {json.dumps(other)}}}"
    (tmp_path / "file.json").write_text(f'[{{"inner": {twice}}}]')
    with pytest.raises(SparringError, match="twice"):
        read_json(tmp_path / "file.json")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": [NaN]}'])
def test_numbers_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(SparringError, match="no such number"):
        read_json(tmp_path / "file.json")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_nor_are_they_written(number: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "file.json", {"number": number})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"[1,]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1} x'])
def test_what_is_no_json_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(SparringError, match="cannot be read"):
        read_json(tmp_path / "file.json")


def test_a_missing_file_and_a_huge_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SparringError, match="no file"):
        read_json(tmp_path / "file.json")
    (tmp_path / "file.json").write_text("[1, 2, 3]")
    monkeypatch.setattr(storage, "LARGEST_JSON", 4)
    with pytest.raises(SparringError, match="64 MiB"):
        read_json(tmp_path / "file.json")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_is_there_at_once(tmp_path: Path) -> None:
    seen = []

    def fill(folder: Path) -> None:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("x")
        seen.append((tmp_path / "target").exists())

    write_folder(tmp_path / "target", fill)
    assert seen == [False] and (tmp_path / "target" / "inner" / "file").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_folder_that_cannot_be_filled_is_not_there(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "file").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        write_folder(tmp_path / "target", fill)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_never_overwritten(tmp_path: Path) -> None:
    write_folder(tmp_path / "target", lambda folder: (folder / "file").write_text("old") and None)
    with pytest.raises(OSError):
        write_folder(tmp_path / "target", lambda folder: (folder / "file").write_text("new") and None)
    assert (tmp_path / "target" / "file").read_text() == "old"


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_kept(tmp_path: Path) -> None:
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    (tmp_path / f".run.{dead}.tmp").mkdir()
    (tmp_path / f".run.{dead}.tmp" / "file").touch()
    (tmp_path / f".other.{dead}.tmp").touch()
    kept = [unfinished(tmp_path / "run"), tmp_path / ".word.tmp", tmp_path / "plain.1.tmp"]
    for path in kept:
        path.touch()
    remove_unfinished(tmp_path, "run")
    assert (tmp_path / f".other.{dead}.tmp").exists() and not (tmp_path / f".run.{dead}.tmp").exists()
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_lines(path) == []
    append_line(path, {"samples": 1, "word": "größer"})
    append_line(path, {"samples": 2})
    with path.open("a") as file:
        file.write('{"samples": 3, "cut')
    assert read_lines(path) == [{"samples": 1, "word": "größer"}, {"samples": 2}]
    with pytest.raises(ValueError):
        append_line(path, {"loss": math.nan})


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", b"")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
