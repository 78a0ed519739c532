"""Crash-safe files and folders: a process killed at any instant leaves either the old content or the new.

A file is written under a temporary name, synced to disk and renamed; then its folder is synced. A folder is filled
under a temporary name and treated the same way, its files first.
"""

import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.errors import SparringError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_JSON_BYTES = 64 * 1024 * 1024
"""Size above which a JSON file is refused."""


def _ignore(stage: str) -> None:
    """Do nothing."""


on_stage: Callable[[str], None] = _ignore
"""Called with the name of each stage of a write, so that crash tests can stop the process at any of them."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees the whole new content or what was there before.

    Raises:
        OSError: the file cannot be written; what was there before is unchanged.
    """
    temporary = temporary_path(path)
    try:
        on_stage("file-before-write")
        with temporary.open("wb") as file:
            file.write(content)
            on_stage("file-before-sync")
            file.flush()
            os.fsync(file.fileno())
        on_stage("file-before-rename")
        # Renaming replaces the old content in one step.
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    on_stage("file-after-rename")
    # The new name itself survives a power failure only once its folder is synced.
    sync_folder(path.parent)


def write_text(path: Path, content: str) -> None:
    """Write text in UTF-8; see ``write_bytes``."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write strict JSON; see ``json_text``.

    Raises:
        ValueError: ``content`` contains NaN or infinity.
    """
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Return strict JSON (no NaN), indented, with keys in the order given."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def write_png(path: Path, picture: "Image") -> None:
    """Write an image as a PNG file."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    write_bytes(path, content.getvalue())


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Create a folder atomically.

    Args:
        target: the folder; must not exist yet, or be empty.
        fill: writes the files into the temporary folder that it is called with.

    Raises:
        OSError: the folder cannot be written, or ``target`` exists; nothing is left behind.
    """
    temporary = temporary_path(target)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        on_stage("folder-before-fill")
        fill(temporary)
        on_stage("folder-after-fill")

        # The content must be on disk before the name that promises it.
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                sync_file(file)
        sync_folder(temporary)
        on_stage("folder-before-rename")
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    on_stage("folder-after-rename")
    # The new name itself survives a power failure only once its folder is synced.
    sync_folder(target.parent)
    on_stage("folder-after-sync")


def temporary_path(path: Path) -> Path:
    """Return the hidden name under which this process writes ``path`` until it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def remove_temporaries(folder: Path, name: str = "*") -> None:
    """Remove temporary files and folders in ``folder`` whose process has ended: those of ``name``, or all."""
    for leftover in folder.glob(f".{name}.*.tmp"):
        process = leftover.name.split(".")[-2]
        if not process.isdigit() or _is_running(int(process)):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def append_line(path: Path, content: dict[str, Any]) -> None:
    """Append one JSON object as one line. ``read_lines`` skips a line that a crash cut short."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n")


def finite(values: Mapping[str, Any], convert: Callable[[float], float] = lambda value: value) -> dict[str, Any]:
    """Return nested numbers, converted, without NaN and infinity, which JSON cannot represent."""
    return {
        name: finite(value, convert) if isinstance(value, Mapping) else convert(value)
        for name, value in values.items()
        if isinstance(value, Mapping) or math.isfinite(value)
    }


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file, without lines that are anything else; none if there is no file."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(json.JSONDecodeError, RecursionError):
            content = json.loads(line)
            if isinstance(content, dict):
                lines.append(content)
    return lines


def read_json(path: Path) -> Any:
    """Read strict JSON: no NaN, no duplicate key, at most 64 MiB.

    Raises:
        SparringError: the file is missing or is not such JSON.
    """
    expected = f"strict JSON in {path}"
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise SparringError(found="a file over 64 MiB", expected=expected, remedy="check that it is the right file")
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except FileNotFoundError:
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SparringError(
            found=f"content that cannot be read ({error})", expected=expected, remedy="restore the file from a backup"
        ) from None


@contextmanager
def parsing(path: Path) -> Iterator[None]:
    """Report missing or mistyped values as an error of the file ``path``, whose content is parsed in the body.

    Raises:
        SparringError: in place of a KeyError, TypeError or AttributeError.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise SparringError(
            found=f"missing or wrong values in {path} ({type(error).__name__}: {error})",
            expected="the file as sparring wrote it",
            remedy="restore it from a backup",
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_file(path: Path) -> None:
    """Flush the content of a file to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush the entries of a folder to disk; do nothing on Windows, where folders cannot be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its pairs, refusing duplicate keys."""
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise SparringError(
            found=f"the key {duplicate!r} twice", expected="strict JSON", remedy="restore the file from a backup"
        )
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise SparringError(
        found=name, expected="strict JSON, which has no such number", remedy="restore the file from a backup"
    )
