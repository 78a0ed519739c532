"""Equal seeds give equal bytes, and other seeds give other bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparring.api.train import train
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import read_json

Digest = Callable[[Path], dict[str, str]]


def run(points: Path, out: Path, *, seed: int, recipe: str) -> Run:
    return train(
        points, recipe=recipe, samples=640, batch=64, width=8, latent_size=2, out=out, seed=seed, display=Silent()
    )


def test_equal_seeds_give_equal_runs_and_other_seeds_do_not(points: Path, digest: Digest, tmp_path: Path) -> None:
    for recipe in ("points/ring", "points/vae"):
        folder = tmp_path / recipe
        one, same, other = (
            run(points, folder / name, seed=seed, recipe=recipe).folder
            for name, seed in (("one", 7), ("same", 7), ("other", 8))
        )
        assert digest(one) == digest(same)
        weights = [name for name in digest(one) if name.startswith("players/") and name.endswith("weight")]
        assert weights and all(digest(one)[name] != digest(other)[name] for name in weights)
        assert (one / "samples.png").read_bytes() == (same / "samples.png").read_bytes()
        assert scores(one) == scores(same) != scores(other)
        assert published(one) == published(same) != published(other)


def scores(folder: Path) -> dict[str, Any]:
    return {name: value for name, value in read_json(folder / "scores.json").items() if name != "subject"}


def published(folder: Path) -> bytes:
    return (folder / "model" / "weights.safetensors").read_bytes()
