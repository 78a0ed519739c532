"""Only regular files are opened, and no link is followed."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.errors import SparringError
from sparring.model import load
from sparring.opening import file_bytes, open_file, require_plain, size_words
from sparring.storage import append_line, read_json, read_lines, sha256, write_bytes


def link(path: Path) -> None:
    target = path.parent / "target"
    target.write_text("{}")
    path.symlink_to(target)


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def folder(path: Path) -> None:
    path.mkdir()


IRREGULAR = [link, dangling, pipe, endless, bound, folder]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", IRREGULAR)
@pytest.mark.parametrize("use", [read_json, read_lines, sha256, lambda path: append_line(path, {})])
def test_nothing_but_regular_files_is_opened(use: Callable[[Path], object], make: Callable[[Path], None]) -> None:
    """Neither to read nor to append, and at once: a pipe is not waited for."""
    make(Path("file"))
    with pytest.raises(SparringError, match="folders and regular files only"):
        use(Path("file"))
    assert not Path("nowhere").exists() and (not Path("target").exists() or Path("target").read_text() == "{}")


def test_a_written_file_replaces_a_link_and_leaves_its_target() -> None:
    link(Path("file"))
    write_bytes(Path("file"), b"new")
    assert not Path("file").is_symlink() and Path("target").read_text() == "{}"


def test_a_link_that_appears_between_the_check_and_the_opening_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    link(Path("file"))
    monkeypatch.setattr("sparring.opening._require_regular", lambda path: None)
    with pytest.raises(OSError):
        open_file(Path("file"))
    pipe(Path("pipe"))
    with pytest.raises(SparringError, match="no regular file"):
        open_file(Path("pipe"))


def test_a_file_above_its_limit_is_refused_before_it_is_read() -> None:
    with Path("file").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(SparringError, match=r"a file of 1\.1 TB at file, but expected at most 1\.0 kB"):
        file_bytes(Path("file"), 1000)


@pytest.mark.parametrize("make", [one for one in IRREGULAR if one is not folder])
def test_a_folder_with_anything_irregular_in_it_is_refused(make: Callable[[Path], None]) -> None:
    Path("run/checkpoints/1").mkdir(parents=True)
    Path("run/recipe.json").touch()
    require_plain(Path("run"))
    make(Path("run/checkpoints/1/state.json"))
    Path("run/checkpoints/1/target").unlink(missing_ok=True)
    with pytest.raises(SparringError, match=r"at run/checkpoints/1/state\.json"):
        require_plain(Path("run"))


def test_a_folder_may_be_reached_through_a_link() -> None:
    Path("run").mkdir()
    Path("short").symlink_to("run")
    require_plain(Path("short"))


def test_a_snapshot_in_the_cache_of_the_hub_is_refused_with_the_way_around_it() -> None:
    snapshot = Path("models--me--cats/snapshots/0123abc")
    snapshot.mkdir(parents=True)
    Path("models--me--cats/blobs").mkdir()
    Path("models--me--cats/blobs/99ff").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/99ff")
    for use in (require_plain, load):
        with pytest.raises(SparringError, match=r"a link at .*config\.json.*Download it with local_dir="):
            use(snapshot)


def test_links_to_folders_are_refused_and_not_followed() -> None:
    Path("run").mkdir()
    Path("run/good").symlink_to("..")
    with pytest.raises(SparringError, match="a link at run/good"):
        require_plain(Path("run"))


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (185_000, "185 kB"), (4.9e9, "4.9 GB"), (9.96e6, "10 MB"),
     (999_999, "1.0 MB"), (1.5e15, "1,500 TB")],
)  # fmt: skip
def test_sizes_are_put_into_honest_words(size: float, words: str) -> None:
    assert size_words(size) == words
