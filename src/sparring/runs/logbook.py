"""What a run writes down as it goes: figures in log.jsonl, events in events.jsonl."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from sparring.storage import append_line, read_lines, write_text


@final
class Logbook:
    """Figures and events of one run folder; to TensorBoard too, where it is installed.

    Args:
        folder: of the run.
        writes: False in all processes but the first.
    """

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        self.figures_file = folder / "log.jsonl"
        self.events_file = folder / "events.jsonl"
        self.signals_file = folder / "signals.jsonl"
        self.writes = writes
        self._board = _board(folder) if writes else None

    def figures(self, samples: int, values: dict[str, float]) -> None:
        """One line of figures at ``samples``; what is not finite is left out."""
        if not self.writes:
            return
        finite = {name: round(value, 6) for name, value in values.items() if math.isfinite(value)}
        with suppress(OSError):  # A full disk does not end a run: the checkpoints will say so.
            append_line(self.figures_file, {"samples": samples, **finite})
        if self._board is not None:
            for name, value in finite.items():
                self._board.add_scalar(name, value, samples)

    def signals(self, step: int, samples: int, values: dict[str, float]) -> None:
        """One line of what the watchdog saw after ``step`` steps."""
        if self.writes:
            with suppress(OSError):
                append_line(self.signals_file, {"step": step, "samples": samples, **values})

    def event(self, samples: int, kind: str, sentence: str, facts: dict[str, Any] | None = None) -> None:
        """One line on something that happened, with further facts as JSON values."""
        if self.writes:
            line = {"samples": samples, "time": time.time(), "kind": kind, "said": sentence, **(facts or {})}
            with suppress(OSError):
                append_line(self.events_file, line)

    def happened(self, samples: int, kind: str) -> bool:
        """Whether there was an event of this kind at exactly ``samples``."""
        lines = read_lines(self.events_file) if self.events_file.exists() else []
        return any((line["samples"], line["kind"]) == (samples, kind) for line in lines)

    def rewind(self, samples: int) -> None:
        """Forget figures and signals after ``samples``: a resumed run writes them again."""
        for file in (self.figures_file, self.signals_file):
            if self.writes and file.exists():
                kept = [line for line in read_lines(file) if line["samples"] <= samples]
                write_text(file, "".join(json.dumps(line) + "\n" for line in kept))

    def close(self) -> None:
        """Flush what TensorBoard holds back."""
        if self._board is not None:
            self._board.close()


def _board(folder: Path) -> Any:
    """A TensorBoard writer, or None where the extra is not installed."""
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except (ImportError, RuntimeError, OSError):
        return None
    return SummaryWriter(str(folder / "tensorboard"))
