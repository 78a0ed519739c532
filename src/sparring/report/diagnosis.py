"""The diagnosis of a run: its state, its incidents, its improvement, and what to do next.

All of it is read from the run folder, whether the run is finished, interrupted, going, given up, or was not watched.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Literal, final

from pydantic import BaseModel, ConfigDict

from sparring.errors import SparringError
from sparring.evaluation.result import Evaluation
from sparring.evaluation.verdict import Level, level_of
from sparring.events import (
    BestRestored,
    BudgetChanged,
    CheckpointNotSaved,
    FindingReported,
    Finished,
    GoalReached,
    PhaseBegun,
    UpdateSkipped,
    read_events,
)
from sparring.rendering.fragments import fragment
from sparring.report.advice import Advice, advise
from sparring.report.picture import signals_picture
from sparring.runs.budget import minutes_in_all
from sparring.runs.folder import Run, is_locked
from sparring.runs.logbook import read_log
from sparring.runs.schedules import anneals
from sparring.runs.suggestions import reading_options, suggestion
from sparring.storage import read_json, read_lines
from sparring.text import command, joined, number_of
from sparring.training.checkpoint import checkpoints
from sparring.training.guard import MAX_SKIPPED
from sparring.watchdog.convergence import MIN_OBSERVATIONS, Improvement, improvement_of, percent
from sparring.watchdog.data import UNHEALTHY_DATA
from sparring.watchdog.incidents import Incident, Outcome, begun, by_severity, incidents, surviving
from sparring.watchdog.rules import NON_FINITE, WARM_UP, finding_named, fitting_advice
from sparring.watchdog.signals import FIRST_INTERVAL, read_observations

STAGES = {
    "finished": "The run is finished: {reached:,} real samples were seen.",
    "evaluating": "Training is over, {reached:,} real samples were seen; the evaluation is running.",
    "trained": "Training is over, {reached:,} real samples were seen; the model was not evaluated yet.",
    "running": "The run is still going: {seen}.",
    "gave up": f"The run gave up, because updates were not finite {MAX_SKIPPED} times in a row: {{seen}}.",
    "not saved": "The run gave up, because a checkpoint could not be written: {seen}.",
    "not begun": "The run has not begun: nothing was written after recipe.json.",
    "interrupted": "The run was interrupted: {seen}.",
}
"""Stage of a run → its sentence."""
OVER = ("finished", "evaluating", "trained")
"""Stages in which training is over."""


@final
class Diagnosis(BaseModel):
    """The diagnosis of a run, in plain sentences and as JSON.

    Args:
        format: number of the JSON format.
        run: the run folder.
        state: how far the run came.
        verdict: open problems, or that there are none.
        open_problems: whether a finding is active, or the run gave up.
        reached: real samples seen.
        total: planned real samples; those seen where the run is over or no number was planned.
        incidents: findings with their evidence, remedies and outcomes.
        improvement: whether it still improved.
        longer: whether training longer helps, and the command for it; see ``RunHistory.prospect``.
        remarks: other observations.
        next_steps: what to do, the most urgent first.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[2] = 2
    run: str
    state: str
    verdict: str
    open_problems: bool
    reached: int
    total: int
    incidents: tuple[Incident, ...]
    improvement: Improvement
    longer: tuple[str, ...] = ()
    remarks: tuple[str, ...]
    next_steps: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Diagnosis({self.run!r}: {self.state} {self.verdict})"

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        incidents = [sentence for incident in self.incidents for sentence in ("", *self.sentences(incident))]
        return fragment(
            f"{self.run}: {self.state}",
            [self.verdict, self.improvement.sentence, *self.remarks],
            facts=[("next" if number == 0 else "or", step) for number, step in enumerate(self.next_steps)],
            folded=incidents[1:],
            heading=f"Incidents: {len(self.incidents)}",
        )

    @property
    def known(self) -> bool:
        """True if enough was observed to say that there are no open problems."""
        return self.verdict.startswith("No open problems")

    @property
    def text(self) -> str:
        """All of it as text for a terminal."""
        lines = [f"{self.run}: {self.state}", "", self.verdict]
        for incident in self.incidents:
            heading, *sentences = self.sentences(incident)
            lines += ["", heading, *(f"  {sentence}" for sentence in sentences)]
        # Advice is followed by its command; an open problem is told above.
        advice, *commands = ("",) if self.open_problems or not self.longer else self.longer
        lines += ["", self.improvement.sentence, *([advice] if advice else []), *(f"  {one}" for one in commands)]
        steps = [step for step in self.next_steps if not any(step.endswith(one) for one in commands)]
        return joined([*lines, *self.remarks, "", "Next:", *(f"  {step}" for step in steps)])

    def sentences(self, incident: Incident) -> list[str]:
        """Describe an incident, its heading first."""
        one, shares = incident, [percent(samples, self.total) for samples in (incident.start, incident.end)]
        span = f"{one.start:,} to {one.end:,} samples ({shares[0]} to {shares[1]} of the run)"

        # What was found, and why.
        lines = [f"{one.finding.capitalize()}, at {span if one.end > one.start else f'{one.start:,} samples'}"]
        lines.append(f"{one.explanation[:1].upper()}{one.explanation[1:]}")
        lines += [f"Evidence: {'; '.join(one.evidence)}."] * bool(one.evidence)

        # What the watchdog did, and whether it helped.
        for treatment in one.treatments:
            back = treatment.rolled_back_to
            rollback = "" if back is None else f", rolled back to {back:,} samples"
            judged = "" if treatment.judged_at is None else f" (judged at {treatment.judged_at:,} samples)"
            done = f"Remedy at {treatment.samples:,} samples: {treatment.remedy}{rollback}"
            lines.append(f"{done}; {treatment.outcome}{judged}.")

        # How it ended; faults of the data cannot end during a run.
        if one.active and one.finding != UNHEALTHY_DATA:
            lines.append(f"Still active{'' if one.treatments else ', and nothing was done'}.")
        elif not one.active and not one.treatments:
            lines.append(f"Nothing was done: {one.summary}.")
        if one.advice and (one.active or one.outcome not in (Outcome.HELPED, Outcome.UNTREATED)):
            lines.append(f"Advice: {one.advice}")
        return lines


@final
class RunHistory:
    """Record, log, events, observations and incidents of a run.

    Args:
        run: the run, of which nothing is changed.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.record = run, run.record
        self.log = read_log(run.folder / "log.jsonl")
        self.events = read_events(run.folder / "events.jsonl")
        self.unread = len(read_lines(run.folder / "events.jsonl")) - len(self.events)
        # Events since the present budget was given.
        changes = [number for number, event in enumerate(self.events) if isinstance(event, BudgetChanged)]
        self.latest = self.events[changes[-1] + 1 :] if changes else self.events
        self.observations = read_observations(run.folder / "signals.jsonl")
        self.phases = [event for event in surviving(self.events) if isinstance(event, PhaseBegun)]
        self.incidents = incidents(self.observations, self.events)
        for one in self.incidents:
            one.advice = fitting_advice(one.advice, self.record.fields)

        # A killed run may have got further than its last checkpoint, as log and observations show.
        newest = [int(path.name) for path in checkpoints(run.checkpoints)[-1:]]
        newest += [line.samples for line in self.log[-1:]] + [one.samples for one in self.observations[-1:]]
        self.reached = max(newest, default=0)
        self.stage = _stage(self)
        self.total = self.reached if self.stage in OVER else max(self.record.samples or 0, self.reached)
        if self.stage == "gave up":
            # Without a watchdog it was not reported.
            known = [incident for incident in self.incidents if incident.finding == NON_FINITE]
            if not known:
                known = [begun(finding_named(NON_FINITE, 0, self.reached, (f"{MAX_SKIPPED} in a row",)))]
                self.incidents += known
            known[-1].active = True

    @cached_property
    def improvement(self) -> Improvement:
        """Improvement in the present phase: signals of different phases do not compare."""
        phase_start = self.phases[-1].samples if self.phases else 0
        return improvement_of([one for one in self.observations if one.samples > phase_start], self.total)

    @cached_property
    def advice(self) -> Advice | None:
        """Advice on training longer; None before the end of a run, and where problems have to be solved first."""
        if self.stage not in OVER or any(one.active for one in self.incidents):
            return None
        passes = self.reached / max(self.record.facts.count, 1)
        return advise(passes, self.improvement, level=_level(self.run), annealed=anneals(self.record))

    @property
    def prospect(self) -> tuple[str, ...]:
        """Advice on training longer, and the command for it if any; or the problem to solve first, and its command."""
        if self.advice is None:
            open_problems = [one for one in by_severity(self.incidents) if one.active]
            diagnose = suggestion(self.record, "diagnose", self.run.folder)
            return (f"The training has a problem ({open_problems[0].finding}):", diagnose) if open_problems else ()
        if self.advice.prospect != "longer" or not self.reached:
            return (self.advice.sentence,)
        spent = self._spent()
        more = f" About {_duration(spent[-1] * (self._twice() / self.reached - 1))} more" if spent else " As long again"
        own = self.record.fields["samples"] if self.record.samples is None else 0
        plan = f" (the recipe's own budget is {own:,} samples, {own / self.reached:.0f} times as many)"
        return (f"{self.advice.sentence}{more}{plan if own > self._twice() else ''}:", self.longer)

    @property
    def longer(self) -> str:
        """Command that trains for twice as long at least, with a budget of the kind that the run had."""
        spent = self._spent()
        budget: tuple[object, ...] = ("--samples", self._twice())
        if self.record.samples is None and spent and self.reached:
            budget = ("--minutes", minutes_in_all(spent[-1], spent[-1] * (self._twice() / self.reached - 1)))
        return suggestion(self.record, "resume", self.run.folder, *budget)

    def _spent(self) -> list[float]:
        """Return the seconds of training at each end that the run has had."""
        return [event.seconds for event in self.events if isinstance(event, Finished)]

    def _twice(self) -> int:
        """Return twice the samples seen, or as many as give the watchdog enough observations."""
        enough = MIN_OBSERVATIONS * FIRST_INTERVAL * int(self.record.fields.get("batch", 1))
        watched = self.observations or self.record.watchdog == "off"
        return 2 * self.reached if watched else max(enough, 2 * self.reached)

    def diagnosis(self, *, pictured: bool = False) -> Diagnosis:
        """Return the diagnosis; ``pictured`` where the picture of the signals is drawn anyway."""
        return Diagnosis(
            run=str(self.run.folder),
            state=_state(self),
            verdict=_verdict(self),
            open_problems=any(incident.active for incident in self.incidents),
            reached=self.reached,
            total=self.total,
            incidents=tuple(self.incidents),
            improvement=self.improvement,
            longer=self.prospect,
            remarks=tuple(_remarks(self)),
            next_steps=tuple(_next_steps(self, pictured=pictured)),
        )

    def picture(self) -> bytes | None:
        """Return the signals as the content of a PNG file; None if there are none."""
        phases = [(event.samples, event.name) for event in self.phases]
        return signals_picture(self.observations, self.incidents, self.log, phases) if self.observations else None


def _stage(history: RunHistory) -> str:
    """Return the stage of a run, a key of ``STAGES``."""
    planned, last = history.record.samples, next(reversed(history.events), None)
    going = is_locked(history.run)

    # The report is written last; before it, a run that has spent its budget is still to be evaluated. The old report of
    # a run that trains on with a larger budget stays meanwhile.
    extended = any(isinstance(event, BudgetChanged) for event in history.events)
    if history.run.report.exists() and (not extended or any(isinstance(one, Finished) for one in history.latest)):
        return "finished"
    if isinstance(last, Finished) or (planned and history.reached >= planned):
        return "evaluating" if going else "trained"
    if going:
        return "running"

    # A run that gives up ends with as many skipped updates as are tolerated, possibly with findings in between.
    recent = [event for event in history.events if not isinstance(event, FindingReported)][-MAX_SKIPPED:]
    if len(recent) == MAX_SKIPPED and all(isinstance(event, UpdateSkipped) for event in recent):
        return "gave up"
    if isinstance(last, CheckpointNotSaved):
        return "not saved"
    return "interrupted" if history.reached else "not begun"


def _state(history: RunHistory) -> str:
    """Say how far the run came."""
    reached, planned, minutes = history.reached, history.record.samples, history.record.minutes
    seen = f"{reached:,} real samples were seen"
    if planned:
        seen = f"{reached:,} of {planned:,} real samples were seen ({percent(reached, planned)})"
    elif minutes:
        seen += f" in {_minutes(history.run)} of {minutes:g} minutes"
    ends = {event.kind: event.sentence for event in history.latest if isinstance(event, GoalReached | BestRestored)}
    sentence = STAGES[history.stage].format(reached=reached, seen=seen)
    return " ".join([sentence, *(ends.values() if history.stage == "finished" else ())])


def _minutes(run: Run) -> str:
    """Return the minutes spent up to the newest checkpoint."""
    try:
        newest = checkpoints(run.checkpoints)[-1]
        return f"about {float(read_json(newest / 'state.json')['seconds']) / 60:.1f}"
    except (SparringError, IndexError, KeyError, TypeError, ValueError):
        return "some"


def _verdict(history: RunHistory) -> str:
    """Name the open problems, the most severe first; where there are none, say how the others ended."""
    problems, ends = [], []
    for one in by_severity(history.incidents):
        if not one.active:
            ends.append(f"{one.finding}: {one.summary}")
        elif one.finding == UNHEALTHY_DATA:
            problems.append(one.finding)
        else:
            problems.append(f"{one.finding} since {percent(one.start, history.total)} of the run ({one.summary})")
    verdict = f"Open problems: {', '.join(dict.fromkeys(problems))}." if problems else ""

    # Without enough observations silence means nothing.
    if len(history.observations) <= WARM_UP and all(one.finding == UNHEALTHY_DATA for one in history.incidents):
        reason = f"the first {WARM_UP} observations are not judged, and this run has {len(history.observations)}"
        if not history.observations:
            off = history.record.watchdog == "off"
            reason = "the watchdog was off" if off else "the watchdog has made no observations"
        return f"{verdict} Too little is known to judge the training: {reason}.".strip()
    if problems:
        return verdict

    # No incident is open, but the trial of a remedy may have ended without a judgement.
    pending = any(one.outcome == Outcome.PENDING for one in history.incidents)
    past = f" ({'; '.join(dict.fromkeys(ends))})" if ends else ""
    return f"{'Undecided' if pending else 'No open problems'}{past}."


def _remarks(history: RunHistory) -> Iterator[str]:
    """Say what else is known; without observations, what the log shows."""
    if history.stage == "running" and not checkpoints(history.run.checkpoints):
        yield "The first checkpoint comes within a minute of the start; until then there is no model to use."
    yield from (event.sentence for event in history.phases)
    if history.unread:
        yield f"Lines of events.jsonl that are skipped, damaged or of an earlier version: {history.unread}."
    skipped = sum(isinstance(event, UpdateSkipped) for event in history.events)
    if skipped:
        yield f"Updates that were skipped because they were infinite or not a number: {skipped}."

    # Summarise the log only where there are no observations, which say more.
    if history.observations:
        if history.incidents and not any(isinstance(event, FindingReported) for event in history.events):
            yield "Nothing was reported during the run; these incidents are what the rules find in its signals."
    elif history.log:
        last, count = history.log[-1], len(history.log)
        leads = {turn: notes["lead"] for turn, notes in last.notes.items() if "lead" in notes}
        figures = [f"lead of the {turn} {lead:.3g} (healthy: 0.8 to 1)" for turn, lead in leads.items()]
        figures += [f"gradient of the {turn} {norm:.3g}" for turn, norm in last.gradients.items()]
        if figures:
            yield f"The last figures in log.jsonl, at {last.samples:,} samples: {'; '.join(figures)}."
        incomplete = sum(last.gradients.keys() > line.gradients.keys() for line in history.log)
        if incomplete:
            yield f"Lines of log.jsonl without gradients, which were not finite: {incomplete} of {count}."


def _next_steps(history: RunHistory, *, pictured: bool) -> Iterator[str]:
    """Say what to do, the most urgent first."""
    folder, record = history.run.folder, history.record

    # Advice on open incidents, then what the stage of the run allows, then how to learn more.
    active = [one for one in by_severity(history.incidents) if one.active]
    yield from dict.fromkeys(one.advice for one in active if one.advice)
    if history.stage in ("trained", "interrupted", "not begun", "not saved"):
        yield suggestion(record, "resume", folder)
    if history.stage == "finished":
        yield f"Open {history.run.report}"
        if history.advice is not None and history.advice.prospect != "enough" and history.reached:
            yield f"{'Train longer' if history.advice.prospect == 'longer' else 'To see'}: {history.longer}"

    if history.observations and not pictured:
        yield command("sparring", "diagnose", folder, "--picture", "signals.png")
    elif not history.observations and record.watchdog == "off":
        again = suggestion(
            record, "train", record.facts.source, *reading_options(record, rules=True), "--watchdog", "warn"
        )
        yield f"Watch the next run: {again}"


def _level(run: Run) -> Level | None:
    """Return the likeness of the samples to real ones; None where the run was not evaluated."""
    try:
        return level_of(Evaluation.from_run(run))
    except SparringError:
        return None


def _duration(seconds: float) -> str:
    """Return a time in words: "40 seconds", "15 minutes"."""
    return number_of(round(seconds), "second") if seconds < 90 else number_of(round(seconds / 60), "minute")
