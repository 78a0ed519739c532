"""The watchdog at work in whole runs: what it mends, and that a run which went back can still be interrupted."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import sparring
from sparring.flow import Phase, Progress
from sparring.games.duel import KNOWN, Duel
from sparring.runs import session
from sparring.runs.display import Silent
from sparring.training.checkpoint import checkpoints
from sparring.watchdog import monitor as watchdog
from sparring.watchdog import rules as findings
from sparring.watchdog import signals
from sparring.watchdog.best import Difference
from sparring.watchdog.convergence import FEWEST
from sparring.watchdog.remedies import SLOWER
from sparring.watchdog.rules import Rule, above

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
    monkeypatch.setattr(session.Session, "_finish", lambda self: None)


@pytest.mark.parametrize("source", ["points", pytest.param("ring", marks=pytest.mark.slow)])
def test_a_learning_rate_far_too_high(source: str, points: Path, tmp_path: Path) -> None:
    data = str(points) if source == "points" else source
    run = sparring.train(data, samples=3200, out=tmp_path / "run", learning_rate=WILD, display=Silent(), **SMALL)
    said = [event for event in lines(run.folder / "events.jsonl") if event.get("finding") == "non-finite numbers"]
    assert [event["kind"] for event in said[:2]] == ["finding", "remedy"] and said[0]["evidence"]
    assert {"refused", "finished"} <= set(kinds(run.folder)) and run.report.exists()
    controls = state(run.folder)["dials"]
    assert controls["generator rate"] == controls["discriminator rate"] and controls["generator rate"][0] < 0.5
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


class StoppingAt:
    """Asks the run to stop after so many steps in all."""

    def __init__(self, step: int) -> None:
        self.at = step

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: dict[str, float], rate: float, left: float, health: str) -> None:
        if progress.step == self.at:
            os.kill(os.getpid(), signal.SIGINT)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


class Stopping:
    """Asks the run to stop so many steps after it went back for the first time."""

    def __init__(self, after: int) -> None:
        self.after, self.steps, self.back = after, 0, False

    def say(self, sentence: str) -> None:
        self.back = self.back or "the run goes on from step" in sentence

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
    patch.setattr(watchdog, "REMEDIES", {"divergence": (replace(SLOWER, trial=3),) * 2})
    patch.setattr(watchdog, "GAIN", 0.0)
    patch.setattr(session.Session, "_finish", lambda self: None)


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
    assert samples == [4 * 32 * (observation + 1) for observation in range(RESTLESS // 128)]


@pytest.mark.parametrize("stop", [0, 9, *(pytest.param(stop, marks=pytest.mark.slow) for stop in (1, 3, 4, 15, 40))])
def test_after_it_went_back_a_run_can_be_interrupted(
    stop: int, whole: Path, points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends where it would have ended, bit for bit."""
    make_restless(monkeypatch)
    stopped = trained(points, tmp_path / "run", stop=stop, samples=RESTLESS)
    assert "resumed" in kinds(stopped)
    assert_same(whole, stopped, digest)


BEGINS = 18
"""Steps before the contest."""


def make_phased(patch: pytest.MonkeyPatch) -> None:
    """Restless in the second of two phases, the first of which nobody watches."""
    make_restless(patch)
    phases = (Phase("pretraining", until=BEGINS * 32 / RESTLESS, watched=False), Phase("contest"))
    patch.setattr(Duel, "phases", phases)


@pytest.fixture(scope="module")
def phased(points: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two phases that nobody interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        make_phased(patch)
        return trained(points, tmp_path_factory.mktemp("phased") / "run", samples=RESTLESS)


def test_nothing_is_found_before_the_contest_and_no_rollback_crosses_its_start(phased: Path) -> None:
    _, first, *others = lines(phased / "events.jsonl")
    assert first["kind"] == "phase" and first["said"].startswith(f"The phase pretraining ends after {BEGINS * 32} ")
    assert [event["kind"] for event in others].count("remedy") == 2 and kinds(phased).count("phase") == 1
    assert all(event["samples"] >= BEGINS * 32 for event in others)
    assert all(line["phase"] == 1 and line["step"] > BEGINS for line in lines(phased / "signals.jsonl"))
    for name in ("good", "best"):
        assert all(int(kept.name) >= BEGINS * 32 for kept in checkpoints(phased / name))
    assert state(phased)["beside"]["watchdog"]["phase"] == [1, BEGINS * 32]


@pytest.mark.parametrize("stop", [BEGINS - 8, BEGINS, BEGINS + 6, BEGINS + 46])
def test_in_any_phase_a_run_can_be_interrupted(
    stop: int, phased: Path, points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends where it would have ended, bit for bit."""
    make_phased(monkeypatch)
    choices = {"out": tmp_path / "run", "samples": RESTLESS, "display": StoppingAt(stop), **SMALL}
    with pytest.raises(sparring.Interrupted):
        sparring.train(str(points), **choices)
    assert state(tmp_path / "run")["step"] == stop
    stopped = sparring.resume(tmp_path / "run", display=Silent()).folder
    assert_same(phased, stopped, digest)
    assert kinds(stopped).count("phase") == 1


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
    monkeypatch.setattr(session, "farther", lambda *sides: Difference(1.0, 0.0))
    found = []
    for name, seconds in (("seldom", 60.0), ("always", -1.0)):
        monkeypatch.setattr(session, "SAVED_EVERY", seconds)
        found.append(trained(points, tmp_path / name, samples=24 * 32))
        assert "best" in kinds(found[-1])
    assert digest(found[0]) == digest(found[1])


LEARNING: dict[str, Any] = {"batch": 32, "width": 32, "noise": 2, "places": 0, "gamma": 0.1, "learning_rate": 3e-3}
"""By which a run of 160 steps comes near to the data in its first half."""


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch, unjudged: None) -> None:
    """The watchdog looks at every fourth step, and finds nothing."""
    monkeypatch.setattr(signals, "FIRST", 4)
    monkeypatch.setattr(findings, "RULES", ())


@pytest.mark.usefixtures("watchful")
def test_a_run_in_which_nothing_is_gained_stops_when_it_can_be_told(points: Path, tmp_path: Path) -> None:
    still = {**LEARNING, "learning_rate": 1e-9}
    run = sparring.train(
        str(points), samples=160 * 32, until="settled", out=tmp_path / "run", display=Silent(), **still
    ).folder
    assert len(lines(run / "signals.jsonl")) == FEWEST
    reached = [event["said"] for event in lines(run / "events.jsonl") if event["kind"] == "goal reached"]
    assert reached == [f"The goal of no further detectable improvement is reached after {4 * 32 * FEWEST:,} samples."]
    assert state(run)["samples"] == 4 * 32 * FEWEST


@pytest.mark.parametrize("watchdog", ["repair", "warn"])
@pytest.mark.usefixtures("watchful")
def test_a_run_that_gains_goes_on_until_it_no_longer_does(
    watchdog: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two clusters, far from which every sample begins."""
    monkeypatch.setattr(signals, "FIRST", 16)
    random = np.random.default_rng(0)
    centres = np.where(random.random((150, 1)) < 0.5, 1.0, -1.0) * [1.0, -1.0]
    np.save(tmp_path / "two.npy", (centres + 0.1 * random.normal(size=(150, 2))).astype(np.float32))
    choices = {**LEARNING, "gamma": 3.0, "samples": 640 * 32, "seed": 1, "watchdog": watchdog, "until": "settled"}
    run = sparring.train(str(tmp_path / "two.npy"), out=tmp_path / "run", display=Silent(), **choices).folder
    distances = [line["distance"] for line in lines(run / "signals.jsonl")]
    assert FEWEST + 2 < len(distances) < 40 and "goal reached" in kinds(run)
    assert min(distances) < 0.1 * distances[0] and distances[-1] < 0.3 * distances[0]


def test_a_resumed_run_settles_where_it_would_have(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_restless(monkeypatch)
    choices = {"samples": 80 * 32, "learning_rate": 1e-9, "until": "settled"}
    whole, stopped = (trained(points, tmp_path / str(stop), stop=stop, **choices) for stop in (None, 5))
    assert "resumed" in kinds(stopped) and "goal reached" in kinds(stopped) and kinds(whole).count("remedy") == 2
    assert state(whole)["samples"] == 4 * 32 * FEWEST
    assert_same(whole, stopped, digest)


def spoil(patch: pytest.MonkeyPatch) -> None:
    """At the end of training the averaged generator is moved far off."""
    whole = session.Session._prefer_the_best

    def spoilt(self: session.Session) -> bool:
        with torch.no_grad():
            for weight in self.trainer.average.players["generator"].parameters():
                weight.add_(0.3)
        return whole(self)

    patch.setattr(session.Session, "_prefer_the_best", spoilt)


def average(checkpoint: Path) -> dict[str, Any]:
    """The averaged players of a checkpoint."""
    tensors = load_file(checkpoint / "players.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith("average/")}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    assert one.keys() == other.keys() and one
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("watchful")
def test_where_the_end_is_worse_the_best_average_is_put_back(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The average alone: the players stay as they were trained, and a run that only warns stays as it is."""
    choices = {**LEARNING, "samples": 60 * 32, "learning_rate": 1e-3}
    plain = trained(points, tmp_path / "plain", **choices)
    spoil(monkeypatch)
    mended, warned = (trained(points, tmp_path / mode, watchdog=mode, **choices) for mode in ("repair", "warn"))
    kept = checkpoints(mended / "best")[-1]
    (event,) = [event for event in lines(mended / "events.jsonl") if event["kind"] == "best"]
    assert event["said"] == f"The samples were best after {int(kept.name):,} samples: the average is that of then."
    ends = {run: checkpoints(run / "checkpoints")[-1] for run in (plain, mended, warned)}
    assert {end.name for end in ends.values()} == {f"{60 * 32:09d}"}
    assert same(average(ends[mended]), average(kept))
    assert "best" not in kinds(plain) and "best" not in kinds(warned)
    assert not same(average(ends[plain]), average(kept)) and not same(average(ends[warned]), average(ends[plain]))
    digests = [{name: value for name, value in digest(run).items() if "average/" not in name} for run in ends]
    assert digests[0] == digests[1] == digests[2]


@pytest.mark.usefixtures("watchful")
def test_the_best_is_put_back_once(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where judging was interrupted, a resumed run finds it where it put it."""
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch)
        run = trained(points, tmp_path / "run", samples=60 * 32, **LEARNING)
    before = digest(run)
    sparring.resume(run, display=Silent())
    assert digest(run) == before and kinds(run).count("best") == 1


@pytest.mark.usefixtures("watchful")
def test_few_images_that_are_known_by_heart_are_augmented(tmp_path: Path) -> None:
    controls = {}
    for count in (40, 1000):
        images = np.random.default_rng(0).integers(0, 256, size=(count, 8, 8, 1), dtype=np.uint8)
        np.savez(tmp_path / f"{count}.npz", images=images)
        small = {"batch": 16, "width": 8, "discriminator_width": 16, "noise": 4, "gamma": 0.001, "learning_rate": 1e-2}
        source, out = str(tmp_path / f"{count}.npz"), tmp_path / f"run of {count}"
        run = sparring.train(
            source, recipe="images/r3gan", samples=88 * 16, seed=1, out=out, display=Silent(), **small
        ).folder
        controls[count] = [line["dial: augmentation"] for line in lines(run / "log.jsonl")]
        gaps = [line.get("held-out gap", 0.0) for line in lines(run / "signals.jsonl")]
        assert (max(gaps) > KNOWN) == (count == 40)
    assert controls[40][0] == 0.0 < controls[40][-1] == max(controls[40])
    assert set(controls[1000]) == {0.0}
