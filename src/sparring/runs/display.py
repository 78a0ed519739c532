"""Progress of a run on the terminal."""

import math
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO, final, runtime_checkable

from sparring.errors import SparringError
from sparring.flow import Figures, Progress
from sparring.rendering.figures import BLUE, RED
from sparring.text import lines, printable, show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn

LINE_INTERVAL_SECONDS = 10.0
"""Seconds between plain lines of progress."""
EARLY_SECONDS, LATER_INTERVAL_SECONDS, LINE_SHARE = 60.0, 60.0, 0.05
"""Seconds in which plain lines are so frequent; afterwards, seconds or share of the run from one to the next."""
BAR_INTERVAL_SECONDS = 0.2
"""Seconds between updates of the progress bar."""
WIDE, BAR_WIDTH, NARROW_BAR_WIDTH = 100, 24, 12
"""Columns of a terminal from which the bar is wide, and columns of the bar there and elsewhere."""
MAX_WIDTH = 1000
"""Columns of a line that nothing is left out of."""
SEPARATOR = " · "


@runtime_checkable
class Display(Protocol):
    """Shows the messages and the progress of a run."""

    def say(self, sentence: str) -> None:
        """Show a message on a line of its own."""
        ...

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        """Show the progress after a training step.

        Args:
            progress: after the step.
            figures: the latest value of every figure.
            rate: real samples per second.
            left: estimated seconds until the end; None where they are not known yet.
            health: the watchdog's word on the run, such as "healthy".
        """
        ...

    def count(self, what: str, done: int, total: int) -> None:
        """Show the progress of other work, such as "evaluating": ``done`` of ``total`` parts are complete."""
        ...

    def close(self) -> None:
        """Finish the line of progress after the last step."""
        ...


class Part(NamedTuple):
    """A part of the status.

    Args:
        text: of the part.
        colour: of its first word; "" for that of the terminal.
    """

    text: str
    colour: str = ""


def status(
    progress: Progress, figures: Figures, rate: float, left: float | None, health: str, width: int = MAX_WIDTH
) -> list[Part]:
    """Return the parts of one line: 12,800 samples · 640/s · 1:20 left · generator 0.71 · discriminator 0.69 · healthy.

    Where they are wider than ``width``, losses are left out first, then samples, then the speed.
    """
    totals = {turn: sum(terms.values()) for turn, terms in figures.terms.items()}
    named = sorted(totals.items(), reverse=True)
    losses = [Part(f"{turn} {total:.3f}", colour) for (turn, total), colour in zip(named, (BLUE, RED), strict=False)]
    losses += [Part(f"{turn} {total:.3f}") for turn, total in named[2:]]
    samples, speed = Part(f"{progress.samples:,} samples"), Part(f"{rate:,.0f}/s")
    time_left, word = Part("… left" if left is None else f"{clock(left)} left"), Part(health)
    for parts in (
        [samples, speed, time_left, *losses, word],
        [samples, speed, time_left, word],
        [speed, time_left, word],
        [time_left, word],
    ):
        if len(line(parts)) <= width:
            return parts
    return [time_left, Part(_cut(health, width - len(time_left.text) - len(SEPARATOR)))]


def line(parts: Sequence[Part]) -> str:
    """Return parts as one line of text."""
    return SEPARATOR.join(part.text for part in parts)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


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
            return f"{what}: {done:,} of {total:,}"
        left = (time.monotonic() - self._began) / (done - self._first) * (total - done)
        return f"{what}: {done:,} of {total:,} · {clock(left)} left"


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
        self._latest = ""
        self._shown: tuple[float | None, float, float] = None, -math.inf, 0.0

    def say(self, sentence: str) -> None:
        show(sentence, self.stream or sys.stderr)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        now = time.monotonic()
        self._latest = f"{progress.fraction:4.0%}  {line(status(progress, figures, rate, left, health))}"
        began, last, share = self._shown
        if began is None or progress.fraction < share:
            began, last, share = now, -math.inf, 0.0
        # Often in the first minute, then each minute, or each twentieth of the run.
        early, long_ago = now - began < EARLY_SECONDS, now - last >= LATER_INTERVAL_SECONDS
        due = now - last >= self.every and (early or long_ago or progress.fraction - share >= LINE_SHARE)
        self._shown = began, last, share
        if due or progress.fraction >= 1:
            self._shown = began, now, progress.fraction
            self._say_latest()

    def count(self, what: str, done: int, total: int) -> None:
        text = self._countdown.line(what, done, total)
        if self._countdown.begins:
            self._next = time.monotonic() + self.every
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every
            self.say(f"{done / total:4.0%}  {text}")

    def close(self) -> None:
        self._say_latest()

    def _say_latest(self) -> None:
        """Print the latest line of progress, unless it was printed already."""
        if self._latest:
            self.say(self._latest)
        self._latest = ""


@final
class Live:
    """A progress bar, for terminals.

    Args:
        console: a rich ``Console`` to print to; None for standard error.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self.console = Console(stderr=True) if console is None else console
        self._bars = Bars(
            TextColumn("{task.percentage:>3.0f}%"),
            BarColumn(BAR_WIDTH if self.console.width >= WIDE else NARROW_BAR_WIDTH),
            _status_column(),
            console=self.console,
        )
        self._task = self._bars.add_task("", total=1.0, parts=[Part("starting")])
        self._next, self._countdown = 0.0, Countdown()

    def say(self, sentence: str) -> None:
        self.console.print(lines(sentence), highlight=False, markup=False, emoji=False)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self._bars.start()
        if time.monotonic() >= self._next or progress.fraction >= 1:
            self._next = time.monotonic() + BAR_INTERVAL_SECONDS
            parts = status(progress, figures, rate, left, health, self._room)
            self._bars.update(self._task, completed=progress.fraction, parts=parts)

    def count(self, what: str, done: int, total: int) -> None:
        parts = [Part(_cut(self._countdown.line(what, done, total), self._room))]
        self._bars.update(self._task, completed=done / total, parts=parts)
        self._bars.start()
        if done == total:
            self._bars.stop()

    def close(self) -> None:
        self._bars.stop()

    @property
    def _room(self) -> int:
        """Width of the text beside percentage and bar."""
        bar = BAR_WIDTH if self.console.width >= WIDE else NARROW_BAR_WIDTH
        return self.console.width - bar - len("100%") - 2


def _status_column() -> "ProgressColumn":
    """Return the column with the parts of the status, of which no text is markup."""
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class StatusColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            text = Text(no_wrap=True, overflow="ellipsis")
            for number, part in enumerate(task.fields["parts"]):
                text.append(SEPARATOR if number else "")
                word, blank, rest = printable(part.text).partition(" ")
                text.append(word, part.colour or None).append(blank + rest)
            return text

    return StatusColumn()


@final
class Silent:
    """No output: for tests, and for all ranks but the first."""

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
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
