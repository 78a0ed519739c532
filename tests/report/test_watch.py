"""The page of `--watch` while a run is training, and after it."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report.test_report_in_a_browser import BROWSER, opened, requested
from sparring.api.resume import resume
from sparring.api.train import train
from sparring.flow import Figures, Progress
from sparring.report import watch
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import append_line

SMALL: dict[str, Any] = {"samples": 960, "batch": 64, "width": 8, "latent_size": 2, "judge": "none"}
REFRESH = '<meta http-equiv="refresh" content="3">'


class Reader:
    """Display that reads the page before each step, and stops the run after ``most`` of them, as Ctrl-C does."""

    def __init__(self, page: Path, most: int = 1000) -> None:
        self.page, self.most = page, most
        self.pages: list[str] = []

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self.pages.append(self.page.read_text(encoding="utf-8"))
        if len(self.pages) > self.most:
            raise KeyboardInterrupt("saved; continue with: sparring resume 'run'")

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data, with a page that is written after each step."""
    monkeypatch.setattr(watch, "COST_RATIO", 0.0)
    monkeypatch.setattr(watch, "INTERVAL_SECONDS", 0.0)
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    return tmp_path / "points.npy"


def test_the_page_follows_a_run_and_its_resumption(points: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "<run>")
    reader = Reader(run.watch, most=8)
    with pytest.raises(KeyboardInterrupt):
        train(points, out=run.folder, watch=True, display=reader, **SMALL)

    # While it is training, a browser reads the page again and again; nothing is fetched from elsewhere.
    first, last = reader.pages[0], reader.pages[-1]
    assert all(REFRESH in page and "The run is training" in page for page in reader.pages[1:])
    assert "about to begin" in first and "53 %" in last and "512 samples" in last and "healthy" in last
    assert "data:image/png;base64," in last and "<polyline" in last and "#d1495b" in last
    assert "&lt;run&gt;" in last and "<run>" not in last and "http://" not in last and 'src="http' not in last

    # After Ctrl-C it is not read again, and says how to go on.
    stopped = run.watch.read_text(encoding="utf-8")
    assert REFRESH not in stopped and "Stopped: saved; continue with: sparring resume" in stopped

    # The watchdog's observations are on it.
    append_line(run.folder / "signals.jsonl", {"step": 8, "samples": 512, "distance": 0.25})
    watch.WatchedDisplay(Silent(), run).write()
    page = run.watch.read_text(encoding="utf-8")
    assert "Distance to other real samples: 0.25 at 512 real samples seen; 0 is what real ones reach" in page

    # The estimate has no bias, so that it is often below the least distance there is.
    append_line(run.folder / "signals.jsonl", {"step": 16, "samples": 960, "distance": -0.01})
    watch.WatchedDisplay(Silent(), run).write()
    page = run.watch.read_text(encoding="utf-8")
    assert "real samples: 0 at 960 real samples seen; not measurably different from real ones" in page
    assert "At best: 0 at 960" in page and "-0.01" not in page

    # A resumption keeps it up to date, without being asked to; at the end it leads to the report.
    reader = Reader(run.watch)
    resume(run.folder, display=reader)
    assert REFRESH in reader.pages[-1] and "93 %" in reader.pages[-1]
    finished = run.watch.read_text(encoding="utf-8")
    assert REFRESH not in finished and 'href="report.html"' in finished and "100 %" in finished


def test_without_the_option_there_is_no_page(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, "samples": 128})
    assert not run.watch.exists()
    resume(run.folder, samples=256, watch=True, display=Silent())
    assert run.watch.exists()


def test_the_page_takes_under_two_per_cent_of_the_time(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, "samples": 128})
    monkeypatch.undo()
    now, written = [0.0], list[float]()

    def slow(*_: Any) -> None:
        now[0] += 0.5
        written.append(now[0])

    monkeypatch.setattr("sparring.report.watch.time.monotonic", lambda: now[0])
    monkeypatch.setattr("sparring.report.watch.write_text", slow)
    page = watch.WatchedDisplay(Silent(), run)
    for _ in range(1000):
        now[0] += 0.1
        page.count("evaluating", 1, 2)
    assert len(written) >= 2 and 0.5 * (len(written) - 1) < 0.02 * (written[-1] - written[0])


def test_rows_of_a_table_are_on_the_page(tmp_path: Path, points: Path) -> None:
    rows = "".join(f"{row * row % 97 / 8},<b>{row % 3}</b>\n" for row in range(300))
    (tmp_path / "table.csv").write_text(f"amount,kind\n{rows}")
    reader = Reader(tmp_path / "run" / "watch.html")
    options = {"recipe": "tables/gan", "samples": 256, "batch": 32, "judge": "none", "watch": True}
    train(tmp_path / "table.csv", out=tmp_path / "run", display=reader, **options)
    for page in (reader.pages[-1], reader.page.read_text(encoding="utf-8")):
        assert "<h2>Newest samples" in page and "<th>amount</th><th>kind</th>" in page
        assert page.count("<tr>") == 17 and "&lt;b&gt;" in page and "<td><b>" not in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_page_without_news_says_so_in_the_browser(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed cannot write that it has ended."""
    run = train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, "samples": 128})
    now = time.time()
    for minutes, silent in ((1, False), (7, True)):
        monkeypatch.setattr(watch.time, "time", lambda then=now - 60 * minutes: then)
        watch.WatchedDisplay(Silent(), run).write()
        page, said = opened(run.watch, tmp_path, "--dump-dom")
        assert "CONSOLE" not in said and requested(tmp_path / "net.json") == set()
        shown = page[: page.index("<script>")]
        assert ("No news for 7 minutes: the process may have ended" in shown) == silent
        assert (f"<code>sparring resume {run.folder}</code>" in shown) == silent
        assert ("about to begin" in shown) != silent
