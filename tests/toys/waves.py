"""Sounds of different lengths, cropped at random in every batch, and written at the sampling rate of the data."""

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

MIN_LENGTH, CROP_LENGTH, MAX_LENGTH = 48, 64, 96


class Wave(NamedTuple):
    samples: Tensor  # (batch, CROP_LENGTH), zero beyond the length
    length: Tensor  # (batch,) int64


def write(folder: Path) -> str:
    """Write tones of random pitch and length, at 8,000 samples per second."""
    random = np.random.default_rng(0)
    wave = np.sin(random.uniform(0.2, 0.4, (300, 1)) * np.arange(MAX_LENGTH) + random.uniform(0, 2 * np.pi, (300, 1)))
    np.savez(folder / "data.waves.npz", samples=np.float32(wave), length=random.integers(48, 97, 300), rate=8000)
    return str(folder / "data.waves.npz")


def load(source: str, view: View) -> Dataset:
    return Dataset(Wave(np.load(source)["samples"], np.load(source)["length"]), read=cropped)


def cropped(stored: Batch, random: RandomStream | None) -> Batch:
    """Crop each wave at a random place, or in its middle without random numbers."""
    samples, length = stored.real
    room = (length - CROP_LENGTH).clamp(min=0)
    start = room // 2 if random is None else random.integers("start", MAX_LENGTH) % (room + 1)
    places = start[:, None] + torch.arange(CROP_LENGTH).to(start)
    return stored._replace(real=silent_after(samples.gather(1, places), length.clamp(max=CROP_LENGTH)))


def silent_after(samples: Tensor, length: Tensor) -> Wave:
    return Wave(samples * (torch.arange(CROP_LENGTH).to(length) < length[:, None]), length)


def features(waves: Wave) -> Tensor:
    return torch.cat([torch.fft.rfft(waves.samples).abs(), waves.length[:, None] / CROP_LENGTH], 1)


def sound(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    """Concatenate the waves into one sound."""
    return [sound_of(torch.cat([wave[:end] for wave, end in zip(*batch.real, strict=True)]), facts.coding["rate"])]


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.ConvTranspose1d(8, 16, 16), nn.ReLU(), nn.ConvTranspose1d(16, 1, 4, 4))

    def forward(self, latent: Tensor, condition: None) -> Wave:
        length = MIN_LENGTH + (MAX_LENGTH - MIN_LENGTH) * torch.special.ndtr(latent[:, 0])
        return silent_after(self.layers(latent[:, :, None]).tanh().squeeze(1), length.long().clamp(max=CROP_LENGTH))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 16, 4, 4), nn.ReLU(), nn.Conv1d(16, 8, 16), nn.Flatten())
        self.score = nn.Linear(8 + 1, 1)

    def forward(self, waves: Wave, condition: None) -> Verdict:
        seen = torch.cat([self.layers(waves.samples[:, None]), waves.length[:, None] / CROP_LENGTH], 1)
        return Verdict([self.score(seen)[:, 0]], [seen])


class Waves(ToyRecipe):
    """Duel over waves."""

    modality: ClassVar[str] = "waves"

    def view(self, facts: Facts) -> View:
        return View((CROP_LENGTH,))

    def game(self, facts: Facts) -> Game:
        return Duel(Generator(), Discriminator(), prior=normal(8), loss=relativistic)


KIND = Kind("waves", load, features, sound, ".waves.npz", coding=lambda source: {"rate": int(np.load(source)["rate"])})
RECIPE = Waves()
