"""The log of a run: figures in log.jsonl, events in events.jsonl, the watchdog's signals in signals.jsonl."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from sparring import opening
from sparring.errors import SparringError
from sparring.events import AnyEvent
from sparring.flow import Figures
from sparring.storage import MAX_LINES_BYTES, append_line, finite, is_number, read_lines, write_text

DIGITS = 6
"""Decimal places of the figures in log.jsonl."""


@final
class LogLine(BaseModel):
    """One line of log.jsonl: the latest figures at ``samples`` real samples seen. See ``Figures``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    samples: int
    samples_per_second: float | None = None
    terms: dict[str, dict[str, float]] = {}
    notes: dict[str, dict[str, float]] = {}
    gradients: dict[str, float] = {}
    controls: dict[str, float] = {}


def read_log(path: Path) -> list[LogLine]:
    """Return the lines of a log.jsonl in order, without lines that are damaged or of another format."""
    lines = []
    for line in read_lines(path):
        with suppress(ValidationError):
            lines.append(LogLine.model_validate(line if "terms" in line else _upgraded(line), strict=True))
    return lines


def reached_goal(events: Path, samples: int) -> bool:
    """Return whether events.jsonl says that the goal was reached at exactly ``samples``, in any earlier format too."""
    return any((line.get("kind"), line.get("samples")) == ("goal reached", samples) for line in read_lines(events))


def _upgraded(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of the earlier format, which names figures "turn/term", "turn: note" and "dial: control"."""
    upgraded: dict[str, Any] = {"terms": {}, "notes": {}, "gradients": {}, "controls": {}}
    for name, value in line.items():
        turn, slash, term = name.partition("/")
        other, colon, figure = name.partition(": ")
        if slash and term == "gradient":
            upgraded["gradients"][turn] = value
        elif slash:
            upgraded["terms"].setdefault(turn, {})[term] = value
        elif other == "dial":
            upgraded["controls"]["gamma" if figure == "strength" else figure] = value
        elif colon:
            upgraded["notes"].setdefault(other, {})[figure] = value
        else:
            upgraded[name] = value
    return upgraded


@final
class Logbook:
    """Writes figures and events of one run folder; to TensorBoard too, where it is installed.

    Args:
        folder: the run folder.
        writes: False on all ranks but the first.
    """

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        self.figures_file = folder / "log.jsonl"
        self.events_file = folder / "events.jsonl"
        self.signals_file = folder / "signals.jsonl"
        self.writes = writes
        self._folder = folder

    def figures(self, samples: int, figures: Figures, samples_per_second: float) -> None:
        """Write the figures at ``samples``; values that are not finite are left out."""
        kinds = ("terms", "notes", "gradients", "controls")
        line = {"samples_per_second": samples_per_second, **{kind: getattr(figures, kind) for kind in kinds}}
        self._append(self.figures_file, {"samples": samples, **finite(line, lambda value: round(value, DIGITS))})
        if self.writes and self._board is not None:
            for name, value in _flat(figures):
                if math.isfinite(value):
                    self._board.add_scalar(name, value, samples)

    def signals(self, step: int, samples: int, values: Mapping[str, float]) -> None:
        """Write one observation of the watchdog, after ``step`` steps."""
        self._append(self.signals_file, {"step": step, "samples": samples, **values})

    def event(self, event: AnyEvent) -> None:
        """Write one event."""
        self._append(self.events_file, event.model_dump(mode="json"))

    def digests(self) -> dict[str, str]:
        """Return name → size and SHA-256 of the figures and events so far, for ``changed``."""
        found = {file.name: _digest(file, MAX_LINES_BYTES) for file in (self.figures_file, self.events_file)}
        return {name: text for name, text in found.items() if text}

    def changed(self, written: Mapping[str, str]) -> list[str]:
        """Return the names of the files that do not begin as they were when ``digests`` returned ``written``."""
        changed = []
        for file in (self.figures_file, self.events_file) if self.writes else ():
            text = written.get(file.name, "")
            size = text.partition(" ")[0]
            if text and text != _digest(file, int(size) if is_number(size) else 0):
                changed.append(file.name)
        return changed

    def rewind(self, samples: int) -> None:
        """Forget figures and signals after ``samples``: a resumed run writes them again."""
        for file in (self.figures_file, self.signals_file):
            if self.writes and file.exists():
                lines = [line for line in read_lines(file) if isinstance(line.get("samples"), int)]
                kept = [line for line in lines if line["samples"] <= samples]
                write_text(file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))

    def close(self) -> None:
        """Flush TensorBoard's buffer."""
        if "_board" in vars(self) and self._board is not None:
            self._board.close()

    @cached_property
    def _board(self) -> Any:
        """Writer of TensorBoard, opened with the first figures; None where the extra is not installed."""
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except (ImportError, RuntimeError, OSError):
            return None
        writer: Callable[[str], Any] = SummaryWriter
        return writer(str(self._folder / "tensorboard"))

    def _append(self, file: Path, line: dict[str, Any]) -> None:
        if self.writes:
            try:
                append_line(file, line)
            except FileNotFoundError:
                raise run_is_gone(file.parent) from None
            except OSError:
                return  # A full disk does not end a run here: saving a checkpoint will.


def run_is_gone(folder: Path) -> SparringError:
    """Return the error for a run folder that was removed or moved while the run was training."""
    return SparringError(
        found=f"no run folder at {folder}, because it was removed or moved during the run",
        expected="a run folder that stays in its place",
        remedy="if it was moved, resume it from where it is now",
    )


def _digest(file: Path, size: int) -> str:
    """Return the size and the SHA-256 of the first ``size`` bytes of a file; "" if it cannot be read."""
    try:
        with opening.reading(file) as opened:
            content = opened.read(min(size, MAX_LINES_BYTES))
    except (OSError, SparringError):
        return ""
    return f"{len(content)} {sha256(content).hexdigest()}"


def as_arrays(lines: Sequence[LogLine]) -> dict[str, NDArray[np.float64]]:
    """Return each figure of a log as an array, (lines,), by its name in TensorBoard; NaN where a line lacks it.

    Under "samples" are the real samples seen.
    """
    rows = [{"samples_per_second": line.samples_per_second, **dict(_flat(line))} for line in lines]
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: np.array([row.get(name) for row in rows], dtype=np.float64) for name in names}
    return {"samples": np.array([line.samples for line in lines], dtype=np.float64), **found}


def _flat(figures: Figures | LogLine) -> Iterator[tuple[str, float]]:
    """Name all figures as TensorBoard does: "discriminator/lead", "control/gamma"."""
    for values in (figures.terms, figures.notes):
        for turn, named in values.items():
            yield from ((f"{turn}/{name}", value) for name, value in named.items())
    yield from ((f"{turn}/gradient", norm) for turn, norm in figures.gradients.items())
    yield from ((f"control/{name}", value) for name, value in figures.controls.items())
