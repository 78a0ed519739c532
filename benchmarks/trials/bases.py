"""Healthy inputs that the trials damage: runs, a published folder, a cache, and data of every format.

Everything is written once below one folder, in a few seconds, from fixed seeds.
"""

import gzip
import json
import os
import shutil
import signal
import struct
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import sparring
from sparring.flow import Figures, Progress

STEPS, STOPS, TWIN_STOPS = 400, (388, 395), (5, 9)
"""Steps of a run, and those after which the interrupted ones are stopped: each leaves a checkpoint."""
RING = {"recipe": "points/ring", "batch": 32, "width": 8, "latent_size": 2}
PICTURES = {"recipe": "images/vae", "batch": 8, "width": 8, "latent_size": 2, "resolution": 8}
EVALUATED = 64
"""Samples of the evaluation whose features and measures are kept."""


class Stopping:
    """Display that interrupts the run after ``step`` steps, as Ctrl-C does."""

    def __init__(self, step: int) -> None:
        self.stop = step

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        if progress.step == self.stop:
            signal.raise_signal(signal.SIGINT)

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Bases:
    """The folder that holds all bases."""

    top: Path

    @property
    def runs(self) -> dict[str, Path]:
        """Runs by name: "ring" and "pictures", each finished, stopped, and a twin of another seed."""
        return {path.name: path for path in sorted((self.top / "runs").iterdir())}

    @property
    def data(self) -> dict[str, Path]:
        """Data of every format, by name: a folder or a file."""
        return {path.name: path for path in sorted((self.top / "formats").iterdir())}

    @property
    def points(self) -> Path:
        """The points that the runs of "ring" were trained on."""
        return self.top / "sources" / "points.npy"

    @property
    def pictures(self) -> Path:
        """The pictures that the runs of "pictures" were trained on."""
        return self.top / "sources" / "pictures"

    @property
    def cache(self) -> Path:
        """Cache with arrays, surveys, features and measures of an evaluation of the finished run of "pictures"."""
        return self.top / "cache"


def built(top: Path, *, small: bool = False) -> Bases:
    """Return the bases in ``top``, after building them in a child where an earlier call has not.

    Args:
        top: the folder.
        small: leave out the runs of pictures.
    """
    if not (top / "complete").exists():
        process = os.fork()
        if process == 0:
            code = 1
            try:
                _build(top, small)
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(process, 0)[1]:
            raise SystemExit("The undamaged inputs cannot be built.")
    return Bases(top)


def _build(top: Path, small: bool) -> None:
    """Write all bases into ``top``."""
    torch.set_num_threads(1)
    bases = Bases(top)
    shutil.rmtree(top, ignore_errors=True)
    for name in ("runs", "formats", "sources"):
        (top / name).mkdir(parents=True)
    _write_sources(bases)
    _write_formats(bases)
    with _environment(SPARRING_CACHE=str(top / "cache-of-runs")):
        _write_runs(bases, "ring", bases.points, RING)
        if not small:
            _write_runs(bases, "pictures", bases.pictures, PICTURES)
    with _environment(SPARRING_CACHE=str(bases.cache)):
        sparring.evaluate(bases.runs["ring-finished"], bases.points, count=EVALUATED)
        sparring.train(bases.pictures, out=top / "trained", display=Stopping(-1), **{**PICTURES, "samples": 16})
    (top / "complete").touch()


class _environment:
    """Set variables of the environment for the length of a ``with`` block."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def __enter__(self) -> None:
        self.former = {name: os.environ.get(name) for name in self.values}
        os.environ.update(self.values)

    def __exit__(self, *error: object) -> None:
        for name, value in self.former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _write_runs(bases: Bases, name: str, source: Path, fields: dict[str, Any]) -> None:
    """Train one run that stops with checkpoints and states of the watchdog, a twin of it, and resume it to the end."""
    numbers = {**fields, "samples": STEPS * fields["batch"]}
    for seed, kind, stops in ((0, "stopped", STOPS), (1, "twin", TWIN_STOPS)):
        out = bases.top / "runs" / f"{name}-{kind}"
        train, resume = partial(sparring.train, source, out=out, seed=seed), partial(sparring.resume, out)
        _until_interrupted(partial(train, display=Stopping(stops[0]), **numbers))
        _until_interrupted(partial(resume, display=Stopping(stops[1])))
    sparring.load(bases.runs[f"{name}-twin"]).save_pretrained(bases.top / f"{name}-twin")
    finished = bases.top / "runs" / f"{name}-finished"
    shutil.copytree(bases.runs[f"{name}-stopped"], finished)
    sparring.resume(finished, display=Stopping(-1))


def _until_interrupted(call: Any) -> None:
    try:
        call()
    except sparring.Interrupted:
        return
    raise AssertionError("the run was not interrupted")


def _write_sources(bases: Bases) -> None:
    random = np.random.default_rng(0)
    np.save(bases.points, random.normal((1.0, -1.0), 0.3, size=(150, 2)).astype(np.float32))
    _write_folders(bases.pictures, _pictures(64), "png")


def _pictures(count: int) -> np.ndarray:
    """Return grey-and-colour noise on two brightnesses, the two classes in turn, (count, 8, 8, 3)."""
    random = np.random.default_rng(1)
    base = np.where(np.arange(count) % 2, 64, 160)[:, None, None, None]
    return (base + random.integers(0, 64, size=(count, 8, 8, 3))).astype(np.uint8)


def _write_folders(top: Path, pictures: np.ndarray, ending: str, **options: Any) -> None:
    """Write pictures into the folders ``dark`` and ``light``, in turn."""
    for number, picture in enumerate(pictures):
        folder = top / ("light", "dark")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number:03d}.{ending}", **options)


def _write_formats(bases: Bases) -> None:
    """Write 24 pictures, or 150 points, in every format that can be read."""
    top, pictures = bases.top / "formats", _pictures(24)
    labels = (np.arange(24) % 2).astype(np.uint8)

    # Folders of pictures.
    for ending, options in {"png": {}, "jpeg": {"quality": 95}, "webp": {"lossless": True}, "tiff": {}}.items():
        _write_folders(top / f"folder-{ending}", pictures, ending, **options)
    for ending in ("gif", "bmp"):
        _write_folders(top / f"folder-{ending}", pictures, ending)
    _write_folders(top / "folder-labels", pictures, "png")
    names = sorted(path.relative_to(top / "folder-labels").as_posix() for path in top.glob("folder-labels/*/*.png"))
    listed = {"labels": [[name, number % 3] for number, name in enumerate(names)]}
    (top / "folder-labels" / "dataset.json").write_text(json.dumps(listed))

    # Archives and arrays.
    with zipfile.ZipFile(top / "pictures.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(top.glob("folder-png/*/*.png")):
            archive.write(path, path.relative_to(top / "folder-png"))
    for ending, opened in (("", open), (".gz", gzip.open)):
        folder = top / f"idx{ending.replace('.', '-')}"
        folder.mkdir()
        with opened(folder / f"train-images-idx3-ubyte{ending}", "wb") as file:
            file.write(struct.pack(">4B3I", 0, 0, 8, 3, 24, 8, 8) + pictures[..., 0].tobytes())
        with opened(folder / f"train-labels-idx1-ubyte{ending}", "wb") as file:
            file.write(struct.pack(">4BI", 0, 0, 8, 1, 24) + labels.tobytes())
    np.save(top / "pictures.npy", pictures)
    np.savez(top / "pictures.npz", images=pictures, labels=labels)
    np.savez_compressed(top / "compressed.npz", images=pictures, labels=labels)
    _write_parquet(top / "pictures.parquet", sorted(top.glob("folder-png/*/*.png")))

    # Points.
    points = np.load(bases.points)
    np.save(top / "points.npy", points)
    np.savetxt(top / "points.csv", points, delimiter=",", fmt="%.5f")
    np.savetxt(top / "headed.csv", points, delimiter=",", fmt="%.5f", header="x,y", comments="")


def _write_parquet(path: Path, files: list[Path]) -> None:
    """Write pictures with labels as Hugging Face does: a column of {bytes, path} and one of numbers."""
    import pyarrow as arrow
    from pyarrow import parquet

    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    labels = [int(file.parent.name == "light") for file in files]
    table = arrow.table({"image": images, "label": labels})
    parquet.write_table(table, path)
