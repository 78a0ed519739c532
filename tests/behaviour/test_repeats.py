"""Equal seeds give equal bytes, and other seeds give other bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.api.train import train
from sparring.data.conditions import needs_inputs
from sparring.modalities.images.recipes.pairs import PairRecipe
from sparring.model import load
from sparring.recipes import RECIPES
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.storage import read_json
from toys.small_recipes import SMALL

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


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("images/")])
def test_every_recipe_for_images_repeats_byte_for_byte(name: str, digest: Digest, tmp_path: Path) -> None:
    """With its pictures, its scores and what it makes of other inputs."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 16, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels, labels=np.arange(60) % 2)
    pairs = "halves" if isinstance(RECIPES[name], PairRecipe) else False
    fields = {field: value for field, value in SMALL.items() if field in type(RECIPES[name]).model_fields}
    one, same = (
        train(
            tmp_path / "images.npz",
            recipe=name,
            samples=64,
            out=tmp_path / run,
            seed=7,
            pairs=pairs,
            display=Silent(),
            **fields,
        ).folder
        for run in ("one", "same")
    )
    assert digest(one) == digest(same)
    assert (one / "samples.png").read_bytes() == (same / "samples.png").read_bytes()
    assert scores(one) == scores(same) and published(one) == published(same)
    model, other = load(one), load(same)
    if needs_inputs(model.modality.conditions, model.view):
        options = {"to": "1"} if model.view.condition == "domain" else {}
        assert torch.equal(model.apply(pixels[:2], **options), other.apply(pixels[:2], **options))


def scores(folder: Path) -> dict[str, Any]:
    return {name: value for name, value in read_json(folder / "scores.json").items() if name != "subject"}


def published(folder: Path) -> bytes:
    return (folder / "model" / "weights.safetensors").read_bytes()
