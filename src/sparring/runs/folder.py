"""Run folders: the files of one experiment on disk."""

import errno
import os
import platform
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, ClassVar, final

from pydantic import ConfigDict, Field

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.own_output import PUBLISHED, RUN, check_path, folder_of, require_place
from sparring.errors import SparringError, nearest, writing
from sparring.manifest import digest
from sparring.opening import open_file, reading, require_plain
from sparring.recipe import Choice, is_own
from sparring.schema import STORED, Count, require_format, validated
from sparring.storage import is_name_too_long, read_json, remove_temporaries, write_folder, write_json
from sparring.text import command

FORMAT, READABLE_FORMATS = 3, (1, 2, 3)
"""Format of recipe.json that is written, and formats that can be read: 1 and 2 have neither identity nor digest."""
EXTENSIONS = frozenset({".json", ".jsonl", ".png", ".gif", ".html"})
"""Extensions of the files of a run."""
JUDGEMENTS = {
    "quick": "metrics of the default verdict, as far as a tenth of the training time or 20 s allow",
    "full": "all metrics, without a limit",
    "none": "no evaluation",
}
"""Evaluations at the end of a run: name in ``Record.judge`` → description."""
MAX_NAME = 50
"""Characters of the name of the data in the name of a run."""


@dataclass(frozen=True)
class Run:
    """The folder of a run. It holds safetensors, JSON, PNG, GIF and HTML files: no file in it can execute code.

    ``sparring.api.run.Run``, the public class, adds its model, evaluation, diagnosis and curves.
    """

    folder: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, one folder each."""
        return self.folder / "checkpoints"

    @property
    def samples(self) -> Path:
        """Folder of sample pictures, all from the same latents, named after the number of real samples seen."""
        return self.folder / "samples"

    @property
    def model(self) -> Path:
        """Folder of the published model."""
        return self.folder / "model"

    @property
    def report(self) -> Path:
        """The report, a web page."""
        return self.folder / "report.html"

    @property
    def scores(self) -> Path:
        """Results of the evaluation at the end of the run."""
        return self.folder / "scores.json"

    @property
    def picture(self) -> Path:
        """Samples at the end of the run: a picture, a table, sounds, …"""
        found = sorted(path for path in self.folder.glob("samples.*") if path != self.animation)
        return next(iter(found), self.folder / "samples.png")

    @property
    def animation(self) -> Path:
        """Pictures of samples during the run, one after the other."""
        return self.folder / "samples.gif"

    @property
    def watch(self) -> Path:
        """The page of `--watch`, which is up to date while the run is training."""
        return self.folder / "watch.html"

    @property
    def newest_picture(self) -> Path | None:
        """PNG file of samples that was written last, during the run or at its end; None if there is none yet."""
        found = [*sorted(self.samples.glob("*.png")), *self.folder.glob("samples.png")]
        written = {path: path.stat().st_mtime_ns for path in found}
        return max(reversed(found), key=written.__getitem__, default=None)

    @property
    def record(self) -> "Record":
        """Content of recipe.json.

        Raises:
            SparringError: it cannot be read, was changed, or has another format.
        """
        return Record.from_json(read_json(self.folder / "recipe.json"), self.folder)


@final
@dataclass(frozen=True)
class Record:
    """Content of recipe.json: everything that is needed to repeat the experiment.

    Args:
        recipe: name of the recipe; of the user's own, with the absolute path of its file.
        choices: field → {"value": …, "reason": …}.
        facts: description of the data.
        seed: random seed.
        samples: budget in real samples, or None.
        minutes: budget in minutes of wall time, or None.
        until: goal at which training stops, or None.
        device: "cpu", "cuda" or "mps".
        micro_batch: samples computed at once by one rank, or None for all of them.
        versions: package → version.
        watchdog: "repair", "warn" or "off".
        threads: threads that the processor computes on, on which the last bits of a run depend; None in runs of earlier
            versions and until training begins.
        identity: 32 random hexadecimal digits that its checkpoints share; "" in runs of earlier versions.
        judge: evaluation at the end, a key of ``JUDGEMENTS``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    recipe: str
    choices: dict[str, Choice]
    facts: Facts
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    samples: Annotated[Count, Field(ge=1)] | None
    minutes: Annotated[float, Field(gt=0)] | None
    until: str | None
    device: str
    micro_batch: Annotated[Count, Field(ge=1)] | None
    versions: dict[str, str]
    watchdog: Annotated[str, Field(pattern="^(repair|warn|off)$")] = "repair"
    threads: Annotated[int, Field(ge=1)] | None = None
    identity: str = ""
    judge: Annotated[str, Field(pattern="^(quick|full|none)$")] = "quick"

    @property
    def recipe_name(self) -> str:
        """Name of the recipe; of the user's own without the folders of its file."""
        return Path(self.recipe).name if is_own(self.recipe) else self.recipe

    def as_json(self) -> dict[str, Any]:
        """Return JSON values with a digest of them; see ``from_json``."""
        content = {name: value for name, value in vars(self).items() if name != "facts"}
        content = {"format": FORMAT, **content, "facts": self.facts.as_json()}
        return {**content, "digest": digest(content)}

    @staticmethod
    def from_json(content: Any, folder: Path) -> "Record":
        """Build a record from the values of ``as_json``.

        Raises:
            SparringError: ``content`` has another format, was changed, or has a value of another type.
        """
        place = folder / "recipe.json"
        found = require_format(content, READABLE_FORMATS, place)
        values = {name: value for name, value in content.items() if name not in ("format", "digest")}
        if found == FORMAT and content.get("digest") != digest({"format": found, **values}):
            raise SparringError(
                found=f"values in {place} that were changed since they were written",
                expected="the values that its digest was made of",
                remedy="restore it from a backup, or start a new run",
            )
        facts = Facts.from_json(values.get("facts"), str(place))
        return replace(validated(Record, values | {"facts": facts.as_json()}, place), facts=facts)

    @property
    def fields(self) -> dict[str, Any]:
        """Fields of the recipe with their values."""
        return {field: choice["value"] for field, choice in self.choices.items()}


def checked_judge(judge: str) -> str:
    """Return the evaluation at the end of a run that a caller gives.

    Raises:
        SparringError: there is no such one.
    """
    if judge not in JUDGEMENTS:
        raise SparringError(
            found=f"the evaluation {judge!r}",
            expected=f"one of {', '.join(JUDGEMENTS)}",
            remedy=f"check the spelling of {option('judge')}{nearest(str(judge), list(JUDGEMENTS))}",
        )
    return judge


def new_identity() -> str:
    """Return the identity of a new run: 32 random hexadecimal digits."""
    return secrets.token_hex(16)


def new_folder(out: str | Path | None, source: str) -> Path:
    """Return the folder of a new run: ``out``, or the next free runs/NAME-001, named after the source.

    Raises:
        SparringError: ``out`` exists and is not an empty folder, or its name is too long.
    """
    if out is not None:
        if is_name_too_long(Path(out)):
            raise SparringError(
                found=f"{option('out', out)}, whose name is too long",
                expected="a name of at most about 230 characters",
                remedy="choose a shorter one",
            )
        if Path(out).is_dir() or not Path(out).exists():
            require_place(Path(out), around=(RUN, PUBLISHED))
        if Path(out).exists() and (not Path(out).is_dir() or any(Path(out).iterdir())):
            is_run = (Path(out) / "recipe.json").is_file()
            raise SparringError(
                found=f"{'a run' if is_run else 'files' if Path(out).is_dir() else 'a file'} at {out}",
                expected="a folder that does not exist yet: runs are never overwritten",
                remedy=f"choose another folder: {option('out')}"
                + f", or continue it with `{command('sparring', 'resume', out)}`" * is_run,
            )
        return Path(out)
    place = Path(source).resolve()
    last = place.stem if place.is_file() else place.name if place.exists() else source
    name = re.sub(r"[^\w-]+", "-", last).strip("-")[:MAX_NAME] or "run"
    number = 1
    while (Path("runs") / f"{name}-{number:03d}").exists():
        number += 1
    return Path("runs") / f"{name}-{number:03d}"


def keep(run: Run, record: Record) -> None:
    """Replace recipe.json atomically.

    Raises:
        OSError: it cannot be written; the old one is unchanged.
    """
    write_json(run.folder / "recipe.json", record.as_json())


def create(folder: Path, record: Record) -> Run:
    """Create a run folder with its recipe.json atomically: every run folder that exists can be resumed.

    Raises:
        SparringError: another process has created the folder in the meantime, or it cannot be written.
    """

    def fill(new: Path) -> None:
        (new / "checkpoints").mkdir()
        (new / "samples").mkdir()
        write_json(new / "recipe.json", record.as_json())

    remove_temporaries(folder.parent, folder.name)
    with writing(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            write_folder(folder, fill)
        except OSError as error:
            # Systems differ in how they refuse to rename onto a folder that has files.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not folder.exists():
                raise
            raise SparringError(
                found=f"files at {folder}, written in the meantime",
                expected="a folder that does not exist yet: runs are never overwritten",
                remedy="start again",
            ) from None
    return Run(folder)


def open_run(path: str | Path) -> Run:
    """Open an existing run, after checking that it holds nothing but folders and regular files.

    Raises:
        SparringError: ``path`` is not a run folder, or has a link, a pipe or a device in it.
    """
    folder = folder_of(Path(path))
    if (folder / "recipe.json").is_file():
        require_plain(folder)
        _require_files(folder)
    else:
        raise SparringError(
            found=f"no recipe.json in {folder}",
            expected="a run folder, as `sparring train` creates under runs/",
            remedy=check_path(folder),
        )
    return Run(folder)


def open_begun_run(path: str | Path) -> Run:
    """Open an existing run whose model is to be used; see ``open_run``.

    Raises:
        SparringError: it is still training, and has no checkpoint yet.
    """
    run = open_run(path)
    if is_locked(run) and not any(run.checkpoints.glob("[0-9]*")):
        raise SparringError(
            found=f"a run in {run.folder} that is still training and has no checkpoint yet",
            expected="a checkpoint: the first comes within a minute of the start",
            remedy="try again in a minute",
        )
    return run


def _require_files(folder: Path) -> None:
    """Refuse a folder that stands in place of a file, by its extension."""
    for path in folder.iterdir():
        if path.suffix in EXTENSIONS and path.is_dir():
            raise SparringError(
                found=f"a folder {path}",
                expected="a file of that name",
                remedy="restore the file, or remove the folder",
            )


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Lock the run against other trainers, and remove temporary files of trainers that were killed.

    Raises:
        SparringError: another process is training this run.
    """
    lock = os.fdopen(open_file(run.folder / "lock", os.O_RDWR | os.O_CREAT), "r+b")
    try:
        # The system releases the lock when the process ends, however it ends.
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SparringError(
                    found=f"another process training in {run.folder}",
                    expected="one trainer per run",
                    remedy="wait for it to finish, or stop it first",
                ) from None
        for folder in (run.folder, run.checkpoints, run.samples, run.model, run.folder / "good", run.folder / "best"):
            remove_temporaries(folder)
        yield
    finally:
        lock.close()


def is_locked(run: Run) -> bool:
    """Return whether a trainer holds the run; False where the system cannot say."""
    lock = run.folder / "lock"
    if os.name != "posix" or not lock.exists():
        return False
    import fcntl

    with reading(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def versions() -> dict[str, str]:
    """Return the versions of Python, the system and the main packages."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in ("sparring", "torch", "numpy", "pillow", "safetensors", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
