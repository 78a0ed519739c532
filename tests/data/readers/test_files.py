import os
import zipfile

import pytest

from sparring.data.readers.files import open_tree
from sparring.data.source import stamp
from sparring.errors import SparringError
from sparring.text import printable


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_a_folder_is_listed_in_order_without_hidden_files(tmp_path):
    touch(tmp_path, "b.png", "a/2.png", "a/1.png", ".hidden.png", ".git/x.png", "Thumbs.db", "__MACOSX/a.png")
    tree = open_tree(tmp_path)
    assert [entry.name for entry in tree.entries] == ["a/1.png", "a/2.png", "b.png"]
    assert tree.read(2) == b"b.png" and tree.head(0) == b"a/1.png"


def test_a_zip_is_listed_and_read_like_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("b.png", "a/1.png", "__MACOSX/a.png", ".hidden.png", "../up.png"):
            archive.writestr(name, name)
    tree = open_tree(tmp_path / "all.zip")
    assert [entry.name for entry in tree.entries] == ["a/1.png", "b.png"]
    assert tree.read(1) == b"b.png"
    assert not (tmp_path.parent / "up.png").exists()


def test_links_that_loop_are_skipped(tmp_path):
    touch(tmp_path, "a/1.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    tree = open_tree(tmp_path)
    assert len(tree.entries) == 1
    assert len(tree.skipped) == 2 and all("a loop" in reason for _, reason in tree.skipped)


def test_broken_links_are_skipped(tmp_path):
    touch(tmp_path, "1.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    tree = open_tree(tmp_path)
    assert [name for name, _ in tree.skipped] == ["gone.png", "self.png"]
    assert [entry.name for entry in tree.entries] == ["1.png"]


def test_pipes_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert open_tree(tmp_path).entries == ()


def test_a_link_to_itself_is_reported_in_one_sentence(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SparringError, match=r"Found nothing that can be opened at .*loop"):
        open_tree(tmp_path / "loop")


def test_a_missing_path_is_reported_in_one_sentence(tmp_path):
    with pytest.raises(
        SparringError,
        match=r"No such file or directory.*, but expected a folder, a file or the name of a data set. Check the path",
    ):
        open_tree(tmp_path / "absent")


def test_a_damaged_zip_is_reported_in_one_sentence(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(SparringError, match="neither a folder nor a complete zip archive"):
        open_tree(tmp_path / "bad.zip")


def test_the_stamp_changes_with_the_file(tmp_path):
    touch(tmp_path, "1.png")
    before = open_tree(tmp_path).stamp(tmp_path), stamp([tmp_path / "1.png"])
    assert before == (open_tree(tmp_path).stamp(tmp_path), stamp([tmp_path / "1.png"]))
    os.utime(tmp_path / "1.png", ns=(1, 1))
    after = open_tree(tmp_path).stamp(tmp_path), stamp([tmp_path / "1.png"])
    assert before[0] != after[0] and before[1] != after[1]


def test_unprintable_characters_of_names_are_escaped():
    assert printable("a\nb\x1b[31m\udcff") == "a\\nb\\x1b[31m\\udcff"
    assert printable("größe 大.png") == "größe 大.png"
