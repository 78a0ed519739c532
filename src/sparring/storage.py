"""Everything that is written to disk, written so that a crash at any instant leaves either the old or the new.

A file: temporary name, write, fsync, rename, fsync the folder. A folder: the same, its files first. Every step is a
named crash point, so that the tests can stop a process at each of them.
"""

import hashlib
import io
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.errors import SparringError

if TYPE_CHECKING:
    from PIL.Image import Image

CRASH_VARIABLE = "SPARRING_CRASH_AT"
LARGEST_JSON = 64 * 1024 * 1024


def crash_point(name: str) -> None:
    """Does nothing, unless a test asked for the process to be killed here: ``SPARRING_CRASH_AT=name``.

    ``name:3`` is the third time that the point is reached.
    """
    wanted, _, count = os.environ.get(CRASH_VARIABLE, "").partition(":")
    if wanted != name:
        return
    remaining = int(count or 1) - 1
    os.environ[CRASH_VARIABLE] = f"{name}:{remaining}"
    if remaining == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once: a reader sees all of it or what was there before."""
    temporary = unfinished(path)
    try:
        crash_point("file-before-write")
        with temporary.open("wb") as file:
            file.write(content)
            crash_point("file-before-sync")
            file.flush()
            os.fsync(file.fileno())
        crash_point("file-before-rename")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    crash_point("file-after-rename")
    sync_folder(path.parent)


def write_text(path: Path, content: str) -> None:
    """``write_bytes`` in UTF-8."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Strict JSON, as ``json_text`` has it."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Strict JSON (no NaN), indented, keys in the order given."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def write_picture(path: Path, picture: "Image") -> None:
    """A picture as a PNG file."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    write_bytes(path, content.getvalue())


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Let ``fill`` write files into a temporary folder, then put it at ``target``, which must not exist yet."""
    temporary = unfinished(target)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        crash_point("folder-before-fill")
        fill(temporary)
        crash_point("folder-after-fill")
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                sync_file(file)
        sync_folder(temporary)
        crash_point("folder-before-rename")
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    crash_point("folder-after-rename")
    sync_folder(target.parent)
    crash_point("folder-after-sync")


def unfinished(path: Path) -> Path:
    """What this process calls ``path`` while it is not finished."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def remove_unfinished(folder: Path, name: str = "*") -> None:
    """Remove what a process that no longer lives left half written in ``folder``, under any name or ``name``."""
    for leftover in folder.glob(f".{name}.*.tmp"):
        owner = leftover.name.split(".")[-2]
        if not owner.isdigit() or _alive(int(owner)):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def append_line(path: Path, content: dict[str, Any]) -> None:
    """One JSON object, one line. A line cut short by a crash is skipped by ``read_lines``."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; lines that are not whole are left out."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return lines


def read_json(path: Path) -> Any:
    """Strict JSON: no NaN, no key twice, at most 64 MiB.

    Raises:
        SparringError: the file is missing or is not such JSON.
    """
    expected = f"strict JSON in {path}"
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise SparringError(found="a file over 64 MiB", expected=expected, remedy="check which file this is")
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except FileNotFoundError:
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SparringError(
            found=f"what cannot be read ({error})", expected=expected, remedy="restore the file from a copy"
        ) from None


@contextmanager
def as_written(path: Path) -> Iterator[None]:
    """Take what ``read_json`` gave apart: values that are missing or of another kind are an error in the file.

    Raises:
        SparringError: instead of what Python raises for such values.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise SparringError(
            found=f"missing or wrong values in {path} ({type(error).__name__}: {error})",
            expected="the file as sparring wrote it",
            remedy="restore it from a copy",
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_file(path: Path) -> None:
    """Ask the system to put the file's content on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Ask the system to put the folder's entries on the disk (where folders can be opened)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SparringError(
            found=f"the key {twice!r} twice", expected="strict JSON", remedy="restore the file from a copy"
        )
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise SparringError(
        found=name, expected="strict JSON, which has no such number", remedy="restore the file from a copy"
    )
