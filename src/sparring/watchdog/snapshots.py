"""States of a run that are kept beside its checkpoints: good ones to roll back to, and the best."""

import copy
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, final

from sparring.errors import SparringError
from sparring.events import AnyEvent, SnapshotDamaged
from sparring.games.game import Game
from sparring.training import checkpoint as files
from sparring.training.checkpoint import Snapshot, checkpoints, forget_after, load_checkpoint, require_fit
from sparring.training.distributed import World
from sparring.training.trainer import Trainer


class Best(NamedTuple):
    """The averaged game at its best, and the samples seen by then."""

    game: Game
    samples: int


@final
class Snapshots:
    """Checkpoints in ``good/`` and ``best/`` of a run folder; the main process writes.

    Args:
        folder: the run folder.
        trainer: the run.
        rewind: removes figures after a number of samples from the log.
        world: this process among several.
        save: writes a regular checkpoint.
        run: identity of the run.
        on_event: called with each state that cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        trainer: Trainer,
        rewind: Callable[[int], None],
        world: World,
        save: Callable[[], None],
        run: str = "",
        on_event: Callable[[AnyEvent], None] = lambda event: None,
    ) -> None:
        self.good, self.best, self.checkpoints = folder / "good", folder / "best", folder / "checkpoints"
        self.identity, self.on_event = run, on_event
        self.trainer, self._rewind, self.world, self._save_regular = trainer, rewind, world, save

    def save_good(self) -> None:
        """Save the present state as a good one."""
        self._save(self.good)
        self.world.barrier()

    def replace_good(self) -> None:
        """Save the present state in place of all good ones, so that a rollback cannot go further back."""
        if self.world.is_main:
            shutil.rmtree(self.good, ignore_errors=True)
        self.save_good()

    def save_best(self) -> None:
        """Save the present state as the best so far."""
        self._save(self.best)

    def save_checkpoint(self) -> None:
        """Write a regular checkpoint, and remove checkpoints and figures of the course that was abandoned."""
        if self.world.is_main:
            forget_after(self.checkpoints, self.trainer.samples - 1)
            forget_after(self.best, self.trainer.samples)
            self._rewind(self.trainer.samples)
            self._save_regular()

    def roll_back(self) -> bool:
        """Restore the last good state, but for elapsed time and extra state; return False if there is none."""
        seconds, extra_state = self.trainer.seconds, self.trainer.extra_state
        found = self._newest("good")
        if found is None:
            return False
        files.restore(self.trainer, found[0])
        self.trainer.seconds, self.trainer.extra_state = seconds, extra_state
        self.world.barrier()
        return True

    def best_average(self, expected: int = 0) -> Best | None:
        """Return the best state, if one was saved and can be read.

        Args:
            expected: samples seen at the state that was saved last; 0 if none was.
        """
        found = self._newest("best")
        if found is None:
            if expected and not checkpoints(self.best):
                complaint = f"That of {expected:,} samples was saved and is missing."
                self.on_event(SnapshotDamaged(samples=self.trainer.samples, folder="best", complaint=complaint))
            return None
        game = copy.deepcopy(self.trainer.average)
        files.restore_average(game, found[0])
        return Best(game, found[1])

    def drop_before(self, samples: int) -> None:
        """Remove states from before ``samples``; if no good one is left, save the present one."""
        if self.world.is_main:
            for checkpoint in (*checkpoints(self.good), *checkpoints(self.best)):
                if int(checkpoint.name) < samples:
                    shutil.rmtree(checkpoint, ignore_errors=True)
        if not self.world.is_main or checkpoints(self.good):
            self.world.barrier()
        else:
            self.save_good()

    def drop_after(self, samples: int) -> None:
        """Remove states from after ``samples``, which a resumed run reaches again."""
        if self.world.is_main:
            for folder in (self.good, self.best):
                forget_after(folder, samples)

    def _newest(self, name: Literal["good", "best"]) -> tuple[Snapshot, int] | None:
        """Return the newest state in a folder that can be used, with its samples; report those that cannot."""
        folder = self.good if name == "good" else self.best
        if not checkpoints(folder):
            return None
        told = partial(SnapshotDamaged, samples=self.trainer.samples, folder=name)
        try:
            snapshot, place, complaints = load_checkpoint(folder, self.identity, partial(require_fit, self.trainer))
        except SparringError as error:
            self.on_event(told(complaint=f"{error.found[:1].upper()}{error.found[1:]}."))
            return None
        for complaint in complaints:
            self.on_event(told(complaint=complaint, used=int(place.name)))
        return snapshot, int(place.name)

    def _save(self, folder: Path) -> None:
        if self.world.is_main:
            with suppress(OSError):  # A full disk does not end a run here; saving a checkpoint reports it.
                files.save_checkpoint(folder, self.trainer, self.identity)
