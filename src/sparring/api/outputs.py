"""Files that a command writes at its end: checked before any work, and written with their folders."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from sparring.arguments import checked_path
from sparring.errors import SparringError
from sparring.storage import is_name_too_long

LONG_NAME = "in a place that cannot be written (its name is too long for the temporary file beside it)"


def require_writable(outputs: Mapping[str, str | Path | None]) -> None:
    """Refuse files that could not be written; nothing is left behind.

    Args:
        outputs: option → path of the file, whose folders need not exist yet; or None.

    Raises:
        SparringError: no path, or one that is empty, a folder, inside a file, in one that cannot be written, or
            given twice.
    """
    options: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        problem = _problem(checked_path(option, path))
        other = options.setdefault(Path(path).absolute(), option)
        if other != option:
            problem = f"the same file as {other}"
        if problem:
            raise SparringError(
                found=f"{option} {path}, {problem}",
                expected="a file that can be written",
                remedy="give another path",
            )


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
