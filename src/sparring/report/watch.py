"""The page of `--watch`: a run while it is training, in one file that a browser reloads by itself."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import final

from sparring.errors import SparringError
from sparring.events import read_events
from sparring.flow import Figures, Progress
from sparring.opening import file_bytes
from sparring.rendering.exhibits import Exhibit, Picture, Table, Text
from sparring.rendering.figures import BLUE, GREEN, OCHRE, PURPLE, RED
from sparring.report.page import template
from sparring.runs.display import Display, Part, line, status
from sparring.runs.folder import Run
from sparring.runs.logbook import LogLine, read_log
from sparring.runs.pictures import MAX_BYTES
from sparring.runs.suggestions import suggestion
from sparring.storage import write_text
from sparring.watchdog.signals import Observation, read_observations

INTERVAL_SECONDS = 3.0
"""Seconds between two versions of the page, at least, and between two readings of it by a browser."""
COST_RATIO = 60.0
"""Ratio of the time between two versions to the time that one takes, at least: under 2 % is spent on them."""
EVENTS = 6
"""Latest events on the page."""
WIDTH, HEIGHT = 600, 140
"""Size of the drawing of losses."""
SILENT_SECONDS, SILENT_VERSIONS = 120, 3
"""Age of a version beyond which the page says that there is no news: so many seconds, or times the usual interval."""
MAX_ROWS = 16
"""Rows of a table, or lines of text, that the page shows."""
SCRIPT = """
const page = document.body.dataset;
function check() {
  const seconds = Date.now() / 1000 - page.written;
  if (seconds < page.silent) return;
  const code = document.createElement("code");
  code.textContent = page.resume;
  const words = `No news for ${Math.round(seconds / 60)} minutes: the process may have ended. If so, go on with `;
  document.getElementById("state").replaceChildren(words, code);
  document.getElementById("status").hidden = true;
}
check();
setInterval(check, 5000);
"""
"""Script of the page: a process that was killed cannot write that it has ended."""
COLOURS = (BLUE, RED, GREEN, OCHRE, PURPLE)


@final
@dataclass(frozen=True)
class Curve:
    """A loss as a line of the drawing.

    Args:
        name: of the turn.
        colour: of the line.
        points: as in SVG, "x,y x,y …".
        latest: the latest value.
    """

    name: str
    colour: str
    points: str
    latest: float


@final
@dataclass(frozen=True)
class Moment:
    """Content of the page; all text is plain and is escaped.

    Args:
        title: of the page.
        state: what is being done, in a sentence.
        share: share of the work that is done, in [0, 1].
        status: progress, time left and health, on one line.
        time: when the page was written.
        going: whether it is going to change.
        distance: sentences on the distance to real samples.
        written: the same in seconds since 1970.
        silent: seconds after which the page says that there is no news.
        resume: command that continues the run.
        newest: the newest samples: a picture, a table or lines of text, whatever the modality shows; None without any.
        seen: real samples seen when these were generated, or "".
        curves: losses.
        events: latest events in sentences.
        report: name of the report, if there is one.
        seconds: between two readings of the page.
    """

    title: str
    state: str
    share: float
    status: str
    time: str
    going: bool
    written: int
    silent: int
    resume: str
    distance: Sequence[str] = ()
    newest: Exhibit | None = None
    seen: str = ""
    curves: Sequence[Curve] = ()
    events: Sequence[str] = ()
    report: str = ""
    seconds: int = round(INTERVAL_SECONDS)
    script: str = SCRIPT
    size: tuple[int, int] = field(default=(WIDTH, HEIGHT))


@final
class WatchedDisplay:
    """Display that passes everything on to another one, and keeps the page of a run up to date.

    Args:
        display: the other one.
        run: the run.
    """

    def __init__(self, display: Display, run: Run) -> None:
        self.display, self.run = display, run
        self._state, self._share, self._status = "The run is about to begin.", 0.0, list[Part]()
        self._next, self._interval = 0.0, INTERVAL_SECONDS

    def say(self, sentence: str) -> None:
        self.display.say(sentence)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self.display.step(progress, figures, rate, left, health)
        self._state, self._share = "The run is training.", progress.fraction
        self._status = status(progress, Figures(), rate, left, health)
        if time.monotonic() >= self._next:
            self.write()

    def count(self, what: str, done: int, total: int) -> None:
        self.display.count(what, done, total)
        self._state, self._share = f"Training is over; {what}: {done:,} of {total:,}.", done / total
        if time.monotonic() >= self._next:
            self.write()

    def close(self) -> None:
        self.display.close()

    def end(self, state: str, *, finished: bool = False) -> None:
        """Write the page for the last time, without a request to read it again."""
        self._state, self._share = state, 1.0 if finished else self._share
        self.write(going=False)

    def write(self, *, going: bool = True) -> None:
        """Write the page.

        Args:
            going: whether it is going to be written again.
        """
        # What is done once is not counted: after it, the second version would come late.
        page = template("watch")
        began = time.monotonic()
        # A full disk or a folder that is gone does not end a run here: saving a checkpoint will.
        with suppress(OSError):
            if self.run.folder.is_dir():
                silent = max(SILENT_SECONDS, round(SILENT_VERSIONS * self._interval))
                moment = _moment(self.run, self._state, self._share, line(self._status), silent, going=going)
                write_text(self.run.watch, page.render(moment=moment).lstrip())
        now = time.monotonic()
        self._interval = max(INTERVAL_SECONDS, COST_RATIO * (now - began))
        self._next = now + self._interval


@contextmanager
def watched(display: Display, run: Run, *, wanted: bool) -> Iterator[Display]:
    """Return a display that keeps the page of a run up to date, and say on the page how the body ended.

    Args:
        display: shows the progress otherwise; it is returned as it is where no page is wanted.
        run: the run.
        wanted: whether there is to be a page.
    """
    if not wanted:
        yield display
        return
    page = WatchedDisplay(display, run)
    page.say(f"Watch: {run.watch} (open it in a browser; it reloads by itself)")
    page.write()
    try:
        yield page
    except BaseException as error:
        page.end(f"Stopped: {error}" if str(error) else "Stopped.")
        raise
    page.end("The run is finished.", finished=True)


def _moment(run: Run, state: str, share: float, shown: str, silent: int, *, going: bool) -> Moment:
    """Read what the page shows from the files of the run."""
    record = run.record
    newest, seen = _newest(run)
    events = [event.sentence for event in read_events(run.folder / "events.jsonl")]
    return Moment(
        title=f"{record.recipe_name}: {run.folder.resolve().name}",
        state=state,
        share=share,
        status=shown,
        time=time.strftime("%Y-%m-%d %H:%M:%S"),
        going=going,
        written=round(time.time()),
        silent=silent,
        resume=suggestion(record, "resume", run.folder),
        distance=_distance(run),
        newest=newest,
        seen=seen,
        curves=_curves(read_log(run.folder / "log.jsonl")),
        events=events[-EVENTS:],
        report=run.report.name if not going and run.report.is_file() else "",
    )


def _newest(run: Run) -> tuple[Exhibit | None, str]:
    """Return the newest samples and the real samples seen by then; None without any."""
    found = [*run.samples.glob("*"), *run.folder.glob("samples.*")]
    found = [path for path in found if path.suffix in READERS and (path.stem.isdecimal() or path.stem == "samples")]
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        with suppress(OSError, SparringError, ValueError):
            seen = f"{int(path.stem):,}" if path.stem.isdecimal() else ""
            return READERS[path.suffix](bytes(file_bytes(path, MAX_BYTES))), seen
    return None, ""


def _picture(content: bytes) -> Picture:
    return Picture(content, words="Newest samples.")


def _table(content: bytes) -> Table:
    header, *rows = islice(csv.reader(io.StringIO(content.decode())), 1 + MAX_ROWS)
    return Table(tuple(header), tuple(map(tuple, rows)))


def _text(content: bytes) -> Text:
    return Text(Text.of_file(content).lines[:MAX_ROWS])


READERS: Mapping[str, Callable[[bytes], Exhibit]] = {".png": _picture, ".csv": _table, ".txt": _text}
"""Ending of a file of samples → what it shows."""


def _distance(run: Run) -> list[str]:
    """Say how far samples were from real ones at the latest observation of the watchdog, at first and at best."""
    seen = [one for one in read_observations(run.folder / "signals.jsonl") if "distance" in one.values]
    if not seen:
        return []
    first, latest = seen[0], seen[-1]
    best = min(seen, key=lambda one: one["distance"])
    meaning = "not measurably different from real ones" if latest["distance"] <= 0 else "0 is what real ones reach"
    return [
        f"Distance to other real samples: {_far(latest)} at {latest.samples:,} real samples seen; {meaning}.",
        f"At first: {_far(first)}. At best: {_far(best)} at {best.samples:,}.",
    ]


def _far(observation: Observation) -> str:
    """Return the distance in words; the estimate has no bias, so that of a distance of 0 is often negative."""
    return f"{max(observation['distance'], 0.0):.3g}"


def _curves(log: Sequence[LogLine]) -> list[Curve]:
    """Return the losses of each turn, scaled to the drawing: their middle 96 % fill its height."""
    totals: dict[str, list[tuple[int, float]]] = {}
    for one in log:
        for turn, terms in one.terms.items():
            totals.setdefault(turn, []).append((one.samples, sum(terms.values())))
    every = sorted(value for points in totals.values() for _, value in points)
    if len(every) < 4:
        return []
    low, high = every[len(every) // 50], every[-1 - len(every) // 50]
    last = max(samples for points in totals.values() for samples, _ in points)
    curves = []
    for (turn, points), colour in zip(sorted(totals.items(), reverse=True), COLOURS, strict=False):
        places = [
            (samples / max(last, 1), min(max((value - low) / max(high - low, 1e-12), 0.0), 1.0))
            for samples, value in points
        ]
        drawn = " ".join(f"{WIDTH * x:.1f},{HEIGHT * (1 - y):.1f}" for x, y in places)
        curves.append(Curve(turn, colour, drawn, points[-1][1]))
    return curves
