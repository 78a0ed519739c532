"""Points of a mixture fitted by EM: one player that has only buffers, and a recipe without optimisers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.recipe import Adam, Chosen, Machine, Recipe
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.scatter import scatter_plot
from toys import trainers
from toys.kind import Kind
from toys.mixture_game import MixtureGame


def write(folder: Path) -> str:
    """Write points of three Gaussians."""
    np.save(folder / "data.clusters.npy", trainers.clusters().samples)
    return str(folder / "data.clusters.npy")


def load(source: str, view: View) -> Dataset:
    return Dataset(np.load(source))


def features(points: Tensor) -> Tensor:
    return points


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    return [picture_of(scatter_plot(batch.real))]


KIND = Kind("clusters", load, features, exhibits, ".clusters.npy", samples_per_picture=400)


class Clusters(Recipe):
    """Mixture of Gaussians."""

    modality: ClassVar[str] = "clusters"
    paper: ClassVar[str] = "a toy"
    samples: int = 1920
    """Real samples to see."""
    batch: int = 32
    """Samples per batch."""
    components: int = 3
    """Number of Gaussians."""

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        (size,) = facts.shape
        return MixtureGame(components=self.components, size=size)

    def optimisers(self) -> Mapping[str, Adam]:
        return {}

    def average_half_life(self, samples: int) -> float:
        return 0.05 * samples

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        return {}


RECIPE, MEASURES = Clusters(), ("likelihood",)
