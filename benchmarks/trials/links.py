"""Links, pipes and devices in the places of files: in received run folders, in published folders and in data."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import verbs
from attacks import Attack, Materials, attempt, outside
from outcomes import Judgement

PLACES = (
    "recipe.json", "log.jsonl", "events.jsonl", "signals.jsonl", "lock", "reals.png", "report.html", "scores.json",
    "curves.png", "samples.png", "signals.png", "checkpoints", "checkpoints/NEWEST", "checkpoints/NEWEST/manifest.json",
    "checkpoints/NEWEST/players.safetensors", "checkpoints/NEWEST/state.json", "good", "best", "samples", "model",
    "model/README.md", "model/config.json", "model/weights.safetensors", "tensorboard",
)  # fmt: skip
"""Places of a run folder, whether or not a stopped run has them yet."""
PUBLISHED = ("config.json", "weights.safetensors", "README.md")
"""Files of a published folder."""
Replace = Callable[[Path, Path], None]
"""(place, folder outside) → puts something else there."""


def link_to_a_copy(place: Path, away: Path) -> None:
    """Move what is there away, and put a link in its place; where nothing is, link to a precious file or folder."""
    target = away / place.name
    if place.exists():
        shutil.move(place, target)
    elif place.suffix:
        target.write_text("precious\n")
    else:
        target.mkdir()
        (target / "000000001").mkdir()
        (target / "README.md").write_text("precious\n")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def pipe(place: Path, away: Path) -> None:
    """Put a named pipe into the place."""
    _cleared(place)
    os.mkfifo(place)


def link_to_zeros(place: Path, away: Path) -> None:
    """Put a link to an endless device into the place."""
    _cleared(place)
    place.symlink_to("/dev/zero")


def link_to_itself(place: Path, away: Path) -> None:
    """Put a link that leads to itself into the place."""
    _cleared(place)
    place.symlink_to(place.name)


WAYS: dict[str, Replace] = {
    "link": link_to_a_copy,
    "pipe": pipe,
    "device": link_to_zeros,
    "loop": link_to_itself,
}


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for way, replace in WAYS.items():
        for place in PLACES:
            play = partial(_run, place=place, replace=replace)
            yield Attack(f"{way} in a run folder", f"{place} is a {way}", play)
        for place in PUBLISHED:
            play = partial(_published, place=place, replace=replace)
            yield Attack(f"{way} in a published folder", f"{place} is a {way}", play)
    for way in ("pipe", "device", "loop"):
        for name in (
            "x.png",
            "x.npy",
            "x.npz",
            "x.zip",
            "x.parquet",
            "x.csv",
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
        ):
            yield Attack(f"{way} as data", f"{name} is a {way}", partial(_data, name=name, replace=WAYS[way]))
            yield Attack(
                f"{way} as data", f"folder/{name} is a {way}", partial(_data, name=f"d/{name}", replace=WAYS[way])
            )
    for device in ("/dev/zero", "/dev/full", "/dev/stdin", "/proc/self/mem"):
        yield Attack("device as data", device, partial(_device, device=device))


def _run(folder: Path, materials: Materials, place: str, replace: Replace) -> Iterator[Judgement]:
    run, away = folder / "run", outside(folder)
    shutil.copytree(materials.bases.runs["ring-stopped"], run)
    newest = sorted((run / "checkpoints").iterdir())[-1].name
    replace(run / place.replace("NEWEST", newest), away)
    yield attempt(folder, verbs.sample, run)
    yield attempt(folder, verbs.diagnose, run)
    yield attempt(folder, verbs.resume_to_the_end, run)


def _published(folder: Path, materials: Materials, place: str, replace: Replace) -> Iterator[Judgement]:
    model = folder / "model"
    shutil.copytree(materials.bases.runs["ring-finished"] / "model", model)
    replace(model / place, outside(folder))
    yield attempt(folder, verbs.sample, model)


def _data(folder: Path, materials: Materials, name: str, replace: Replace) -> Iterator[Judgement]:
    place = folder / "data" / name
    place.parent.mkdir(parents=True)
    replace(place, outside(folder))
    yield attempt(folder, verbs.inspect, place.parent if "/" in name else place)
    yield attempt(folder, verbs.train, place.parent if "/" in name else place)


def _device(folder: Path, materials: Materials, device: str) -> Iterator[Judgement]:
    yield attempt(folder, verbs.inspect, device, refuse=True)
    yield attempt(folder, verbs.command, "train", device, refuse=True)
    yield attempt(folder, verbs.command, "sample", device, refuse=True)


def _cleared(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
