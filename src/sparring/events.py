"""Events of a run: one class per kind of thing that can happen, each with the sentence that a person reads.

A run folder keeps them in events.jsonl as fields, not as sentences: whoever reads them back gets typed values.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sparring.storage import read_lines
from sparring.text import number_of


class Event(BaseModel):
    """Something that happened at ``samples`` real samples seen, ``time`` seconds after the epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    samples: int
    time: float = Field(default_factory=time.time)


@final
class MicroBatchHalved(Event):
    """Memory ran out, and the batch is computed in smaller portions from now on."""

    kind: Literal["micro-batch halved"] = "micro-batch halved"
    size: int

    @property
    def sentence(self) -> str:
        return f"Out of memory: continuing with micro-batches of {self.size}, accumulated over the same batch."


@final
class UpdateSkipped(Event):
    """An update was not made, because its gradient or its sum of terms was not finite."""

    kind: Literal["update skipped"] = "update skipped"
    step: int
    turn: str
    quantity: Literal["gradient", "sum of terms"]

    @property
    def sentence(self) -> str:
        return f"The {self.quantity} of the {self.turn} is not finite at step {self.step}: this update is skipped."


@final
class FindingReported(Event):
    """A rule of the watchdog holds."""

    kind: Literal["finding"] = "finding"
    finding: str
    step: int
    explanation: str
    evidence: tuple[str, ...] = ()
    advice: str = ""

    @property
    def sentence(self) -> str:
        seen = f" ({'; '.join(self.evidence)})" if self.evidence else ""
        return f"{_capitalised(self.finding)}: {self.explanation}{seen}"


@final
class RemedyApplied(Event):
    """The watchdog acted; ``rolled_back_to`` counts the samples of the state it went back to, if it did."""

    kind: Literal["remedy"] = "remedy"
    finding: str
    remedy: str
    step: int
    rolled_back_to: int | None = None

    @property
    def sentence(self) -> str:
        back = "" if self.rolled_back_to is None else f"; rolled back to {self.rolled_back_to:,} samples"
        return f"Remedy for {self.finding}: {self.remedy}{back}."


@final
class RemedyJudged(Event):
    """A remedy was on trial, and the trial is over."""

    kind: Literal["remedy judged"] = "remedy judged"
    finding: str
    remedy: str
    outcome: Literal["helped", "helped in part", "did not help"]
    reverted: bool = False
    rolled_back_to: int | None = None

    @property
    def sentence(self) -> str:
        reverted = "; reverted" if self.reverted else ""
        back = "" if self.rolled_back_to is None else f"; rolled back to {self.rolled_back_to:,} samples"
        return f"The remedy for {self.finding} ({self.remedy}) {self.outcome}{reverted}{back}."


@final
class PhaseBegun(Event):
    """One phase of the game ended and the next one begins."""

    kind: Literal["phase"] = "phase"
    number: int
    name: str
    ended: str

    @property
    def sentence(self) -> str:
        return f"Phase {self.ended} ended after {self.samples:,} samples; phase {self.name} begins."


@final
class Resumed(Event):
    """The run continues from a checkpoint, or from the beginning where there was none."""

    kind: Literal["resumed"] = "resumed"
    checkpoint: str | None = None

    @property
    def sentence(self) -> str:
        if self.checkpoint is None:
            return "No checkpoint was written yet: starting again from the beginning, with the same random numbers."
        return f"Resumed at {self.samples:,} samples."


@final
class BudgetChanged(Event):
    """The run continues with another budget, which counts from its beginning; None where a part does not count."""

    kind: Literal["budget changed"] = "budget changed"
    samples_before: int | None
    minutes_before: float | None
    samples_now: int | None
    minutes_now: float | None
    goal: str | None = None
    """A goal that had been reached and is dropped."""
    spent: float | None = None
    """Share of the new budget that is spent already; None in runs of earlier versions."""
    rates: dict[str, tuple[float, float]] = {}
    """Learning rates by the old and by the new budget, by optimiser."""

    @property
    def sentence(self) -> str:
        before, now = (
            budget_words(samples, minutes)
            for samples, minutes in (
                (self.samples_before, self.minutes_before),
                (self.samples_now, self.minutes_now),
            )
        )
        dropped = "" if self.goal is None else f" The goal {self.goal} was reached and is dropped."
        spent = "" if self.spent is None else f", of which {100 * self.spent:.0f} % is spent"
        moved = [f"{name} {new:.3g} in place of {old:.3g}" for name, (old, new) in self.rates.items() if new != old]
        rates = f" Learning rates from here on: {', '.join(moved)}." if moved else ""
        return (
            f"The budget is now {now} in all, instead of {before}. "
            f"Learning rates and all other schedules now run over the new budget{spent}.{rates}{dropped}"
        )


@final
class CheckpointDamaged(Event):
    """A checkpoint failed its verification and an older one was used."""

    kind: Literal["checkpoint damaged"] = "checkpoint damaged"
    complaint: str

    @property
    def sentence(self) -> str:
        return self.complaint


@final
class SnapshotDamaged(Event):
    """A state in ``good/`` or ``best/`` failed its verification: an older one was used, or none."""

    kind: Literal["snapshot damaged"] = "snapshot damaged"
    folder: Literal["good", "best"]
    complaint: str
    used: int | None = None

    @property
    def sentence(self) -> str:
        purpose = "to roll back to" if self.folder == "good" else "to publish if the last one is worse"
        found = "none is left" if self.used is None else f"that of {self.used:,} samples is used"
        return f"Damage in {self.folder}/, the states {purpose}: {found}. {self.complaint}"


@final
class CheckpointNotSaved(Event):
    """A checkpoint could not be written."""

    kind: Literal["checkpoint not saved"] = "checkpoint not saved"
    error: str

    @property
    def sentence(self) -> str:
        return f"The checkpoint could not be written ({self.error}); the previous one is untouched."


@final
class PictureNotWritten(Event):
    """A picture of samples could not be written."""

    kind: Literal["picture not written"] = "picture not written"
    error: str

    @property
    def sentence(self) -> str:
        return f"A picture could not be written ({self.error})."


@final
class WatchdogRestarted(Event):
    """The state of an earlier version of the watchdog cannot be read."""

    kind: Literal["watchdog restarted"] = "watchdog restarted"

    @property
    def sentence(self) -> str:
        return "An earlier version of sparring wrote this run: the watchdog resets, and forgets the remedies on trial."


@final
class ObservationsChanged(Event):
    """The observations in signals.jsonl are not those that were made before the checkpoint."""

    kind: Literal["observations changed"] = "observations changed"

    @property
    def sentence(self) -> str:
        return "signals.jsonl is damaged: the watchdog goes on with the observations that can be read."


@final
class LogChanged(Event):
    """Figures or events that were written before the checkpoint are not as they were written."""

    kind: Literal["log changed"] = "log changed"
    file: str

    @property
    def sentence(self) -> str:
        return f"{self.file} was changed or damaged since it was written: what it says of the time before may be wrong."


@final
class BestRestored(Event):
    """The published average is the best one seen, not the last one."""

    kind: Literal["best restored"] = "best restored"
    best: int

    @property
    def sentence(self) -> str:
        return f"The samples were best after {self.best:,} samples: the average of that moment is published."


@final
class GoalMeasured(Event):
    """The metric of ``--until`` was measured."""

    kind: Literal["goal measured"] = "goal measured"
    metric: str
    value: float | None
    goal: str

    @property
    def sentence(self) -> str:
        value = "not a number" if self.value is None else f"{self.value:.4g}"
        return f"{self.metric} is {value}; the goal is {self.goal}."


@final
class GoalReached(Event):
    """The goal of ``--until`` is reached, and training stops."""

    kind: Literal["goal reached"] = "goal reached"
    goal: str

    @property
    def sentence(self) -> str:
        return f"The goal {self.goal} is reached after {self.samples:,} samples."


@final
class Finished(Event):
    """Training is over."""

    kind: Literal["finished"] = "finished"
    seconds: float

    @property
    def sentence(self) -> str:
        return f"Trained on {self.samples:,} samples in {self.seconds:.0f} s."


AnyEvent: TypeAlias = (
    MicroBatchHalved
    | UpdateSkipped
    | FindingReported
    | RemedyApplied
    | RemedyJudged
    | PhaseBegun
    | Resumed
    | BudgetChanged
    | CheckpointDamaged
    | SnapshotDamaged
    | CheckpointNotSaved
    | PictureNotWritten
    | WatchdogRestarted
    | ObservationsChanged
    | LogChanged
    | BestRestored
    | GoalMeasured
    | GoalReached
    | Finished
)
"""Any of them, distinguished by ``kind``."""

_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="kind")])


def read_events(path: Path) -> list[AnyEvent]:
    """Return the events of an events.jsonl, the oldest first, without lines that are damaged or of another format."""
    events = []
    for line in read_lines(path):
        try:
            events.append(_EVENT.validate_json(json.dumps(line), strict=True))
        except ValidationError:
            continue
    return events


def budget_words(samples: int | None, minutes: float | None) -> str:
    """Return a budget in words: "200,000 samples", "10 minutes", or both."""
    words = [] if samples is None else [number_of(samples, "sample")]
    words += [] if minutes is None else [number_of(minutes, "minute")]
    return " or ".join(words) or "none"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
