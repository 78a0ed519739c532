"""Models of images that take any size: tiny convolutional generators for each condition, with random weights."""

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Sample, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.modalities.images.conditions import Holed, Translation
from sparring.model import Model
from sparring.objectives.losses import hinge
from sparring.randomness import seeded
from toys.recipe import ToyRecipe

SIDE = 8
CHANNELS = {"grey": 1, "hole": 4, "domain": 4}
"""Condition → channels that the generator is given; 3 for all others."""


class Generator(nn.Module):
    """One strided convolution and its transpose, with reflection at the edges."""

    multiple = 4

    def __init__(self, channels: int, scale: int = 1, normalised: bool = False) -> None:
        super().__init__()
        self.scale = scale
        self.down = nn.Conv2d(channels, 8, 4, stride=4)
        self.norm = nn.InstanceNorm2d(8) if normalised else nn.Identity()
        self.up = nn.ConvTranspose2d(8 + 2, 8, 4, stride=4)
        self.last = nn.Conv2d(8, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, latent: Tensor, condition: Sample) -> Tensor:
        if isinstance(condition, Holed):
            condition = torch.cat([condition.image, condition.mask], 1)
        elif isinstance(condition, Translation):
            target = condition.target.float()[:, None, None, None].expand(-1, 1, *condition.image.shape[2:])
            condition = torch.cat([condition.image, target], 1)
        maps = self.norm(self.down(condition))
        maps = torch.cat([maps, latent[:, :, None, None].expand(-1, -1, *maps.shape[2:])], 1)
        return interpolate(self.last(self.up(maps)).tanh(), scale_factor=self.scale)


class Discriminator(nn.Module):
    """Logits of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Conv2d(3, 1, 4, stride=4)

    def forward(self, sample: Tensor, condition: Sample | None = None) -> Verdict:
        return Verdict([self.only(sample)], [])


class Painter(ToyRecipe):
    """Duel of the two under any condition."""

    modality: ClassVar[str] = "images"
    condition: str = "pair"
    """Condition of ``View``."""
    normalised: bool = False
    """Normalise over the image."""

    def view(self, facts: Facts) -> View:
        options = {"small": {"factor": 2}, "domain": {"target": "b"}, "hole": {"holes": "centre"}}
        return View((3, SIDE, SIDE), self.condition, options.get(self.condition, {}))

    def game(self, facts: Facts) -> Game:
        scale = 2 if self.condition == "small" else 1
        generator = Generator(CHANNELS.get(self.condition, 3), scale, self.normalised)
        return Duel(generator, Discriminator(), prior=normal(2), loss=hinge)


def model(condition: str, **fields: Any) -> Model:
    """Return an untrained model."""
    coding = {"pair": {"sides": ["A", "B"], "channels": [3, 3]}}
    facts = Facts("x", "images", 9, (3, SIDE, SIDE), "0" * 64, ("a", "b"), coding=coding)
    recipe = Painter(condition=condition, **fields)
    with seeded(0, "painter"):
        return Model(recipe.game(facts), recipe, "toys/painter", facts, {"seed": 0})


def published(folder: Path, condition: str, **fields: Any) -> tuple[Path, Painter]:
    """Publish an untrained model; return its folder and its recipe."""
    made = model(condition, **fields)
    assert isinstance(made.recipe, Painter)
    return made.save_pretrained(folder), made.recipe
