"""Graphs of up to five atoms: whole numbers, which have no gradient, and soft bonds, which have one, in one sample."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.objectives.gamma import automatic
from sparring.objectives.losses import relativistic
from sparring.randomness import RandomStream
from sparring.rendering.exhibits import Exhibit, Text
from toys.graph_networks import ATOMS, CHOICE, FEWEST, Discriminator, Generator, Graph, flat
from toys.kind import Kind
from toys.recipe import ToyRecipe

SYMBOLS = "CNOS"


def write(folder: Path) -> str:
    """Graphs in which atoms of different kinds are bonded."""
    random = np.random.default_rng(0)
    atoms = random.integers(len(SYMBOLS), size=(400, ATOMS), dtype=np.uint8)
    size = random.integers(FEWEST, ATOMS + 1, size=400, dtype=np.uint8)
    there = np.arange(ATOMS) < size[:, None]
    bonds = (atoms[:, :, None] != atoms[:, None]) & there[:, :, None] & there[:, None]
    np.savez(folder / "data.graphs.npz", atoms=atoms, bonds=bonds, size=size)
    return str(folder / "data.graphs.npz")


def load(source: str, view: View) -> Dataset:
    with np.load(source) as file:
        return Dataset(Graph(file["atoms"], file["bonds"], file["size"]), read=widened)


def widened(stored: Batch, random: RandomStream | None) -> Batch:
    """A byte for each number is enough to store; networks see int64 and float32."""
    atoms, bonds, size = stored.real
    return stored._replace(real=Graph(atoms.long(), bonds.float(), size.long()))


def look(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    return [Text(tuple(said(*graph) for graph in zip(*(part.tolist() for part in batch.real), strict=True)))]


def said(atoms: list[int], bonds: list[list[float]], size: int) -> str:
    """The atoms, and which of them are bonded: "CNC 1-0 2-1"."""
    pairs = [f"{one}-{other}" for one in range(size) for other in range(one) if bonds[one][other] > 0.5]
    return " ".join(["".join(SYMBOLS[kind] for kind in atoms[:size]), *pairs])


KIND = Kind("graphs", load, flat, look, ".graphs.npz", bounds=(0.0, 1.0))


class Graphs(ToyRecipe):
    """A duel over graphs."""

    modality: ClassVar[str] = "graphs"

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        strength, latent = automatic(10.0, rate=0.01, lowest=0.01), normal(sum(CHOICE) + 8)
        return Duel(Generator(), Discriminator(), prior=latent, loss=relativistic, gamma=strength)


RECIPE = Graphs()
