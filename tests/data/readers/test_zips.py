"""Zip archives keep the names of their files, whatever program wrote them."""

import struct
import zipfile
import zlib

import pytest

from sparring.data.readers.files import open_tree
from sparring.errors import SparringError


def names(path):
    return [entry.name for entry in open_tree(path).entries]


class Legacy(zipfile.ZipInfo):
    """Member whose name is written as the bytes of an old program, without the flag of UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self):
        return self.raw, self.flag_bits & ~0x800


def legacy(path, raw, extra=b""):
    info = Legacy("x.png")
    info.raw, info.extra = raw, extra
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(info, b"content")
    return path


def test_backslashes_are_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("cat\\1.png", b"1")
        file.writestr("dog\\deep\\2.png", b"2")
    assert names(tmp_path / "a.zip") == ["cat/1.png", "dog/deep/2.png"]
    assert open_tree(tmp_path / "a.zip").read(1) == b"2"


def test_utf8_without_its_flag_is_recognised(tmp_path):
    assert names(legacy(tmp_path / "a.zip", "größe.png".encode())) == ["größe.png"]


def test_names_in_old_code_pages_are_kept_apart(tmp_path):
    assert names(legacy(tmp_path / "a.zip", b"gr\x94\xe1e.png")) == ["größe.png"]
    # Shift JIS looks like code page 437, but no byte of the name is lost.
    (name,) = names(legacy(tmp_path / "b.zip", "猫.png".encode("cp932")))
    assert name.encode("cp437").decode("cp932") == "猫.png"


def test_the_unicode_name_beside_an_old_one_is_used(tmp_path):
    raw, name = b"?.png", "猫.png".encode()
    field = b"\1" + struct.pack("<I", zlib.crc32(raw)) + name
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    assert names(legacy(tmp_path / "a.zip", raw, extra)) == ["猫.png"]
    stale = extra.replace(struct.pack("<I", zlib.crc32(raw)), b"\0\0\0\0")
    assert names(legacy(tmp_path / "b.zip", raw, stale)) == ["?.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_last_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("1.png", b"old")
        file.writestr("1.png", b"new")
    tree = open_tree(tmp_path / "a.zip")
    assert len(tree.entries) == 1 and tree.read(0) == b"new"
    assert tree.skipped == (("1.png", "another file of the archive has the same name"),)


def test_encrypted_members_are_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("1.png", b"secret")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(content))
    tree = open_tree(tmp_path / "a.zip")
    assert tree.entries == () and tree.skipped[0].reason.startswith("encrypted")


def test_damaged_members_without_an_ending_are_no_traceback(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("no ending", b"x" * 1000)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[30 + len("no ending")] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(bytes(content))
    assert open_tree(tmp_path / "a.zip").head(0) == b""


def test_any_damage_to_the_directory_ends_in_a_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for number in range(3):
            file.writestr(f"{number}.png", b"x")
    content = (tmp_path / "a.zip").read_bytes()
    start = content.index(b"PK\x01\x02")
    for position in range(start, len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        (tmp_path / "b.zip").write_bytes(bytes(damaged))
        try:
            tree = open_tree(tmp_path / "b.zip")
        except SparringError:
            continue
        assert all(len(tree.head(number)) <= 1 for number in range(len(tree.entries)))
