"""The watchdog at work in whole runs: what it mends, and that a run which went back can still be interrupted."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sparring
from sparring import experiment
from sparring.display import Silent
from sparring.flow import Progress
from sparring.training.checkpoint import checkpoints
from sparring.watchdog import findings, signals, watchdog
from sparring.watchdog.best import Difference
from sparring.watchdog.findings import Rule, above
from sparring.watchdog.remedies import SLOWER

Digest = Callable[[Path], dict[str, str]]

SMALL: dict[str, Any] = {"batch": 32, "width": 8, "noise": 2, "places": 10}
WILD = 100.0
"""A learning rate with which nothing stays finite."""
RESTLESS = 72 * 32
"""Samples of a run that goes back for no reason."""


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def kinds(run: Path) -> list[str]:
    return [event["kind"] for event in lines(run / "events.jsonl")]


def state(run: Path) -> dict[str, Any]:
    """What the newest checkpoint knows beside tensors, but for the time that it took."""
    newest = checkpoints(run / "checkpoints")[-1]
    return {**json.loads((newest / "state.json").read_text()), "seconds": 0}


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end when they are trained."""
    monkeypatch.setattr(experiment.Experiment, "_finish", lambda self: None)


@pytest.mark.parametrize("source", ["points", pytest.param("ring", marks=pytest.mark.slow)])
def test_a_learning_rate_far_too_high(source: str, points: Path, tmp_path: Path) -> None:
    data = str(points) if source == "points" else source
    run = sparring.train(data, samples=3200, out=tmp_path / "run", learning_rate=WILD, display=Silent(), **SMALL)
    said = [event for event in lines(run.folder / "events.jsonl") if event.get("finding") == "non-finite numbers"]
    assert [event["kind"] for event in said[:2]] == ["finding", "remedy"] and said[0]["evidence"]
    assert {"refused", "finished"} <= set(kinds(run.folder)) and run.report.exists()
    dials = state(run.folder)["dials"]
    assert dials["generator rate"] == dials["discriminator rate"] and dials["generator rate"][0] < 0.5
    assert sparring.load(run.folder).sample(100).isfinite().all()


def test_a_rate_at_which_nothing_can_be_mended(points: Path, tmp_path: Path) -> None:
    with pytest.raises(sparring.SparringError, match="not finite"):
        sparring.train(str(points), samples=3200, out=tmp_path / "run", learning_rate=1e30, display=Silent(), **SMALL)
    assert kinds(tmp_path / "run").count("remedy") >= 2


@pytest.mark.usefixtures("unjudged")
def test_off_it_neither_looks_nor_keeps(points: Path, tmp_path: Path) -> None:
    warned, alone = (
        sparring.train(str(points), samples=2112, out=tmp_path / mode, watchdog=mode, display=Silent(), **SMALL).folder
        for mode in ("warn", "off")
    )
    assert lines(warned / "signals.jsonl") and "finding" in kinds(warned) and "remedy" not in kinds(warned)
    assert not (alone / "signals.jsonl").exists() and "finding" not in kinds(alone)
    for run in (warned, alone):
        assert not (run / "good").exists() and not (run / "best").exists()


class Stopping:
    """Asks the run to stop so many steps after it went back for the first time."""

    def __init__(self, after: int) -> None:
        self.after, self.steps, self.back = after, 0, False

    def say(self, sentence: str) -> None:
        self.back = self.back or " again." in sentence

    def step(self, progress: Progress, figures: dict[str, float], rate: float, left: float, health: str) -> None:
        if self.back and self.steps == self.after:
            os.kill(os.getpid(), signal.SIGINT)
        self.steps += self.back

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def trained(points: Path, out: Path, *, stop: int | None = None, **choices: Any) -> Path:
    """A run, interrupted so many steps after it went back for the first time, and resumed."""
    display = Silent() if stop is None else Stopping(stop)
    asked: dict[str, Any] = {"out": out, "display": display, **SMALL, **choices}
    if stop is None:
        return sparring.train(str(points), **asked).folder
    with pytest.raises(sparring.Interrupted):
        sparring.train(str(points), **asked)
    assert state(out)["samples"] < asked["samples"]
    return sparring.resume(out, display=Silent()).folder


def assert_same(one: Path, other: Path, digest: Digest) -> None:
    assert digest(one) == digest(other)
    assert state(one) == state(other)
    assert lines(one / "signals.jsonl") == lines(other / "signals.jsonl")


def make_restless(patch: pytest.MonkeyPatch) -> None:
    """The watchdog looks at every fourth step, and from the eleventh look on finds a reason to go back, twice."""
    always = Rule("divergence", (above("lead", -1.0),), "it is made up.", "Wait.", lasting=1, early=10)
    patch.setattr(findings, "RULES", (always,))
    patch.setattr(signals, "FIRST", 4)
    patch.setattr(watchdog, "TRIAL", 3)
    patch.setattr(watchdog, "REMEDIES", {"divergence": (SLOWER, SLOWER)})
    patch.setattr(experiment.Experiment, "_finish", lambda self: None)


@pytest.fixture(scope="module")
def whole(points: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A restless run that nobody interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        make_restless(patch)
        return trained(points, tmp_path_factory.mktemp("whole") / "run", samples=RESTLESS)


def test_a_restless_run_goes_back_twice(whole: Path) -> None:
    assert kinds(whole).count("remedy") == kinds(whole).count("did not help") == 2
    assert state(whole)["dials"]["generator rate"][0] == 1 / 16
    samples = [line["samples"] for line in lines(whole / "signals.jsonl")]
    assert samples == [4 * 32 * (look + 1) for look in range(RESTLESS // 128)]


@pytest.mark.parametrize("stop", [0, 9, *(pytest.param(stop, marks=pytest.mark.slow) for stop in (1, 3, 4, 15, 40))])
def test_after_it_went_back_a_run_can_be_interrupted(
    stop: int, whole: Path, points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends where it would have ended, bit for bit."""
    make_restless(monkeypatch)
    stopped = trained(points, tmp_path / "run", stop=stop, samples=RESTLESS)
    assert "resumed" in kinds(stopped)
    assert_same(whole, stopped, digest)


def test_figures_of_the_way_that_was_left_are_forgotten(whole: Path) -> None:
    samples = [line["samples"] for line in lines(whole / "log.jsonl")]
    assert samples == sorted(set(samples))


@pytest.mark.usefixtures("unjudged")
def test_after_it_was_rescued_a_run_can_be_interrupted(points: Path, digest: Digest, tmp_path: Path) -> None:
    choices = {"samples": 3200, "learning_rate": WILD}
    undisturbed = trained(points, tmp_path / "whole", **choices)
    assert "remedy" in kinds(undisturbed)
    assert_same(undisturbed, trained(points, tmp_path / "run", stop=5, **choices), digest)


def test_the_best_average_is_saved_however_often_the_run_was(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_restless(monkeypatch)
    monkeypatch.setattr(findings, "RULES", ())
    monkeypatch.setattr(experiment, "farther", lambda *sides: Difference(1.0, 0.0))
    found = []
    for name, seconds in (("seldom", 60.0), ("always", -1.0)):
        monkeypatch.setattr(experiment, "SAVED_EVERY", seconds)
        found.append(trained(points, tmp_path / name, samples=24 * 32))
        assert "best" in kinds(found[-1])
    assert digest(found[0]) == digest(found[1])
