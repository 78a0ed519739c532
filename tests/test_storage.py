"""Files and folders are written whole or not at all, and read strictly."""

import json
import math
import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from sparring import storage
from sparring.errors import SparringError
from sparring.storage import (
    append_line,
    is_number,
    read_json,
    read_lines,
    remove_temporaries,
    sha256,
    temporary_path,
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
def test_json_round_trips(tmp_path: Path, content: object) -> None:
    write_json(tmp_path / "file.json", content)
    assert read_json(tmp_path / "file.json") == content


@one_folder
@given(some.binary(max_size=2000))
def test_bytes_round_trip_and_leave_no_temporary_file(tmp_path: Path, content: bytes) -> None:
    write_bytes(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@one_folder
@given(some.text(min_size=1), values, values)
def test_duplicate_keys_are_refused(tmp_path: Path, key: str, one: object, other: object) -> None:
    duplicated = f"{{{json.dumps(key)}: {json.dumps(one)}, {json.dumps(key)}: {json.dumps(other)}}}"
    (tmp_path / "file.json").write_text(f'[{{"inner": {duplicated}}}]')
    with pytest.raises(SparringError, match="twice"):
        read_json(tmp_path / "file.json")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": [NaN]}'])
def test_nan_and_infinity_are_not_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(SparringError, match="no such number"):
        read_json(tmp_path / "file.json")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_nan_and_infinity_are_not_written(number: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "file.json", {"number": number})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"[1,]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1} x'])
def test_invalid_json_is_reported_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(SparringError, match="cannot be read"):
        read_json(tmp_path / "file.json")


def test_missing_and_oversized_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SparringError, match="no file"):
        read_json(tmp_path / "file.json")
    (tmp_path / "file.json").write_text("[1, 2, 3]")
    monkeypatch.setattr(storage, "MAX_JSON_BYTES", 4)
    with pytest.raises(SparringError, match=r"9 bytes .* at most 4 bytes"):
        read_json(tmp_path / "file.json")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_appears_only_when_complete(tmp_path: Path) -> None:
    seen = []

    def fill(folder: Path) -> None:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("x")
        seen.append((tmp_path / "target").exists())

    write_folder(tmp_path / "target", fill)
    assert seen == [False] and (tmp_path / "target" / "inner" / "file").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_failed_fill_leaves_no_folder(tmp_path: Path) -> None:
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


def test_only_temporaries_of_ended_processes_are_removed(tmp_path: Path) -> None:
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    (tmp_path / f".run.{ended}.tmp").mkdir()
    (tmp_path / f".run.{ended}.tmp" / "file").touch()
    (tmp_path / f".other.{ended}.tmp").touch()
    kept = [temporary_path(tmp_path / "run"), tmp_path / ".word.tmp", tmp_path / "plain.1.tmp"]
    for path in kept:
        path.touch()
    remove_temporaries(tmp_path, "run")
    assert (tmp_path / f".other.{ended}.tmp").exists() and not (tmp_path / f".run.{ended}.tmp").exists()
    remove_temporaries(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_appended_lines_are_read_back_without_incomplete_ones(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_lines(path) == []
    append_line(path, {"samples": 1, "word": "größer"})
    append_line(path, {"samples": 2})
    with path.open("a") as file:
        file.write('{"samples": 3, "cut')
    assert read_lines(path) == [{"samples": 1, "word": "größer"}, {"samples": 2}]
    with pytest.raises(ValueError):
        append_line(path, {"loss": math.nan})


def test_sha256_of_a_file_is_the_published_value(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_written_files_have_the_usual_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", b"")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_every_stage_of_a_write_is_announced_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []
    monkeypatch.setattr(storage, "on_stage", stages.append)
    write_folder(tmp_path / "target", lambda folder: write_bytes(folder / "file", b"x"))
    assert stages == [
        "folder-before-fill",
        "file-before-write",
        "file-before-sync",
        "file-before-rename",
        "file-after-rename",
        "folder-after-fill",
        "folder-before-rename",
        "folder-after-rename",
        "folder-after-sync",
    ]


@pytest.mark.parametrize(
    "text",
    ["1e400", "-1e400", '{"a": [1e999]}', "1" * 400, "1" * 5000, '"\\ud800"', '{"\\udfff": 1}', "[" * 101 + "]" * 101],
    ids=lambda text: text[:12],
)
def test_json_that_other_code_would_stumble_over_is_refused(text: str, tmp_path: Path) -> None:
    """Infinities, integers beyond float64, halves of characters, and deep nesting."""
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(SparringError, match="cannot be read"):
        read_json(tmp_path / "file.json")
    (tmp_path / "lines").write_text(f'{{"first": 1}}\n{{"bad": {text}}}\n{text}\n{{"last": 2}}\n')
    assert read_lines(tmp_path / "lines") == [{"first": 1}, {"last": 2}]


def test_whole_characters_in_two_escapes_are_read(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text('["\\ud83d\\ude00", "\\\\ud800"]')
    assert read_json(tmp_path / "file.json") == ["😀", "\\ud800"]


def test_many_keys_are_read_in_linear_time(tmp_path: Path) -> None:
    """A duplicate key at the end of 20,000 took seconds once."""
    keys = [f'"{number}": 0' for number in range(20_000)]
    (tmp_path / "file.json").write_text(f"{{{', '.join([*keys, keys[-1]])}}}")
    began = time.monotonic()
    with pytest.raises(SparringError, match="'19999' twice"):
        read_json(tmp_path / "file.json")
    assert time.monotonic() - began < 0.5


def test_a_line_after_one_that_was_cut_short_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"samples": 1}\n{"samples": 2, "cut')
    append_line(path, {"samples": 3, "word": "one\u2028line"})
    assert read_lines(path) == [{"samples": 1}, {"samples": 3, "word": "one\u2028line"}]


@pytest.mark.parametrize("name", ["²", "٣", "1" * 30, "-1", "", "1.0"])
def test_names_in_other_digits_are_no_numbers(name: str, tmp_path: Path) -> None:
    """Python's isdigit accepts some that int does not."""
    assert not is_number(name) and is_number("000120000")
    (tmp_path / f".run.{name}.tmp").touch()
    remove_temporaries(tmp_path)
    assert list(tmp_path.iterdir())


def test_a_folder_is_not_created_where_its_parent_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_folder(tmp_path / "gone" / "target", lambda folder: None)
    assert not list(tmp_path.iterdir())
