"""Checkpoints: a folder each, verified file by file before anything in it is used.

checkpoints/000120000/        named after the samples seen
  players.safetensors         networks and averages, "player/generator/…", "average/generator/…"
  optimisers.safetensors      "generator/first.weight/exp_avg", …
  state.json                  step, samples, seconds, micro-batch, controls, latest figures, state of the watchdog
  manifest.json               run, samples, and size and SHA-256 of each file, written last
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar, cast, final

import torch
from safetensors.torch import save
from torch import Tensor

from sparring import storage
from sparring.controls import positions, restore_positions
from sparring.errors import SparringError
from sparring.flow import Figures
from sparring.games.game import Game
from sparring.manifest import Manifest, read_manifest, verify_file, write_manifest
from sparring.storage import is_number, temporary_path, write_bytes, write_folder, write_json
from sparring.tensor_files import Shapes, below, named_tensors, read_tensors, shapes_in, shapes_of
from sparring.text import printable
from sparring.training.guard import Guard
from sparring.training.state import Latest, State, read_state
from sparring.training.trainer import Trainer

KEPT_CHECKPOINTS = 2
"""Number of checkpoints that are kept, the newest."""
FILES = ("players.safetensors", "optimisers.safetensors", "state.json")
MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
"""State of Adam for one weight."""


@final
@dataclass(frozen=True)
class Snapshot:
    """State of a trainer: tensors by name, and JSON values; of one that was read, also the digests of the log."""

    players: dict[str, Tensor]
    optimisers: dict[str, Tensor]
    state: State
    log: Mapping[str, str] = field(default_factory=dict)


class Outline(NamedTuple):
    """State of a checkpoint, and the shapes of its tensors, known before any tensor is read."""

    players: Shapes
    optimisers: Shapes
    state: State


Used = TypeVar("Used")
Check: TypeAlias = Callable[[Outline], None]
"""Refuses a checkpoint that does not fit its run, by a SparringError."""


def save_checkpoint(folder: Path, trainer: Trainer, run: str = "", log: Mapping[str, str] | None = None) -> Path:
    """Write a checkpoint of ``trainer`` into ``folder`` and remove all but the newest two.

    Args:
        folder: created if need be, in a folder that exists.
        trainer: the trainer.
        run: identity of its run.
        log: digests of its log, which are kept in the manifest.

    Raises:
        OSError: nothing was changed: the older checkpoints are as they were.
    """
    snapshot = take(trainer)
    target = folder / f"{trainer.samples:09d}"
    for other in checkpoints(folder):
        # A checkpoint ahead of this run was damaged, and skipped when the run was resumed.
        if int(other.name) >= trainer.samples and not _is_intact(other, run):
            _remove(other)
    if not target.exists():
        folder.mkdir(exist_ok=True)
        write_folder(target, lambda temporary: _fill(temporary, snapshot, run, log))
    for old in checkpoints(folder)[:-KEPT_CHECKPOINTS]:
        _remove(old)
    return target


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in ``folder``, intact or not, the oldest first."""
    found = [path for path in folder.glob("*") if is_number(path.name) and path.is_dir() and not path.is_symlink()]
    return sorted(found, key=lambda path: int(path.name))


def forget_after(folder: Path, samples: int) -> None:
    """Remove the checkpoints of more than ``samples`` samples, after a rollback to there."""
    for checkpoint in checkpoints(folder):
        if int(checkpoint.name) > samples:
            _remove(checkpoint)


def load_checkpoint(
    folder: Path, run: str | None = None, check: Check = lambda outline: None
) -> tuple[Snapshot, Path, list[str]]:
    """Return the newest intact checkpoint, its folder, and a complaint about each newer one that was skipped.

    Args:
        folder: the folder of the checkpoints.
        run: identity of the run, whose checkpoints alone are accepted; None to accept those of any run.
        check: refuses checkpoints that do not fit, before their tensors are read.

    Raises:
        SparringError: none is intact.
    """
    return _newest(folder, lambda candidate: read(candidate, run, check))


def require_fitting(folder: Path, run: str, check: Check) -> None:
    """Refuse checkpoints none of which fits, by their states and the shapes of their tensors, of which none is read.

    Raises:
        SparringError: none fits.
    """
    _newest(folder, lambda candidate: _outlined(candidate, run, check))


def _newest(folder: Path, use: Callable[[Path], Used]) -> tuple[Used, Path, list[str]]:
    """Return what ``use`` makes of the newest checkpoint that it does not refuse; see ``load_checkpoint``."""
    complaints: list[str] = []
    for candidate in reversed(checkpoints(folder)):
        try:
            return use(candidate), candidate, [*complaints, *_misnamed(folder, candidate)]
        except SparringError as error:
            complaints.append(f"Checkpoint {candidate.name} is damaged and was skipped: {error.found}.")
    raise SparringError(
        found=f"no intact checkpoint in {folder}{'. '.join(['', *complaints]).rstrip('.')}",
        expected="at least one intact checkpoint",
        remedy="start a new run with `sparring train`",
    )


def _misnamed(folder: Path, used: Path) -> list[str]:
    """Return a complaint about each folder whose name hides when its checkpoint was saved: it may be the newest."""
    numbered = checkpoints(folder)
    found = [path for path in sorted(folder.iterdir()) if path not in numbered and not path.name.startswith(".")]
    for older in numbered[: numbered.index(used)]:
        with suppress(SparringError):
            manifest = read_manifest(older, FILES)
            found += [older] if manifest.samples not in (None, int(older.name)) else []
    names = [printable(path.name) for path in found]
    return [f"'{name}' in {folder.name} is not named after the samples of its checkpoint: skipped." for name in names]


def read(checkpoint: Path, run: str | None = None, check: Check = lambda outline: None) -> Snapshot:
    """Read a checkpoint after verifying each file against the manifest; see ``load_checkpoint``.

    Raises:
        SparringError: it belongs to another run or another moment, a file is missing, differs from the manifest or
            cannot be read, or ``check`` refuses it.
    """
    # Names and shapes before any tensor is read, so that memory is taken only for what fits.
    manifest, outline = _outlined(checkpoint, run, check)
    players, optimisers = (
        read_tensors(checkpoint / name, digest=manifest.files[name].sha256, size=manifest.files[name].bytes)
        for name in FILES[:2]
    )
    return Snapshot(players, optimisers, outline.state, manifest.log)


def _outlined(checkpoint: Path, run: str | None, check: Check) -> tuple[Manifest, Outline]:
    """Return the manifest and the outline of a checkpoint that ``check`` accepts; see ``read``."""
    samples = int(checkpoint.name)
    manifest = read_manifest(checkpoint, FILES, run, samples)
    verify_file(checkpoint, FILES[2], manifest.files[FILES[2]])
    state = read_state(checkpoint / FILES[2], manifest.format)
    if state["samples"] != samples:
        raise SparringError(
            found=f"a state saved at {state['samples']} samples in {checkpoint}",
            expected=f"the state at {samples} samples",
            remedy="restore the checkpoint from a copy",
        )

    outline = Outline(shapes_in(checkpoint / FILES[0]), shapes_in(checkpoint / FILES[1]), state)
    check(outline)
    return manifest, outline


def take(trainer: Trainer) -> Snapshot:
    """Copy the state of a trainer to main memory."""
    # Tensors, by names that say whose they are.
    players = named_tensors(_modules(trainer.game, trainer.average))
    optimisers = {
        f"{name}/{key}/{part}": value
        for name, optimiser in trainer.optimisers.items()
        for key, weight in trainer.game.players[name].named_parameters()
        for part, value in optimiser.state.get(weight, {}).items()
    }

    # Counters, controls and figures.
    state: State = {
        "step": trainer.step,
        "samples": trainer.samples,
        "seconds": trainer.seconds,
        "micro_batch": trainer.micro_batch,
        "controls": positions(trainer.controls),
        "figures": cast(Latest, storage.finite(trainer.figures.as_json())),
        "guard": {"skipped": dict(trainer.guard.skipped), "total": trainer.guard.total},
        "extra": trainer.extra_state,
    }
    return Snapshot(_copied(players), _copied(optimisers), state)


def require_fit(trainer: Trainer, outline: Outline) -> None:
    """Refuse a checkpoint of other networks, optimisers or controls than those of ``trainer``.

    Raises:
        SparringError: a name, a shape or the position of a control does not fit.
    """
    # Networks, their averages and, for each weight, all moments or none.
    require_players(trainer.game, outline)
    moments: Shapes = {}
    for name in trainer.optimisers:
        for key, weight in trainer.game.players[name].named_parameters():
            parts = {part: () if part == "step" else tuple(weight.shape) for part in MOMENTS}
            moments |= {f"{name}/{key}/{part}": shape for part, shape in parts.items()}
            if not any(f"{name}/{key}/{part}" in outline.optimisers for part in MOMENTS):
                for part in MOMENTS:
                    del moments[f"{name}/{key}/{part}"]
    require_shapes(outline.optimisers, moments)

    # Controls within their bounds, and a micro-batch that is part of the batch.
    for name, (value, _) in outline.state["controls"].items():
        control = trainer.controls.get(name)
        if control is None or not control.lowest <= value <= control.highest:
            raise _other(f"a control {name!r} at {value:g}")
    if outline.state["micro_batch"] > trainer.plan.batch:
        raise _other(f"a micro-batch of {outline.state['micro_batch']}")


def require_players(game: Game, outline: Outline) -> None:
    """Refuse a checkpoint of other players than those of ``game``; see ``require_fit``.

    Raises:
        SparringError: a name or a shape differs.
    """
    require_shapes(outline.players, shapes_of(named_tensors(_modules(game, game))))


def require_shapes(found: Shapes, expected: Shapes, subject: str = "a checkpoint") -> None:
    """Refuse tensors of other names or shapes than those of the networks.

    Raises:
        SparringError: they differ; the message names the first difference.
    """
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            shapes = [str(some[name]) if name in some else "none" for some in (found, expected)]
            raise _other(f"{name!r} of shape {shapes[0]}, not {shapes[1]}", subject)


def restore(trainer: Trainer, snapshot: Snapshot) -> None:
    """Restore the state of a trainer that was made for the same run.

    Raises:
        SparringError: the checkpoint does not fit; the trainer is as it was. See ``require_fit``.
    """
    require_fit(trainer, Outline(shapes_of(snapshot.players), shapes_of(snapshot.optimisers), snapshot.state))

    # Networks and their moving averages.
    for start, module in _modules(trainer.game, trainer.average).items():
        module.load_state_dict(below(snapshot.players, start))

    # Moments of the optimisers.
    for name, optimiser in trainer.optimisers.items():
        for key, weight in trainer.game.players[name].named_parameters():
            found = below(snapshot.optimisers, f"{name}/{key}/")
            optimiser.state[weight] = {part: _like(weight, part, value) for part, value in found.items()}
            if not found:
                del optimiser.state[weight]

    # Counters, controls and figures.
    state = snapshot.state
    trainer.step, trainer.samples, trainer.seconds = state["step"], state["samples"], state["seconds"]
    trainer.micro_batch = state["micro_batch"]
    trainer.guard = Guard(dict(state["guard"]["skipped"]), state["guard"]["total"])
    trainer.figures, trainer.extra_state = Figures(**state["figures"]), state["extra"]
    restore_positions(trainer.controls, state["controls"])


def restore_average(average: Game, snapshot: Snapshot) -> None:
    """Load the averaged players of a snapshot into ``average``, which has the same networks."""
    restore_published(average, below(snapshot.players, "average/"))


def restore_published(game: Game, weights: Mapping[str, Tensor]) -> None:
    """Load the weights of the published players, "player/key", whose names and shapes are known to fit."""
    for name in game.published:
        game.players[name].load_state_dict(below(weights, f"{name}/"))


def _fill(folder: Path, snapshot: Snapshot, run: str, log: Mapping[str, str] | None) -> None:
    write_bytes(folder / FILES[0], save(snapshot.players))
    storage.on_stage("checkpoint-after-players")
    write_bytes(folder / FILES[1], save(snapshot.optimisers))
    storage.on_stage("checkpoint-after-optimisers")
    write_json(folder / FILES[2], snapshot.state)
    storage.on_stage("checkpoint-after-state")
    write_manifest(folder, FILES, run, snapshot.state["samples"], log)
    storage.on_stage("checkpoint-after-manifest")


def _is_intact(checkpoint: Path, run: str) -> bool:
    try:
        read(checkpoint, run)
    except SparringError:
        return False
    return True


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint; it is renamed first, so that half of it is never taken for an intact one."""
    storage.on_stage("prune-before-remove")
    hidden = temporary_path(checkpoint)
    shutil.rmtree(hidden, ignore_errors=True)
    checkpoint.rename(hidden)
    storage.on_stage("prune-after-rename")
    shutil.rmtree(hidden, ignore_errors=True)
    storage.on_stage("prune-after-remove")


def _modules(game: Game, average: Game) -> dict[str, torch.nn.Module]:
    """Return the networks by the start of the names of their tensors: "player/generator/", "average/generator/"."""
    players = {f"player/{name}/": module for name, module in game.players.items()}
    return players | {f"average/{name}/": average.players[name] for name in game.published}


def _like(weight: Tensor, part: str, value: Tensor) -> Tensor:
    """Return a tensor of the optimiser as Adam expects it: moments have the device and memory format of the weight."""
    if part == "step":
        return value.to(weight.device)
    return torch.empty_like(weight, requires_grad=False).copy_(value)


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}


def _other(found: str, subject: str = "a checkpoint") -> SparringError:
    return SparringError(
        found=f"{subject} of other networks ({found})",
        expected="the networks of the recipe",
        remedy="use the version of sparring that wrote it",
    )
