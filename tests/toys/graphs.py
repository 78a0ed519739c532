"""Graphs of up to five atoms: samples with integers, which have no gradient, and soft bonds, which have one."""

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
from toys.graph_networks import CHOICE_SIZES, MAX_ATOMS, MIN_ATOMS, Discriminator, Generator, Graph, flat
from toys.kind import Kind
from toys.recipe import ToyRecipe

SYMBOLS = "CNOS"


def write(folder: Path) -> str:
    """Write graphs in which atoms are bonded if their elements differ."""
    random = np.random.default_rng(0)
    atoms = random.integers(len(SYMBOLS), size=(400, MAX_ATOMS), dtype=np.uint8)
    size = random.integers(MIN_ATOMS, MAX_ATOMS + 1, size=400, dtype=np.uint8)
    present = np.arange(MAX_ATOMS) < size[:, None]
    bonds = (atoms[:, :, None] != atoms[:, None]) & present[:, :, None] & present[:, None]
    np.savez(folder / "data.graphs.npz", atoms=atoms, bonds=bonds, size=size)
    return str(folder / "data.graphs.npz")


def load(source: str, view: View) -> Dataset:
    with np.load(source) as file:
        return Dataset(Graph(file["atoms"], file["bonds"], file["size"]), read=widened)


def widened(stored: Batch, random: RandomStream | None) -> Batch:
    """Convert the stored bytes to int64 and float32 for the networks."""
    atoms, bonds, size = stored.real
    return stored._replace(real=Graph(atoms.long(), bonds.float(), size.long()))


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    return [Text(tuple(described(*graph) for graph in zip(*(part.tolist() for part in batch.real), strict=True)))]


def described(atoms: list[int], bonds: list[list[float]], size: int) -> str:
    """Describe a graph by its atoms and bonds: "CNC 1-0 2-1"."""
    pairs = [f"{one}-{other}" for one in range(size) for other in range(one) if bonds[one][other] > 0.5]
    return " ".join(["".join(SYMBOLS[kind] for kind in atoms[:size]), *pairs])


KIND = Kind("graphs", load, flat, exhibits, ".graphs.npz", bounds=(0.0, 1.0))


class Graphs(ToyRecipe):
    """Duel over graphs."""

    modality: ClassVar[str] = "graphs"

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        gamma, prior = automatic(10.0, rate=0.01, lowest=0.01), normal(sum(CHOICE_SIZES) + 8)
        return Duel(Generator(), Discriminator(), prior=prior, loss=relativistic, gamma=gamma)


RECIPE = Graphs()
