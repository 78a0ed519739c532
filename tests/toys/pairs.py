"""Pairs of images: a sketch is translated into its own photograph (pix2pix, Isola et al. 2017)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.layers.convolutions import convolution, rectify
from sparring.modalities.images.rooms import IMAGES
from sparring.objectives.losses import relativistic
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.terms import reconstruction
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.grids import beside, image_grid
from toys.kind import Kind, input_arrays
from toys.recipe import ToyRecipe

BOUNDS = (-1, 1)


def write(folder: Path, count: int = 300, name: str = "data", seed: int = 0) -> str:
    """Write sketches, dots on black, and photographs, the same blurred and inverted: (count, 1, 8, 8) uint8 each."""
    sketches = np.random.default_rng(seed).random((count, 1, 8, 8), np.float32) < 0.3
    blurred = avg_pool2d(torch.from_numpy(sketches).float(), 3, stride=1, padding=1).numpy()
    sketches, photographs = ((255 * part).astype(np.uint8) for part in (sketches, 1 - blurred))
    np.savez(folder / f"{name}.pairs.npz", sketches=sketches, photographs=photographs)
    return str(folder / f"{name}.pairs.npz")


def options(folder: Path) -> dict[str, str]:
    return {"input": write(folder, 7, "inputs", seed=1)}


def load(source: str, view: View) -> Dataset:
    with np.load(source) as file:
        return Dataset(file["photographs"], conditions=file["sketches"] if view.condition else None)


def input_sketches(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    return Dataset(input_arrays(options, "sketches")).batch(slice(None)).real  # Coded as those of the data.


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    if batch.condition is None:
        return [picture_of(image_grid(batch.real, columns=columns))]
    return [picture_of(image_grid(beside(batch.condition, batch.real), columns=2 * columns, group=2))]


PAIR = ConditionSpec({"input": "a file of sketches"}, input_sketches, determines=True, required=("input",))
TRAITS = {"conditions": {"pair": PAIR}, "bounds": BOUNDS, "blends": True, "paired": IMAGES.paired}
KIND = Kind("pairs", load, lambda pictures: pictures.flatten(1), exhibits, ".pairs.npz", **TRAITS)
MEASURES = ("l1", "psnr", "ssim")


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = convolution(1 + 2, 16), convolution(16, 1)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        maps = latent[:, :, None, None].expand(-1, -1, 8, 8)
        return self.last(rectify(self.first(torch.cat([condition, maps], 1)))).tanh()


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = convolution(2, 16, kernel=4, stride=2), convolution(16, 1)

    def forward(self, sample: Tensor, condition: Tensor) -> Verdict:
        features = rectify(self.first(torch.cat([sample, condition], 1)))
        return Verdict([self.last(features).mean((1, 2, 3))], [features])  # The mean over patches.


class Pairs(ToyRecipe):
    """Duel conditioned on an image."""

    modality: ClassVar[str] = "pairs"

    def view(self, facts: Facts) -> View:
        return View(facts.shape, "pair")

    def game(self, facts: Facts) -> Game:
        terms = {"l1": Weighted(reconstruction, constant(10.0))}
        return Duel(Generator(), Discriminator(), prior=normal(2), loss=relativistic, terms=terms)


RECIPE = Pairs()
