"""The same seed gives the same bytes; another seed gives others."""

from collections.abc import Callable
from pathlib import Path

from sparring.display import Silent
from sparring.experiment import train
from sparring.run import Run

Digest = Callable[[Path], dict[str, str]]


def run(points: Path, out: Path, *, seed: int, recipe: str) -> Run:
    return train(
        points, recipe=recipe, samples=640, batch=64, width=8, noise=2, out=out, seed=seed, display=Silent()
    )


def test_runs_repeat(points: Path, digest: Digest, tmp_path: Path) -> None:
    for recipe in ("points/ring", "points/vae"):
        folder = tmp_path / recipe
        one, same, other = (
            run(points, folder / name, seed=seed, recipe=recipe).folder
            for name, seed in (("one", 7), ("same", 7), ("other", 8))
        )
        assert digest(one) == digest(same)
        shared = [name for name, value in digest(one).items() if digest(other)[name] == value and "/" in name]
        assert all(name.endswith("step") for name in shared), shared
        assert (one / "samples.png").read_bytes() == (same / "samples.png").read_bytes()
        assert (one / "scores.json").read_bytes() == (same / "scores.json").read_bytes()
        weights = "model/generator.safetensors"
        assert (one / weights).read_bytes() == (same / weights).read_bytes() != (other / weights).read_bytes()
