"""A run at work: the loop around the trainer, and what is written and shown meanwhile."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
import torch

from sparring.data.dataset import Split, by_class
from sparring.errors import SparringError
from sparring.flow import Batch, Progress
from sparring.games.game import Game
from sparring.modalities import modality
from sparring.modality import Modality
from sparring.model import Model, load
from sparring.randomness import seeded
from sparring.recipe import Recipe
from sparring.rendering.exhibits import write_exhibits
from sparring.runs.display import Display
from sparring.runs.folder import Record, Run, alone
from sparring.runs.goal import SETTLED, Goal
from sparring.runs.logbook import Logbook
from sparring.samples import batch_size, rows_within
from sparring.sampling import conditions_from, generate
from sparring.training import devices, liveness
from sparring.training.checkpoint import checkpoints, forget_after, load_checkpoint, restore, save_checkpoint
from sparring.training.distributed import World
from sparring.training.interruption import Interruption, interruptible
from sparring.training.plan import Plan
from sparring.training.trainer import NotFinite, Trainer
from sparring.watchdog.best import farther
from sparring.watchdog.monitor import Watchdog
from sparring.watchdog.signals import Observer, looks
from sparring.watchdog.snapshots import States

LOGGED = 400
"""Lines of figures in a run."""
SHOWN = 20
"""Pictures of samples in a run; as often, the goal is looked at."""
COLUMNS = 8
"""Samples in a row of the pictures."""
SAVED_EVERY = 60.0
"""Seconds between checkpoints."""
COMPARED, COMPARED_BYTES = 1000, 2**30
"""Samples by which the last state is compared with the best: so many, but no more bytes."""
FAILURES = 3
"""Checkpoints that could not be written in a row after which a run is given up."""
Quick: TypeAlias = Callable[[Game, Split, Modality, str, int], tuple[str, float]]
"""(game, its data, modality, metric, seed) → the metric's name and the value that the game reaches now."""
Conclude: TypeAlias = Callable[[Run, Model, Split, Callable[[int, int], None]], object]
"""(run, its model, its data, progress) → judges the finished run and writes its report."""


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop, and was saved. ``code`` is the exit code of the command line."""

    def __init__(self, run: Run, code: int) -> None:
        super().__init__(f"saved; go on with: sparring resume {run.folder}")
        self.run, self.code = run, code


@final
class Session:
    """One run at work: the trainer, and what is written and shown while it plays.

    Iterating trains; ``play`` iterates to the end, judges and publishes.
    """

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
        self._quick, self._conclude = quick, conclude
        self.run, self.record, self.recipe, self.split = run, record, recipe, split
        self.world, self.display, self.goal = world, display, goal
        self.logbook = Logbook(run.folder, writes=world.first)
        self.interruption = Interruption()
        self.modality = modality(record.facts.modality)
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
        self.trainer = Trainer(game, split.train, plan, device=device, world=world, tell=self._tell)
        self.states = States(run.folder, self.trainer, self.logbook.rewind, world, self._save)
        self.watchdog = Watchdog(
            Observer(self.trainer, split, self.modality, record.seed),
            self.states,
            record.watchdog,
            self._tell,
            lambda look: self.logbook.signals(look.step, look.samples, look.written),
        )
        self.reached = False
        self._saved_at = time.monotonic()
        self._failures = 0

    def go_back(self) -> None:
        """To the newest whole checkpoint; to the beginning where none was written yet."""
        if not checkpoints(self.run.checkpoints):
            self.logbook.rewind(0)
            self._tell("resumed", "No checkpoint was written yet: beginning anew, with the same numbers.")
            self.states.forget_all()
            return
        snapshot, place, complaints = load_checkpoint(self.run.checkpoints)
        for complaint in complaints:
            self._tell("damaged checkpoint", complaint)
        restore(self.trainer, snapshot)
        self.logbook.rewind(self.trainer.samples)
        self.states.forget_the_future()
        self.watchdog.restore(self.trainer.beside["watchdog"], looks(self.run.folder / "signals.jsonl"))
        (reached,) = self.world.largest([float(self.logbook.happened(self.trainer.samples, "goal reached"))])
        self.reached = reached > 0
        self._tell("resumed", f"Going on from {place.name}: {self.trainer.samples:,} samples seen.")

    def _prefer_the_best(self) -> bool:
        """Where the average is farther from held-out samples than it once was, beyond chance, it is put back."""
        best, view = self.states.best_average(), self.recipe.view(self.record.facts)
        # Where a condition has one true sample, a better distribution may well be of worse answers.
        determined = bool(view.condition) and self.modality.conditions[view.condition].determines
        if self.record.watchdog != "repair" or best is None or determined:
            return False
        reals = self.split.held_out.batch(slice(0, self._compared)).real
        sides = (self._sketched(self.trainer.average), self._sketched(best.game))
        told = farther(*sides, self.modality.sketch(reals, self.split.facts)).can_be_told
        if told:
            for name in best.game.published:
                self.trainer.average.players[name].load_state_dict(best.game.players[name].state_dict())
            words = f"The samples were best after {best.samples:,} samples: the average is that of then."
            self._tell("best", words)
        return told

    @property
    def _compared(self) -> int:
        return rows_within(COMPARED_BYTES, self.split.train.shapes, COMPARED)

    def _sketched(self, game: Game) -> torch.Tensor:
        """What the watchdog compares of ``COMPARED`` samples, under conditions of held-out ones."""
        count = self._compared
        told = conditions_from(self.split.held_out, count, self.record.seed).condition
        made = generate(game, count, told, seed=self.record.seed, stream="compared/", device=self.trainer.device)
        return self.modality.sketch(made, self.split.facts)

    def play(self, *, resumed: bool = False) -> Run:
        """Train to the end, from the newest checkpoint if ``resumed``; then judge, show and publish."""
        values = self.recipe.batch * sum(math.prod(shape) for shape in self.split.train.shapes)
        with alone(self.run) if self.world.first else nullcontext(), liveness.watched(self.world):
            with devices.threads_for(self.trainer.device, values):
                if resumed:
                    self.go_back()
                with interruptible() as self.interruption:
                    for _ in self:
                        pass
            if self.world.first:
                self._finish()
            self.world.agree("finished")
        return self.run

    def __iter__(self) -> Iterator[Progress]:
        trainer, before = self.trainer, self.trainer.progress
        if before.step == 0:
            self._show_reals()
            self.watchdog.begin()
        began, trained = time.monotonic(), 0
        # A run whose goal was reached before it was resumed has nothing left to train.
        for progress in () if self.reached else self._steps():
            # Where the run has gone back there is nothing to write: it was written before.
            self.watchdog.step()
            if min(trainer.samples, progress.samples) < before.samples or trainer.samples < progress.samples:
                before = trainer.progress
                continue
            trained += progress.samples - before.samples
            rate = trained / max(time.monotonic() - began, 1e-9)
            self.display.step(progress, trainer.figures, rate, self._left(progress), self.watchdog.word)

            # Write figures, show samples, look at the goal and save, each at its marks.
            if _crossed(before, progress, LOGGED):
                self.logbook.figures(progress.samples, {**trainer.figures, "samples_per_second": rate})
            if _crossed(before, progress, SHOWN):
                self._show_samples(progress)
                self.reached = self._goal_is_reached()
            if self.world.first and time.monotonic() - self._saved_at > SAVED_EVERY:
                self._save()
            yield progress

            (code,) = self.world.largest([float(self.interruption.code)])
            if code:
                self._stop(int(code))
            if self.reached:
                self._tell("goal reached", f"The goal {self.goal} is reached after {progress.samples:,} samples.")
                break
            before = progress
        self.display.close()
        if self.world.first:
            if self._prefer_the_best():
                forget_after(self.run.checkpoints, self.trainer.samples - 1)
            self._save(last=True)

    def _steps(self) -> Iterator[Progress]:
        """Those of the trainer; it begins again where the watchdog found a way on."""
        while True:
            try:
                yield from self.trainer
                return
            except NotFinite:
                if not self.watchdog.rescue():
                    raise

    def _left(self, progress: Progress) -> float:
        plan, seconds = self.trainer.plan, self.trainer.seconds
        left = [seconds / max(progress.samples, 1) * (plan.samples - progress.samples)] if plan.samples else []
        left += [plan.seconds - seconds] if plan.seconds else []
        return min(left)

    def _goal_is_reached(self) -> bool:
        if self.goal is None:
            return False
        if self.goal.metric == SETTLED:
            return self.watchdog.settled
        met = 0.0
        if self.world.first:
            name, value = self._measure()
            self._tell("goal", f"{name} is {value:.4g}; the goal is {self.goal}.")
            met = float(self.goal.met(value))
        return self.world.largest([met])[0] > 0

    def _measure(self) -> tuple[str, float]:
        assert self.goal is not None
        return self._quick(self.trainer.average, self.split, self.modality, self.goal.metric, self.record.seed)

    def _show_reals(self) -> None:
        if self.world.first:
            self._show(self.split.train.batch(slice(0, self.modality.shown)), self.run.folder / "reals")

    def _show_samples(self, progress: Progress) -> None:
        if self.world.first:
            self._show(self._samples_of_average(), self.run.samples / f"{progress.samples:09d}")

    def _samples_of_average(self) -> Batch:
        """From the same noise every time, under conditions of held-out samples: a row a class if there are classes."""
        aside = self.split.held_out
        rows = by_class(aside.labels, COLUMNS) if aside.conditions is not None else None
        shown = aside.batch(np.resize(np.arange(len(aside)), self.modality.shown) if rows is None else rows)
        game, seed, count = self.trainer.average, self.record.seed, batch_size(shown)
        made = generate(game, count, shown.condition, seed=seed, stream="shown/", device=self.trainer.device)
        return shown._replace(real=made)

    def _show(self, batch: Batch, stem: Path) -> None:
        try:
            write_exhibits(self.modality.show(batch, self.record.facts, columns=COLUMNS), stem)
        except OSError as error:
            self._tell("not shown", f"A picture could not be written ({error}).")

    def _save(self, *, last: bool = False) -> None:
        """Write a checkpoint. One that cannot be written is said; the last one, or three in a row, are an error."""
        self.trainer.beside = {"watchdog": self.watchdog.state()}
        try:
            save_checkpoint(self.run.checkpoints, self.trainer)
            self._failures = 0
        except OSError as error:
            self._failures += 1
            self._tell("not saved", f"The checkpoint could not be written ({error}); the one before is untouched.")
            if last or self._failures >= FAILURES:
                raise SparringError(
                    found=f"a checkpoint that could not be written ({error})",
                    expected=f"room in {self.run.checkpoints}",
                    remedy=f"make room, then run `sparring resume {self.run.folder}`",
                ) from None
        self._saved_at = time.monotonic()

    def _stop(self, code: int) -> None:
        self.display.close()
        if self.world.first:
            self._save(last=True)
            self.logbook.close()
        self.world.agree("saved")
        raise Interrupted(self.run, code)

    def _finish(self) -> None:

        self.logbook.close()
        self._tell(
            "finished", f"Trained on {self.trainer.samples:,} samples in {self.trainer.seconds:.0f} s. Judging …"
        )
        model = load(self.run.folder, recipe=self.recipe)
        model.save_pretrained(self.run.model)
        self._conclude(self.run, model, self.split, partial(self.display.count, "judging"))

    def _tell(self, kind: str, sentence: str, facts: dict[str, Any] | None = None) -> None:
        self.display.say(sentence)
        self.logbook.event(self.trainer.samples, kind, sentence, facts)


def _crossed(before: Progress, now: Progress, marks: int) -> bool:
    return int(before.fraction * marks) != int(now.fraction * marks) or now.fraction >= 1
