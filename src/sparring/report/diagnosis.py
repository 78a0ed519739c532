"""What happened to a run, when, why we think so, what was done, whether it helped, and what to try: in plain words.

Everything is read from the run folder, which may be finished, interrupted, still going, given up, or not watched.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from sparring.errors import SparringError
from sparring.report.picture import signals_picture
from sparring.runs.folder import Record, Run
from sparring.storage import read_json, read_lines
from sparring.training.checkpoint import checkpoints
from sparring.training.guard import MAX_SKIPPED as PATIENCE
from sparring.watchdog.convergence import Improvement, improvement_of, percent
from sparring.watchdog.data import NAME as UNHEALTHY_DATA
from sparring.watchdog.incidents import (
    CUT_SHORT,
    HELPED,
    IN_VAIN,
    PARTLY,
    PENDING,
    PHASE,
    UNDONE,
    Incident,
    gravest,
    incidents,
    surviving,
)
from sparring.watchdog.monitor import NOT_FINITE
from sparring.watchdog.rules import EARLY
from sparring.watchdog.signals import look_of

FORMAT = 1


@final
@dataclass(frozen=True)
class Diagnosis:
    """What happened to a run.

    Args:
        run: its folder.
        state: how far it came, in one sentence.
        verdict: whether anything ails it, in one sentence.
        ails: whether something holds at the last look, or the run gave up.
        reached: real samples seen.
        total: real samples to see, or those seen where that is not known.
        episodes: what ailed it.
        improvement: whether it still improved.
        remarks: full sentences on what could not be told, or only from elsewhere.
        next_steps: what to try, the most urgent first.
    """

    run: str
    state: str
    verdict: str
    ails: bool
    reached: int
    total: int
    incidents: tuple[Incident, ...]
    improvement: Improvement
    remarks: tuple[str, ...]
    next_steps: tuple[str, ...]

    def words(self) -> str:
        """All of it as text for a terminal."""
        lines = [f"{self.run}: {self.state}", "", self.verdict]
        for one in self.incidents:
            heading, *sentences = self.told(one)
            lines += ["", heading, *(f"  {sentence}" for sentence in sentences)]
        lines += ["", self.improvement.sentence, *self.remarks, "", "Next:"]
        return "\n".join([*lines, *(f"  {step}" for step in self.next_steps)])

    def told(self, one: Incident) -> list[str]:
        """An episode as sentences, its heading first."""
        name = one.finding[:1].upper() + one.finding[1:]
        until = "on, and it lasts" if one.lasts else f"to {one.end:,}"
        shares = f"{percent(one.start, self.total)} to {percent(one.end, self.total)} of the run"
        span = f"from {one.start:,} samples {until} ({shares})" if one.end > one.start else f"at {one.start:,} samples"
        unsolved = one.lasts or one.outcome not in (HELPED, UNDONE)
        return [
            f"{name}, {span}",
            f"{one.says[:1].upper()}{one.says[1:]}",
            *([f"Seen: {'; '.join(one.evidence)}."] if one.evidence else []),
            *_done(one),
            *([f"To try: {one.advice}"] if one.advice and unsolved else []),
        ]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        told = [
            {
                **asdict(one),
                "outcome": one.outcome,
                "share": [round(samples / max(self.total, 1), 4) for samples in (one.start, one.end)],
            }
            for one in self.incidents
        ]
        return {"format": FORMAT, **vars(self), "episodes": told, "improvement": asdict(self.improvement)}


@final
class Traces:
    """What a run has left behind: its record, looks, events and figures; lines that are damaged are passed over."""

    def __init__(self, run: Run) -> None:
        self.run, self.record = run, run.record
        self.figures = _lines(run.folder / "log.jsonl", {"samples": int})
        self.events = _lines(run.folder / "events.jsonl", {"samples": int, "kind": str})
        rows = _lines(run.folder / "signals.jsonl", {"samples": int, "step": int})
        self.observations = [look_of(row) for row in rows]
        self.phases = [event for event in surviving(self.events) if event["kind"] == PHASE]
        self.incidents = incidents(self.observations, self.events)
        newest = [int(path.name) for path in checkpoints(run.checkpoints)[-1:]]
        self.reached = max([*newest, *(row["samples"] for row in (*self.figures[-1:], *rows[-1:]))], default=0)

    def diagnosis(self) -> Diagnosis:
        """All that can be told."""
        course = _course(self)
        total = self.reached if course in OVER else max(self.record.samples or 0, self.reached)
        began = self.phases[-1]["samples"] if self.phases else 0
        improvement = improvement_of(
            [observation for observation in self.observations if observation.samples > began], total
        )
        verdict = _verdict(self, course, total)
        lasting = any(one.lasts for one in self.incidents)
        return Diagnosis(
            run=str(self.run.folder),
            state=_state(self, course),
            verdict=verdict,
            ails=lasting or course == "gave up",
            reached=self.reached,
            total=total,
            incidents=tuple(self.incidents),
            improvement=improvement,
            remarks=tuple(_remarks(self)),
            next_steps=tuple(_next_steps(self, course, improvement)),
        )

    def picture(self) -> bytes | None:
        """The signals as a PNG file's content, or None where there are none."""
        phases = [(event["samples"], str(event.get("name", ""))) for event in self.phases]
        return signals_picture(self.observations, self.incidents, self.figures, phases) if self.observations else None


OVER = ("finished", "judging", "trained")
ENDS = ("goal reached", "best")
"""Kinds of events that tell how training ended."""


def _lines(path: Path, needed: Mapping[str, type]) -> list[dict[str, Any]]:
    rows = read_lines(path)
    return [
        row
        for row in rows
        if isinstance(row, dict) and all(isinstance(row.get(name), kind) for name, kind in needed.items())
    ]


def _course(traces: Traces) -> str:
    """ "finished", "judging", "trained", "going", "gave up", "disk", "not begun" or "interrupted"."""
    run, events, planned = traces.run, traces.events, traces.record.samples
    latest = events[-1]["kind"] if events else ""
    at_work = _is_at_work(run.folder / "lock")
    if run.report.exists():
        return "finished"
    if latest == "finished" or (planned and traces.reached >= planned):
        return "judging" if at_work else "trained"
    if at_work:
        return "going"
    if _gave_up(events):
        return "gave up"
    if latest == "not saved":
        return "disk"
    return "interrupted" if traces.reached else "not begun"


def _is_at_work(lock: Path) -> bool:
    """Whether a trainer holds the run; where the system cannot say, no."""
    if os.name != "posix" or not lock.exists():
        return False
    import fcntl

    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _gave_up(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last thing that happened was that numbers were not finite again and again."""
    ended_in_a_finding = bool(events) and events[-1].get("finding") == NOT_FINITE and events[-1]["kind"] == "finding"
    last = events[: len(events) - ended_in_a_finding][-PATIENCE:]
    return len(last) == PATIENCE and all(event["kind"] == "refused" for event in last)


def _state(traces: Traces, course: str) -> str:
    """How far the run came, in one sentence."""
    reached, record = traces.reached, traces.record
    seen = f"{reached:,} real samples were seen"
    if record.samples:
        seen = f"{reached:,} of {record.samples:,} real samples were seen ({percent(reached, record.samples)})"
    elif record.minutes:
        seen += f"{_spent(traces.run)} of {record.minutes:g} minutes"
    ends = {event["kind"]: f" {event.get('said', '')}" for event in traces.events if event["kind"] in ENDS}
    after = "".join(ends.values())
    return {
        "finished": f"It is finished: {reached:,} real samples were seen.{after}",
        "judging": f"Its training is over, {reached:,} real samples were seen; it is being judged.",
        "trained": f"Its training is over, {reached:,} real samples were seen; it was not judged yet.",
        "going": f"It is still going: {seen}.",
        "gave up": f"It gave up, because numbers were not finite {PATIENCE} times in a row: {seen}.",
        "disk": f"It gave up, because a checkpoint could not be written: {seen}.",
        "not begun": "It has not begun: nothing was written after recipe.json.",
        "interrupted": f"It was interrupted: {seen}.",
    }[course]


def _spent(run: Run) -> str:
    """Minutes spent up to the newest checkpoint, in words."""
    for checkpoint in checkpoints(run.checkpoints)[-1:]:
        try:
            return f", in about {float(read_json(checkpoint / 'state.json')['seconds']) / 60:.1f}"
        except (SparringError, KeyError, TypeError, ValueError):
            continue
    return ", in some"


def _verdict(traces: Traces, course: str, total: int) -> str:
    """Whether anything ails the run, in one sentence; the gravest comes first."""
    over = course not in ("going", "interrupted")
    lasting = gravest(one for one in traces.incidents if one.lasts)
    training = [one for one in lasting if one.finding != UNHEALTHY_DATA]
    if training:
        first, *others = dict.fromkeys(one.finding for one in training)
        beside = f", and from {_listed(others)}" if others else ""
        share = percent(training[0].start, total)
        since = (
            f"suffered from {first} from {share} of it to the end" if over else f"suffers from {first} since {share}"
        )
        return f"The run {since}{beside if over else f' of it{beside}'}; {_help(training)}."
    if course == "gave up":
        return f"The run suffered from non-finite numbers; {_help(_of(NOT_FINITE, traces.incidents))}."
    past = [one for one in gravest(traces.incidents) if not one.lasts]
    data = " Its data is not healthy." if lasting else ""
    if len(traces.observations) <= EARLY and not past:
        return _unjudged(traces, course) + data
    if not past:
        return f"Nothing ails this run{' but its data' if lasting else ''}."
    unsure = [one.finding for one in past if one.outcome == PENDING]
    if unsure:
        return f"Against {_listed(unsure)} something was done; whether it helped is not judged yet.{data}"
    told = "; ".join(dict.fromkeys(f"{one.finding}: {_passed(one)}" for one in past))
    return f"Nothing ails this run any more ({told}).{data}"


def _unjudged(traces: Traces, course: str) -> str:
    """Why nothing can be said."""
    if traces.observations:
        few = f"the first {EARLY} looks are not judged, and there are only {len(traces.observations)}"
        return f"Whether anything ails this run cannot be told{'' if course in OVER else ' yet'}: {few}."
    if traces.record.watchdog == "off":
        return "Whether anything ails this run cannot be told: nobody watched it (--watchdog off)."
    if course in OVER:
        return "Whether anything ails this run cannot be told: the watchdog left no looks at it."
    return "Whether anything ails this run cannot be told yet: the watchdog has not looked so far."


def _help(ailing: Sequence[Incident]) -> str:
    """What became of it all, in a few words."""
    outcomes = {one.outcome for one in ailing}
    if outcomes <= {UNDONE}:
        return UNDONE
    if PENDING in outcomes:
        return "what was tried last is not judged yet"
    if PARTLY in outcomes:
        return "what was tried was not enough"
    return "nothing that was tried helped" if IN_VAIN in outcomes else "what had helped did so only for a time"


def _passed(one: Incident) -> str:
    if one.outcome == HELPED:
        return "mended"
    if one.phase_end is not None:
        return CUT_SHORT if one.outcome == CUT_SHORT else "left behind with its phase"
    return "left behind" if one.left else "passed by itself"


def _of(name: str, several: Sequence[Incident]) -> list[Incident]:
    return [one for one in several if one.finding == name]


def _done(one: Incident) -> Iterator[str]:
    """What was done about an episode, and what came of it."""
    for place, treatment in enumerate(one.treatments, start=1):
        outcome = "whether it helped is not judged yet"
        if treatment.judged is not None:
            since = treatment.samples if treatment.back is None else treatment.back
            outcome = f"it {treatment.outcome}, as judged {treatment.judged - since:,} samples later"
        elif treatment.outcome == CUT_SHORT:
            outcome = "the phase ended before that was judged"
        elif place < len(one.treatments):
            outcome = "it was found again before that was judged"
        yield f"Done at {treatment.samples:,} samples: {treatment.says}; {outcome}."
    if any(treatment.back is not None for treatment in one.treatments):
        yield "Where the run went back, samples are counted from there again."
    if one.outcome == UNDONE and one.finding != UNHEALTHY_DATA:
        after = "" if one.lasts else " It passed by itself." if one.phase_end is None else " Its phase ended."
        yield "The run went back to before it, for another reason." if one.left else f"Nothing was done.{after}"


def _remarks(traces: Traces) -> Iterator[str]:
    """What can be told without looks, from figures and events alone."""
    yield from (str(event.get("said", "")) for event in traces.phases)
    refused = sum(event["kind"] == "refused" for event in traces.events)
    if refused:
        yield f"{refused} update{'s' * (refused > 1)} came out as infinite or as no number, and were not made."
    if traces.observations:
        if traces.incidents and not any(event["kind"] == "finding" for event in traces.events):
            yield "Nothing was said at the time; this is what the rules find in the signals that were written down."
        return
    if not traces.figures:
        return
    last = traces.figures[-1]
    kinds = {
        ": lead": "lead of the {} {:.3g} (0.69: reals and fakes score alike; 0.8 is healthy)",
        "/gradient": "gradient of the {} {:.3g}",
    }
    found = [
        words.format(name.removesuffix(kind), value)
        for kind, words in kinds.items()
        for name, value in last.items()
        if name.endswith(kind) and type(value) in (int, float)
    ]
    if found:
        yield f"The last figures in log.jsonl, at {last['samples']:,} samples: {'; '.join(found)}."
    missing = sum(set(traces.figures[-1]) > set(row) for row in traces.figures)
    if missing:
        yield f"In {missing} of {len(traces.figures)} lines of log.jsonl figures are missing that were not finite."


def _next_steps(traces: Traces, course: str, improvement: Improvement) -> Iterator[str]:
    """What to try, the most urgent first."""
    folder, record = traces.run.folder, traces.record
    yield from dict.fromkeys(one.advice for one in gravest(traces.incidents) if one.lasts and one.advice)
    if course == "gave up":
        yield "Begin again with a lower --learning-rate, or with --precision float32."
    elif course in ("trained", "interrupted", "not begun", "disk"):
        yield f"sparring resume {folder}"
    if course == "finished":
        yield from _after_the_end(record, traces, improvement)
    if traces.observations:
        yield f"sparring diagnose {folder} --picture signals.png"
    else:
        yield f"sparring train {record.facts.source} --watchdog warn   (to know more the next time)"


def _after_the_end(record: Record, traces: Traces, improvement: Improvement) -> Iterator[str]:
    yield f"Look at {traces.run.report}"
    if any(one.lasts for one in traces.incidents):
        return
    if improvement.stopped is False:
        yield f"Train longer: sparring train {record.facts.source} --samples {2 * traces.reached}"
    elif improvement.stopped:
        yield "More of the same will hardly help: try a wider network, another recipe, or more data."


def _listed(names: Sequence[str]) -> str:
    """["a", "b", "c"] → "a, b and c"; each once."""
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last
