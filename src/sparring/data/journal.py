"""Journal of a call that writes many files one by one, so that the same call goes on after any interruption.

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
    """A line of a journal: the first one names the call, and each further one a file."""

    call: str = ""
    """Digest of everything that the results depend on."""
    file: InnerPath | None = None
    """Path of the file below the folder."""
    sha256: str = ""
    """Digest of the file."""


@final
class Journal:
    """The journal of a call in progress.

    Args:
        folder: of the files.
        call: digest of everything that the results depend on. Files of another call are not taken over.
        replace: removes what another call left; called when the first file is complete, so that a call without a result
            loses nothing.

    Attributes:
        done: files that are complete: path below the folder → SHA-256.
        part: where a file is written before it is added.
    """

    def __init__(self, folder: Path, call: str, replace: Callable[[], None] = lambda: None) -> None:
        self._folder, self._call, self._replace = folder, call, replace
        self._path = folder / UNFINISHED / JOURNAL
        self.part = folder / UNFINISHED / PART
        earlier, listed = read_journal(folder)
        self.done: dict[str, str] = {
            name: listed[name] for name in listed if earlier == call and self._has(name, listed)
        }
        self._is_new = not folder.exists()
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self._begun = earlier == call
        if self._begun:
            self._begin()

    def add(self, name: str) -> None:
        """Give the finished part its name."""
        if not self._begun:
            self._replace()
            self._begin()
            self._begun = True
        storage.sync_file(self.part)
        digest = storage.sha256(self.part)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{Line(file=name, sha256=digest).model_dump_json()}\n")
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

    def _begin(self) -> None:
        """Write the journal with the files that are taken over."""
        lines = [Line(call=self._call), *(Line(file=name, sha256=digest) for name, digest in self.done.items())]
        storage.write_text(self._path, "".join(f"{line.model_dump_json()}\n" for line in lines))

    def _has(self, name: str, listed: Mapping[str, str]) -> bool:
        path = self._folder / name
        return path.is_file() and not path.is_symlink() and storage.sha256(path) == listed[name]


def read_journal(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the digest of a call that has not ended, and the files that it lists: path → SHA-256.

    Both are empty without a journal. Lines of another form, such as a torn last one, are passed over.
    """
    path = folder / UNFINISHED / JOURNAL
    if path.parent.is_symlink() or path.is_symlink() or not path.is_file():
        return "", {}
    call, files = "", dict[str, str]()
    for text in path.read_bytes()[:MAX_JOURNAL_BYTES].splitlines():
        try:
            line = Line.model_validate_json(text)
        except ValidationError:
            continue
        call = line.call or call
        if line.file is not None:
            files[line.file] = line.sha256
    return call, files
