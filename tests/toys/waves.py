"""Sounds of different lengths: crops of longer recordings, drawn anew in every batch; heard at the rate of the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.objectives.losses import relativistic
from sparring.randomness import RandomStream
from sparring.rendering.exhibits import Exhibit, sound_of
from toys.kind import Kind
from toys.recipe import ToyRecipe

SHORTEST, CROP, STORED = 48, 64, 96


class Wave(NamedTuple):
    samples: Tensor  # (batch, CROP), zero beyond the length
    length: Tensor  # (batch,) int64


def write(folder: Path) -> str:
    """Tones of any pitch and length, 8,000 samples a second."""
    random = np.random.default_rng(0)
    tones = np.sin(random.uniform(0.2, 0.4, (300, 1)) * np.arange(STORED) + random.uniform(0, 2 * np.pi, (300, 1)))
    np.savez(folder / "data.waves.npz", samples=np.float32(tones), length=random.integers(48, 97, 300), rate=8000)
    return str(folder / "data.waves.npz")


def load(source: str, view: View) -> Dataset:
    return Dataset(Wave(np.load(source)["samples"], np.load(source)["length"]), read=cropped)


def cropped(stored: Batch, random: RandomStream | None) -> Batch:
    """A crop of each wave from anywhere in it, or from its middle."""
    samples, length = stored.real
    room = (length - CROP).clamp(min=0)
    start = room // 2 if random is None else random.integers("start", STORED) % (room + 1)
    places = start[:, None] + torch.arange(CROP).to(start)
    return stored._replace(real=silent_beyond(samples.gather(1, places), length.clamp(max=CROP)))


def silent_beyond(samples: Tensor, length: Tensor) -> Wave:
    return Wave(samples * (torch.arange(CROP).to(length) < length[:, None]), length)


def features(waves: Wave) -> Tensor:
    return torch.cat([torch.fft.rfft(waves.samples).abs(), waves.length[:, None] / CROP], 1)


def look(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    """The waves one after another."""
    return [sound_of(torch.cat([wave[:end] for wave, end in zip(*batch.real, strict=True)]), facts.coding["rate"])]


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.ConvTranspose1d(8, 16, 16), nn.ReLU(), nn.ConvTranspose1d(16, 1, 4, 4))

    def forward(self, latent: Tensor, condition: None) -> Wave:
        length = SHORTEST + (STORED - SHORTEST) * torch.special.ndtr(latent[:, 0])
        return silent_beyond(self.layers(latent[:, :, None]).tanh().squeeze(1), length.long().clamp(max=CROP))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 16, 4, 4), nn.ReLU(), nn.Conv1d(16, 8, 16), nn.Flatten())
        self.score = nn.Linear(8 + 1, 1)

    def forward(self, waves: Wave, condition: None) -> Verdict:
        seen = torch.cat([self.layers(waves.samples[:, None]), waves.length[:, None] / CROP], 1)
        return Verdict([self.score(seen)[:, 0]], [seen])


class Waves(ToyRecipe):
    """A duel over waves."""

    modality: ClassVar[str] = "waves"

    def view(self, facts: Facts) -> View:
        return View((CROP,))

    def game(self, facts: Facts) -> Game:
        return Duel(Generator(), Discriminator(), prior=normal(8), loss=relativistic)


KIND = Kind("waves", load, features, look, ".waves.npz", coding=lambda source: {"rate": int(np.load(source)["rate"])})
RECIPE = Waves()
