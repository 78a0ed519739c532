"""The story of a run's ailments, from what was written down: each from when to when, what was done, whether it helped.

What was said at the time stands in events.jsonl. When it held is told by asking the rules again at every look that is
left, so that runs in which nothing was said, because nobody watched, are told of in the same words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias, final

from sparring.watchdog.data import NAME as UNHEALTHY_DATA
from sparring.watchdog.rules import COOLING, RULES, Finding, History, found

Event: TypeAlias = Mapping[str, Any]

UNDONE, PENDING, HELPED, IN_VAIN = "nothing was done", "not judged yet", "helped", "did not help"
PARTLY = "helped, but not enough"
"""What it was against still held."""
CUT_SHORT = "not judged before the phase ended"
PHASE = "phase"
"""The kind of event that tells that a phase of the game ends and the next one begins."""


@final
@dataclass(frozen=True)
class Treatment:
    """Something that the watchdog did.

    Args:
        says: what, in plain words.
        samples: real samples seen when it was done.
        back: samples of the state that the run went back to, or None where it did not go back.
        outcome: "helped", "helped, but not enough", "did not help", "not judged yet" or "not judged before the phase
            ended".
        judged: samples seen when that was said, or None.
    """

    says: str
    samples: int
    back: int | None
    outcome: str = PENDING
    judged: int | None = None


@final
@dataclass(frozen=True)
class Incident:
    """One ailment, from its first sign to its last.

    Args:
        finding: its name.
        start: real samples seen when it was found.
        end: real samples seen when it was last found, or when it was mended.
        lasts: whether it held at the last look.
        says: one plain sentence.
        evidence: what spoke for it when it was found.
        advice: what a person can do.
        treatments: what was done about it, the earliest first.
        left: whether the run went back to before it, for another reason.
        phase_end: samples seen when the phase ended in which it was found and not mended, or None.
    """

    finding: str
    start: int
    end: int
    lasts: bool
    says: str
    evidence: tuple[str, ...]
    advice: str
    treatments: tuple[Treatment, ...] = ()
    left: bool = False
    phase_end: int | None = None

    @property
    def outcome(self) -> str:
        """What came of what was done last; "nothing was done" where nothing was."""
        return self.treatments[-1].outcome if self.treatments else UNDONE

    @property
    def mended(self) -> int | None:
        """Samples seen when it was said that something had helped, or None."""
        return self.treatments[-1].judged if self.outcome == HELPED else None

    @property
    def reaches_back(self) -> int:
        """Samples of the earliest state from which the run has gone through it."""
        return min([self.start, *(one.back for one in self.treatments if one.back is not None)])


def incidents(observations: History, events: Iterable[Event]) -> list[Incident]:
    """What ailed a run: first what was said, in that order, then what the rules find that was not.

    Args:
        looks: all that are left in signals.jsonl.
        events: the lines of events.jsonl.
    """
    told = surviving(events)
    ended = max((event["samples"] for event in told if event["kind"] == PHASE), default=0)
    spans = [replace(span, lasts=span.lasts and span.end > ended) for span in replayed(observations)]
    story = _Story(spans)
    for event in told:
        story.tell(event)
    last = observations[-1].samples if observations else 0
    unsaid = [span for span in spans if not any(_speaks_of(span, one) for one in story.told)]
    return [*(_until_now(one, spans, last) for one in story.told), *unsaid]


def replayed(observations: History) -> list[Incident]:
    """When each rule held, by asking all of them again at every look; pauses as long as the watchdog's are one.

    Each phase is a history of its own.
    """
    several = [list(phase) for _, phase in groupby(observations, key=lambda observation: observation.phase)]
    return [replace(span, lasts=span.lasts and phase is several[-1]) for phase in several for span in _replayed(phase)]


def _replayed(observations: History) -> list[Incident]:
    """Replay the looks of one phase."""
    spans: list[Incident] = []
    latest: dict[str, tuple[int, int]] = {}
    for place, observation in enumerate(observations):
        for finding in found(observations[: place + 1]):
            number, before = latest.get(finding.name, (-1, -COOLING))
            if place - before >= COOLING:
                number = len(spans)
                spans.append(_begun(finding))
            spans[number] = replace(spans[number], end=observation.samples, lasts=place == len(observations) - 1)
            latest[finding.name] = number, place
    return spans


def surviving(events: Iterable[Event]) -> list[Event]:
    """The events without those that a killed run had seen after its checkpoint: a resumed run tells them again."""
    kept: list[Event] = []
    for event in events:
        if event["kind"] == "resumed":
            while kept and kept[-1]["samples"] > event["samples"]:
                kept.pop()
        kept.append(event)
    return kept


@final
class _Story:
    """Episodes as they were told, event by event; ``open`` are those that were not mended yet."""

    def __init__(self, spans: Sequence[Incident]) -> None:
        self.spans = spans
        self.told: list[Incident] = []
        self.open: dict[str, int] = {}
        self.now = 0

    def tell(self, event: Event) -> None:
        """Take in the next event."""
        name, kind = str(event.get("finding")), event["kind"]
        if kind == "finding":
            self._find(name, event)
        elif kind == "remedy" and name in self.open:
            self._treat(self.open[name], event)
        elif kind in (HELPED, IN_VAIN) and name in self.open:
            outcome = kind if event.get("mended", True) else PARTLY
            self._judge(self.open[name], event, outcome)
            if outcome == HELPED:
                del self.open[name]
        elif kind == PHASE:
            self._end_phase(event["samples"])
        self.now = event["samples"]

    def _find(self, name: str, event: Event) -> None:
        samples = event["samples"]
        evidence = tuple(str(words) for words in event.get("evidence", ()))
        says = _plain(str(event.get("said", name)), name, evidence)
        # Data may have several faults; each is an ailment of its own.
        key = says if name == UNHEALTHY_DATA else name
        if key in self.open and self._is_one(self.told[self.open[key]], samples):
            one = self.told[self.open[key]]
            self._change(self.open[key], start=min(one.start, samples), end=max(one.end, samples))
            return
        self.open[key] = len(self.told)
        self.told.append(Incident(name, samples, samples, False, says, evidence, str(event.get("advice", ""))))

    def _is_one(self, incident: Incident, samples: int) -> bool:
        """Whether what is found now is what was found before, not a relapse."""
        throughout = [one for one in self.spans if one.finding == incident.finding and one.start <= incident.start]
        return bool(incident.treatments) or samples <= max([one.end for one in throughout], default=incident.start)

    def _treat(self, place: int, event: Event) -> None:
        """Note what was done; what else ailed the run after the state that it goes back to is left behind."""
        incident, back = self.told[place], event["samples"]
        went_back = back < self.now
        says = str(event.get("said", "")).removeprefix(f"Against {incident.finding}: ").rstrip(".")
        treatment = Treatment(says, self.now, back if went_back else None)
        self._change(place, treatments=(*incident.treatments, treatment))
        for name, other in list(self.open.items()):
            if went_back and other != place and self.told[other].start > back:
                self._change(other, left=True, end=max(self.told[other].end, self.now))
                del self.open[name]

    def _end_phase(self, samples: int) -> None:
        """Leave the ailments of training to the phase that ends; those of the data stay."""
        for name, place in list(self.open.items()):
            one = self.told[place]
            if one.finding != UNHEALTHY_DATA:
                *before, last = one.treatments or (None,)
                if last is not None and last.outcome == PENDING:
                    self._change(place, treatments=(*before, replace(last, outcome=CUT_SHORT)))
                self._change(place, phase_end=samples)
                del self.open[name]

    def _judge(self, place: int, event: Event, outcome: str) -> None:
        treatments = self.told[place].treatments
        judged = [replace(one, outcome=outcome, judged=event["samples"]) for one in treatments[-1:]]
        self._change(place, treatments=(*treatments[:-1], *judged))

    def _change(self, place: int, **values: Any) -> None:
        self.told[place] = replace(self.told[place], **values)


def _begun(finding: Finding) -> Incident:
    at = finding.samples
    return Incident(finding.name, at, at, False, finding.says, finding.evidence, finding.advice)


def _plain(said: str, name: str, evidence: tuple[str, ...]) -> str:
    """The sentence alone: what else was said stands in fields of its own."""
    return said.removeprefix(f"{name[:1].upper()}{name[1:]}: ").removesuffix(f" ({'; '.join(evidence)})")


def _until_now(incident: Incident, spans: Sequence[Incident], last: int) -> Incident:
    """The episode with its end, as far as the looks that are left can tell."""
    if incident.finding == UNHEALTHY_DATA:
        return replace(incident, end=max(incident.end, last), lasts=True)
    same = [span for span in spans if _speaks_of(span, incident)]
    if incident.mended is not None:
        ends = [] if incident.reaches_back < incident.start else [span.end for span in same[-1:]]
        return replace(incident, end=min([incident.mended, *ends]))
    if same:
        start = min(incident.start, max(same[-1].start, incident.reaches_back))
        lasts = same[-1].lasts and incident.phase_end is None
        return replace(incident, start=start, end=same[-1].end, lasts=lasts)
    nothing_came_after = last <= incident.end and not incident.left and incident.phase_end is None
    return replace(incident, lasts=nothing_came_after and incident.outcome != PENDING)


def _speaks_of(span: Incident, incident: Incident) -> bool:
    """Whether what the rules find again is what was said."""
    if span.finding != incident.finding or incident.left:
        return False
    if incident.phase_end is not None and span.start > incident.phase_end:
        return False
    until = incident.start if not incident.treatments else incident.mended
    return incident.reaches_back <= span.end and (until is None or span.start <= until)


def gravest(several: Iterable[Incident]) -> list[Incident]:
    """The episodes by how grave their findings are, as the rules are ordered."""
    order = [UNHEALTHY_DATA, *(rule.name for rule in RULES)]
    return sorted(several, key=lambda one: order.index(one.finding) if one.finding in order else len(order))
