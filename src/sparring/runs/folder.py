"""A run on disk: where everything of one experiment lies."""

import errno
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.storage import parsing, read_json, remove_temporaries, write_folder, write_json

FORMAT, READABLE = 2, (1, 2)
"""Of recipe.json: the format that is written, and those that can be read."""


@final
@dataclass(frozen=True)
class Run:
    """The folder of a run. Nothing in it can execute code: safetensors, JSON, PNG, HTML."""

    folder: Path

    @property
    def checkpoints(self) -> Path:
        """One folder per checkpoint."""
        return self.folder / "checkpoints"

    @property
    def samples(self) -> Path:
        """Pictures of samples from the same noise, named after the real samples seen."""
        return self.folder / "samples"

    @property
    def model(self) -> Path:
        """What is published."""
        return self.folder / "model"

    @property
    def report(self) -> Path:
        """For a person."""
        return self.folder / "report.html"

    @property
    def scores(self) -> Path:
        """The judgement at the end of the run."""
        return self.folder / "scores.json"

    @property
    def picture(self) -> Path:
        """The samples at the end of the run."""
        return self.folder / "samples.png"

    @property
    def record(self) -> "Record":
        """What recipe.json says."""
        return Record.from_json(read_json(self.folder / "recipe.json"), self.folder)


@final
@dataclass(frozen=True)
class Record:
    """recipe.json: all that it takes to make the same experiment again.

    Args:
        recipe: its name.
        choices: field → {"value": …, "reason": …}.
        facts: what was found in the data.
        seed: of all random numbers.
        samples: real samples to see in all, or None.
        minutes: wall time to spend, or None.
        until: the quality at which to stop, or None.
        device: "cpu", "cuda" or "mps".
        micro_batch: samples computed at once by one process, or None for all.
        versions: of what was used.
        watchdog: "repair", "warn" or "off".
    """

    recipe: str
    choices: dict[str, dict[str, Any]]
    facts: Facts
    seed: int
    samples: int | None
    minutes: float | None
    until: str | None
    device: str
    micro_batch: int | None
    versions: dict[str, str]
    watchdog: str = "repair"

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        content = {name: value for name, value in vars(self).items() if name != "facts"}
        return {"format": FORMAT, **content, "facts": self.facts.as_json()}

    @staticmethod
    def from_json(content: dict[str, Any], folder: Path) -> "Record":
        """What ``as_json`` gave.

        Raises:
            SparringError: it is of another format.
        """
        if not isinstance(content, dict) or content.get("format") not in READABLE:
            raise SparringError(
                found=f"another format in {folder / 'recipe.json'}",
                expected=f"format {FORMAT} or an older one",
                remedy="use the version of sparring that wrote it",
            )
        values = {name: value for name, value in content.items() if name not in ("format", "facts")}
        with parsing(folder / "recipe.json"):
            return Record(**values, facts=Facts.from_json(content["facts"]))

    @property
    def fields(self) -> dict[str, Any]:
        """The recipe's fields and their values."""
        return {field: choice["value"] for field, choice in self.choices.items()}


def new_folder(out: str | Path | None, source: str) -> Path:
    """Where a new run goes: ``out``, or the next free runs/NAME-001.

    Raises:
        SparringError: ``out`` is there already.
    """
    if out is not None:
        if Path(out).exists() and (not Path(out).is_dir() or any(Path(out).iterdir())):
            raise SparringError(
                found=f"something in {out} already",
                expected="a folder that does not exist yet: runs are never overwritten",
                remedy=f"choose another --out, or go on with `sparring resume {out}`",
            )
        return Path(out)
    name = re.sub(r"[^\w-]+", "-", Path(source).resolve().name if Path(source).exists() else source).strip("-") or "run"
    number = 1
    while (Path("runs") / f"{name}-{number:03d}").exists():
        number += 1
    return Path("runs") / f"{name}-{number:03d}"


def create(folder: Path, record: Record) -> Run:
    """A run folder with its recipe.json, there at once or not at all: what begins can be resumed.

    Raises:
        SparringError: another process has just begun a run of that name.
    """

    def fill(begun: Path) -> None:
        (begun / "checkpoints").mkdir()
        (begun / "samples").mkdir()
        write_json(begun / "recipe.json", record.as_json())

    remove_temporaries(folder.parent, folder.name)
    try:
        write_folder(folder, fill)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise SparringError(
            found=f"something in {folder} by now",
            expected="a folder that does not exist yet: runs are never overwritten",
            remedy="begin again",
        ) from None
    return Run(folder)


def open_run(path: str | Path) -> Run:
    """An existing run.

    Raises:
        SparringError: ``path`` is not a run folder.
    """
    folder = Path(path)
    if not (folder / "recipe.json").is_file():
        raise SparringError(
            found=f"no recipe.json in {folder}",
            expected="a run folder, as `sparring train` makes under runs/",
            remedy="check the path",
        )
    return Run(folder)


@contextmanager
def alone(run: Run) -> Iterator[None]:
    """Keep every other trainer out of this run while the body goes on.

    Raises:
        SparringError: another process trains in it.
    """
    lock = (run.folder / "lock").open("a+")
    try:
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SparringError(
                    found=f"another process at work in {run.folder}",
                    expected="one trainer per run",
                    remedy="wait for it or stop it first",
                ) from None
        for folder in (run.folder, run.checkpoints, run.samples, run.model, run.folder / "good", run.folder / "best"):
            remove_temporaries(folder)
        yield
    finally:
        lock.close()


def versions() -> dict[str, str]:
    """What this process runs with."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in ("sparring", "torch", "numpy", "pillow", "safetensors", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
