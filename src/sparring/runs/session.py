"""One run: the loop around the trainer, with log, pictures, checkpoints, watchdog and goal."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from signal import SIGINT
from typing import TypeAlias, final

import torch

from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.events import (
    AnyEvent,
    BestRestored,
    CheckpointDamaged,
    CheckpointNotSaved,
    Finished,
    GoalMeasured,
    GoalReached,
    LogChanged,
    PictureNotWritten,
    Resumed,
)
from sparring.flow import Progress
from sparring.games.game import Game
from sparring.modalities import modality
from sparring.modality import Modality
from sparring.model import Model, load
from sparring.randomness import seeded
from sparring.recipe import Recipe
from sparring.runs.budget import budget_changed, require_same_phase
from sparring.runs.display import Display
from sparring.runs.folder import Record, Run, keep, locked
from sparring.runs.goal import SETTLED, Goal
from sparring.runs.logbook import Logbook, reached_goal, run_is_gone
from sparring.runs.notebook import ShowsRun
from sparring.runs.pace import Pace
from sparring.runs.pictures import SamplePictures, write_animation
from sparring.runs.suggestions import suggestion
from sparring.text import printable
from sparring.training import devices, liveness
from sparring.training.checkpoint import (
    Outline,
    checkpoints,
    forget_after,
    load_checkpoint,
    require_fit,
    restore,
    save_checkpoint,
)
from sparring.training.distributed import World
from sparring.training.interruption import EXIT_CODES, Interruption, interruptible
from sparring.training.plan import Plan
from sparring.training.trainer import NotFinite, Trainer
from sparring.watchdog.best import better_state
from sparring.watchdog.monitor import Watchdog
from sparring.watchdog.signals import Observer, read_observations
from sparring.watchdog.snapshots import Snapshots

LOG_LINES = 400
"""Lines of figures in a run."""
MARKS = 20
"""Equal shares of the budget after each of which a picture of samples is written and the goal is measured."""
EARLY_PICTURES = (0.01, 0.02, 0.05)
"""Further pictures, early in a run where samples change most: shares of the budget."""
SAVE_INTERVAL_SECONDS = 60.0
"""Seconds between checkpoints."""
MAX_FAILED_SAVES = 3
"""Checkpoints in a row that could not be written before the run is given up."""
Quick: TypeAlias = Callable[[Game, Split, Modality, View, str, int], tuple[str, float]]
"""(game, its data, modality, metric, seed) → the metric's name and its present value."""
Conclude: TypeAlias = Callable[[Run, Model, Split, float, Callable[[int, int], None]], object]
"""(run, its model, its data, seconds of training, on_progress) → evaluates the run and writes its report."""


class Interrupted(KeyboardInterrupt):
    """Raised when the run was asked to stop and was saved. ``code`` is the exit code of the command line."""

    def __init__(self, run: Run, record: Record, code: int) -> None:
        super().__init__(f"saved; continue with: {suggestion(record, 'resume', run.folder)}")
        self.run, self.code = run, code


class NotJudged(KeyboardInterrupt):
    """Raised when the evaluation at the end was asked to stop: model and samples are kept. ``code`` as above."""

    def __init__(self, run: Run, record: Record, code: int) -> None:
        super().__init__(
            f"stopped while evaluating; the model ({run.model}) and its samples ({run.picture}) are kept; evaluate it "
            f"later with: {suggestion(record, 'evaluate', run.folder)}, or with the report: "
            f"{suggestion(record, 'resume', run.folder)}"
        )
        self.run, self.code = run, code


@final
class Session:
    """One run: iterating trains it; ``play`` iterates to the end, evaluates and publishes."""

    def __init__(
        self,
        run: Run,
        record: Record,
        recipe: Recipe,
        split: Split,
        device: torch.device,
        world: World,
        display: Display,
        goal: Goal | None,
        quick: Quick,
        conclude: Conclude,
    ) -> None:
        self.run, self.record, self.recipe, self.split = run, record, recipe, split
        self.world, self.display, self.goal = world, display, goal
        self._quick, self._conclude = quick, conclude
        self.logbook = Logbook(run.folder, writes=world.is_main)
        self.interruption = Interruption()
        self.modality = modality(record.facts.modality)
        spec = self.modality.conditions.get(recipe.view(record.facts).condition)
        self.pictures = SamplePictures(split, record.facts, self.modality, record.seed, spec)

        # Draw the initial weights, and the numbers of the run from record and recipe.
        with seeded(record.seed, "weights"):
            game = recipe.game(record.facts)
        plan = Plan(
            optimisers=recipe.optimisers(),
            batch=recipe.batch,
            samples=record.samples,
            seconds=record.minutes * 60 if record.minutes else None,
            average_half_life=recipe.average_half_life,
            micro_batch=record.micro_batch,
            seed=record.seed,
            bfloat16=recipe.precision == "bfloat16",
        )

        # The trainer, and the watchdog with the states that it can return to.
        self.trainer = Trainer(game, split.train, plan, device=device, world=world, on_event=self._record)
        self.snapshots = Snapshots(
            run.folder, self.trainer, self.logbook.rewind, world, self._save, record.identity, self._record
        )
        self.watchdog = Watchdog(
            Observer(self.trainer, split, self.modality, record.seed),
            self.snapshots,
            record.watchdog,
            self._record,
            lambda seen: self.logbook.signals(seen.step, seen.samples, seen.written),
        )
        self.goal_reached = False
        self._saved_at = time.monotonic()
        self._failed_saves = 0

    def play(self, *, resumed: bool = False) -> Run:
        """Train to the end, from the newest checkpoint if ``resumed``; then evaluate, report and publish."""
        if isinstance(self.display, ShowsRun):
            self.display.begin(self.run)

        # A run keeps its number of threads, on which the order of sums depends. Small batches run faster on one.
        values = self.recipe.batch * sum(math.prod(shape) for shape in self.split.train.shapes)
        usual = devices.threads_for(self.trainer.device, values)
        threads = self.record.threads or usual
        if threads != usual and self.trainer.device.type == "cpu":
            self.display.say(
                f"Computing on {threads} threads, as when the run began, so that results stay equal bit for bit. "
                f"A new run would use {usual} here."
            )
        world = self.world
        with (
            locked(self.run) if world.is_main else nullcontext(),
            liveness.watched(world.store, world.size, world.rank),
        ):
            with devices.computing_on(threads):
                if resumed:
                    self.restore_checkpoint()
                self._keep_record(threads)
                with interruptible() as self.interruption:
                    for _ in self:
                        pass
            if self.world.is_main:
                self._finish()
            self.world.barrier()
        return self.run

    def __iter__(self) -> Iterator[Progress]:
        if self.trainer.step == 0:
            self._show_samples(self.trainer.progress)
            self._show_reals()
            self.watchdog.begin()
        pace = Pace(time.monotonic())
        for before, progress in self._steps():
            # Show the speed, the time left and the latest figures.
            pace.step(progress.samples - before.samples, time.monotonic())
            left = self._seconds_left(progress, pace)
            self.display.step(progress, self.trainer.figures, pace.rate, left, self.watchdog.status)

            # Log figures, show samples and measure the goal, when due; save a checkpoint every minute.
            if _is_due(before, progress, LOG_LINES):
                self.logbook.figures(progress.samples, self.trainer.figures, pace.rate)
            if _is_due(before, progress, MARKS) or any(
                before.fraction < at <= progress.fraction for at in EARLY_PICTURES
            ):
                self._show_samples(progress)
            if _is_due(before, progress, MARKS):
                self.goal_reached = self._measure_goal()
            if self.world.is_main and time.monotonic() - self._saved_at > SAVE_INTERVAL_SECONDS:
                self._save()
            yield progress

            # Stop when asked to, on all ranks at once, or when the goal is reached.
            (code,) = self.world.all_reduce_max([float(self.interruption.code)])
            if code:
                self._stop(int(code))
            if self.goal_reached:
                self._record(GoalReached(samples=progress.samples, goal=str(self.goal)))
                break

        # Publish the best state where it is significantly better than the last one. The checkpoint of this very step,
        # if there is one, holds the last average and is replaced.
        self.display.close()
        if self.world.is_main:
            if self._restore_best():
                forget_after(self.run.checkpoints, self.trainer.samples - 1)
            self._save(last=True)

    def restore_checkpoint(self) -> None:
        """Restore the newest intact checkpoint; where none was written yet, start from the beginning."""
        if not checkpoints(self.run.checkpoints):
            self.logbook.rewind(0)
            self._record(Resumed(samples=0))
            self.snapshots.drop_after(-1)
            return

        def check(outline: Outline) -> None:
            require_fit(self.trainer, outline)
            self.watchdog.require_state(outline.state["extra"].get("watchdog"))

        # The state of the trainer, and complaints about damaged checkpoints that were skipped.
        snapshot, place, complaints = load_checkpoint(self.run.checkpoints, self.record.identity, check)
        restore(self.trainer, snapshot)
        require_same_phase(self.trainer, self.run.record)
        for complaint in complaints:
            self._record(CheckpointDamaged(samples=self.trainer.samples, complaint=complaint))

        # The figures of the log are for people: damage to it is told, and no reason to stop.
        for name in self.logbook.changed(snapshot.log):
            self._record(LogChanged(samples=self.trainer.samples, file=name))

        # Log, snapshots and watchdog forget what came after it.
        self.logbook.rewind(self.trainer.samples)
        self.snapshots.drop_after(self.trainer.samples)
        observations = read_observations(self.run.folder / "signals.jsonl")
        self.watchdog.restore(self.trainer.extra_state.get("watchdog"), observations)
        if self.goal is not None:
            found = reached_goal(self.logbook.events_file, self.trainer.samples)
            self.goal_reached = self.world.all_reduce_max([float(found)])[0] > 0
        self._record(Resumed(samples=self.trainer.samples, checkpoint=place.name))

    def _keep_record(self, threads: int) -> None:
        """Write into recipe.json what is new in it: threads, another budget, another place of the data."""
        before, self.record = self.run.record, replace(self.record, threads=threads)
        if self.world.is_main and self.record != before:
            keep(self.run, self.record)
            changed = budget_changed(before, self.record, self.trainer)
            if changed is not None:
                self._record(changed)

    def _steps(self) -> Iterator[tuple[Progress, Progress]]:
        """Train; yield the progress before and after each step, except for steps that the watchdog rolled back."""
        if self.goal_reached:
            return  # The run was resumed after its goal was reached.
        before = self.trainer.progress
        while True:
            try:
                for progress in self.trainer:
                    rolled_back = self.watchdog.step()
                    if not rolled_back:
                        yield before, progress
                    # After a rollback the next steps are logged again from there.
                    before = self.trainer.progress
                return
            except NotFinite:
                if not self.watchdog.rescue():
                    raise
                before = self.trainer.progress

    def _restore_best(self) -> bool:
        """Give the average the weights of the best state, if it is significantly better; return whether it was."""
        view = self.recipe.view(self.record.facts)
        # Where a condition has one true sample, a better distribution may well be of worse answers.
        determined = bool(view.condition) and self.modality.conditions[view.condition].determines
        if self.record.watchdog != "repair" or determined:
            return False
        best = better_state(
            self.snapshots.best_average(self.watchdog.memory.best_samples),
            self.trainer,
            self.split,
            self.modality,
            self.record.seed,
        )
        if best is None:
            return False
        for name in best.game.published:
            self.trainer.average.players[name].load_state_dict(best.game.players[name].state_dict())
        self._record(BestRestored(samples=self.trainer.samples, best=best.samples))
        return True

    def _seconds_left(self, progress: Progress, pace: Pace) -> float | None:
        """Return the seconds until the budget is spent, or None where the speed is not known yet."""
        plan, seconds = self.trainer.plan, self.trainer.seconds
        by_time = math.inf if plan.seconds is None else max(0.0, plan.seconds - seconds)
        if plan.samples is None:
            return by_time
        by_samples = pace.seconds_for(max(0, plan.samples - progress.samples))
        return None if by_samples is None else min(by_samples, by_time)

    def _measure_goal(self) -> bool:
        """Measure the metric of the goal, if there is one, and return on all ranks whether the goal is reached."""
        if self.goal is None:
            return False
        if self.goal.metric == SETTLED:
            return self.watchdog.settled
        met = 0.0
        if self.world.is_main:
            game, seed = self.trainer.average, self.record.seed
            name, value = self._quick(
                game, self.split, self.modality, self.recipe.view(self.record.facts), self.goal.metric, seed
            )
            shown = value if math.isfinite(value) else None
            self._record(GoalMeasured(samples=self.trainer.samples, metric=name, value=shown, goal=str(self.goal)))
            met = float(self.goal.met(value))
        return self.world.all_reduce_max([met])[0] > 0

    def _show_reals(self) -> None:
        self._show(partial(self.pictures.write_reals, self.run.folder / "reals"))

    def _show_samples(self, progress: Progress) -> None:
        stem = self.run.samples / f"{progress.samples:09d}"
        self._show(partial(self.pictures.write_samples, self.trainer.average, self.trainer.device, stem))

    def _show(self, write: Callable[[], None]) -> None:
        if self.world.is_main:
            try:
                write()
            except OSError as error:
                self._record(PictureNotWritten(samples=self.trainer.samples, error=str(error)))

    def _save(self, *, last: bool = False) -> None:
        """Write a checkpoint. A failure is reported; that of the last one, or three in a row, is an error."""
        self.trainer.extra_state = {"watchdog": self.watchdog.state()}
        if not (self.run.folder / "recipe.json").is_file():
            raise run_is_gone(self.run.folder)
        try:
            save_checkpoint(self.run.checkpoints, self.trainer, self.record.identity, self.logbook.digests())
            self._failed_saves = 0
        except OSError as error:
            self._failed_saves += 1
            self._record(CheckpointNotSaved(samples=self.trainer.samples, error=str(error)))
            if last or self._failed_saves >= MAX_FAILED_SAVES:
                raise SparringError(
                    found=f"a checkpoint that could not be written ({error})",
                    expected=f"a folder with free space, {self.run.checkpoints}",
                    remedy=f"free some disk space, then run `{suggestion(self.record, 'resume', self.run.folder)}`",
                ) from None
        self._saved_at = time.monotonic()

    def _stop(self, code: int) -> None:
        self.display.close()
        if self.world.is_main:
            self._save(last=True)
            self.logbook.close()
        self.world.barrier()
        raise Interrupted(self.run, self.record, code)

    def _finish(self) -> None:
        """Publish the model and its samples, then evaluate it: what stops the evaluation leaves both."""
        # Without its report a run that is killed from here on is evaluated again, an extended one too.
        with interruptible() as stopped:
            for earlier in (self.run.report, self.run.scores):
                earlier.unlink(missing_ok=True)
            self.logbook.close()
            self._record(Finished(samples=self.trainer.samples, seconds=self.trainer.seconds))
            model = load(self.run.folder, recipe=self.recipe)
            self._show(partial(self.pictures.write_last, model, self.trainer.device, self.run.folder / "samples"))
            model.save_pretrained(self.run.model)
            then = "" if self.record.judge == "none" else "; evaluating …"
            self.display.say(f"Samples: {self.run.picture}; the model is ready: {self.run.model}{then}")
            self._show(partial(write_animation, self.run))
            try:
                stopped.raises = True
                if stopped:
                    raise KeyboardInterrupt
                evaluating = partial(self.display.count, "evaluating")
                self._conclude(self.run, model, self.split, self.trainer.seconds, evaluating)
            except KeyboardInterrupt:
                raise NotJudged(self.run, self.record, stopped.code or EXIT_CODES[SIGINT]) from None
            finally:
                self.display.close()

    def _record(self, event: AnyEvent) -> None:
        self.display.say(printable(event.sentence))
        self.logbook.event(event)


def _is_due(before: Progress, now: Progress, count: int) -> bool:
    """Return whether one of ``count`` equal shares of the budget ended between two steps."""
    return int(before.fraction * count) != int(now.fraction * count) or now.fraction >= 1
