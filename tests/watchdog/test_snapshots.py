"""States to go back to, and the best one, in folders of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.dataset import Dataset
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
        self.states = Snapshots(path, trainer, self.logbook.rewind, world, self.save)

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


def test_the_present_state_can_take_the_place_of_all_that_were_kept(folder: Callable[..., Folder]) -> None:
    """Also of one of the same samples: the weights differ though the clock does not."""
    here = folder()
    for _ in range(2):
        here.advance(2)
        here.states.keep()
    with torch.no_grad():
        next(here.trainer.game.players["discriminator"].parameters()).fill_(7.0)
    here.states.keep_this()
    assert here.kept("good") == [here.trainer.samples]
    here.advance(1)
    assert here.states.go_back() is True
    assert bool((next(here.trainer.game.players["discriminator"].parameters()) == 7.0).all())


def changed(one: Snapshot, other: Snapshot) -> set[str]:
    """What differs beside tensors."""
    return {name for name in one.state if one.state[name] != other.state[name]}


def test_the_run_goes_back_to_the_state_that_was_kept(folder: Callable[..., Folder]) -> None:
    """All of it but the clock, and what others keep in checkpoints: both go on."""
    here = folder()
    here.advance(3)
    here.trainer.controls["lecam"].set(0.3)
    here.trainer.guard.note("generator", float("nan"))
    here.states.keep()
    kept = take(here.trainer)
    here.trainer.controls["lecam"].set(0.6)
    here.trainer.guard.note("generator", float("nan"))
    here.advance(4)
    seconds, here.trainer.extra_state = here.trainer.seconds, {"watchdog": {"tries": {"divergence": 1}}}
    assert here.states.go_back() is True
    back = take(here.trainer)
    assert_same(kept, back)
    assert changed(kept, back) == {"seconds", "beside"}
    assert here.trainer.seconds == seconds > kept.state["seconds"] and here.trainer.extra_state["watchdog"]


def test_from_there_it_goes_as_before(folder: Callable[..., Folder]) -> None:
    here = folder()
    here.advance(2)
    here.states.keep()
    ends = []
    for _ in range(2):
        here.advance(3)
        ends.append(take(here.trainer))
        assert here.states.go_back()
    assert_same(*ends)
    assert changed(*ends) == {"seconds"}


def test_it_goes_back_to_the_last_of_several(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(3):
        here.states.keep()
        here.advance(1)
    assert here.kept("good") == [32, 64] and not here.kept("checkpoints")
    assert here.states.go_back() and (here.trainer.step, here.trainer.samples) == (2, 64)


def test_where_the_last_is_damaged_it_goes_back_further(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(2):
        here.states.keep()
        here.advance(1)
    (here.path / "good" / "000000032" / FILES[0]).write_bytes(b"")
    assert here.states.go_back() and here.trainer.samples == 0


@pytest.mark.parametrize("damaged", [False, True])
def test_where_there_is_nothing_to_go_back_to_it_stays(damaged: bool, folder: Callable[..., Folder]) -> None:
    here = folder()
    if damaged:
        here.states.keep()
        (here.path / "good" / "000000000" / FILES[0]).write_bytes(b"")
    here.advance(2)
    before = take(here.trainer)
    assert here.states.go_back() is False
    assert_same(before, take(here.trainer))
    assert not changed(before, take(here.trainer))


def test_the_best_average_and_since_when(folder: Callable[..., Folder]) -> None:
    here = folder()
    assert here.states.best_average() is None
    here.advance(2)
    here.states.keep_best()
    kept = [weight.clone() for weight in here.trainer.average.players["generator"].parameters()]
    here.advance(3)
    now = take(here.trainer)
    best = here.states.best_average()
    assert best is not None and best.samples == 64
    found = list(best.game.players["generator"].parameters())
    assert all(torch.equal(*pair) for pair in zip(found, kept, strict=True))
    here.states.keep_best()
    newer = here.states.best_average()
    assert newer is not None and newer.samples == 160
    # Nothing of the run itself is touched.
    assert_same(now, take(here.trainer))
    for checkpoint in checkpoints(here.path / "best"):
        (checkpoint / FILES[0]).unlink()
    assert here.states.best_average() is None


def test_on_the_new_way_nothing_is_left_of_the_old_one(folder: Callable[..., Folder]) -> None:
    """Neither checkpoints nor figures; what was saved at this very place belongs to the old way, too."""
    here = folder()
    for step in range(5):
        if step == 1:
            here.states.keep_best()
        if step == 2:
            here.states.keep()
            here.save()
        if step == 3:
            here.states.keep_best()
            here.save()
        here.logbook.figures(here.trainer.samples, {"loss": 0.5})
        here.logbook.signals(here.trainer.step, here.trainer.samples, {"lead": 0.8})
        here.trainer.advance()
    assert here.states.go_back()
    here.trainer.controls["lecam"].set(0.3)
    here.states.secure()
    assert (here.kept("checkpoints"), here.kept("good"), here.kept("best")) == ([64], [64], [32])
    assert here.saved == 3
    written = json.loads((here.path / "checkpoints" / "000000064" / "state.json").read_text())
    assert written["dials"]["lecam"][0] == 0.3
    for name in ("log.jsonl", "signals.jsonl"):
        rows = [json.loads(line) for line in (here.path / name).read_text().splitlines()]
        assert [row["samples"] for row in rows] == [0, 32, 64]


def test_a_resumed_run_comes_to_later_states_again(folder: Callable[..., Folder]) -> None:
    here = folder()
    for _ in range(3):
        here.states.keep()
        here.states.keep_best()
        here.advance(1)
    here.trainer.samples = 32
    here.states.forget_the_future()
    assert here.kept("good") == here.kept("best") == [32]
    here.states.forget_all()
    assert not (here.path / "good").exists() and not (here.path / "best").exists()
    here.states.forget_all()


def test_states_of_an_earlier_phase_are_forgotten(folder: Callable[..., Folder]) -> None:
    """Where none is left the present one is kept."""
    here = folder()
    for samples, kept in ((0, [0, 32]), (32, [32]), (32, [32]), (64, [64])):
        while here.trainer.step < 2:
            here.states.keep()
            here.states.keep_best()
            here.advance(1)
        here.states.forget_before(samples)
        assert here.kept("good") == kept and here.kept("best") == [name for name in kept if name < 64]
    here.advance(1)
    assert here.states.go_back() and here.trainer.samples == 64


def test_only_the_first_process_writes(folder: Callable[..., Folder]) -> None:
    first, second = folder(), folder(rank=1)
    second.advance(2)
    second.states.keep()
    second.states.keep_best()
    assert not second.kept("good") and not second.kept("best") and not second.states.go_back()
    first.advance(1)
    first.states.keep()
    first.states.keep_best()
    second.trainer.samples = 0
    second.states.secure()
    second.states.forget_the_future()
    second.states.forget_all()
    second.states.forget_before(10_000)
    assert second.kept("good") == second.kept("best") == [32] and second.saved == 0
    assert second.states.go_back() and second.trainer.samples == 32


def test_all_processes_wait_until_a_state_is_written(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed: list[tuple[str, list[int]]] = []
    here = folder()
    monkeypatch.setattr(World, "agree", lambda world, text: agreed.append((text, here.kept("good"))) or text)
    here.states.keep()
    here.states.go_back()
    assert [kept for _, kept in agreed] == [[0], [0]]


def test_a_full_disk_does_not_end_a_run(folder: Callable[..., Folder]) -> None:
    """Here the folder is a file, in which nothing can be written either."""
    here = folder()
    for name in ("good", "best"):
        (here.path / name).write_text("")
    here.states.keep()
    here.states.keep_best()
    assert not here.states.go_back() and here.states.best_average() is None
