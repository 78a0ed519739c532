"""A journal lists what is complete, at every instant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.data.journal import JOURNAL, UNFINISHED, Journal, read_journal
from sparring.storage import sha256

NAMES = ("a.png", "sub/b.png", "b.png", "first.png", "a", "b", "c")


def opened(folder: Path, call: str = "call", replace: Callable[[], None] = lambda: None) -> Journal:
    return Journal(folder, dict.fromkeys(NAMES, call), read_journal(folder), replace)


def written(journal: Journal, name: str, content: bytes) -> None:
    journal.part.write_bytes(content)
    journal.add(name)


def test_files_of_the_same_call_are_taken_over(tmp_path: Path) -> None:
    first = opened(tmp_path)
    written(first, "a.png", b"a")
    written(first, "sub/b.png", b"b")
    again = opened(tmp_path)
    assert again.done == {name: sha256(tmp_path / name) for name in ("a.png", "sub/b.png")}
    again.begin()
    assert {name: line.sha256 for name, line in read_journal(tmp_path).items()} == again.done
    assert opened(tmp_path, "another").done == {}


def test_what_another_call_left_is_replaced_when_the_first_file_is_complete(tmp_path: Path) -> None:
    written(opened(tmp_path), "a.png", b"a")
    another = opened(tmp_path, "another", (tmp_path / "a.png").unlink)
    another.part.write_bytes(b"b")
    another.remove()
    assert list(read_journal(tmp_path)) == ["a.png"] and (tmp_path / "a.png").exists()
    written(another, "b.png", b"b")
    assert list(read_journal(tmp_path)) == ["b.png"] and not (tmp_path / "a.png").exists()


def test_a_file_that_is_missing_or_changed_is_not_complete(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for name in ("a", "b", "c"):
        written(first, name, name.encode())
    (tmp_path / "a").unlink()
    (tmp_path / "b").write_bytes(b"other")
    assert list(opened(tmp_path).done) == ["c"]


def test_a_line_is_written_before_its_file_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a process that is killed in between leaves no file that nobody knows."""
    journal = opened(tmp_path)
    written(journal, "first.png", b"first")
    journal.part.write_bytes(b"a")

    def killed(path: Path, target: Path) -> Path:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Path, "replace", killed)
        journal.add("a.png")
    assert not (tmp_path / "a.png").exists() and list(read_journal(tmp_path)) == ["first.png", "a.png"]
    assert list(opened(tmp_path).done) == ["first.png"]


def test_a_journal_of_a_stranger_names_nothing_outside(tmp_path: Path) -> None:
    folder = tmp_path / UNFINISHED
    folder.mkdir()
    outside = [f'{{"file": "{name}", "sha256": "0"}}' for name in ("../a", "/a", "a/../../b")]
    lines = [*outside, "[", '{"file": "a", "sha256": "0"}', "\xff"]
    (folder / JOURNAL).write_text("\n".join(lines), encoding="latin-1")
    assert {name: line.sha256 for name, line in read_journal(tmp_path).items()} == {"a": "0"}


def test_nothing_is_left_after_the_end(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    written(journal, "a.png", b"a")
    journal.remove()
    assert [path.name for path in tmp_path.rglob("*")] == ["a.png"]
