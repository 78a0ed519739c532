"""The watchdog in whole runs: failures that it repairs, and runs that are interrupted after a rollback."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import sparring
from sparring.events import BestRestored, GoalReached, RemedyJudged, read_events
from sparring.flow import Figures, Phase, Progress
from sparring.games.duel import OVERFITTING_TARGET, Duel
from sparring.runs import session
from sparring.runs.display import Silent
from sparring.runs.logbook import read_log
from sparring.training.checkpoint import checkpoints
from sparring.watchdog import best, signals
from sparring.watchdog import monitor as watchdog
from sparring.watchdog import rules as findings
from sparring.watchdog.best import Difference
from sparring.watchdog.convergence import MIN_OBSERVATIONS
from sparring.watchdog.remedies import SLOW_DOWN
from sparring.watchdog.rules import Rule, above

Digest = Callable[[Path], dict[str, str]]

SMALL: dict[str, Any] = {"batch": 32, "width": 8, "latent_size": 2, "places": 10}
EXCESSIVE_RATE = 100.0
"""Learning rate at which no number stays finite."""
SAMPLES = 72 * 32
"""Real samples of a run with forced rollbacks."""


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def kinds(run: Path) -> list[str]:
    return [event["kind"] for event in lines(run / "events.jsonl")]


def state(run: Path) -> dict[str, Any]:
    """Return the state in the newest checkpoint beside its tensors, with the elapsed time set to 0."""
    newest = checkpoints(run / "checkpoints")[-1]
    return {**json.loads((newest / "state.json").read_text()), "seconds": 0}


@pytest.fixture
def without_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end after training, without an evaluation."""
    monkeypatch.setattr(session.Session, "_finish", lambda self: None)


@pytest.mark.parametrize("source", ["points", pytest.param("ring", marks=pytest.mark.slow)])
def test_a_run_with_an_excessive_learning_rate_is_rescued(source: str, points: Path, tmp_path: Path) -> None:
    data = str(points) if source == "points" else source
    run = sparring.train(
        data, samples=3200, out=tmp_path / "run", learning_rate=EXCESSIVE_RATE, display=Silent(), **SMALL
    )
    reported = [event for event in lines(run.folder / "events.jsonl") if event.get("finding") == "non-finite numbers"]
    assert [event["kind"] for event in reported[:2]] == ["finding", "remedy"] and reported[0]["evidence"]
    assert {"update skipped", "finished"} <= set(kinds(run.folder)) and run.report.exists()
    controls = state(run.folder)["controls"]
    assert controls["generator rate"] == controls["discriminator rate"] and controls["generator rate"][0] < 0.5
    assert sparring.load(run.folder).sample(100).isfinite().all()


def test_a_learning_rate_beyond_repair_ends_the_run_with_an_error(points: Path, tmp_path: Path) -> None:
    with pytest.raises(sparring.SparringError, match="not finite"):
        sparring.train(str(points), samples=3200, out=tmp_path / "run", learning_rate=1e30, display=Silent(), **SMALL)
    assert kinds(tmp_path / "run").count("remedy") >= 2


@pytest.mark.usefixtures("without_evaluation")
def test_watchdog_off_writes_no_signals_and_only_repair_keeps_snapshots(points: Path, tmp_path: Path) -> None:
    warned, unwatched = (
        sparring.train(str(points), samples=2112, out=tmp_path / mode, watchdog=mode, display=Silent(), **SMALL).folder
        for mode in ("warn", "off")
    )
    assert lines(warned / "signals.jsonl") and "finding" in kinds(warned) and "remedy" not in kinds(warned)
    assert not (unwatched / "signals.jsonl").exists() and "finding" not in kinds(unwatched)
    for run in (warned, unwatched):
        assert not (run / "good").exists() and not (run / "best").exists()


class StopAtStep:
    """Display that interrupts the run at ``step``."""

    def __init__(self, step: int) -> None:
        self.at = step

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        if progress.step == self.at:
            os.kill(os.getpid(), signal.SIGINT)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


class StopAfterRollback:
    """Display that interrupts the run ``after`` steps after its first rollback."""

    def __init__(self, after: int) -> None:
        self.after, self.steps, self.rolled_back = after, 0, False

    def say(self, sentence: str) -> None:
        self.rolled_back = self.rolled_back or "rolled back to" in sentence

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        if self.rolled_back and self.steps == self.after:
            os.kill(os.getpid(), signal.SIGINT)
        self.steps += self.rolled_back

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def trained(points: Path, out: Path, *, stop: int | None = None, **choices: Any) -> Path:
    """Train a run; with ``stop``, interrupt it that many steps after its first rollback, and resume it."""
    display = Silent() if stop is None else StopAfterRollback(stop)
    options: dict[str, Any] = {"out": out, "display": display, **SMALL, **choices}
    if stop is None:
        return sparring.train(str(points), **options).folder
    with pytest.raises(sparring.Interrupted):
        sparring.train(str(points), **options)
    assert state(out)["samples"] < options["samples"]
    return sparring.resume(out, display=Silent()).folder


def assert_same(one: Path, other: Path, digest: Digest) -> None:
    assert digest(one) == digest(other)
    assert state(one) == state(other)
    assert "log changed" not in kinds(other)
    assert lines(one / "signals.jsonl") == lines(other / "signals.jsonl")


def force_rollbacks(patch: pytest.MonkeyPatch) -> None:
    """Observe every fourth step, and force two rollbacks, from the eleventh observation on."""
    always = Rule("divergence", (above("lead", -1.0),), consecutive=1, ignored=10)
    patch.setattr(findings, "RULES", (always,))
    patch.setattr(signals, "FIRST_INTERVAL", 4)
    patch.setattr(watchdog, "REMEDIES", {"divergence": (replace(SLOW_DOWN, trial=3),) * 2})
    patch.setattr(watchdog, "HELPFUL_RATIO", 0.0)
    patch.setattr(session.Session, "_finish", lambda self: None)


@pytest.fixture(scope="module")
def whole(points: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run with forced rollbacks that is not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        force_rollbacks(patch)
        return trained(points, tmp_path_factory.mktemp("whole") / "run", samples=SAMPLES)


def test_forced_findings_roll_the_run_back_twice(whole: Path) -> None:
    judged = [event for event in read_events(whole / "events.jsonl") if isinstance(event, RemedyJudged)]
    assert [event.outcome for event in judged] == ["did not help"] * 2 and kinds(whole).count("remedy") == 2
    assert state(whole)["controls"]["generator rate"][0] == 1 / 16
    samples = [line["samples"] for line in lines(whole / "signals.jsonl")]
    assert samples == [4 * 32 * (observation + 1) for observation in range(SAMPLES // 128)]


@pytest.mark.parametrize("stop", [0, 9, *(pytest.param(stop, marks=pytest.mark.slow) for stop in (1, 3, 4, 15, 40))])
def test_a_run_interrupted_after_a_rollback_resumes_bit_for_bit(
    stop: int, whole: Path, points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force_rollbacks(monkeypatch)
    stopped = trained(points, tmp_path / "run", stop=stop, samples=SAMPLES)
    assert "resumed" in kinds(stopped)
    assert_same(whole, stopped, digest)


PRETRAINING_STEPS = 18
"""Steps before the adversarial phase."""


def force_rollbacks_in_the_second_phase(patch: pytest.MonkeyPatch) -> None:
    """Force rollbacks in the second of two phases; the first is not watched."""
    force_rollbacks(patch)
    phases = (Phase("pretraining", until=PRETRAINING_STEPS * 32 / SAMPLES, watched=False), Phase("contest"))
    patch.setattr(Duel, "phases", phases)


@pytest.fixture(scope="module")
def phased(points: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run with forced rollbacks in its second phase that is not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        force_rollbacks_in_the_second_phase(patch)
        return trained(points, tmp_path_factory.mktemp("phased") / "run", samples=SAMPLES)


def test_an_unwatched_phase_has_no_findings_and_no_rollback_crosses_its_end(phased: Path) -> None:
    _, first, *others = lines(phased / "events.jsonl")
    assert first["kind"] == "phase" and (first["ended"], first["samples"]) == ("pretraining", PRETRAINING_STEPS * 32)
    assert [event["kind"] for event in others].count("remedy") == 2 and kinds(phased).count("phase") == 1
    assert all(event["samples"] >= PRETRAINING_STEPS * 32 for event in others)
    assert all(line["phase"] == 1 and line["step"] > PRETRAINING_STEPS for line in lines(phased / "signals.jsonl"))
    for name in ("good", "best"):
        assert all(int(kept.name) >= PRETRAINING_STEPS * 32 for kept in checkpoints(phased / name))
    memory = state(phased)["extra"]["watchdog"]["memory"]
    assert [memory["phase"], memory["start"]] == [1, PRETRAINING_STEPS * 32]


@pytest.mark.parametrize(
    "stop", [PRETRAINING_STEPS - 8, PRETRAINING_STEPS, PRETRAINING_STEPS + 6, PRETRAINING_STEPS + 46]
)
def test_a_run_interrupted_in_any_phase_resumes_bit_for_bit(
    stop: int, phased: Path, points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force_rollbacks_in_the_second_phase(monkeypatch)
    choices = {"out": tmp_path / "run", "samples": SAMPLES, "display": StopAtStep(stop), **SMALL}
    with pytest.raises(sparring.Interrupted):
        sparring.train(str(points), **choices)
    assert state(tmp_path / "run")["step"] == stop
    stopped = sparring.resume(tmp_path / "run", display=Silent()).folder
    assert_same(phased, stopped, digest)
    assert kinds(stopped).count("phase") == 1


def test_figures_discarded_by_a_rollback_are_removed_from_the_log(whole: Path) -> None:
    samples = [line["samples"] for line in lines(whole / "log.jsonl")]
    assert samples == sorted(set(samples))


@pytest.mark.usefixtures("without_evaluation")
def test_a_run_interrupted_after_a_rescue_resumes_bit_for_bit(points: Path, digest: Digest, tmp_path: Path) -> None:
    choices = {"samples": 3200, "learning_rate": EXCESSIVE_RATE}
    undisturbed = trained(points, tmp_path / "whole", **choices)
    assert "remedy" in kinds(undisturbed)
    assert_same(undisturbed, trained(points, tmp_path / "run", stop=5, **choices), digest)


def test_the_best_average_does_not_depend_on_the_save_interval(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force_rollbacks(monkeypatch)
    monkeypatch.setattr(findings, "RULES", ())
    monkeypatch.setattr(best, "distance_difference", lambda *sides: Difference(1.0, 0.0))
    found = []
    for name, seconds in (("seldom", 60.0), ("always", -1.0)):
        monkeypatch.setattr(session, "SAVE_INTERVAL_SECONDS", seconds)
        found.append(trained(points, tmp_path / name, samples=24 * 32))
        assert "best restored" in kinds(found[-1])
    assert digest(found[0]) == digest(found[1])


LEARNING: dict[str, Any] = {
    "batch": 32,
    "width": 32,
    "latent_size": 2,
    "places": 0,
    "gamma": 0.1,
    "learning_rate": 3e-3,
}
"""Options with which a run of 160 steps approaches the data in its first half."""


@pytest.fixture
def without_rules(monkeypatch: pytest.MonkeyPatch, without_evaluation: None) -> None:
    """Observe every fourth step, and apply no rules."""
    monkeypatch.setattr(signals, "FIRST_INTERVAL", 4)
    monkeypatch.setattr(findings, "RULES", ())


@pytest.mark.usefixtures("without_rules")
def test_a_run_without_improvement_settles_after_the_fewest_observations(points: Path, tmp_path: Path) -> None:
    choices = {**LEARNING, "learning_rate": 1e-9}
    run = sparring.train(
        str(points), samples=160 * 32, until="settled", out=tmp_path / "run", display=Silent(), **choices
    ).folder
    assert len(lines(run / "signals.jsonl")) == MIN_OBSERVATIONS
    (reached,) = [event for event in read_events(run / "events.jsonl") if isinstance(event, GoalReached)]
    assert reached.samples == 4 * 32 * MIN_OBSERVATIONS
    assert state(run)["samples"] == 4 * 32 * MIN_OBSERVATIONS


@pytest.mark.parametrize("watchdog", ["repair", "warn"])
@pytest.mark.usefixtures("without_rules")
def test_an_improving_run_continues_until_it_settles(
    watchdog: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are two clusters, far from which all samples begin."""
    monkeypatch.setattr(signals, "FIRST_INTERVAL", 8)
    random = np.random.default_rng(0)
    centres = np.where(random.random((150, 1)) < 0.5, 1.0, -1.0) * [1.0, -1.0]
    np.save(tmp_path / "two.npy", (centres + 0.1 * random.normal(size=(150, 2))).astype(np.float32))
    choices = {**LEARNING, "gamma": 3.0, "samples": 640 * 32, "seed": 1, "watchdog": watchdog, "until": "settled"}
    run = sparring.train(str(tmp_path / "two.npy"), out=tmp_path / "run", display=Silent(), **choices).folder
    distances = [line["distance"] for line in lines(run / "signals.jsonl")]
    assert MIN_OBSERVATIONS + 2 < len(distances) < 80 and "goal reached" in kinds(run)
    assert min(distances) < 0.1 * distances[0] and distances[-1] < 0.3 * distances[0]


def test_a_resumed_run_settles_where_an_uninterrupted_one_does(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force_rollbacks(monkeypatch)
    choices = {"samples": 80 * 32, "learning_rate": 1e-9, "until": "settled"}
    whole, stopped = (trained(points, tmp_path / str(stop), stop=stop, **choices) for stop in (None, 5))
    assert "resumed" in kinds(stopped) and "goal reached" in kinds(stopped) and kinds(whole).count("remedy") == 2
    assert state(whole)["samples"] == 4 * 32 * MIN_OBSERVATIONS
    assert_same(whole, stopped, digest)


def perturb_the_last_average(patch: pytest.MonkeyPatch) -> None:
    """Perturb the averaged generator at the end of training."""
    restore_best = session.Session._restore_best

    def perturbed(self: session.Session) -> bool:
        with torch.no_grad():
            for weight in self.trainer.average.players["generator"].parameters():
                weight.add_(0.3)
        return restore_best(self)

    patch.setattr(session.Session, "_restore_best", perturbed)


def average(checkpoint: Path) -> dict[str, Any]:
    """Return the averaged players of a checkpoint."""
    tensors = load_file(checkpoint / "players.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith("average/")}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    assert one.keys() == other.keys() and one
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("without_rules")
def test_the_best_average_is_restored_where_the_last_one_is_worse(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the average changes: the players stay as trained, and a run that only warns restores nothing."""
    choices = {**LEARNING, "samples": 60 * 32, "learning_rate": 1e-3}
    plain = trained(points, tmp_path / "plain", **choices)
    perturb_the_last_average(monkeypatch)
    repaired, warned = (trained(points, tmp_path / mode, watchdog=mode, **choices) for mode in ("repair", "warn"))
    kept = checkpoints(repaired / "best")[-1]
    (event,) = [event for event in read_events(repaired / "events.jsonl") if isinstance(event, BestRestored)]
    assert (event.samples, event.best) == (60 * 32, int(kept.name))
    ends = {run: checkpoints(run / "checkpoints")[-1] for run in (plain, repaired, warned)}
    assert {end.name for end in ends.values()} == {f"{60 * 32:09d}"}
    assert same(average(ends[repaired]), average(kept))
    assert "best restored" not in kinds(plain) and "best restored" not in kinds(warned)
    assert not same(average(ends[plain]), average(kept)) and not same(average(ends[warned]), average(ends[plain]))
    digests = [{name: value for name, value in digest(run).items() if "average/" not in name} for run in ends]
    assert digests[0] == digests[1] == digests[2]


@pytest.mark.usefixtures("without_rules")
def test_the_best_average_is_restored_once(
    points: Path, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose evaluation was interrupted has it already when it is resumed."""
    with pytest.MonkeyPatch.context() as patch:
        perturb_the_last_average(patch)
        run = trained(points, tmp_path / "run", samples=60 * 32, **LEARNING)
    before = digest(run)
    sparring.resume(run, display=Silent())
    assert digest(run) == before and kinds(run).count("best restored") == 1


@pytest.mark.usefixtures("without_rules")
def test_images_are_augmented_only_where_the_discriminator_overfits(tmp_path: Path) -> None:
    controls = {}
    for count in (40, 1000):
        images = np.random.default_rng(0).integers(0, 256, size=(count, 8, 8, 1), dtype=np.uint8)
        np.savez(tmp_path / f"{count}.npz", images=images)
        small = {
            "batch": 16,
            "width": 8,
            "discriminator_width": 16,
            "latent_size": 4,
            "gamma": 0.001,
            "learning_rate": 1e-2,
        }
        source, out = str(tmp_path / f"{count}.npz"), tmp_path / f"run of {count}"
        run = sparring.train(
            source, recipe="images/r3gan", samples=88 * 16, seed=1, out=out, display=Silent(), **small
        ).folder
        controls[count] = [line.controls["augmentation"] for line in read_log(run / "log.jsonl")]
        gaps = [line.get("held-out gap", 0.0) for line in lines(run / "signals.jsonl")]
        assert (median(gaps) > OVERFITTING_TARGET) == (count == 40)
    assert controls[40][0] == 0.0 < controls[40][-1]
    assert max(controls[1000]) < max(controls[40]) / 4, "one high gap alone may raise it a little"
