"""Members of a zip archive under the names that they had when it was made."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipInfo

from sparring.data.source import Skipped
from sparring.errors import SparringError, reading_file
from sparring.opening import size_words
from sparring.text import printable

UTF8_FLAG = 0x800
"""Flag of a member whose name is in UTF-8."""
ENCRYPTED_FLAG = 0x1
MAX_DIRECTORY_BYTES = 160 * 1024**2
"""Size above which the directory of an archive is refused: enough for a million files and more."""
TAIL_BYTES = 2**16 + 200
"""Bytes at the end of an archive in which the records lie that tell the size of its directory, with any comment."""
UNICODE_PATH = 0x7075
"""Extra field with the name of a member in UTF-8, beside one in the code page of its system."""


class Members(NamedTuple):
    """Members that are files, sorted by name.

    Args:
        archive: the open archive.
        names: path of each member, with "/" between parts.
        infos: each member.
        skipped: members that cannot be read, and why.
    """

    archive: zipfile.ZipFile
    names: tuple[str, ...]
    infos: tuple[ZipInfo, ...]
    skipped: tuple[Skipped, ...]


def open_members(path: Path) -> Members:
    """List the files of a zip archive. Of several with one name the last is taken, as when the archive is unpacked.

    Raises:
        SparringError: the archive is damaged, or its directory is too large.
    """
    require_small_directory(path)
    with reading_file(path, "a complete zip archive"):
        archive = zipfile.ZipFile(path)
        infos = archive.infolist()
    named: dict[str, ZipInfo] = {}
    skipped: list[Skipped] = []
    for info in infos:
        name = member_name(info)
        if name.endswith("/"):
            continue
        if info.flag_bits & ENCRYPTED_FLAG:
            skipped.append(Skipped(printable(name), "encrypted: unpack the archive with its password"))
            continue
        if name in named:
            skipped.append(Skipped(printable(name), "another file of the archive has the same name"))
        named[name] = info
    names = sorted(named)
    return Members(archive, tuple(names), tuple(named[name] for name in names), tuple(sorted(skipped)))


def require_small_directory(path: Path) -> None:
    """Refuse an archive whose directory, which is read whole, would take too much memory.

    Raises:
        SparringError: it is too large.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError:
        return  # Opening the archive says what is wrong.
    # Each record that may be the last one counts, because programs differ in the one that they take.
    sizes = [int.from_bytes(tail[one.start() + 12 :][:4], "little") for one in re.finditer(b"PK\5\6", tail)]
    large = [int.from_bytes(tail[one.start() + 40 :][:8], "little") for one in re.finditer(b"PK\6\6", tail)]
    size = max([*(size for size in sizes if size != 2**32 - 1 or not large), *large], default=0)
    if size > MAX_DIRECTORY_BYTES and path.stat().st_size > MAX_DIRECTORY_BYTES:
        raise SparringError(
            found=f"a zip archive {path} whose list of files has {size_words(size)}",
            expected=f"at most {size_words(MAX_DIRECTORY_BYTES)}",
            remedy="unpack it, and give the folder",
        )


def member_name(info: ZipInfo) -> str:
    """Return the path of a member with "/" between parts.

    Names without the flag of UTF-8 are often in UTF-8 all the same, or have it beside them; others stay in code page
    437, as the format defines. Programs on Windows write backslashes.
    """
    name = info.filename
    if not info.flag_bits & UTF8_FLAG:
        try:
            name = _unicode_path(info) or name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")


def _unicode_path(info: ZipInfo) -> str | None:
    """Return the name in the extra field of Info-ZIP, if it belongs to the present name."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        # Version 1, the CRC-32 of the other name, and the name.
        if kind == UNICODE_PATH and len(field) > 5 and field[0] == 1:
            (checksum,) = struct.unpack("<I", field[1:5])
            if checksum == zlib.crc32(info.orig_filename.encode("cp437")):
                return field[5:].decode("utf-8")
    return None
