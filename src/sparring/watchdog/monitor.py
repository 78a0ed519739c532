"""The watchdog: it observes a run, reports findings, applies remedies, and judges each of them.

A *signal* is a number, an *observation* all signals at one step. A *rule* on observations gives a *finding*. A finding
starts a *remedy*, which is on *trial* until it is judged. An *incident* is a finding, from start to end, with its
remedies.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from statistics import median
from typing import Any, Literal, final

from pydantic import BaseModel, ConfigDict

from sparring.controls import positions, restore_positions
from sparring.errors import SparringError
from sparring.events import (
    AnyEvent,
    FindingReported,
    ObservationsChanged,
    PhaseBegun,
    RemedyApplied,
    RemedyJudged,
    WatchdogRestarted,
)
from sparring.flow import Figures, Phase
from sparring.games.game import phase_at
from sparring.schema import Stored, validated
from sparring.training.guard import MAX_SKIPPED
from sparring.watchdog.best import is_better, recent_distance
from sparring.watchdog.convergence import CHANCE_DISTANCE, improvement_of
from sparring.watchdog.data import check_data
from sparring.watchdog.remedies import REMEDIES, Remedy, keep_adjusted
from sparring.watchdog.rules import (
    DIVERGENCE,
    MIN_CONSECUTIVE,
    NON_FINITE,
    REPORT_INTERVAL,
    WARM_UP,
    any_rule_holds,
    finding_named,
    findings_in,
)
from sparring.watchdog.signals import JSON_INFINITY, Observation, Observer, ObserverState, due
from sparring.watchdog.snapshots import Snapshots

MODES = ("repair", "warn", "off")
"""Report findings and apply remedies; only report findings; do not even observe."""
HELPFUL_RATIO = 0.8
"""Distance, relative to that at the start of a trial, below which a remedy helped though its finding still holds."""
RUINOUS_RATIO = 1.25
"""Distance, relative to that at the start of a trial, above which a risky remedy made the run worse, and is undone."""
SNAPSHOT_INTERVAL = 8
"""Observations between snapshots of a healthy run."""
MIN_SKIPPED = 16
"""Skipped updates between two observations from which on they need a remedy."""
MAX_ROLLBACKS = 6
"""Rollbacks in a run."""


_STATE = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@final
class Trial(BaseModel):
    """A remedy whose effect is awaited."""

    model_config = _STATE

    finding: str
    remedy: str
    due: int  # Number of observations at which it is judged.
    distance: float  # Distance of the samples from the data before it.
    controls: dict[str, tuple[float, bool]]  # Positions to which they are reverted; none after a rollback.
    risky: bool  # Whether the run is rolled back if it is ruined.


@final
class Memory(BaseModel):
    """State of the present phase that a resumed run needs beside its observations."""

    model_config = _STATE

    phase: int
    start: int = 0  # Samples seen when the phase began.
    rollbacks: int = 0  # In the whole run.
    attempts: dict[str, int] = {}  # Finding → remedies tried or passed over.
    reported: dict[str, int] = {}  # Finding → number of observations when it was last reported.
    trials: list[Trial] = []
    healthy: int = 0  # Observations in a row at which no rule held.
    best: float | None = None  # Least recent distance, once there is one.
    best_samples: int = 0  # Samples seen then.


class State(Stored):
    """All that a checkpoint keeps of a watchdog."""

    memory: Memory
    """State of the present phase."""
    observer: ObserverState
    """Figures since the last observation."""
    seen: str = ""
    """Digest of the observations of the phase, which are in signals.jsonl; "" in earlier versions."""


@final
class Watchdog:
    """The watchdog of one run. It resets with every phase of the game.

    Args:
        observer: makes the observations.
        snapshots: states to roll back to.
        mode: one of ``MODES``.
        on_event: called with each finding, remedy and outcome.
        on_observation: called with each observation.

    Attributes:
        history: observations of the present phase, without those that a rollback undid.
        active: names of the findings at the last observation, the most severe first.
        memory: all else that a resumed run has to know.
    """

    def __init__(
        self,
        observer: Observer,
        snapshots: Snapshots,
        mode: str,
        on_event: Callable[[AnyEvent], None],
        on_observation: Callable[[Observation], None],
    ) -> None:
        self.observer, self.trainer, self.snapshots, self.mode = observer, observer.trainer, snapshots, mode
        self.on_event, self.on_observation = on_event, on_observation
        self.history: list[Observation] = []
        self.active: list[str] = []
        self.memory = Memory(phase=phase_at(self.trainer.game, self.trainer.progress.fraction))

    def begin(self) -> None:
        """Check the data, and save the initial state."""
        if self.mode != "off":
            for finding in check_data(self.observer.split, self.observer.modality.bounds):
                self._report(finding)
        if self.mode == "repair":
            self.snapshots.save_good()

    def step(self) -> bool:
        """Observe the trainer after a step, if an observation is due; return whether the run was rolled back."""
        if self.mode == "off":
            return False
        # The step that ended a phase is observed in neither phase.
        if (number := self._next_phase()) != self.memory.phase:
            self._begin_phase(number)
        elif self._phase.watched:
            self.observer.step()
            if due(self.trainer.step):
                return self._consider(replace(self.observer.observe(), phase=self.memory.phase))
        return False

    def rescue(self) -> bool:
        """Treat a run that the trainer gave up, because too many updates were not finite; return whether it goes on."""
        if self.mode != "repair":
            return False
        found = finding_named(NON_FINITE, self.trainer.step, self.trainer.samples, (f"{MAX_SKIPPED} in a row",))
        self._report(found)
        risky = [trial for trial in self.memory.trials if trial.risky]
        return any(self._end_trial(trial, "did not help", ruined=True) for trial in risky) or bool(self._treat(found))

    @property
    def status(self) -> str:
        """State of the run in a word or two: "healthy", "mode collapse, imbalance"."""
        watched = self.mode != "off" and self._phase.watched
        return ", ".join(self.active) or "healthy" if watched else "not watched"

    @property
    def settled(self) -> bool:
        """True in the last phase when no further improvement is detectable, and no remedy is on trial."""
        last = self.memory.phase == len(self.trainer.game.phases) - 1
        return last and not self.memory.trials and improvement_of(self.history, 0).stopped is True

    def state(self) -> dict[str, Any]:
        """Return what ``restore`` needs beside the observations, as JSON values."""
        memory, seen = self.memory.model_dump(mode="json"), _digest(self.history)
        return {"memory": memory, "observer": self.observer.state(), "seen": seen}

    def require_state(self, state: Any) -> None:
        """Refuse a state that ``restore`` could not take.

        Raises:
            SparringError: a value is missing, unknown or of another type, or there is no such phase.
        """
        if state is not None:
            phase, phases = validated(State, state, "the state of the watchdog").memory.phase, self.trainer.game.phases
            if not 0 <= phase < len(phases):
                raise SparringError(
                    found=f"phase {phase} in the state of the watchdog",
                    expected=f"one of the game's {len(phases)}",
                    remedy="resume with the version of sparring that wrote it",
                )

    def restore(self, state: Any, history: list[Observation]) -> None:
        """Continue from ``state`` after the observations ``history``, those of earlier phases included.

        Without a state, as in a run of an earlier version, remedies and their trials are forgotten.
        """
        if state is None:
            self.on_event(WatchdogRestarted(samples=self.trainer.samples))
            self.history = history
            self.observer.reset()
            return
        known = validated(State, state, "the state of the watchdog")
        self.memory = known.memory
        self.history = [observation for observation in history if observation.samples > self.memory.start]
        if known.seen and known.seen != _digest(self.history):
            self.on_event(ObservationsChanged(samples=self.trainer.samples))
        self.observer.restore(known.observer)
        if self.memory.start and self.mode == "repair":
            # A run that was killed as the phase began may still have snapshots of the phase before.
            self.snapshots.drop_before(self.memory.start)

    @property
    def _phase(self) -> Phase:
        return self.trainer.game.phases[self.memory.phase]

    def _next_phase(self) -> int:
        """Return the number of the next step's phase; after the last step, that of this step."""
        fraction = self.trainer.progress.fraction
        return phase_at(self.trainer.game, fraction) if fraction < 1 else self.memory.phase

    def _begin_phase(self, number: int) -> None:
        """Reset: observations and remedies of the phase before do not count."""
        ended, samples = self._phase.name, self.trainer.samples
        self.memory = Memory(phase=number, start=samples, rollbacks=self.memory.rollbacks)
        self.history, self.active = [], []
        self.observer.reset()
        self.on_event(PhaseBegun(samples=samples, number=number, name=self._phase.name, ended=ended))
        if self.mode == "repair":
            # The checkpoint comes first: a run resumed from an earlier one would lack the snapshots that are dropped.
            self.snapshots.save_checkpoint()
            self.snapshots.drop_before(samples)

    def _consider(self, observation: Observation) -> bool:
        """Act on an observation; return whether the run was rolled back."""
        # Record it, and update the controls that follow a signal.
        passed = observation.samples - (self.history[-1].samples if self.history else self.memory.start)
        self.history.append(observation)
        self.on_observation(observation)
        if self.mode == "repair":
            figures = Figures(signals=observation.values, samples=passed)
            for control in self.trainer.controls.values():
                control.update(figures)

        # Judge the remedies on trial, then report findings, and treat the most severe one.
        findings = findings_in(self.history)
        self.active = [finding.finding for finding in findings]
        if self._judge_trials():
            return True
        for finding in findings:
            reported = self.memory.reported.get(finding.finding, -REPORT_INTERVAL)
            if len(self.history) - reported >= REPORT_INTERVAL:
                self._report(finding)
                if self._needs_remedy(finding) and (applied := self._treat(finding)):
                    return applied.rolled_back_to is not None

        # Save the state, if the run is healthy or better than ever.
        memory, now = self.memory, recent_distance(self.history)
        memory.healthy = 0 if any_rule_holds(self.history) else memory.healthy + 1
        if self.mode == "repair":
            interval_over = len(self.history) % SNAPSHOT_INTERVAL == 0
            if memory.healthy >= MIN_CONSECUTIVE and interval_over and not memory.trials:
                self.snapshots.save_good()
            if now is not None and is_better(now, memory.best):
                memory.best, memory.best_samples = now, observation.samples
                self.snapshots.save_best()
        return False

    def _report(self, finding: FindingReported) -> None:
        self.memory.reported[finding.finding] = len(self.history)
        self.on_event(finding)

    def _needs_remedy(self, finding: FindingReported) -> bool:
        """Return whether to act now: one remedy at a time, and none for a few updates, which are skipped anyway."""
        few = finding.finding == NON_FINITE and self.history[-1]["refused"] < MIN_SKIPPED
        return self.mode == "repair" and not self.memory.trials and not few

    def _treat(self, finding: FindingReported) -> RemedyApplied | None:
        """Apply the next remedy that would change something, and return its event; None if there is none left."""
        memory, trainer, remedies = self.memory, self.trainer, REMEDIES.get(finding.finding, ())
        tried = memory.attempts.get(finding.finding, 0)
        number = next((n for n in range(tried, len(remedies)) if self._is_possible(remedies[n])), len(remedies))
        memory.attempts[finding.finding] = number + 1
        if number >= len(remedies):
            return None

        # Roll back and move controls; before something risky, save the state to come back to.
        remedy, samples, step = remedies[number], trainer.samples, trainer.step
        before, distance = positions(trainer.controls), self._distance()
        if remedy.risky:
            self.snapshots.save_good()
        rolled_back = remedy.rolls_back and self._roll_back()
        remedy.apply(trainer)
        event = RemedyApplied(
            samples=samples,
            step=step,
            finding=finding.finding,
            remedy=remedy.description,
            rolled_back_to=trainer.samples if rolled_back else None,
        )
        self.on_event(event)

        # Start the trial. A run at its first observations has to get beyond them before it can be judged.
        trainer.guard.skipped.clear()
        memory.healthy = 0
        trial = Trial(
            finding=finding.finding,
            remedy=remedy.description,
            due=max(len(self.history), WARM_UP + MIN_CONSECUTIVE) + remedy.trial,
            distance=distance,
            controls={} if rolled_back else {name: before[name] for name in remedy.moved(trainer)},
            risky=remedy.risky,
        )
        memory.trials.append(trial)
        if rolled_back:
            self.snapshots.save_checkpoint()
        if remedy.reinitialises:
            self.snapshots.replace_good()
        return event

    def _is_possible(self, remedy: Remedy) -> bool:
        return remedy.fits(self.trainer) and not (remedy.rolls_back and self.memory.rollbacks >= MAX_ROLLBACKS)

    def _roll_back(self) -> bool:
        """Restore the last good state and forget what came after it, but for remedies; False if there is none."""
        memory, controls = self.memory, positions(self.trainer.controls)
        if not self.snapshots.roll_back():
            return False
        keep_adjusted(self.trainer, controls)
        self.observer.reset()
        self.history = [observation for observation in self.history if observation.step <= self.trainer.step]
        memory.reported = {name: min(count, len(self.history)) for name, count in memory.reported.items()}
        memory.trials.clear()
        memory.rollbacks += 1
        if memory.best_samples > self.trainer.samples:
            memory.best, memory.best_samples = None, 0
        return True

    def _judge_trials(self) -> bool:
        """Judge the trials that are over, and risky ones that ruined the run; return whether it was rolled back."""
        for trial in list(self.memory.trials):
            diverged = DIVERGENCE in self.active and trial.finding != DIVERGENCE
            over, distance = len(self.history) >= trial.due, self._distance()
            ruined = diverged or (over and distance > RUINOUS_RATIO * max(trial.distance, CHANCE_DISTANCE))
            if trial.risky and ruined:
                return self._end_trial(trial, "did not help", ruined=True)
            if over and not diverged and trial.finding not in self.active:
                self._end_trial(trial, "helped")
            elif over:
                # Closer by a fifth; never where no distance was known at the start.
                closer = distance < HELPFUL_RATIO * trial.distance < HELPFUL_RATIO * JSON_INFINITY
                self._end_trial(trial, "helped in part" if closer and not diverged else "did not help")
        return False

    def _end_trial(
        self, trial: Trial, outcome: Literal["helped", "helped in part", "did not help"], *, ruined: bool = False
    ) -> bool:
        """Report an outcome, and revert a remedy that did not help; return whether a ruined run was rolled back."""
        self.memory.trials.remove(trial)
        self.memory.reported.pop(trial.finding, None)

        # Revert before rolling back: a rollback keeps the controls where they are. Date the outcome before both.
        samples, former = self.trainer.samples, trial.controls if outcome == "did not help" else {}
        restore_positions(self.trainer.controls, former)
        rolled_back = ruined and self._roll_back()
        self.on_event(
            RemedyJudged(
                samples=samples,
                finding=trial.finding,
                remedy=trial.remedy,
                outcome=outcome,
                reverted=bool(former),
                rolled_back_to=self.trainer.samples if rolled_back else None,
            )
        )

        # A resumed run has to continue from here, so later checkpoints are replaced.
        if rolled_back:
            self.snapshots.save_checkpoint()
        return rolled_back

    def _distance(self) -> float:
        """Return the median distance of the last three observations."""
        distances = [value for observation in self.history[-3:] if not math.isnan(value := observation["distance"])]
        return median(distances) if distances else JSON_INFINITY


def _digest(history: list[Observation]) -> str:
    """Return the first 16 digits of the SHA-256 of observations, in hexadecimal."""
    return sha256(json.dumps([asdict(observation) for observation in history]).encode()).hexdigest()[:16]
