"""The only place that opens files of run folders, published folders and caches: they may come from a stranger.

Nothing but regular files is opened, and no link is followed below the folder that the user named: a link could lead to
any file of the user, a pipe would wait for ever, and a device has no end.
"""

import os
import stat
from io import FileIO
from pathlib import Path

from sparring.errors import SparringError, shown

HUB_FILES = "blobs"
"""Folder in the cache of the Hugging Face Hub to which the files of a snapshot are links."""
_GUARDS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK if os.name == "posix" else getattr(os, "O_BINARY", 0)


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a regular file and return its descriptor.

    Args:
        path: of the file; its last part must not be a link.
        flags: as for ``os.open``; with ``os.O_CREAT`` a missing file is created.

    Raises:
        OSError: there is no such file, or it cannot be opened.
        SparringError: it is a link, a folder, a pipe, a socket or a device.
    """
    _require_regular(path)
    descriptor = os.open(path, flags | _GUARDS, 0o666)
    # What stands at the path may have changed in the meantime.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise irregular(path, "no regular file")
    return descriptor


def reading(path: Path) -> FileIO:
    """Open a regular file for reading, unbuffered; see ``open_file``."""
    return FileIO(open_file(path), "rb")


def file_bytes(path: Path, limit: int) -> bytearray:
    """Return the content of a regular file.

    Args:
        path: of the file.
        limit: number of bytes above which it is refused before it is read.

    Raises:
        OSError: there is no such file, or it cannot be read.
        SparringError: it is no regular file, or too large.
    """
    with reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise SparringError(
                found=f"a file of {size_words(size)} at {path}",
                expected=f"at most {size_words(limit)}",
                remedy="check that it is the right file",
            )
        content = bytearray(size)
        view, done = memoryview(content), 0
        while done < size and (count := file.readinto(view[done:])):
            done += count
    # A file that grows while it is read is read up to the size that it had; one that shrinks, up to its new end.
    view.release()
    del content[done:]
    return content


def require_plain(folder: Path) -> None:
    """Refuse a folder in which anything, however deep, is neither a folder nor a regular file.

    The folder itself may be reached through a link. Nothing is opened, and no link is followed.

    Raises:
        SparringError: it has a link, a pipe, a socket or a device; nothing was read, written or removed.
    """
    left = [folder]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
                    elif not entry.is_file(follow_symlinks=False):
                        raise irregular(Path(entry.path), "a link" if entry.is_symlink() else "no regular file")
        except FileNotFoundError:
            continue  # Removed in the meantime, as temporary files of a running trainer are.


def require_data(path: Path) -> None:
    """Refuse data that is a pipe, a socket or a device, on which reading could wait for ever or never end.

    Links are followed: the user named the path. A missing path is left to whoever reads it.

    Raises:
        SparringError: it is one of these, or no path that there could be, such as one that is too long.
    """
    try:
        is_irregular = path.exists() and not path.is_dir() and not path.is_file()
    except OSError as error:
        raise SparringError(
            found=f"the path {shown(str(path))} ({error.strerror or error})",
            expected="a folder, a file or the name of a data set",
            remedy="check the path",
        ) from None
    if is_irregular:
        raise SparringError(
            found=f"a pipe, a socket or a device at {path}, which is no regular file",
            expected="a folder or a file",
            remedy="save the data to a file",
        )


def irregular(path: Path, found: str) -> SparringError:
    """Return the error for something at ``path`` that is not opened, such as "a link"."""
    remedy = "remove it, or put a copy of the file in its place"
    if path.is_symlink() and HUB_FILES in path.readlink().parts:
        remedy = "download it with local_dir= (`hf download NAME --local-dir FOLDER`), which copies files"
    return SparringError(
        found=f"{found} at {path}",
        expected="folders and regular files only, because a link or a device can lead anywhere",
        remedy=remedy,
    )


def size_words(size: float) -> str:
    """Return a number of bytes as people read it: "185 kB", "4.9 GB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 9.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB" if size < 9.95 else f"{size:,.0f} TB"


def _require_regular(path: Path) -> None:
    """Refuse what exists and is no regular file, before it is opened: opening some devices has an effect."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise irregular(path, "a link" if stat.S_ISLNK(mode) else "no regular file")
