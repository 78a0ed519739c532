"""Rows of a table: a number and a category, one-hot for the networks; the category is also the condition."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from sparring.data.conditions import LABEL
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch, Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.layers.dense import Dense
from sparring.objectives.losses import relativistic
from sparring.randomness import RandomStream
from sparring.rendering.exhibits import Exhibit, Table
from toys.kind import Kind
from toys.recipe import ToyRecipe

COLOURS = ("red", "green", "blue")


class Row(NamedTuple):
    number: Tensor  # (batch, 1)
    colour: Tensor  # (batch, 3), one-hot or probabilities


def write(folder: Path) -> str:
    """Write rows whose number follows from the colour."""
    random = np.random.default_rng(0)
    colour = random.choice(3, 300, p=(0.6, 0.3, 0.1))
    np.savez(folder / "data.rows.npz", number=colour + 0.1 * random.normal(size=300), colour=colour)
    return str(folder / "data.rows.npz")


def load(source: str, view: View) -> Dataset:
    with np.load(source) as file:
        number, colour = file["number"].astype(np.float32)[:, None], file["colour"].astype(np.int64)
    conditions = colour if view.condition == "label" else None
    return Dataset(Row(number, colour), labels=colour, conditions=conditions, read=encoded)


def encoded(stored: Batch, random: RandomStream | None) -> Batch:
    """Convert the stored category numbers to one-hot."""
    return stored._replace(real=Row(stored.real.number, one_hot(stored.real.colour, len(COLOURS)).float()))


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    rows = zip(batch.real.number[:, 0].tolist(), batch.real.colour.argmax(1).tolist(), strict=True)
    return [Table(("number", "colour"), tuple((f"{number:.3g}", COLOURS[colour]) for number, colour in rows))]


KIND = Kind("rows", load, lambda rows: torch.cat(rows, 1), exhibits, ".rows.npz", COLOURS, conditions={"label": LABEL})


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(4 + 3, 16, 4)

    def forward(self, latent: Tensor, condition: Tensor) -> Row:
        number, colour = self.layers(torch.cat([latent, one_hot(condition, 3).float()], 1)).split((1, 3), 1)
        return Row(number, colour.softmax(1))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(4 + 3, 16, 1)

    def forward(self, row: Row, condition: Tensor) -> Verdict:
        seen = torch.cat([*row, one_hot(condition, 3).float()], 1)
        return Verdict([self.layers(seen)[:, 0]], [seen])


class Rows(ToyRecipe):
    """Duel over rows."""

    modality: ClassVar[str] = "rows"

    def view(self, facts: Facts) -> View:
        return View(facts.shape, "label")

    def game(self, facts: Facts) -> Game:
        return Duel(Generator(), Discriminator(), prior=normal(4), loss=relativistic)


RECIPE, OPTIONS = Rows(), {"label": "green"}
