"""Checkpoints: a folder each, verified file by file before anything in it is used.

checkpoints/000120000/        named after the samples seen
  players.safetensors         networks and averages, "player/generator/…", "average/generator/…"
  optimisers.safetensors      "generator/first.weight/exp_avg", …
  state.json                  step, samples, seconds, micro-batch, controls, latest figures, state of the watchdog
  manifest.json               size and SHA-256 of each file, written last
"""

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from sparring import storage
from sparring.controls import positions, restore_positions
from sparring.errors import SparringError
from sparring.flow import Figures
from sparring.games.game import Game
from sparring.storage import json_text, read_json, sha256, temporary_path, write_bytes, write_folder, write_json
from sparring.training.guard import Guard
from sparring.training.trainer import Trainer

KEPT_CHECKPOINTS = 2
"""Number of checkpoints that are kept, the newest."""
FORMAT, READABLE = 3, (2, 3)
"""The format that is written, and those that can be read."""
FILES = ("players.safetensors", "optimisers.safetensors", "state.json")


@final
@dataclass(frozen=True)
class Snapshot:
    """State of a trainer: tensors by name, and JSON values."""

    players: dict[str, Tensor]
    optimisers: dict[str, Tensor]
    state: dict[str, Any]


def save_checkpoint(folder: Path, trainer: Trainer) -> Path:
    """Write a checkpoint of ``trainer`` into ``folder`` and remove all but the newest two.

    Raises:
        OSError: nothing was changed: the older checkpoints are as they were.
    """
    snapshot = take(trainer)
    target = folder / f"{trainer.samples:09d}"
    for other in checkpoints(folder):
        # A checkpoint ahead of this run was damaged, and skipped when the run was resumed.
        if int(other.name) >= trainer.samples and not _is_intact(other):
            _remove(other)
    if not target.exists():
        write_folder(target, lambda temporary: _fill(temporary, snapshot))
    for old in checkpoints(folder)[:-KEPT_CHECKPOINTS]:
        _remove(old)
    return target


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in ``folder``, intact or not, the oldest first."""
    found = [path for path in folder.glob("*") if path.is_dir() and path.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name))


def forget_after(folder: Path, samples: int) -> None:
    """Remove the checkpoints of more than ``samples`` samples, after a rollback to there."""
    for checkpoint in checkpoints(folder):
        if int(checkpoint.name) > samples:
            _remove(checkpoint)


def load_checkpoint(folder: Path) -> tuple[Snapshot, Path, list[str]]:
    """Return the newest intact checkpoint, its folder, and a complaint about each newer one that is damaged.

    Raises:
        SparringError: none is intact.
    """
    complaints: list[str] = []
    for candidate in reversed(checkpoints(folder)):
        try:
            return read(candidate), candidate, complaints
        except SparringError as error:
            complaints.append(f"Checkpoint {candidate.name} is damaged and was skipped: {error.found}.")
    raise SparringError(
        found=f"no intact checkpoint in {folder}{'. '.join(['', *complaints]).rstrip('.')}",
        expected="at least one intact checkpoint",
        remedy="start a new run with `sparring train`",
    )


def read(checkpoint: Path) -> Snapshot:
    """Read a checkpoint after verifying each file against the manifest.

    Raises:
        SparringError: a file is missing, differs from the manifest or cannot be read.
    """
    # The manifest: its format, and its own digest.
    manifest = read_json(checkpoint / "manifest.json")
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") not in READABLE
        or set(manifest.get("files", ())) != set(FILES)
    ):
        raise _damaged(checkpoint / "manifest.json", "another format", f"format {FORMAT} with {', '.join(FILES)}")
    unchanged = (checkpoint / "manifest.json").read_bytes() == json_text(manifest).encode()
    if manifest.get("digest") != _digest(manifest["files"]) or not unchanged:
        raise _damaged(checkpoint / "manifest.json", "another manifest than was written", "an unchanged one")

    # Each file: its length first, because that is cheap, then its SHA-256.
    for name, wanted in manifest["files"].items():
        path = checkpoint / name
        if not path.is_file() or path.stat().st_size != wanted["bytes"]:
            raise _damaged(path, "a missing or shortened file", f"{wanted['bytes']} bytes")
        if sha256(path) != wanted["sha256"]:
            raise _damaged(path, "other content than was written", "its SHA-256 to be that of the manifest")

    # Only files that are known to be intact are parsed.
    try:
        players, optimisers = (load_file(checkpoint / name) for name in FILES[:2])
    except (SafetensorError, OSError) as error:
        raise _damaged(checkpoint, f"tensors that cannot be read ({error})", "safetensors") from None
    state = read_json(checkpoint / FILES[2])
    return Snapshot(players, optimisers, state if manifest["format"] == FORMAT else _upgraded(state))


def take(trainer: Trainer) -> Snapshot:
    """Copy the state of a trainer to main memory."""
    # Tensors, by names that say whose they are.
    players = {
        f"{kind}/{name}/{key}": value
        for kind, name, module in _modules(trainer)
        for key, value in module.state_dict().items()
    }
    optimisers = {
        f"{name}/{key}/{part}": value
        for name, optimiser in trainer.optimisers.items()
        for key, weight in trainer.game.players[name].named_parameters()
        for part, value in optimiser.state.get(weight, {}).items()
    }

    # Counters, controls and figures.
    state: dict[str, Any] = {"step": trainer.step, "samples": trainer.samples, "seconds": trainer.seconds}
    state |= {"micro_batch": trainer.micro_batch}
    state |= {"controls": positions(trainer.controls), "figures": storage.finite(trainer.figures.as_json())}
    state |= {"guard": {"skipped": dict(trainer.guard.skipped), "total": trainer.guard.total}}
    state |= {"extra": trainer.extra_state}
    return Snapshot(_copied(players), _copied(optimisers), state)


def restore(trainer: Trainer, snapshot: Snapshot) -> None:
    """Restore the state of a trainer that was made for the same run.

    Raises:
        SparringError: the networks are of other shapes.
    """
    # Networks and their moving averages.
    try:
        for kind, name, module in _modules(trainer):
            module.load_state_dict(_below(snapshot.players, f"{kind}/{name}/"))
    except RuntimeError as error:
        raise SparringError(
            found=f"a checkpoint of other networks ({str(error).splitlines()[-1].strip()[:200]})",
            expected="those of recipe.json",
            remedy="resume with the version of sparring that wrote it",
        ) from None

    # Moments of the optimisers.
    for name, optimiser in trainer.optimisers.items():
        for key, weight in trainer.game.players[name].named_parameters():
            found = _below(snapshot.optimisers, f"{name}/{key}/")
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
    for name in average.published:
        average.players[name].load_state_dict(_below(snapshot.players, f"average/{name}/"))


def _upgraded(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a checkpoint of format 2 as format 3 has it; the figures are left out."""
    # Format 2 called γ "strength", and counted skipped updates as "refused".
    controls = {re.sub(r"^strength\b", "gamma", name): position for name, position in state["dials"].items()}
    guard = {"skipped": state["guard"]["refused"], "total": state["guard"]["total"]}
    kept = {name: state[name] for name in ("step", "samples", "seconds", "micro_batch")}
    return {**kept, "controls": controls, "guard": guard, "figures": {}, "extra": {}}


def _fill(folder: Path, snapshot: Snapshot) -> None:
    write_bytes(folder / FILES[0], save(snapshot.players))
    storage.on_stage("checkpoint-after-players")
    write_bytes(folder / FILES[1], save(snapshot.optimisers))
    storage.on_stage("checkpoint-after-optimisers")
    write_json(folder / FILES[2], snapshot.state)
    storage.on_stage("checkpoint-after-state")
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in FILES}
    write_json(folder / "manifest.json", {"format": FORMAT, "files": files, "digest": _digest(files)})
    storage.on_stage("checkpoint-after-manifest")


def _is_intact(checkpoint: Path) -> bool:
    try:
        read(checkpoint)
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


def _modules(trainer: Trainer) -> list[tuple[str, str, torch.nn.Module]]:
    players = [("player", name, module) for name, module in trainer.game.players.items()]
    return players + [("average", name, trainer.average.players[name]) for name in trainer.game.published]


def _below(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}


def _like(weight: Tensor, part: str, value: Tensor) -> Tensor:
    """Return a tensor of the optimiser as Adam expects it: moments have the device and memory format of the weight."""
    if part == "step":
        return value.to(weight.device)
    return torch.empty_like(weight, requires_grad=False).copy_(value)


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}


def _digest(files: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, found: str, expected: str) -> SparringError:
    return SparringError(found=f"{found} in {path}", expected=expected, remedy="the checkpoint before it is used")
