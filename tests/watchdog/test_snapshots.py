"""Good states and the best one, in folders of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.events import AnyEvent, SnapshotDamaged
from sparring.flow import Figures
from sparring.runs.logbook import Logbook
from sparring.training.checkpoint import FILES, Snapshot, checkpoints, save_checkpoint, take
from sparring.training.distributed import World
from sparring.training.trainer import Trainer
from sparring.watchdog.snapshots import Snapshots

Make = Callable[..., Any]


class Folder:
    """A run folder, its trainer, and how often an ordinary checkpoint was asked for."""

    def __init__(self, path: Path, trainer: Trainer, world: World) -> None:
        self.path, self.trainer, self.saved = path, trainer, 0
        self.logbook = Logbook(path, writes=world.is_main)
        self.events: list[AnyEvent] = []
        self.snapshots = Snapshots(path, trainer, self.logbook.rewind, world, self.save, "run", self.events.append)

    def save(self) -> None:
        self.saved += 1
        save_checkpoint(self.path / "checkpoints", self.trainer)

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.trainer.advance()

    def kept(self, name: str) -> list[int]:
        """The samples of the checkpoints in a folder."""
        return [int(path.name) for path in checkpoints(self.path / name)]


@pytest.fixture
def folder(tiny_duel: Make, blob: Dataset, plan: Make, tmp_path: Path) -> Callable[..., Folder]:
    """``folder(rank=0)`` of a run of 32 samples a step."""

    def make(rank: int = 0) -> Folder:
        return Folder(tmp_path, Trainer(tiny_duel(), blob, plan(samples=10_000)), World(rank, 1 + rank))

    return make


def assert_same(one: Snapshot, other: Snapshot) -> None:
    for left, right in ((one.players, other.players), (one.optimisers, other.optimisers)):
        assert left.keys() == right.keys() and left
        assert all(torch.equal(left[name], right[name]) for name in left)


def test_replace_good_replaces_all_good_states(folder: Callable[..., Folder]) -> None:
    """Also one of the same number of samples, whose weights differ."""
    here = folder()
    for _ in range(2):
        here.advance(2)
        here.snapshots.save_good()
    with torch.no_grad():
        next(here.trainer.game.players["discriminator"].parameters()).fill_(7.0)
    here.snapshots.replace_good()
    assert here.kept("good") == [here.trainer.samples]
    here.advance(1)
    assert here.snapshots.roll_back() is True
    assert bool((next(here.trainer.game.players["discriminator"].parameters()) == 7.0).all())


def changed(one: Snapshot, other: Snapshot) -> set[str]:
    """Names of the parts of the state, tensors aside, that differ."""
    return {name for name in one.state if one.state[name] != other.state[name]}


def test_a_rollback_restores_all_but_time_and_extra_state(folder: Callable[..., Folder]) -> None:
    here = folder()
    here.advance(3)
    here.trainer.controls["lecam"].set(0.3)
    here.trainer.guard.check("generator", float("nan"))
    here.snapshots.save_good()
    kept = take(here.trainer)
    here.trainer.controls["lecam"].set(0.6)
    here.trainer.guard.check("generator", float("nan"))
    here.advance(4)
    seconds, here.trainer.extra_state = here.trainer.seconds, {"watchdog": {"attempts": {"divergence": 1}}}
    assert here.snapshots.roll_back() is True
    back = take(here.trainer)
    assert_same(kept, back)
    assert changed(kept, back) == {"seconds", "extra"}
    assert here.trainer.seconds == seconds > kept.state["seconds"] and here.trainer.extra_state["watchdog"]


def test_training_repeats_bit_for_bit_after_a_rollback(folder: Callable[..., Folder]) -> None:
    here = folder()
    here.advance(2)
    here.snapshots.save_good()
    ends = []
    for _ in range(2):
        here.advance(3)
        ends.append(take(here.trainer))
        assert here.snapshots.roll_back()
    assert_same(*ends)
    assert changed(*ends) == {"seconds"}


def test_a_rollback_restores_the_last_of_several_states(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(3):
        here.snapshots.save_good()
        here.advance(1)
    assert here.kept("good") == [32, 64] and not here.kept("checkpoints")
    assert here.snapshots.roll_back() and (here.trainer.step, here.trainer.samples) == (2, 64)


def test_a_rollback_passes_over_a_damaged_state(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(2):
        here.snapshots.save_good()
        here.advance(1)
    (here.path / "good" / "000000032" / FILES[0]).write_bytes(b"")
    assert here.snapshots.roll_back() and here.trainer.samples == 0
    (event,) = here.events
    assert isinstance(event, SnapshotDamaged) and (event.folder, event.used) == ("good", 0)
    assert "Checkpoint 000000032 is damaged" in event.sentence


@pytest.mark.parametrize("damaged", [[64], [32, 64]])
def test_damage_to_the_best_state_is_told(damaged: list[int], folder: Callable[..., Folder]) -> None:
    """It would change the finished model."""
    here = folder()
    for _ in range(2):
        here.advance(1)
        here.snapshots.save_best()
    for samples in damaged:
        (here.path / "best" / f"{samples:09d}" / FILES[2]).write_bytes(b"{}")
    best = here.snapshots.best_average(expected=64)
    assert (best and best.samples) == (None if len(damaged) == 2 else 32)
    (event,) = here.events
    assert isinstance(event, SnapshotDamaged) and (event.folder, event.used) == ("best", best and best.samples)


def test_a_best_state_that_is_missing_is_told(folder: Callable[..., Folder]) -> None:
    here = folder()
    assert here.snapshots.best_average() is None and not here.events
    assert here.snapshots.best_average(expected=64) is None
    assert "That of 64 samples was saved and is missing." in here.events[0].sentence


@pytest.mark.parametrize("damaged", [False, True])
def test_without_a_good_state_nothing_is_rolled_back(damaged: bool, folder: Callable[..., Folder]) -> None:
    here = folder()
    if damaged:
        here.snapshots.save_good()
        (here.path / "good" / "000000000" / FILES[0]).write_bytes(b"")
    here.advance(2)
    before = take(here.trainer)
    assert here.snapshots.roll_back() is False
    assert_same(before, take(here.trainer))
    assert not changed(before, take(here.trainer))


def test_the_best_average_is_read_back_with_its_samples(folder: Callable[..., Folder]) -> None:
    here = folder()
    assert here.snapshots.best_average() is None
    here.advance(2)
    here.snapshots.save_best()
    kept = [weight.clone() for weight in here.trainer.average.players["generator"].parameters()]
    here.advance(3)
    now = take(here.trainer)
    best = here.snapshots.best_average()
    assert best is not None and best.samples == 64
    found = list(best.game.players["generator"].parameters())
    assert all(torch.equal(*pair) for pair in zip(found, kept, strict=True))
    here.snapshots.save_best()
    newer = here.snapshots.best_average()
    assert newer is not None and newer.samples == 160
    # Nothing of the run itself is touched.
    assert_same(now, take(here.trainer))
    for checkpoint in checkpoints(here.path / "best"):
        (checkpoint / FILES[0]).unlink()
    assert here.snapshots.best_average() is None


def test_save_checkpoint_removes_checkpoints_and_figures_of_the_abandoned_course(folder: Callable[..., Folder]) -> None:
    """A checkpoint of the same number of samples belongs to the abandoned course, too."""
    here = folder()
    for step in range(5):
        if step == 1:
            here.snapshots.save_best()
        if step == 2:
            here.snapshots.save_good()
            here.save()
        if step == 3:
            here.snapshots.save_best()
            here.save()
        here.logbook.figures(here.trainer.samples, Figures(gradients={"generator": 0.5}), 100.0)
        here.logbook.signals(here.trainer.step, here.trainer.samples, {"lead": 0.8})
        here.trainer.advance()
    assert here.snapshots.roll_back()
    here.trainer.controls["lecam"].set(0.3)
    here.snapshots.save_checkpoint()
    assert (here.kept("checkpoints"), here.kept("good"), here.kept("best")) == ([64], [64], [32])
    assert here.saved == 3
    written = json.loads((here.path / "checkpoints" / "000000064" / "state.json").read_text())
    assert written["controls"]["lecam"][0] == 0.3
    for name in ("log.jsonl", "signals.jsonl"):
        rows = [json.loads(line) for line in (here.path / name).read_text().splitlines()]
        assert [row["samples"] for row in rows] == [0, 32, 64]


def test_later_states_are_dropped_when_a_run_is_resumed(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(3):
        here.snapshots.save_good()
        here.snapshots.save_best()
        here.advance(1)
    here.trainer.samples = 32
    here.snapshots.drop_after(32)
    assert here.kept("good") == here.kept("best") == [32]
    here.snapshots.drop_after(-1)
    assert not here.kept("good") and not here.kept("best")
    here.snapshots.drop_after(-1)


def test_states_of_an_earlier_phase_are_dropped(folder: Callable[..., Folder]) -> None:
    """If none is left, the present state is saved."""
    here = folder()
    for samples, kept in ((0, [0, 32]), (32, [32]), (32, [32]), (64, [64])):
        while here.trainer.step < 2:
            here.snapshots.save_good()
            here.snapshots.save_best()
            here.advance(1)
        here.snapshots.drop_before(samples)
        assert here.kept("good") == kept and here.kept("best") == [name for name in kept if name < 64]
    here.advance(1)
    assert here.snapshots.roll_back() and here.trainer.samples == 64


def test_only_the_main_process_writes(folder: Callable[..., Folder]) -> None:
    first, second = folder(), folder(rank=1)
    second.advance(2)
    second.snapshots.save_good()
    second.snapshots.save_best()
    assert not second.kept("good") and not second.kept("best") and not second.snapshots.roll_back()
    first.advance(1)
    first.snapshots.save_good()
    first.snapshots.save_best()
    second.trainer.samples = 0
    second.snapshots.save_checkpoint()
    second.snapshots.drop_after(32)
    second.snapshots.drop_after(-1)
    second.snapshots.drop_before(10_000)
    assert second.kept("good") == second.kept("best") == [32] and second.saved == 0
    assert second.snapshots.roll_back() and second.trainer.samples == 32


def test_all_processes_wait_until_a_state_is_written(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed: list[tuple[str, list[int]]] = []
    here = folder()
    monkeypatch.setattr(World, "broadcast", lambda world, text: agreed.append((text, here.kept("good"))) or text)
    here.snapshots.save_good()
    here.snapshots.roll_back()
    assert [kept for _, kept in agreed] == [[0], [0]]


def test_a_full_disk_does_not_end_a_run(folder: Callable[..., Folder]) -> None:
    """A file in place of the folder cannot be written to either."""
    here = folder()
    for name in ("good", "best"):
        (here.path / name).write_text("")
    here.snapshots.save_good()
    here.snapshots.save_best()
    assert not here.snapshots.roll_back() and here.snapshots.best_average() is None
