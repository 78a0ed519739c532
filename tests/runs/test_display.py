"""Progress of a run on the terminal."""

import io
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from rich.console import Console

from sparring.errors import SparringError
from sparring.flow import Figures, Progress
from sparring.runs.display import (
    Display,
    Live,
    Part,
    Plain,
    Silent,
    checked_display,
    clock,
    default_display,
    line,
    status,
)

FIGURES = Figures(
    terms={"generator": {"adversarial": 0.5, "l1": 0.25}, "discriminator": {"adversarial": 0.7}},
    gradients={"generator": 9.0},
)

LOSSES = " · generator 0.750 · discriminator 0.700"


def test_only_displays_are_displays() -> None:
    silent = Silent()
    assert checked_display(silent) is silent and isinstance(checked_display(None), Plain)
    for value in ("x", 3, Silent, object()):
        with pytest.raises(SparringError, match="for display, but expected an object with the methods"):
            checked_display(value)


def test_durations_are_formatted_with_hours_where_needed() -> None:
    assert [clock(seconds) for seconds in (-3, 0, 59.4, 90, 3599.6, 86_400)] == [
        "0:00",
        "0:00",
        "0:59",
        "1:30",
        "1:00:00",
        "24:00:00",
    ]


def test_the_status_is_one_line(progress: Callable[..., Progress]) -> None:
    parts = status(progress(1), FIGURES, 640.4, 80, "healthy")
    assert line(parts) == "0 samples · 640/s · 1:20 left · generator 0.750 · discriminator 0.700 · healthy"
    assert parts[3:5] == [Part("generator 0.750", "#1f4ea0"), Part("discriminator 0.700", "#d1495b")]
    assert "· … left ·" in line(status(progress(1), FIGURES, 640.4, None, "healthy"))


@pytest.mark.parametrize("columns", [120, 80, 50, 40])
def test_a_terminal_of_any_width_shows_percentage_bar_and_health(
    columns: int, progress: Callable[..., Progress]
) -> None:
    console = Console(width=columns, file=io.StringIO(), force_terminal=True, color_system=None, legacy_windows=False)
    live = Live(console)
    live.step(progress(1, 0.42), FIGURES, 640.4, 80, "healthy")
    live._bars.refresh()
    live.close()
    written = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())  # type: ignore[attr-defined]
    shown = re.split(r"[\r\n]+", written.strip())[-1]
    assert shown.startswith(" 42%") and "━━━" in shown and "1:20 left · healthy" in shown.replace(LOSSES, "")
    assert len(shown) <= columns and "…" not in shown
    assert (LOSSES in shown) == (columns == 120)


def test_words_that_are_wider_than_the_terminal_are_cut(progress: Callable[..., Progress]) -> None:
    shown = line(status(progress(1), FIGURES, 640.4, 80, "mode collapse, imbalance, stagnation", width=40))
    assert shown == "1:20 left · mode collapse, imbalance, s…" and len(shown) == 40


def test_plain_lines_come_often_at_first_and_then_each_minute_or_twentieth(
    progress: Callable[..., Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, stream, said = [0.0], io.StringIO(), list[float]()
    monkeypatch.setattr("sparring.runs.display.time.monotonic", lambda: now[0])
    plain = Plain(stream=stream)
    for second in range(600):
        now[0] = second
        before = len(stream.getvalue())
        plain.step(
            progress(1, second / 2000 if second < 300 else 0.15 + (second - 300) / 400), FIGURES, 1, 1, "healthy"
        )
        said += [second] * (len(stream.getvalue()) > before)
    assert said[:11] == [0, 10, 20, 30, 40, 50, 110, 170, 230, 290, 318]
    assert all(10 <= after - before <= 25 for before, after in pairwise(said[10:]))
    plain.close()
    assert stream.getvalue().count("\n") == len(said) + 1 and "\x1b" not in stream.getvalue()


def test_plain_lines_are_printed_at_intervals_and_at_the_end(progress: Callable[..., Progress]) -> None:
    stream = io.StringIO()
    plain = Plain(every=1000, stream=stream)
    for fraction in (0.1, 0.5, 0.9, 1.0):
        plain.step(progress(1, fraction), FIGURES, 1.0, 1.0, "healthy")
    plain.say("A sentence.")
    plain.close()
    lines = stream.getvalue().splitlines()
    assert [line[:4] for line in lines] == [" 10%", "100%", "A se"]


def test_counted_work_shows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {1: 0.0, 2: 5.0, 4: 15.0, 20: 95.0}
    now = [0.0]
    monkeypatch.setattr("sparring.runs.display.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    plain = Plain(every=10, stream=stream)
    for done, now[0] in clocks.items():
        plain.count("evaluating", done, 20)
    assert stream.getvalue().splitlines() == [
        " 20%  evaluating: 4 of 20 · 1:20 left",
        "100%  evaluating: 20 of 20 · 0:00 left",
    ]


def test_work_of_which_nothing_is_done_yet_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("sparring.runs.display.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    plain = Plain(every=10, stream=stream)
    for now[0], done in ((0.0, 0), (12.0, 0), (24.0, 2)):
        plain.count("searching, 0.1 % kept", done, 8)
    assert stream.getvalue().splitlines() == [
        "  0%  searching, 0.1 % kept: 0 of 8",
        " 25%  searching, 0.1 % kept: 2 of 8 · 1:12 left",
    ]


@pytest.mark.parametrize("make", [Silent, Live])
def test_silent_and_live_displays_accept_all_calls(
    make: Callable[[], Display], progress: Callable[..., Progress], capfd: pytest.CaptureFixture[str]
) -> None:
    display = make()
    display.say("[red] is no markup")
    display.step(progress(1, 1.0), FIGURES, 1.0, 1.0, "healthy")
    display.count("evaluating", 1, 2)
    display.count("evaluating", 2, 2)
    display.close()
    said = capfd.readouterr()
    assert said.out == ""
    assert ("[red] is no markup" in said.err) == (make is Live)


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(default_display(io.StringIO()), Plain)


def test_the_progress_bar_shows_markup_and_escapes_as_text(
    progress: Callable[..., Progress], capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Figures(terms={"[bold]\x1b[2J": {"l1": 0.25}})
    live = Live()
    live.step(progress(1, 1.0), hostile, 640.4, 80, "healthy")
    live.say("a [red]name[/] \x1b[2J :cat:")
    live.close()
    printed = capsys.readouterr().err
    assert "[bold]\\x1b[2J 0.250" in printed and "a [red]name[/] \\x1b[2J :cat:" in printed
    assert "\x1b[2J" not in printed
