"""The budget of a run: real samples to see, minutes of wall time, or both."""

import math
from dataclasses import dataclass, replace
from typing import Any, final

from sparring.arguments import option, real_number, whole_number
from sparring.errors import SparringError
from sparring.events import BudgetChanged, budget_words
from sparring.games.game import phase_at
from sparring.recipe import Choice
from sparring.runs.folder import Record, Run
from sparring.runs.logbook import reached_goal
from sparring.runs.suggestions import suggestion
from sparring.text import number_of
from sparring.training.checkpoint import checkpoints, load_checkpoint
from sparring.training.trainer import Trainer

MAX_MINUTES = 10 * 365 * 24 * 60
"""Longest budget of wall time: ten years."""
MORE_MINUTES = 5
"""Minutes by which an example trains on."""
NOT_USED = "not used: the budget is in minutes"
"""Reason for the recipe's samples where the budget has none."""


@final
@dataclass(frozen=True)
class TrainingBudget:
    """Budget from the beginning of a run; with both numbers, the one spent first ends the run.

    Args:
        samples: real samples to see, or None.
        minutes: wall time, or None.
    """

    samples: int | None
    minutes: float | None

    @staticmethod
    def given(samples: Any, minutes: Any) -> "TrainingBudget | None":
        """Return the budget that a caller gave; None without both numbers.

        Raises:
            SparringError: a number is not valid.
        """
        if samples is None and minutes is None:
            return None
        return TrainingBudget(
            None if samples is None else whole_number("samples", samples),
            None if minutes is None else real_number("minutes", minutes, most=MAX_MINUTES, positive=True),
        )

    def spent(self, samples: int, seconds: float) -> bool:
        """Return whether ``samples`` seen in ``seconds`` leave nothing of it."""
        over = self.minutes is not None and seconds >= 60 * self.minutes
        return over or (self.samples is not None and samples >= self.samples)

    def __str__(self) -> str:
        return budget_words(self.samples, self.minutes)


def with_budget(run: Run, record: Record, budget: TrainingBudget | None, *, again: bool = False) -> Record:
    """Return the record with which the run continues: that of its folder, or one with another budget.

    A goal that was reached is dropped with the budget that it ended. The folder is not changed.

    Args:
        run: the run.
        record: content of its recipe.json.
        budget: the new budget, from the beginning of the run; None to keep the old one.
        again: whether a finished run is to be evaluated again.

    Raises:
        SparringError: the run is finished, or has already spent the new budget.
    """
    # A run without a report has not spent its budget, or was interrupted in its evaluation.
    if budget is None and (not run.report.exists() or (again and checkpoints(run.checkpoints))):
        return record
    samples, seconds = _spent(run)
    reached = reached_goal(run.folder / "events.jsonl", samples)
    if budget is None:
        if is_finished(run, record):
            count = 2 * samples or 100_000
            longer = suggestion(record, "resume", run.folder, "--minutes", minutes_in_all(seconds, 60 * MORE_MINUTES))
            raise SparringError(
                found=f"a finished run in {run.folder}",
                expected="one that was interrupted, or a larger budget for this one",
                remedy=f"give a larger budget in all, such as {option('samples', count)}, or train "
                f"{MORE_MINUTES} minutes more: {longer}",
            )
        return record

    # Checkpoints that were deleted leave a finished run nothing to continue from.
    if samples == 0 and run.report.exists():
        raise SparringError(
            found=f"no checkpoint in {run.checkpoints}",
            expected="a checkpoint to continue the finished run from",
            remedy="start a new run with `sparring train`",
        )
    if budget.spent(samples, seconds):
        raise SparringError(
            found=f"a budget of {budget} for a run that has seen {samples:,} samples in "
            f"{number_of(round(seconds / 60, 1), 'minute')}",
            expected=f"more than that: {option('minutes')} and {option('samples')} are the total, from the "
            "beginning of the run",
            remedy=f"to train as much once more, run `{_further(run, record, budget, samples, seconds)}`",
        )
    # The recipe's field of the same name says what is trained now, too.
    reason = "given when the run was resumed" if budget.samples else NOT_USED
    choice: Choice = {"value": budget.samples or record.fields["samples"], "reason": reason}
    return replace(
        record,
        samples=budget.samples,
        minutes=budget.minutes,
        until=None if reached else record.until,
        choices=record.choices | {"samples": choice},
    )


def is_finished(run: Run, record: Record) -> bool:
    """Return whether a run has its report and has spent its budget, reached its goal or lost its checkpoints."""
    if not run.report.exists():
        return False
    samples, seconds = _spent(run)
    spent = samples == 0 or TrainingBudget(record.samples, record.minutes).spent(samples, seconds)
    return spent or reached_goal(run.folder / "events.jsonl", samples)


def require_same_phase(trainer: Trainer, before: Record) -> None:
    """Refuse a budget so much larger that the run would return to an earlier phase.

    Args:
        trainer: at the newest checkpoint, with the new budget.
        before: record with the old budget.

    Raises:
        SparringError: it would.
    """
    phase = phase_at(trainer.game, _fraction(trainer, before))
    if phase_at(trainer.game, trainer.progress.fraction) < phase:
        raise SparringError(
            found=f"a budget so large that the run would fall back from its phase {trainer.game.phases[phase].name}",
            expected="a budget by which it stays in that phase",
            remedy="give a smaller number, or start a new run",
        )


def budget_changed(before: Record, now: Record, trainer: Trainer) -> BudgetChanged | None:
    """Return the event of another budget for a trainer, which has the new one, or None where it is the same."""
    if (before.samples, before.minutes, before.until) == (now.samples, now.minutes, now.until):
        return None
    return BudgetChanged(
        samples=trainer.samples,
        samples_before=before.samples,
        minutes_before=before.minutes,
        samples_now=now.samples,
        minutes_now=now.minutes,
        goal=before.until if now.until is None else None,
        spent=trainer.progress.fraction,
        rates={
            name: (adam.learning_rate(_fraction(trainer, before)), adam.learning_rate(trainer.progress.fraction))
            for name, adam in trainer.plan.optimisers.items()
        },
    )


def _fraction(trainer: Trainer, record: Record) -> float:
    """Return the share of the budget of a record that a trainer has spent."""
    seconds = None if record.minutes is None else 60 * record.minutes
    return replace(trainer.plan, samples=record.samples, seconds=seconds).fraction(trainer.samples, trainer.seconds)


def _further(run: Run, record: Record, budget: TrainingBudget, samples: int, seconds: float) -> str:
    """Return the command that trains a budget beyond what is spent already."""
    words: list[object] = [] if budget.samples is None else ["--samples", samples + budget.samples]
    words += [] if budget.minutes is None else ["--minutes", minutes_in_all(seconds, 60 * budget.minutes)]
    return suggestion(record, "resume", run.folder, *words)


def minutes_in_all(seconds: float, more: float) -> str:
    """Return the minutes of ``seconds`` that were spent and ``more`` of them, rounded up to a tenth."""
    return f"{math.ceil((seconds + more) / 6) / 10:g}"


def _spent(run: Run) -> tuple[int, float]:
    """Return samples seen and seconds of training at the newest intact checkpoint; zeros where there is none."""
    if not checkpoints(run.checkpoints):
        return 0, 0.0
    state = load_checkpoint(run.checkpoints, run.record.identity)[0].state
    return state["samples"], state["seconds"]
