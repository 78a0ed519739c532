"""What a person sees while a run goes on."""

import sys
import time
from typing import Protocol, TextIO, final

from sparring.flow import Figures, Progress


class Display(Protocol):
    """Where a run speaks."""

    def say(self, sentence: str) -> None:
        """Something worth a line of its own."""
        ...

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        """After every step: where the run stands, samples per second, seconds left, and a word on its health."""
        ...

    def count(self, what: str, done: int, total: int) -> None:
        """Other work goes on: so much of it is done."""
        ...

    def close(self) -> None:
        """The last step was made."""
        ...


def status(progress: Progress, figures: Figures, rate: float, left: float, health: str) -> str:
    """One line: 12,800 samples · 640/s · 1:20 left · generator 0.71 · discriminator 0.69 · healthy."""
    totals = {turn: sum(terms.values()) for turn, terms in figures.terms.items()}
    players = [f"{turn} {total:.3f}" for turn, total in sorted(totals.items(), reverse=True)]
    parts = [f"{progress.samples:,} samples", f"{rate:,.0f}/s", f"{clock(left)} left", *players, health]
    return " · ".join(parts)


def clock(seconds: float) -> str:
    """90 → 1:30."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@final
class Pace:
    """How long work that is counted will still take."""

    def __init__(self) -> None:
        self._began = 0.0

    def words(self, what: str, done: int, total: int) -> str:
        """judging: 5 of 27 · 0:40 left."""
        if done <= 1:
            self._began = time.monotonic()
            return f"{what}: {done} of {total}"
        left = (time.monotonic() - self._began) / (done - 1) * (total - done)
        return f"{what}: {done} of {total} · {clock(left)} left"


@final
class Plain:
    """Plain lines, at most one of progress every ``every`` seconds: for files, notebooks and pipes."""

    def __init__(self, *, every: float = 10.0, stream: TextIO | None = None) -> None:
        self.every, self.stream = every, stream
        self._next, self._pace = 0.0, Pace()

    def say(self, sentence: str) -> None:
        print(sentence, file=self.stream or sys.stderr, flush=True)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + self.every
            self.say(f"{progress.fraction:4.0%}  {status(progress, figures, rate, left, health)}")

    def count(self, what: str, done: int, total: int) -> None:
        words = self._pace.words(what, done, total)
        if done <= 1:
            self._next = time.monotonic() + self.every
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every
            self.say(f"{done / total:4.0%}  {words}")

    def close(self) -> None:
        pass


@final
class Live:
    """A bar that moves, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self.console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.percentage:>3.0f}%"),
            BarColumn(24),
            TextColumn("{task.description}"),
            console=self.console,
        )
        self._task = self._bars.add_task("starting", total=1.0)
        self._next, self._pace = 0.0, Pace()

    def say(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        self._bars.start()
        if time.monotonic() >= self._next or progress.fraction >= 1:
            self._next = time.monotonic() + 0.2
            line = status(progress, figures, rate, left, health)
            self._bars.update(self._task, completed=progress.fraction, description=line)

    def count(self, what: str, done: int, total: int) -> None:
        self._bars.start()
        self._bars.update(self._task, completed=done / total, description=self._pace.words(what, done, total))
        if done == total:
            self._bars.stop()

    def close(self) -> None:
        self._bars.stop()


@final
class Silent:
    """Says nothing: for tests, and for all processes but the first."""

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float, health: str) -> None:
        pass

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def suitable(stream: TextIO | None = None) -> Display:
    """A moving bar on a terminal, plain lines elsewhere."""
    return Live() if (stream or sys.stderr).isatty() else Plain()
