"""Points of three classes, half of them without a label; the game learns to generate and to classify points."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch, Verdict
from sparring.games.game import Game
from sparring.layers.dense import Dense
from sparring.rendering.exhibits import Exhibit, Table
from toys.halves_game import HalvesGame
from toys.kind import Kind
from toys.recipe import ToyRecipe

CENTRES = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])


def write(folder: Path) -> str:
    """Write points around three centres with their labels, half of which are -1, unknown."""
    random = np.random.default_rng(0)
    labels = random.integers(3, size=300)
    points = CENTRES[labels] + random.normal(0, 0.4, (300, 2))
    np.savez(folder / "data.halves.npz", points=points, labels=np.where(random.random(300) < 0.5, labels, -1))
    return str(folder / "data.halves.npz")


def load(source: str, view: View) -> Dataset:
    with np.load(source) as file:
        return Dataset(file["points"].astype(np.float32), labels=file["labels"])


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    return [Table(("x", "y"), tuple((f"{x:.3g}", f"{y:.3g}") for x, y in batch.real.tolist()))]


KIND = Kind("halves", load, lambda points: points, exhibits, ".halves.npz", classes=("east", "north", "south"))


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(4, 32, 2)

    def forward(self, latent: Tensor, condition: None) -> Tensor:
        return self.layers(latent)


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(2, 32, 1)

    def forward(self, points: Tensor, condition: None) -> Verdict:
        return Verdict([self.layers(points)[:, 0]], [points])


class Halves(ToyRecipe):
    """Duel over points, and a classifier of them."""

    modality: ClassVar[str] = "halves"
    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator", "classifier")

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        return HalvesGame(Generator(), Discriminator(), Dense(2, 32, len(facts.classes)), latent_size=4)


RECIPE, MEASURES = Halves(), ("accuracy",)
