"""The incidents of a run: each finding from its start to its end, with the remedies and their outcomes.

events.jsonl has what the watchdog reported and did. How long a finding was active follows from a replay of the rules on
signals.jsonl, which also finds the incidents of a run in which nothing was reported.
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import final

from pydantic import BaseModel, computed_field

from sparring.events import AnyEvent, FindingReported, PhaseBegun, RemedyApplied, RemedyJudged, Resumed
from sparring.watchdog.data import UNHEALTHY_DATA
from sparring.watchdog.rules import FINDINGS, REPORT_INTERVAL, History, findings_in


class Outcome(StrEnum):
    """Outcome of a remedy, or of an incident without one."""

    UNTREATED = "nothing was done"
    PENDING = "not judged yet"
    HELPED = "helped"
    PARTLY = "helped in part"
    FAILED = "did not help"
    UNJUDGED = "not judged before the phase ended"


@final
class Treatment(BaseModel):
    """A remedy that was applied.

    Args:
        remedy: its description.
        samples: real samples seen when it was applied.
        rolled_back_to: samples of the state that the run was rolled back to, or None.
        outcome: its outcome.
        judged_at: samples seen when it was judged, or None.
    """

    remedy: str
    samples: int
    rolled_back_to: int | None = None
    outcome: Outcome = Outcome.PENDING
    judged_at: int | None = None


@final
class Incident(BaseModel):
    """A finding from its start to its end.

    Args:
        finding: its name.
        start: real samples seen when it was found.
        end: real samples seen when it was last found, or when a remedy had helped.
        explanation: one plain sentence.
        evidence: signals that spoke for it.
        advice: what a user can do.
        active: whether it held at the last observation.
        treatments: remedies that were applied, the earliest first.
        abandoned: whether the run was rolled back to before it, because of another finding.
        phase_end: samples seen when the phase ended in which it was found and not solved, or None.
    """

    finding: str
    start: int
    end: int
    explanation: str
    evidence: tuple[str, ...] = ()
    advice: str = ""
    active: bool = False
    treatments: list[Treatment] = []
    abandoned: bool = False
    phase_end: int | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Outcome:
        """Outcome of the last remedy."""
        return self.treatments[-1].outcome if self.treatments else Outcome.UNTREATED

    @property
    def summary(self) -> str:
        """A few words on what became of it: "remedy 2 helped", "passed by itself"."""
        if self.abandoned:
            return "undone by a rollback"
        if self.active or self.outcome in (Outcome.PENDING, Outcome.HELPED, Outcome.UNJUDGED):
            number = f" {len(self.treatments)}" if len(self.treatments) > 1 else ""
            return f"remedy{number} {self.outcome}" if self.treatments else self.outcome
        return "passed by itself" if self.phase_end is None else "ended with its phase"

    @property
    def solved_at(self) -> int | None:
        """Samples seen when a remedy was found to have helped, or None."""
        return self.treatments[-1].judged_at if self.outcome == Outcome.HELPED else None

    @property
    def earliest(self) -> int:
        """Samples of the earliest state from which the run has gone through it."""
        return min([self.start, *(one.rolled_back_to for one in self.treatments if one.rolled_back_to is not None)])

    def covers(self, replayed: "Incident") -> bool:
        """Return whether an incident of the replay is this one."""
        until = self.solved_at if self.treatments else self.start
        latest = min(samples for samples in (until, self.phase_end, math.inf) if samples is not None)
        overlaps = self.earliest <= replayed.end and replayed.start <= latest
        return self.finding == replayed.finding and overlaps and not self.abandoned


def incidents(observations: History, events: Iterable[AnyEvent]) -> list[Incident]:
    """Return the incidents of a run: those that were reported, in that order, then others that the rules find.

    Args:
        observations: those of signals.jsonl.
        events: those of events.jsonl.
    """
    replayed, kept = replay(observations), surviving(events)
    phase_start = max((event.samples for event in kept if isinstance(event, PhaseBegun)), default=0)
    for one in replayed:
        one.active = one.active and one.end > phase_start
    reported = _Reports(replayed).read(kept)
    others = [one for one in replayed if not any(incident.covers(one) for incident in reported)]
    for incident in reported:
        same = [one for one in replayed if incident.covers(one)]
        _set_end(incident, same[-1] if same else None, observations[-1].samples if observations else 0)
    return [*reported, *others]


def begun(finding: FindingReported) -> Incident:
    """Return the incident that begins with a finding."""
    fields = finding.model_dump(include={"finding", "explanation", "evidence", "advice"})
    return Incident(start=finding.samples, end=finding.samples, **fields)


def replay(observations: History) -> list[Incident]:
    """Apply the rules to each observation, phase by phase; a pause shorter than the report interval ends nothing."""
    found: list[Incident] = []
    for _, phase in groupby(observations, key=lambda observation: observation.phase):
        history, latest = list(phase), dict[str, tuple[Incident, int]]()
        for count in range(1, len(history) + 1):
            for finding in findings_in(history[:count]):
                incident, before = latest.get(finding.finding, (None, 0))
                if incident is None or count - before >= REPORT_INTERVAL:
                    incident = begun(finding)
                    found.append(incident)
                incident.end, incident.active = finding.samples, history[count - 1] is observations[-1]
                latest[finding.finding] = incident, count
    return found


def surviving(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Return the events without those after the last checkpoint of a killed run: the resumed run had them again."""
    kept: list[AnyEvent] = []
    for event in events:
        while isinstance(event, Resumed) and kept and _position(kept[-1]) > event.samples:
            kept.pop()
        kept.append(event)
    return kept


def by_severity(several: Iterable[Incident]) -> list[Incident]:
    """Sort incidents by the severity of their findings, faults of the data first."""
    order = {finding: place for place, finding in enumerate((UNHEALTHY_DATA, *FINDINGS))}
    return sorted(several, key=lambda incident: order.get(incident.finding, len(order)))


@final
class _Reports:
    """Builds incidents from events; ``open`` are those that are not solved."""

    def __init__(self, replayed: Sequence[Incident]) -> None:
        self.replayed = replayed
        self.incidents: list[Incident] = []
        self.open: dict[str, Incident] = {}

    def read(self, events: Iterable[AnyEvent]) -> list[Incident]:
        """Return the incidents that the events report."""
        for event in events:
            match event:
                case FindingReported():
                    self._find(event)
                case RemedyApplied() if event.finding in self.open:
                    fields = event.model_dump(include={"remedy", "samples", "rolled_back_to"})
                    self.open[event.finding].treatments.append(Treatment(**fields))
                    self._roll_back(event)
                case RemedyJudged() if event.finding in self.open:
                    # The outcome is that of the latest remedy; after one that did not help, the next may follow.
                    for treatment in self.open[event.finding].treatments[-1:]:
                        treatment.outcome, treatment.judged_at = Outcome(event.outcome), event.samples
                    self._roll_back(event)
                    if event.outcome == "helped":
                        del self.open[event.finding]
                case PhaseBegun():
                    self._end_phase(event.samples)
        return self.incidents

    def _find(self, event: FindingReported) -> None:
        """Begin an incident, unless it is open already; of the data each fault is one."""
        key = event.explanation if event.finding == UNHEALTHY_DATA else event.finding
        known = self.open.get(key)
        if known is not None and self._continues(known, event.samples):
            known.start, known.end = min(known.start, event.samples), max(known.end, event.samples)
        else:
            self.open[key] = begun(event)
            self.incidents.append(self.open[key])

    def _continues(self, incident: Incident, samples: int) -> bool:
        """Return whether a finding at ``samples`` is the same incident, not a relapse."""
        ends = [one.end for one in self.replayed if one.finding == incident.finding and one.start <= incident.start]
        return bool(incident.treatments) or samples <= max(ends, default=incident.start)

    def _roll_back(self, event: RemedyApplied | RemedyJudged) -> None:
        """Abandon the other incidents that began after the state that the run was rolled back to, if it was."""
        for key, incident in list(self.open.items()):
            if key != event.finding and event.rolled_back_to is not None and incident.start > event.rolled_back_to:
                incident.abandoned, incident.end = True, max(incident.end, event.samples)
                del self.open[key]

    def _end_phase(self, samples: int) -> None:
        """End all incidents but those of the data; a remedy on trial is not judged."""
        for key, incident in list(self.open.items()):
            if incident.finding != UNHEALTHY_DATA:
                incident.phase_end = samples
                if incident.outcome == Outcome.PENDING:
                    incident.treatments[-1].outcome = Outcome.UNJUDGED
                del self.open[key]


def _position(event: AnyEvent) -> int:
    """Return the samples seen by the state after an event."""
    match event:
        case RemedyApplied(rolled_back_to=int(samples)) | RemedyJudged(rolled_back_to=int(samples)):
            return samples
    return event.samples


def _set_end(incident: Incident, replayed: Incident | None, last: int) -> None:
    """Set the end of a reported incident by that of the replay, whose last observation is at ``last`` samples."""
    if incident.finding == UNHEALTHY_DATA:
        incident.end, incident.active = max(incident.end, last), True
    elif incident.solved_at is not None:
        known = replayed is not None and incident.earliest == incident.start
        incident.end = min(incident.solved_at, replayed.end) if replayed and known else incident.solved_at
    elif replayed is not None:
        incident.start = min(incident.start, max(replayed.start, incident.earliest))
        incident.end, incident.active = replayed.end, replayed.active and incident.phase_end is None
    else:
        ended = last > incident.end or incident.abandoned or incident.phase_end is not None
        incident.active = not ended and incident.outcome != Outcome.PENDING
