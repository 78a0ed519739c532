"""Progress of a run on the terminal."""

import sys
import time
from typing import Any, Protocol, TextIO, final, runtime_checkable

from sparring.errors import SparringError
from sparring.flow import Figures, Progress
from sparring.text import lines, printable, show

LINE_INTERVAL_SECONDS = 10.0
"""Seconds between plain lines of progress."""
BAR_INTERVAL_SECONDS = 0.2
"""Seconds between updates of the progress bar."""


@runtime_checkable
class Display(Protocol):
    """Shows the messages and the progress of a run."""

    def say(self, sentence: str) -> None:
        """Show a message on a line of its own."""
        ...

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        """Show the progress after a training step.

        Args:
            progress: after the step.
            figures: the latest value of every figure.
            rate: real samples per second.
            left: estimated seconds until the end.
            health: the watchdog's word on the run, such as "healthy".
        """
        ...

    def count(self, what: str, done: int, total: int) -> None:
        """Show the progress of other work, such as "evaluating": ``done`` of ``total`` parts are complete."""
        ...

    def close(self) -> None:
        """Finish the line of progress after the last step."""
        ...


def status(progress: Progress, figures: Figures, rate: float, left: float, health: str) -> str:
    """Return one line: "12,800 samples · 640/s · 1:20 left · generator 0.710 · discriminator 0.690 · healthy"."""
    totals = {turn: sum(terms.values()) for turn, terms in figures.terms.items()}
    losses = [f"{turn} {total:.3f}" for turn, total in sorted(totals.items(), reverse=True)]
    parts = [f"{progress.samples:,} samples", f"{rate:,.0f}/s", f"{clock(left)} left", *losses, health]
    return " · ".join(parts)


def clock(seconds: float) -> str:
    """Format a duration: 90 → "1:30", 3600 → "1:00:00"."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@final
class Countdown:
    """Estimates the remaining time of work that is counted in equal parts.

    Attributes:
        begins: whether the last line was the first one of its work.
    """

    def __init__(self) -> None:
        self.begins = False
        self._began, self._first, self._done, self._total = 0.0, 0, 0, 0

    def line(self, what: str, done: int, total: int) -> str:
        """Return "evaluating: 5 of 27 · 0:40 left"; the clock starts with the first line of the work."""
        self.begins = total != self._total or done < self._done or self._done == total
        if self.begins:
            self._began, self._first = time.monotonic(), done
        self._done, self._total = done, total
        if done == self._first:
            return f"{what}: {done} of {total}"
        left = (time.monotonic() - self._began) / (done - self._first) * (total - done)
        return f"{what}: {done} of {total} · {clock(left)} left"


@final
class Plain:
    """Plain lines, for files, notebooks and pipes.

    Args:
        every: minimum number of seconds between two lines of progress.
        stream: where to print; None for standard error.
    """

    def __init__(self, *, every: float = LINE_INTERVAL_SECONDS, stream: TextIO | None = None) -> None:
        self.every, self.stream = every, stream
        self._next, self._countdown = 0.0, Countdown()

    def say(self, sentence: str) -> None:
        show(sentence, self.stream or sys.stderr)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + self.every
            self.say(f"{progress.fraction:4.0%}  {status(progress, figures, rate, left, health)}")

    def count(self, what: str, done: int, total: int) -> None:
        line = self._countdown.line(what, done, total)
        if self._countdown.begins:
            self._next = time.monotonic() + self.every
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every
            self.say(f"{done / total:4.0%}  {line}")

    def close(self) -> None:
        pass


@final
class Live:
    """A progress bar, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self.console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.percentage:>3.0f}%"),
            BarColumn(24),
            TextColumn("{task.description}", markup=False),
            console=self.console,
        )
        self._task = self._bars.add_task("starting", total=1.0)
        self._next, self._countdown = 0.0, Countdown()

    def say(self, sentence: str) -> None:
        self.console.print(lines(sentence), highlight=False, markup=False, emoji=False)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        self._bars.start()
        if time.monotonic() >= self._next or progress.fraction >= 1:
            self._next = time.monotonic() + BAR_INTERVAL_SECONDS
            line = printable(status(progress, figures, rate, left, health))
            self._bars.update(self._task, completed=progress.fraction, description=line)

    def count(self, what: str, done: int, total: int) -> None:
        self._bars.start()
        self._bars.update(
            self._task, completed=done / total, description=printable(self._countdown.line(what, done, total))
        )
        if done == total:
            self._bars.stop()

    def close(self) -> None:
        self._bars.stop()


@final
class Silent:
    """No output: for tests, and for all ranks but the first."""

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        pass

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def checked_display(display: Any) -> Display:
    """Return a display that a caller gives; for None the default one, see ``default_display``.

    Raises:
        SparringError: it is none.
    """
    if display is None:
        return default_display()
    if isinstance(display, type) or not isinstance(display, Display):
        raise SparringError(
            found=f"{display!r} for display",
            expected="an object with the methods of sparring.runs.display.Display",
            remedy="give Plain(), Live() or Silent() from sparring.runs.display, or leave it out",
        )
    return display


def default_display(stream: TextIO | None = None) -> Display:
    """Return a progress bar in a notebook or if ``stream`` (by default standard error) is a terminal, else lines."""
    if stream is None and in_notebook():
        from sparring.runs.notebook import Notebook

        return Notebook()
    return Live() if (stream or sys.stderr).isatty() else Plain()


def in_notebook() -> bool:
    """Return whether a kernel of IPython runs this process, so that a notebook shows its output."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return getattr(shell, "kernel", None) is not None
