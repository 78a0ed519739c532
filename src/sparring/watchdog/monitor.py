"""Looks at a run, names what ails it, acts, and judges whether it helped."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any, Literal, Protocol, TypeAlias, final

from sparring.controls import positions, restore_positions
from sparring.events import AnyEvent, FindingReported, PhaseBegun, RemedyApplied, RemedyJudged, WatchdogRestarted
from sparring.flow import Figures, Phase
from sparring.games.game import phase_at
from sparring.watchdog.best import standing, surpasses
from sparring.watchdog.convergence import CHANCE, improvement_of
from sparring.watchdog.data import unhealthy
from sparring.watchdog.remedies import REMEDIES, Remedy, keep_turned
from sparring.watchdog.rules import COOLING, EARLY, LASTING, Finding, found, suspicious
from sparring.watchdog.signals import FAR, Observation, Observer, due

MODES = ("repair", "warn", "off")
OnEvent: TypeAlias = Callable[[AnyEvent], None]

GAIN = 0.8
"""A remedy helped if the distance fell below this share, too, though what it was against still holds."""
RUIN = 2.0
"""A bold remedy has ruined a run whose samples are so many times as far as before."""
KEPT_EVERY = 8
"""Looks between states that are kept to go back to, if nothing ails the run."""
NOT_FINITE, MANY = "non-finite numbers", 16
"""Updates between two looks that were not made, from which on the run goes back."""
ROLLBACKS = 6
"""How often a run may go back in all."""
BROKEN = "divergence"
"""What a remedy must not bring about."""


class SnapshotStore(Protocol):
    """Where good states are kept."""

    def keep(self) -> None:
        """Keep the present state."""
        ...

    def keep_this(self) -> None:
        """Keep the present state in place of all that were kept: there is no going back to them."""
        ...

    def go_back(self) -> bool:
        """To the last state that was kept, time excepted; False if there is none."""
        ...

    def keep_best(self) -> None:
        """Keep the present state as the best so far."""
        ...

    def forget_before(self, samples: int) -> None:
        """Forget the states of before ``samples``, the best too; keep the present one where none is left."""
        ...

    def secure(self) -> None:
        """Make sure that a resumed run goes on from here."""
        ...


@final
@dataclass
class Trial:
    """A remedy that is being tried.

    Args:
        finding: what it is against.
        says: what it is.
        step: since when.
        until: looks in all at which it is judged.
        distance: how far the samples were from the data.
        dials: where those that it turned stood before; none where it cannot be put back.
        bold: whether the run goes back, too, if that breaks it.
    """

    finding: str
    says: str
    step: int
    until: int
    distance: float
    controls: dict[str, tuple[float, bool]]
    bold: bool = False


@final
class Watchdog:
    """The watchdog of one run, which begins anew with every phase of the game.

    Args:
        observer: what it sees with.
        past: where it goes back to.
        mode: "repair": it acts; "warn": it only speaks; "off": it does not even look.
        tell: where it speaks.
        note: where each look is written down.
    """

    def __init__(
        self,
        observer: Observer,
        snapshots: SnapshotStore,
        mode: str,
        on_event: OnEvent,
        note: Callable[[Observation], None],
    ) -> None:
        self.observer, self.snapshots, self.mode, self.on_event, self.note = observer, snapshots, mode, on_event, note
        self.rollbacks = 0
        self._enter(phase_at(observer.trainer.game, observer.trainer.progress.fraction), 0)

    def _enter(self, phase: int, began: int) -> None:
        """Know nothing yet of the phase that begins after ``began`` samples."""
        self.phase, self.began = phase, began
        self.history: list[Observation] = []
        self.ailing: list[str] = []
        self.tries: dict[str, int] = {}
        self.said: dict[str, int] = {}
        self.trials: list[Trial] = []
        self.healthy = 0
        self.best, self.best_at = math.inf, 0

    def begin(self) -> None:
        """Look at the data, and keep the first state."""
        if self.mode == "off":
            return
        for finding in unhealthy(self.observer.split, self.observer.signal_source.bounds):
            self._say(finding)
        if self.mode == "repair":
            self.snapshots.keep()

    def step(self) -> bool:
        """Observe the trainer after a step, if an observation is due; return whether the run was rolled back."""
        rollbacks = self.rollbacks
        self._step()
        return self.rollbacks > rollbacks

    def _step(self) -> None:
        if self.mode == "off":
            return
        # The step that ended a phase is looked at in neither.
        if (number := self._phase_now()) != self.phase:
            self._begin_phase(number)
        elif self._now.watched:
            self.observer.step()
            if due(self.observer.trainer.step):
                self._consider(replace(self.observer.observe(), phase=self.phase))

    @property
    def word(self) -> str:
        """How the run does, in a word or two."""
        watched = self.mode != "off" and self._now.watched
        return ", ".join(self.ailing) or "healthy" if watched else "not watched"

    @property
    def settled(self) -> bool:
        """True where the last phase has come and no further gain can be told in it."""
        last = self.phase == len(self.observer.trainer.game.phases) - 1
        return last and not self.trials and improvement_of(self.history, 0).stopped is True

    def rescue(self) -> bool:
        """Numbers have not been finite for so long that the trainer gave up: go back, if that may help."""
        if self.mode != "repair":
            return False
        progress = self.observer.trainer.progress
        rule = "updates came out as infinite or as no number again and again."
        finding = Finding(NOT_FINITE, progress.step, progress.samples, rule, "", ("5 in a row",))
        self._say(finding)
        bold = [trial for trial in self.trials if trial.bold]
        return any(self._undo(trial, ruined=True) for trial in bold) or self._treat(finding)

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to go on watching, as JSON values."""
        trials = [asdict(trial) for trial in self.trials]
        kept: dict[str, Any] = {
            "tries": self.tries,
            "said": self.said,
            "rollbacks": self.rollbacks,
            "healthy": self.healthy,
        }
        kept["best"] = [self.best, self.best_at] if self.best < math.inf else None
        kept["phase"] = [self.phase, self.began]
        return {**kept, "trials": trials, "observer": self.observer.state()}

    def restore(self, state: dict[str, Any] | None, history: list[Observation]) -> None:
        """Continue from ``state``, having made the observations ``history``, those of earlier phases included.

        Without a state, as in a run of an earlier version, remedies and their trials are forgotten.
        """
        if state is None:
            self.on_event(WatchdogRestarted(samples=self.observer.trainer.samples))
            self.history = history
            self.observer.forget()
            return
        self._enter(*state.get("phase", (0, 0)))
        self.history = [observation for observation in history if observation.samples > self.began]
        self.tries, self.said = dict(state["tries"]), dict(state["said"])
        self.rollbacks, self.healthy = state["rollbacks"], state["healthy"]
        self.best, self.best_at = state["best"] or (math.inf, 0)
        self.trials = [Trial(**trial) for trial in state["trials"]]
        self.observer.restore(state["observer"])
        if self.began and self.mode == "repair":
            # Where the run was killed as the phase began, states of before it may still be there.
            self.snapshots.forget_before(self.began)

    @property
    def _now(self) -> Phase:
        """The present phase."""
        return self.observer.trainer.game.phases[self.phase]

    def _phase_now(self) -> int:
        """Number of the phase of the next step; after the last step, of that one."""
        trainer = self.observer.trainer
        fraction = trainer.progress.fraction
        return phase_at(trainer.game, fraction) if fraction < 1 else self.phase

    def _begin_phase(self, number: int) -> None:
        """Begin anew: nothing that was seen or tried before counts any more."""
        ended = self._now.name
        samples = self.observer.trainer.samples
        self._enter(number, samples)
        self.observer.forget()
        self.on_event(PhaseBegun(samples=samples, number=number, name=self._now.name, ended=ended))
        if self.mode == "repair":
            # First of all a checkpoint: a run resumed from an earlier one would lack the states that are forgotten.
            self.snapshots.secure()
            self.snapshots.forget_before(samples)

    def _consider(self, observation: Observation) -> None:
        passed = observation.samples - (self.history[-1].samples if self.history else self.began)
        self.history.append(observation)
        self.note(observation)
        if self.mode == "repair":
            figures = Figures(signals=observation.values, samples=passed)
            for control in self.observer.trainer.controls.values():
                control.update(figures)
        findings = found(self.history)
        self.ailing = [finding.name for finding in findings]
        if self._judge_trials():
            return
        for finding in findings:
            if self._is_new(finding):
                self._say(finding)
                if self._wants_treatment(finding) and self._treat(finding):
                    return
        self.healthy = 0 if suspicious(self.history) else self.healthy + 1
        if self.mode == "repair":
            self._keep()

    def _keep(self) -> None:
        """Keep what is good to go back to, and what is the best so far."""
        if self.healthy >= LASTING and len(self.history) % KEPT_EVERY == 0 and not self.trials:
            self.snapshots.keep()
        now = standing(self.history)
        if surpasses(now, self.best):
            self.best, self.best_at = now, self.history[-1].samples
            self.snapshots.keep_best()

    def _is_new(self, finding: Finding) -> bool:
        """Whether it was not said lately."""
        return len(self.history) - self.said.get(finding.name, -COOLING) >= COOLING

    def _wants_treatment(self, finding: Finding) -> bool:
        """A few updates that were not made were mended by that."""
        skipped = finding.name == NOT_FINITE and self.history[-1]["refused"] < MANY
        return self.mode == "repair" and not self.trials and not skipped

    def _say(self, finding: Finding) -> None:
        self.said[finding.name] = len(self.history)
        self.on_event(
            FindingReported(
                samples=self.observer.trainer.samples,
                finding=finding.name,
                step=finding.step,
                explanation=finding.says,
                evidence=finding.evidence,
                advice=finding.advice,
            )
        )

    def _treat(self, finding: Finding) -> bool:
        """Apply the next remedy that would change something; whether there was one."""
        trainer = self.observer.trainer
        remedies = REMEDIES.get(finding.name, ())
        number = self.tries.get(finding.name, 0)
        while number < len(remedies) and not self._may(remedies[number]):
            number += 1
        self.tries[finding.name] = number + 1
        if number >= len(remedies):
            return False
        remedy, before, distance = remedies[number], positions(trainer.controls), self._distance()
        step, samples = trainer.step, trainer.samples
        if remedy.bold:
            self.snapshots.keep()
        back = remedy.back and self._go_back()
        remedy.apply(trainer)
        target = trainer.samples if back else None
        self.on_event(
            RemedyApplied(samples=samples, finding=finding.name, remedy=remedy.says, step=step, rolled_back_to=target)
        )
        turned = {} if back else {name: before[name] for name in remedy.touched(trainer)}
        trainer.guard.skipped.clear()
        # The first looks are not judged: a run that went back to them has to get beyond them first.
        until = max(len(self.history), EARLY + LASTING) + remedy.trial
        self.trials.append(Trial(finding.name, remedy.says, trainer.step, until, distance, turned, remedy.bold))
        self.healthy = 0
        if back:
            self.snapshots.secure()
        if remedy.fresh:
            self.snapshots.keep_this()
        return True

    def _go_back(self) -> bool:
        """To the last good state; so does what is known of the run, but for what was tried. False if there is none."""
        trainer = self.observer.trainer
        controls = positions(trainer.controls)
        if not self.snapshots.go_back():
            return False
        keep_turned(trainer, controls)
        self.observer.forget()
        self.history = [observation for observation in self.history if observation.step <= trainer.step]
        self.said = {name: min(place, len(self.history)) for name, place in self.said.items()}
        self.trials.clear()
        self.rollbacks += 1
        if self.best_at > trainer.samples:
            self.best, self.best_at = math.inf, 0
        return True

    def _may(self, remedy: Remedy) -> bool:
        return remedy.fits(self.observer.trainer) and not (remedy.back and self.rollbacks >= ROLLBACKS)

    def _judge_trials(self) -> bool:
        """Say whether what was done helped; if it did not, put it back. Returns whether the run went back, too."""
        for trial in list(self.trials):
            broken = BROKEN in self.ailing and trial.finding != BROKEN
            over = len(self.history) >= trial.until
            farther = over and self._distance() > RUIN * max(trial.distance, CHANCE)
            if trial.bold and (broken or farther):
                return self._undo(trial, ruined=True)
            if over:
                mended = trial.finding not in self.ailing
                if not broken and (mended or self._distance() < GAIN * trial.distance < GAIN * FAR):
                    self._accept(trial, mended=mended)
                else:
                    self._undo(trial)
        return False

    def _accept(self, trial: Trial, *, mended: bool) -> None:
        """It helped, and stays."""
        self._end(trial)
        outcome: Literal["helped", "helped in part"] = "helped" if mended else "helped in part"
        samples = self.observer.trainer.samples
        self.on_event(RemedyJudged(samples=samples, finding=trial.finding, remedy=trial.says, outcome=outcome))

    def _undo(self, trial: Trial, *, ruined: bool = False) -> bool:
        """Revert a remedy that did not help, and roll back if it ruined the run; return whether that was done."""
        self._end(trial)
        samples = self.observer.trainer.samples
        restore_positions(self.observer.trainer.controls, trial.controls)
        back = ruined and self._go_back()
        self.on_event(
            RemedyJudged(
                samples=samples,
                finding=trial.finding,
                remedy=trial.says,
                outcome="did not help",
                reverted=bool(trial.controls),
                rolled_back_to=self.observer.trainer.samples if back else None,
            )
        )
        if back:
            self.snapshots.secure()
        return back

    def _end(self, trial: Trial) -> None:
        self.trials.remove(trial)
        self.said.pop(trial.finding, None)

    def _distance(self) -> float:
        """The median distance of the last three looks."""
        distances = [
            observation["distance"] for observation in self.history[-3:] if not math.isnan(observation["distance"])
        ]
        return median(distances) if distances else FAR
