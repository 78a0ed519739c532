"""Damaged checkpoints are detected, skipped and reported."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.flow import Figures
from sparring.games.duel import Duel
from sparring.manifest import FORMAT, digest, write_manifest
from sparring.storage import json_text, sha256, write_json
from sparring.training.checkpoint import (
    FILES,
    checkpoints,
    forget_after,
    load_checkpoint,
    require_fit,
    restore,
    restore_average,
    save_checkpoint,
    take,
)
from sparring.training.guard import MAX_SKIPPED
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

ALL = (*FILES, "manifest.json")


@pytest.fixture
def trainer(tiny_duel: Callable[..., Duel], blob: Dataset, plan: Callable[..., Plan]) -> Trainer:
    """Trainer of a tiny duel at step 0."""
    return Trainer(tiny_duel(), blob, plan())


@pytest.fixture
def saved(trainer: Trainer, tmp_path: Path) -> Path:
    """Folder into which three checkpoints were saved, of which two are kept."""
    for _ in range(3):
        trainer.advance()
        save_checkpoint(tmp_path, trainer)
    return tmp_path


def flip(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)


def test_the_newest_two_checkpoints_are_kept(saved: Path) -> None:
    assert [path.name for path in checkpoints(saved)] == ["000000064", "000000096"]


def test_a_checkpoint_of_another_format_is_skipped(saved: Path) -> None:
    """It is complete, but its contents may have another meaning."""
    path = saved / "000000096" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["format"] == FORMAT == 4
    path.write_text(json_text({**manifest, "format": 1}))
    _, where, (complaint,) = load_checkpoint(saved)
    assert where.name == "000000064" and "another format" in complaint


def test_a_checkpoint_of_format_2_is_restored(saved: Path, trainer: Trainer) -> None:
    """Format 2 has "dials" with a "strength", "refused" updates and figures by strings."""
    path = saved / "000000096"
    state = json.loads((path / "state.json").read_text())
    controls = {("strength" if name == "gamma" else name): position for name, position in state["controls"].items()}
    old = {name: state[name] for name in ("step", "samples", "seconds", "micro_batch")}
    old |= {"dials": {**controls, "strength": [0.25, True]}, "guard": {"refused": {"generator": 1}, "total": 4}}
    write_json(path / "state.json", {**old, "figures": {"discriminator: lead": 0.7}, "beside": {"watchdog": {}}})
    files = {name: {"bytes": (path / name).stat().st_size, "sha256": sha256(path / name)} for name in FILES}
    write_json(path / "manifest.json", {"format": 2, "files": files, "digest": digest(files)})
    snapshot, where, complaints = load_checkpoint(saved)
    restore(trainer, snapshot)
    assert where == path and not complaints
    assert (trainer.samples, trainer.guard.total, trainer.guard.skipped) == (96, 4, {"generator": 1})
    assert (trainer.controls["gamma"].value, trainer.controls["gamma"].enabled) == (0.25, True)
    assert trainer.figures == Figures() and trainer.extra_state == {}


def test_checkpoints_are_ordered_by_number(tmp_path: Path) -> None:
    for name in ("1000000000", "999999999", "000000005", ".hidden.1.tmp"):
        (tmp_path / name).mkdir()
    assert [int(path.name) for path in checkpoints(tmp_path)] == [5, 999_999_999, 1_000_000_000]


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ALL)
def test_a_flipped_bit_is_detected(name: str, place: float, saved: Path) -> None:
    flip(saved / "000000096" / name, place)
    snapshot, where, complaints = load_checkpoint(saved)
    assert where.name == "000000064" and snapshot.state["samples"] == 64
    assert len(complaints) == 1
    assert "000000096 is damaged and was skipped" in complaints[0]


def signed(checkpoint: Path, run: str = "") -> None:
    """Write the manifest that belongs to the files as they are now."""
    write_manifest(checkpoint, FILES, run, int(checkpoint.name))


def changed(state: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Return JSON values with another one at "guard.total"."""
    first, _, rest = place.partition(".")
    return {**state, first: changed(state[first], rest, value) if rest else value}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("step", "3"),
        ("samples", 1.5),
        ("samples", 64),
        ("seconds", -1),
        ("seconds", None),
        ("micro_batch", 0),
        ("micro_batch", 10**9),
        ("controls", []),
        ("controls.gamma", [1.0]),
        ("controls.gamma", ["high", True]),
        ("controls.gamma", [-1.0, True]),
        ("controls.unknown", [1.0, True]),
        ("figures", {"terms": 3}),
        ("figures", {"unknown": 3}),
        ("guard.total", True),
        ("guard.skipped", {"generator": -2}),
        ("extra", 3),
        ("more", 3),
    ],
)
def test_a_wrong_value_behind_a_valid_manifest_is_skipped_as_damage_is(
    place: str, value: Any, saved: Path, trainer: Trainer
) -> None:
    checkpoint = saved / "000000096"
    state = json.loads((checkpoint / "state.json").read_text())
    write_json(checkpoint / "state.json", changed(state, place, value))
    signed(checkpoint)
    snapshot, where, (complaint,) = load_checkpoint(saved, "", partial(require_fit, trainer))
    assert where.name == "000000064" and complaint.startswith("Checkpoint 000000096 is damaged and was skipped: ")
    restore(trainer, snapshot)
    assert trainer.samples == 64


@pytest.mark.parametrize(
    "text", ["[]", "3", '{"files": 5}', '{"format": 4, "files": 5}', '{"format": 1e400}', "[" * 9999]
)
def test_an_odd_manifest_does_not_stop_the_search_for_an_intact_one(text: str, saved: Path) -> None:
    (saved / "000000096" / "manifest.json").write_text(text)
    _, where, complaints = load_checkpoint(saved)
    assert where.name == "000000064" and len(complaints) == 1


def test_folders_whose_names_are_no_numbers_are_left_alone(saved: Path, trainer: Trainer) -> None:
    for name in ("²", "٣", "9" * 200, "model"):
        (saved / name).mkdir()
    (saved / "000000999").symlink_to(saved / "000000064")
    assert [path.name for path in checkpoints(saved)] == ["000000064", "000000096"]
    save_checkpoint(saved, trainer)
    assert (saved / "²").is_dir() and (saved / "000000999").is_symlink()


def test_a_whole_checkpoint_of_another_moment_is_refused(saved: Path) -> None:
    shutil.rmtree(saved / "000000096")
    shutil.copytree(saved / "000000064", saved / "000000096")
    _, where, (complaint,) = load_checkpoint(saved)
    assert where.name == "000000064" and "the manifest of 64 samples" in complaint


def test_a_whole_checkpoint_of_a_twin_run_is_refused(trainer: Trainer, tmp_path: Path) -> None:
    for identity in ("one", "two"):
        trainer.samples = 0
        for _ in range(2):
            trainer.advance()
            save_checkpoint(tmp_path / identity, trainer, identity)
    shutil.rmtree(tmp_path / "one" / "000000064")
    shutil.copytree(tmp_path / "two" / "000000064", tmp_path / "one" / "000000064")
    _, where, (complaint,) = load_checkpoint(tmp_path / "one", "one")
    assert where.name == "000000032" and "the manifest of another run" in complaint


def test_shapes_are_compared_before_any_tensor_is_read(
    saved: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a folder that promises small networks and holds large ones takes no memory."""
    for checkpoint in checkpoints(saved):
        with (checkpoint / FILES[1]).open("r+b") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
            name = next(name for name in header if name.endswith("exp_avg"))
            header[name] |= {"shape": [2**20, 2**18], "data_offsets": [0, 2**40]}
            content = json.dumps({name: header[name]}).encode()
            file.truncate(0)
            file.seek(0)
            file.write(len(content).to_bytes(8, "little") + content)
            file.truncate(8 + len(content) + 2**40)
    monkeypatch.setattr("sparring.training.checkpoint.read_tensors", pytest.fail)
    for checkpoint in checkpoints(saved):
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        manifest["files"][FILES[1]]["bytes"] = (checkpoint / FILES[1]).stat().st_size
        manifest["digest"] = digest({name: manifest[name] for name in manifest if name != "digest"})
        (checkpoint / "manifest.json").write_text(json_text(manifest))
    with pytest.raises(SparringError, match="other networks"):
        load_checkpoint(saved, "", partial(require_fit, trainer))


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("name", ALL)
def test_a_truncated_file_is_detected(name: str, kept: float, saved: Path) -> None:
    path = saved / "000000096" / name
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    _, where, complaints = load_checkpoint(saved)
    assert where.name == "000000064" and len(complaints) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_missing_file_is_detected(name: str, saved: Path) -> None:
    (saved / "000000096" / name).unlink()
    assert load_checkpoint(saved)[1].name == "000000064"


def test_the_error_names_every_damaged_checkpoint_if_none_is_whole(saved: Path) -> None:
    for checkpoint in checkpoints(saved):
        flip(checkpoint / FILES[0], 0.5)
    with pytest.raises(SparringError) as caught:
        load_checkpoint(saved)
    assert "000000096" in str(caught.value) and "000000064" in str(caught.value)


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match="no intact checkpoint"):
        load_checkpoint(tmp_path)


def test_a_damaged_checkpoint_is_not_counted_among_the_two_kept(saved: Path, trainer: Trainer) -> None:
    """A run resumed from the older checkpoint saves one before the damaged one, then one of the same name."""
    flip(saved / "000000096" / FILES[0], 0.5)
    snapshot, _, _ = load_checkpoint(saved)
    restore(trainer, snapshot)
    trainer.samples = 80
    save_checkpoint(saved, trainer)
    assert [path.name for path in checkpoints(saved)] == ["000000064", "000000080"]
    trainer.advance()
    trainer.samples = 96
    save_checkpoint(saved, trainer)
    snapshot, where, complaints = load_checkpoint(saved)
    assert where.name == "000000096" and not complaints
    assert snapshot.state["samples"] == 96


def test_saving_replaces_a_damaged_checkpoint_of_the_same_name(saved: Path, trainer: Trainer) -> None:
    flip(saved / "000000096" / FILES[1], 0.5)
    save_checkpoint(saved, trainer)
    assert load_checkpoint(saved)[1:] == (saved / "000000096", [])


def test_a_checkpoint_of_other_networks_is_refused(
    saved: Path, blob: Dataset, plan: Callable[..., Plan], tiny_duel: Callable[..., Duel]
) -> None:
    other = Trainer(tiny_duel(critics=2), blob, plan())
    with pytest.raises(SparringError, match="checkpoint of other networks"):
        restore(other, load_checkpoint(saved)[0])


@pytest.mark.parametrize(("samples", "left"), [(95, [64]), (96, [64, 96]), (0, []), (1000, [64, 96])])
def test_forget_after_removes_later_checkpoints(samples: int, left: list[int], saved: Path) -> None:
    forget_after(saved, samples)
    assert [int(path.name) for path in checkpoints(saved)] == left
    assert len(list(saved.iterdir())) == len(left)


def test_forget_after_removes_damaged_checkpoints_too(saved: Path) -> None:
    (saved / "000000096" / "manifest.json").unlink()
    forget_after(saved, 64)
    assert load_checkpoint(saved)[1:] == (saved / "000000064", [])


def test_forget_after_accepts_a_missing_folder(tmp_path: Path) -> None:
    forget_after(tmp_path / "none", 0)
    assert not (tmp_path / "none").exists()


def test_positions_of_controls_are_restored(
    trainer: Trainer, blob: Dataset, plan: Callable[..., Plan], tiny_duel: Callable[..., Duel], tmp_path: Path
) -> None:
    trainer.controls["generator rate"].set(0.25)
    trainer.controls["gamma"].enabled = True
    trainer.controls["gamma"].set(1 / 3)
    trainer.controls["real level"].set(-1e-17)
    trainer.extra_state = {"watchdog": {"tries": {"imbalance": 2}}}
    trainer.advance()
    save_checkpoint(tmp_path, trainer)
    other = Trainer(tiny_duel(), blob, plan())
    restore(other, load_checkpoint(tmp_path)[0])
    assert [(control.value, control.enabled) for control in other.controls.values()] == [
        (control.value, control.enabled) for control in trainer.controls.values()
    ]
    assert other.extra_state == trainer.extra_state
    for one in (trainer, other):
        one.advance()
    assert {**take(other).state, "seconds": 0} == {**take(trainer).state, "seconds": 0}
    assert other.fresh == trainer.fresh


def test_skipped_updates_and_the_latest_figures_are_restored(
    trainer: Trainer, blob: Dataset, plan: Callable[..., Plan], tiny_duel: Callable[..., Duel], tmp_path: Path
) -> None:
    """Figures that are not finite are left out; nothing is shared between the trainer and its snapshot."""
    trainer.advance()
    for norm in (math.nan, 1.0, math.inf, math.nan):
        trainer.guard.check("generator", norm)
    finite = trainer.figures.updated(Figures(notes={"discriminator": {"lead": 1 / 3}}))
    trainer.figures = finite.updated(Figures(notes={"discriminator": {"sure": math.nan, "new": math.inf}}))
    save_checkpoint(tmp_path, trainer)
    json.loads((tmp_path / "000000032" / "state.json").read_text(), parse_constant=pytest.fail)
    other = Trainer(tiny_duel(), blob, plan())
    snapshot, _, _ = load_checkpoint(tmp_path)
    restore(other, snapshot)
    assert (other.guard.total, other.guard.skipped) == (3, {"generator": 2, "discriminator": 0})
    expected = {name: value for name, value in finite.notes["discriminator"].items() if name != "sure"}
    assert other.figures == replace(finite, notes={**finite.notes, "discriminator": expected})
    other.guard.check("generator", math.nan)
    restored = Trainer(tiny_duel(), blob, plan())
    restore(restored, snapshot)
    assert restored.guard == trainer.guard and restored.guard.skipped["generator"] == 2


def test_skipped_updates_before_a_checkpoint_count_after_it(
    trainer: Trainer, blob: Dataset, plan: Callable[..., Plan], tiny_duel: Callable[..., Duel], tmp_path: Path
) -> None:
    for _ in range(MAX_SKIPPED - 1):
        trainer.guard.check("generator", math.nan)
    save_checkpoint(tmp_path, trainer)
    other = Trainer(tiny_duel(), blob, plan())
    restore(other, load_checkpoint(tmp_path)[0])
    assert other.guard.exhausted is None
    other.guard.check("generator", math.nan)
    assert other.guard.exhausted == "generator"


def test_restore_average_leaves_the_players_unchanged(saved: Path, trainer: Trainer) -> None:
    kept = [weight.clone() for weight in trainer.average.players["generator"].parameters()]
    trainer.advance()
    players = take(trainer).players
    restore_average(trainer.average, load_checkpoint(saved)[0])
    found = trainer.average.players["generator"].parameters()
    assert all(torch.equal(*pair) for pair in zip(found, kept, strict=True))
    now = take(trainer).players
    assert {name for name in now if not torch.equal(now[name], players[name])} == {
        name for name in now if name.startswith("average/")
    }


def test_a_full_disk_leaves_the_saved_checkpoints_unchanged(
    saved: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands in for the full disk, because both raise an OSError."""
    resource = pytest.importorskip("resource")
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    trainer.advance()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(OSError):
            save_checkpoint(saved, trainer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert before == {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["²", "000000000", "newest copy"])
def test_a_checkpoint_whose_folder_was_renamed_is_told(name: str, saved: Path) -> None:
    older, newest = checkpoints(saved)
    newest.rename(saved / name)
    _, used, (complaint,) = load_checkpoint(saved)
    assert used == older and f"'{name}'" in complaint and "skipped" in complaint
