"""Files that a command writes at its end: checked before any work, and written with their folders."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import opening
from sparring.arguments import checked_path, option
from sparring.data.own_output import PUBLISHED, RECORD_START, RUN
from sparring.detection.result import HEADING
from sparring.errors import SparringError
from sparring.rendering.exhibits import OVERVIEW_SOFTWARE
from sparring.storage import is_name_too_long, read_json

DOCUMENTS = (
    *({"recipes"}, {"recipe", "modality", "paper", "fields"}, {"sparring", "torch", "cache"}, {"facts", "training"}),
    *({"state", "run", "recipe", "scores"}, {"run", "verdict", "incidents"}, {"protocol", "subject", "fingerprint"}),
    *({"first", "second", "differences"}, {"count", "folder", "files", "overview"}, {"model", "method", "methods"}),
)
"""Keys by which each JSON document of this program is recognised."""
GENERATOR = '<meta name="generator" content="sparring">'
"""Line of every report."""
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
                expected="a new file, or one that can be replaced",
                remedy="give - for standard output" if str(path).startswith("/dev/") else "give another path",
            )
    for path in options:
        output_path(path)


def output_path(path: str | Path) -> Path:
    """Create the folders of an output and return its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _problem(path: Path) -> str:
    """Return what is wrong with the path of a file, in a few words; empty if it can be written."""
    if not path.name:
        return "which names no file"
    if is_name_too_long(path):
        return LONG_NAME
    if path.absolute().is_relative_to("/dev"):
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
    return "" if _is_own(name, path) else "which this command has not written"


def _is_own(name: str, path: Path) -> bool:
    """Return whether a file is an earlier result of an option."""
    if name == "json":
        try:
            content = read_json(path)
        except SparringError:
            return False
        return isinstance(content, dict) and any(keys <= content.keys() for keys in DOCUMENTS)
    mark = {"out": ",".join(HEADING).encode(), "report": GENERATOR.encode()}.get(name, OVERVIEW_SOFTWARE.encode())
    with opening.reading(path) as file:
        start = file.read(MARKED_BYTES)
        file.seek(max(0, path.stat().st_size - MARKED_BYTES))
        end = file.read(MARKED_BYTES)
    return start.startswith(mark) if name == "out" else mark in start or mark in end


def _start(path: Path, count: int) -> bytes:
    with opening.reading(path) as file:
        return file.read(count)
