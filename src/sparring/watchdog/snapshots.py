"""The states of a run that are kept beside its checkpoints: good ones to go back to, and the best."""

import copy
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, final

from sparring.errors import SparringError
from sparring.games.game import Game
from sparring.training.checkpoint import (
    checkpoints,
    forget_after,
    load_checkpoint,
    restore,
    restore_average,
    save_checkpoint,
)
from sparring.training.distributed import World
from sparring.training.trainer import Trainer


class Best(NamedTuple):
    """The averaged game as it was at its best, and the samples seen by then."""

    game: Game
    samples: int


@final
class Snapshots:
    """Checkpoints in ``good/`` and ``best/`` of a run folder.

    Args:
        folder: of the run.
        trainer: whose states are kept.
        rewind: forgets figures after so many samples, where the run goes back.
        world: the first process writes.
        save: writes an ordinary checkpoint.
    """

    def __init__(
        self, folder: Path, trainer: Trainer, rewind: Callable[[int], None], world: World, save: Callable[[], None]
    ) -> None:
        self.good, self.best, self.checkpoints = folder / "good", folder / "best", folder / "checkpoints"
        self.trainer, self.rewind, self.world, self.save = trainer, rewind, world, save

    def keep(self) -> None:
        """Keep the present state as a good one."""
        self._write(self.good)
        self.world.broadcast("kept")

    def keep_this(self) -> None:
        """Keep the present state in place of all that were kept: there is no going back to them."""
        if self.world.is_main:
            shutil.rmtree(self.good, ignore_errors=True)
        self.keep()

    def keep_best(self) -> None:
        """Keep the present state as the best so far."""
        self._write(self.best)

    def forget_before(self, samples: int) -> None:
        """Forget the states of before ``samples``, the best too; keep the present one where none is left."""
        if self.world.is_main:
            for checkpoint in (*checkpoints(self.good), *checkpoints(self.best)):
                if int(checkpoint.name) < samples:
                    shutil.rmtree(checkpoint, ignore_errors=True)
        if not self.world.is_main or checkpoints(self.good):
            self.world.broadcast("kept")
        else:
            self.keep()

    def go_back(self) -> bool:
        """To the last good state, with the clock going on; False if there is none."""
        seconds, extra_state = self.trainer.seconds, self.trainer.extra_state
        try:
            snapshot, _, _ = load_checkpoint(self.good)
        except SparringError:
            return False
        restore(self.trainer, snapshot)
        self.trainer.seconds, self.trainer.extra_state = seconds, extra_state
        self.world.broadcast("back")
        return True

    def secure(self) -> None:
        """Write a checkpoint in place of those that lead where the run no longer goes."""
        if self.world.is_main:
            forget_after(self.checkpoints, self.trainer.samples - 1)
            forget_after(self.best, self.trainer.samples)
            self.save()
            self.rewind(self.trainer.samples)

    def forget_the_future(self) -> None:
        """A resumed run comes to later states again."""
        if self.world.is_main:
            for folder in (self.good, self.best):
                forget_after(folder, self.trainer.samples)

    def forget_all(self) -> None:
        """The run begins anew."""
        if self.world.is_main:
            for folder in (self.good, self.best):
                shutil.rmtree(folder, ignore_errors=True)

    def best_average(self) -> Best | None:
        """The best state, if one was kept and can be read."""
        try:
            snapshot, place, _ = load_checkpoint(self.best)
        except SparringError:
            return None
        game = copy.deepcopy(self.trainer.average)
        restore_average(game, snapshot)
        return Best(game, int(place.name))

    def _write(self, folder: Path) -> None:
        if self.world.is_main:
            with suppress(OSError):  # A full disk does not end a run: the checkpoints will say so.
                save_checkpoint(folder, self.trainer)
