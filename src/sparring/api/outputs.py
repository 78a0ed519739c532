"""Files that a command writes at its end: checked before any work, and written with their folders."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import opening
from sparring.arguments import checked_path, option
from sparring.data.own_output import PUBLISHED, RECORD_START, RUN
from sparring.detection.result import HEADING
from sparring.errors import SparringError
from sparring.rendering.exhibits import OVERVIEW_SOFTWARE, is_overview
from sparring.storage import is_name_too_long, write_json

SOFTWARE = {"software": "sparring"}
"""First key of every result as JSON, by which it is recognised."""
JSON_START = re.compile(rb'\s*\{\s*"software"\s*:\s*"sparring"\s*[,}]')
TABLE_START = ",".join(HEADING).encode()
MARKS = {
    "report": b'<meta name="generator" content="sparring">',
    ".svg": f"<dc:title>{OVERVIEW_SOFTWARE}</dc:title>".encode(),
    ".pdf": f"/Creator ({OVERVIEW_SOFTWARE})".encode(),
}
"""Option or ending of a file → a part of every such file; PNG files have theirs at a fixed place."""
MARKED_BYTES = 4096
"""Bytes at the start and at the end of a file in which its mark is looked for."""
LONG_NAME = "in a place that cannot be written (its name is too long for the temporary file beside it)"


def require_writable(outputs: Mapping[str, str | Path | None], data: Any = None) -> None:
    """Refuse files that cannot be written, or that hold something else than an earlier result; then make their folders.

    Args:
        outputs: option → path of the file, whose folders need not exist yet; or None.
        data: what the command reads, of which no file is replaced.

    Raises:
        SparringError: no path, or one that is empty, a folder, inside a file, in one that cannot be written, given
            twice, or of a file that another program, or a person, has written.
    """
    options: dict[Path, str] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        problem = _problem(checked_path(option(name), path)) or _other_content(name, Path(path), data)
        other = options.setdefault(Path(path).absolute(), name)
        if other != name:
            problem = f"the same file as {option(other)}"
        if problem:
            raise SparringError(
                found=f"{option(name, path)}, {problem}",
                expected="a new file, or one that sparring wrote, which is replaced",
                remedy="give another path",
            )
    for path in options:
        output_path(path)


def output_path(path: str | Path) -> Path:
    """Create the folders of an output and return its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def is_device(path: str | Path) -> bool:
    """Return whether a path is that of a device or an open stream, as /dev/stdout, whatever it is linked to."""
    place = Path(path).absolute()
    return str(place.parent) in ("/dev", "/dev/fd") or place.is_relative_to("/proc")


def marked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as JSON values with the mark by which its file is recognised."""
    return SOFTWARE | dict(content)


def write_result(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a result as JSON, marked; see ``marked``."""
    write_json(output_path(path), marked(content))


def _problem(path: Path) -> str:
    """Return what is wrong with the path of a file, in a few words; empty if it can be written."""
    if not path.name:
        return "which names no file"
    if is_name_too_long(path):
        return LONG_NAME
    if is_device(path):
        return "which is a device"
    try:
        if path.is_symlink() and not path.exists():
            return "a link to nothing"
        if path.exists() and not path.is_file():
            return "a folder" if path.is_dir() else "which is no regular file"

        # The nearest folder that exists has to take new entries; only a trial tells, since permissions are not all.
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except (OSError, ValueError) as error:
        return f"in a place that cannot be written ({getattr(error, 'strerror', None) or error})"


def _other_content(name: str, path: Path, data: Any) -> str:
    """Return what a file is that must not be replaced, in a few words; empty if it can be, or does not exist."""
    if not path.exists():
        return ""
    place = path.resolve()
    if isinstance(data, str | Path) and Path(data).exists() and place.is_relative_to(Path(data).resolve()):
        return "which is a part of the data"
    for folder in place.parents:
        for record in (folder / RUN, folder / PUBLISHED):
            if record.is_file() and RECORD_START.match(_start(record, 1024)):
                return f"which is a file of the model in {folder.name}"
    return "" if _is_own(name, path) else "which sparring has not written"


def _is_own(name: str, path: Path) -> bool:
    """Return whether a file is an earlier result of an option."""
    with opening.reading(path) as file:
        start = file.read(MARKED_BYTES)
        file.seek(max(0, path.stat().st_size - MARKED_BYTES))
        end = file.read(MARKED_BYTES)
    if name == "json":
        return JSON_START.match(start) is not None
    if name == "out":
        return start.startswith(TABLE_START)
    mark = MARKS.get(name, MARKS.get(path.suffix.lower()))
    return is_overview(start) if mark is None else mark in start or mark in end


def _start(path: Path, count: int) -> bytes:
    with opening.reading(path) as file:
        return file.read(count)
