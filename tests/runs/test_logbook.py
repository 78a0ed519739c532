"""The log of a run: what is written is read back, earlier formats too, and damaged lines stop nothing."""

import json
import math
from pathlib import Path

from sparring.events import GoalReached
from sparring.flow import Figures
from sparring.runs.logbook import Logbook, LogLine, reached_goal, read_log

FIGURES = Figures(
    terms={"generator": {"adversarial": 0.5, "l1": math.nan}},
    notes={"discriminator": {"lead": 0.8}},
    gradients={"generator": 2.0},
    controls={"gamma": 0.1},
)
LINE = LogLine(
    samples=64,
    samples_per_second=10.0,
    terms={"generator": {"adversarial": 0.5}},
    notes={"discriminator": {"lead": 0.8}},
    gradients={"generator": 2.0},
    controls={"gamma": 0.1},
)


def test_finite_figures_are_read_back_as_written(tmp_path: Path) -> None:
    Logbook(tmp_path).figures(64, FIGURES, 10.0)
    assert read_log(tmp_path / "log.jsonl") == [LINE]


def test_lines_of_the_earlier_format_are_read(tmp_path: Path) -> None:
    old = {"generator/adversarial": 0.5, "generator/gradient": 2.0, "discriminator: lead": 0.8, "dial: strength": 0.1}
    (tmp_path / "log.jsonl").write_text(json.dumps({"samples": 64, **old, "samples_per_second": 10.0}))
    assert read_log(tmp_path / "log.jsonl") == [LINE]


def test_damaged_lines_are_left_out_and_do_not_stop_a_resume(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    logbook.figures(64, FIGURES, 10.0)
    damaged = ['{"a": 1}', "[1, 2]", "null", '{"samples": "x"}', '{"samples": null, "step": 1}', "[" * 100_000, '{"sam']
    for file in ("log.jsonl", "signals.jsonl"):
        with (tmp_path / file).open("a") as opened:
            opened.write("\n".join(damaged))
    assert read_log(tmp_path / "log.jsonl") == [LINE]
    logbook.rewind(64)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


def test_a_reached_goal_is_remembered_in_any_format(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    logbook.event(GoalReached(samples=128, goal="fd < 1"))
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"samples": 256, "time": 0, "kind": "goal reached", "said": "The goal is reached."}\n')
    assert [reached_goal(logbook.events_file, samples) for samples in (64, 128, 256)] == [False, True, True]
