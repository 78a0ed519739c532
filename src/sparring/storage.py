"""Crash-safe files and folders: a process killed at any instant leaves either the old content or the new.

A file is written under a temporary name, synced to disk and renamed; then its folder is synced. A folder is filled
under a temporary name and treated the same way, its files first.
"""

import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring import opening
from sparring.errors import SparringError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_JSON_BYTES = 16 * 1024 * 1024
"""Size above which a JSON file is refused, since its values may take fifty times as much memory."""
MAX_LINES_BYTES = 64 * 1024 * 1024
"""Size above which a file of JSON lines is refused."""
MAX_DEPTH = 100
"""Levels of nesting above which JSON is refused."""
LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Escape of half a character: alone, it can be neither printed nor encoded."""


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
        created = opening.open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(created, "wb") as file:
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


def json_text(content: Any, *, ascii_only: bool = False) -> str:
    """Return strict JSON (no NaN), indented, with keys in the order given; optionally with escapes beyond ASCII."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=ascii_only) + "\n"


def write_png(path: Path, picture: "Image") -> None:
    """Write an image as a PNG file."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    write_bytes(path, content.getvalue())


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Create a folder atomically, in a folder that exists.

    Args:
        target: the folder; must not exist yet, or be empty.
        fill: writes the files into the temporary folder that it is called with.

    Raises:
        OSError: the folder cannot be written, or ``target`` exists; nothing is left behind.
    """
    temporary = temporary_path(target)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
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


def is_name_too_long(path: Path) -> bool:
    """Return whether the file system refuses a name in a path that need not exist, or the name it is written under."""
    path = path.absolute()
    if not path.name:
        return False  # The root.
    folder = Path(path.anchor)
    for name in (*path.parts[1:-1], temporary_path(path).name):
        try:
            (folder / name).lstat()
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return True
        else:
            folder /= name  # Where a folder is missing, the one around it takes its place in the test.
    return False


def remove_temporaries(folder: Path, name: str = "*") -> None:
    """Remove temporary files and folders in ``folder`` whose process has ended: those of ``name``, or all."""
    for leftover in folder.glob(f".{name}.*.tmp"):
        process = leftover.name.split(".")[-2]
        if not is_number(process) or _is_running(int(process)):
            continue
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def is_number(name: str) -> bool:
    """Return whether a file name is a number in the digits 0 to 9: "²" is a digit too, but no number."""
    return name.isascii() and name.isdigit() and len(name) < 20


def append_line(path: Path, content: dict[str, Any]) -> None:
    """Append one JSON object as one line, after ending a line that a crash cut short, which ``read_lines`` skips.

    Raises:
        OSError: the file cannot be written, or its folder is gone.
        SparringError: something else than a regular file stands in its place.
    """
    line = json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n"
    with os.fdopen(opening.open_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else f"\n{line}"
        file.write(line.encode(errors="backslashreplace"))


def finite(values: Mapping[str, Any], convert: Callable[[float], float] = lambda value: value) -> dict[str, Any]:
    """Return nested numbers, converted, without NaN and infinity, which JSON cannot represent."""
    return {
        name: finite(value, convert) if isinstance(value, Mapping) else convert(value)
        for name, value in values.items()
        if isinstance(value, Mapping) or math.isfinite(value)
    }


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file, without lines that are anything else; none if there is no file.

    Raises:
        SparringError: it is no regular file, or over 64 MiB.
    """
    try:
        content = opening.file_bytes(path, MAX_LINES_BYTES)
    except FileNotFoundError:
        return []
    lines = []
    for line in content.decode(errors="replace").split("\n"):
        with suppress(ValueError):
            values = parsed_json(line) if len(line) <= MAX_JSON_BYTES else None
            if isinstance(values, dict):
                lines.append(values)
    return lines


def read_json(path: Path, limit: int | None = None) -> Any:
    """Read strict JSON of a regular file; see ``parsed_json``.

    Args:
        path: of the file.
        limit: size in bytes above which it is refused; None for 16 MiB.

    Raises:
        SparringError: the file is missing, too large, a link, a pipe or a device, or is not such JSON.
    """
    expected = "strict JSON"
    try:
        return parsed_json(opening.file_bytes(path, limit or MAX_JSON_BYTES).decode())
    except SparringError:
        raise
    except FileNotFoundError:
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path") from None
    except (OSError, ValueError) as error:
        raise SparringError(
            found=f"content of {path} that cannot be read ({error})",
            expected=expected,
            remedy="restore the file from a backup",
        ) from None


def parsed_json(text: str) -> Any:
    """Parse strict JSON: no NaN, no number beyond float64, no duplicate key, no half character, at most 100 levels.

    Raises:
        ValueError: it is something else.
    """
    try:
        content = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite, parse_int=_integer
        )
    except RecursionError:
        raise ValueError(f"more than {MAX_DEPTH} levels") from None

    # Halves of characters first: the pattern finds whole ones too, in two escapes.
    if LONE_SURROGATE.search(text):
        json.dumps(content, ensure_ascii=False).encode()
    level, depth = [content], 0
    while level := [
        inner
        for value in level
        for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        if isinstance(inner, dict | list)
    ]:
        depth += 1
        if depth >= MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels")
    return content


def sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hexadecimal."""
    with opening.reading(path) as file:
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
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its pairs, refusing duplicate keys."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"the key {key!r} twice")
        content[key] = value
    return content


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:20]}: JSON has no such number")
    return value


def _integer(digits: str) -> int:
    _finite(digits)
    return int(digits)
