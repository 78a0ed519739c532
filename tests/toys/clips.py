"""Clips of a few grey frames, 5-D in a batch: 3-D convolutions over time and space."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.objectives.losses import relativistic
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.grids import image_grid
from toys.kind import Kind
from toys.recipe import ToyRecipe


def write(folder: Path) -> str:
    """Write clips of a square on noise that moves to the right by one pixel per frame."""
    random = np.random.default_rng(0)
    clips = random.integers(64, size=(300, 1, 4, 8, 8), dtype=np.uint8)
    for clip, (top, left) in zip(clips[:, 0], random.integers((6, 3), size=(300, 2)), strict=True):
        for time, frame in enumerate(clip):
            frame[top : top + 3, left + time : left + time + 3] = 255
    np.save(folder / "data.clips.npy", clips)
    return str(folder / "data.clips.npy")


def load(source: str, view: View) -> Dataset:
    return Dataset(np.load(source))


def features(clips: Tensor) -> Tensor:
    return avg_pool3d(clips, (1, 2, 2)).flatten(1)


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    """Show the frames of a clip side by side, and clips below one another."""
    frames = batch.real.permute(0, 1, 3, 2, 4).flatten(3)  # (batch, 1, height, time · width)
    return [picture_of(image_grid(frames, columns=1))]


KIND = Kind("clips", load, features, exhibits, ".clips.npy", bounds=(-1.0, 1.0), blends=True)


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        coarse = [nn.Linear(8, 8 * 2 * 4 * 4), nn.Unflatten(1, (8, 2, 4, 4)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*coarse, nn.Upsample(scale_factor=2), nn.Conv3d(8, 1, 3, padding=1), nn.Tanh())

    def forward(self, latent: Tensor, condition: None) -> Tensor:
        clips: Tensor = self.layers(latent)
        return clips


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(1, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten())
        self.score = nn.Linear(8 * 2 * 4 * 4, 1)

    def forward(self, clips: Tensor, condition: None) -> Verdict:
        seen = self.layers(clips)
        return Verdict([self.score(seen)[:, 0]], [seen])


class Clips(ToyRecipe):
    """Duel over clips."""

    modality: ClassVar[str] = "clips"

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        return Duel(Generator(), Discriminator(), prior=normal(8), loss=relativistic)


RECIPE, MEASURES = Clips(), ("path_length",)
