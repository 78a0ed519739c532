"""Progress of a run in a notebook: one output that is replaced, with a bar, the newest samples and messages."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

from sparring.flow import Figures, Progress
from sparring.rendering.exhibits import Picture
from sparring.rendering.fragments import fragment
from sparring.runs.display import Countdown, line, status
from sparring.runs.folder import Run
from sparring.text import printable

REFRESH_SECONDS = 1.0
"""Seconds between updates at least."""
MAX_MESSAGES = 200
"""Messages that are kept; events.jsonl has all of them."""
MAX_PICTURE_BYTES = 2**21
"""Size of a picture beyond which it is not sent to the browser again and again."""


@runtime_checkable
class ShowsRun(Protocol):
    """A display that shows pictures of a run, too."""

    def begin(self, run: Run) -> None:
        """Show the run from now on."""
        ...


@final
class Notebook:
    """Progress in a notebook, for ``Display``; it needs no widgets.

    At the end the output stays in the cell: the last line of progress, the newest samples and the messages.
    """

    def __init__(self) -> None:
        self._run: Run | None = None
        self._messages = deque[str](maxlen=MAX_MESSAGES)
        self._line, self._share, self._going = "", 0.0, False
        self._next, self._countdown = 0.0, Countdown()
        self._handle: Any = None
        self._shown: tuple[Path, Picture] | None = None

    def begin(self, run: Run) -> None:
        self._run = run

    def say(self, sentence: str) -> None:
        self._messages += sentence.splitlines()
        if not self._going or time.monotonic() >= self._next:
            self._show()

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self._going, self._share = True, progress.fraction
        if time.monotonic() >= self._next or progress.fraction >= 1:
            self._line = line(status(progress, figures, rate, left, health))
            self._show()

    def count(self, what: str, done: int, total: int) -> None:
        self._going, self._share = done < total, done / total
        self._line = self._countdown.line(what, done, total) if self._going else f"{what}: done"
        if time.monotonic() >= self._next or done == total:
            self._show()

    def close(self) -> None:
        if self._going:
            self._going = False
            self._show()

    def _show(self) -> None:
        """Replace the output; the first time, add one to the cell."""
        from IPython.display import display

        self._next = time.monotonic() + REFRESH_SECONDS
        content = self._content()
        publish: Callable[..., Any] = display
        if self._handle is None:
            self._handle = publish(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)

    def _content(self) -> Mapping[str, str]:
        """Return the output as HTML and as text."""
        percent = f"{self._share:.0%}"
        bar = f'<progress value="{self._share:.4f}" max="1" aria-label="progress">{percent}</progress> {percent}<br>'
        shown = printable(self._line)
        head = f'<div role="status">{bar if self._going else ""}{escape(shown)}</div>'
        last = self._messages[-1] if self._messages else ""
        picture = self._picture()
        body = fragment(
            last,
            exhibits=[] if picture is None else [picture],
            folded=tuple(self._messages),
            heading=f"Messages: {len(self._messages)}",
        )
        return {"text/html": head + body, "text/plain": f"{percent} {shown}" if self._going else shown or last}

    def _picture(self) -> Picture | None:
        """Return the newest picture of the run, read once."""
        try:
            path = None if self._run is None else self._run.newest_picture
            if path is None or path.stat().st_size > MAX_PICTURE_BYTES:
                return None
            if self._shown is None or self._shown[0] != path:
                self._shown = path, Picture(path.read_bytes(), words="The newest samples.")
        except OSError:
            return None  # The run was removed.
        return self._shown[1]
