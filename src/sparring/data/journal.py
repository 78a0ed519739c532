"""Journal of a call that writes many files one by one, so that a call computes only what is missing.

A line with the digest of a file is on disk before the file has its name: whatever else is there is not the program's.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, final

from pydantic import Field, ValidationError

from sparring import storage
from sparring.schema import Stored

UNFINISHED = ".sparring-unfinished"
"""Folder in a folder of samples that holds the journal, and the file that is being written."""
JOURNAL, PART = "journal.jsonl", "part"
MAX_JOURNAL_BYTES = 256 * 1024 * 1024
STEP_OF_PATH = r"([^/\\]*[^/\\.][^/\\]*|\.{3,})"
InnerPath = Annotated[str, Field(pattern=rf"^{STEP_OF_PATH}(/{STEP_OF_PATH})*$")]
"""Path of a file below a folder, with "/" between its parts, none of which is "." or ".."."""


@final
class Line(Stored):
    """A line of a journal."""

    file: InnerPath
    """Path of a file below the folder."""
    sha256: str
    """Digest of the file."""
    made: str = ""
    """Digest of everything that the file depends on."""


@final
class Journal:
    """The journal of a call in progress.

    Args:
        folder: of the files.
        made: path of each file of the call below the folder → digest of everything that it depends on.
        earlier: files of earlier calls; those that are as this call would make them are taken over.
        replace: removes the other files of earlier calls; called when the first file is complete, so that a call
            without a result loses nothing.

    Attributes:
        done: files that are complete: path below the folder → SHA-256.
        part: where a file is written before it is added.
    """

    def __init__(
        self, folder: Path, made: Mapping[str, str], earlier: Mapping[str, Line], replace: Callable[[], None]
    ) -> None:
        self._folder, self._made, self._replace = folder, made, replace
        self._path = folder / UNFINISHED / JOURNAL
        self.part = folder / UNFINISHED / PART
        self.done: dict[str, str] = {
            name: earlier[name].sha256
            for name, digest in made.items()
            if name in earlier and earlier[name].made == digest and self._has(earlier[name])
        }
        self._is_new, self._begun = not folder.exists(), False
        self.part.parent.mkdir(parents=True, exist_ok=True)

    def begin(self) -> None:
        """List the files that are taken over, and remove the others of earlier calls; once."""
        if not self._begun:
            lines = (self._line(name, digest) for name, digest in self.done.items())
            storage.write_text(self._path, "".join(lines))
            self._replace()
            self._begun = True

    def add(self, name: str) -> None:
        """Give the finished part its name."""
        self.begin()
        storage.sync_file(self.part)
        digest = storage.sha256(self.part)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(self._line(name, digest))
            file.flush()
            os.fsync(file.fileno())
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.part.replace(target)
        self.done[name] = digest

    def remove(self) -> None:
        """Remove the journal after the end of the call, and a folder that was made for it and is empty."""
        for path in (self.part, *([self._path] if self._begun else ())):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self._path.parent.rmdir()
            if self._is_new:
                self._folder.rmdir()

    def _line(self, name: str, digest: str) -> str:
        return f"{Line(file=name, sha256=digest, made=self._made[name]).model_dump_json()}\n"

    def _has(self, line: Line) -> bool:
        path = self._folder / line.file
        return path.is_file() and not path.is_symlink() and storage.sha256(path) == line.sha256


def read_journal(folder: Path) -> dict[str, Line]:
    """Return the files that the journal of a call lists which has not ended, by path; none without a journal.

    Lines of another form, such as a torn last one, are passed over.
    """
    path = folder / UNFINISHED / JOURNAL
    if path.parent.is_symlink() or path.is_symlink() or not path.is_file():
        return {}
    files: dict[str, Line] = {}
    for text in path.read_bytes()[:MAX_JOURNAL_BYTES].splitlines():
        try:
            line = Line.model_validate_json(text)
        except ValidationError:
            continue
        files[line.file] = line
    return files
