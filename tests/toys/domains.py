"""Points of two unpaired domains of different sizes (CycleGAN, Zhu et al. 2017)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.randomness import RandomStream
from sparring.rendering.exhibits import Exhibit, Table
from toys.exchange_game import ExchangeGame
from toys.kind import Kind, input_arrays
from toys.recipe import ToyRecipe


def write(folder: Path, a: int = 250, b: int = 90, name: str = "data", seed: int = 0) -> str:
    """Write points around (2, 0) and (-2, 0) as domain a, and fewer points around (0, 2) and (0, -2) as domain b."""
    random = np.random.default_rng(seed)
    points = {"a": two_clusters(random, a), "b": two_clusters(random, b)[:, ::-1]}
    np.savez(folder / f"{name}.domains.npz", **points)
    return str(folder / f"{name}.domains.npz")


def two_clusters(random: np.random.Generator, count: int) -> np.ndarray:
    centres = np.array([(2, 0), (-2, 0)], np.float32)
    return centres[random.choice(2, count)] + 0.3 * random.standard_normal((count, 2), np.float32)


def options(folder: Path) -> dict[str, str]:
    return {"input": write(folder, 0, 7, "inputs", seed=1)}


def load(source: str, view: View) -> Dataset:
    """Load domain a; each row is stored with its number, and read with a point of domain b as its condition."""
    with np.load(source) as file:
        a, b = file["a"], torch.from_numpy(file["b"])

    def partnered(stored: Batch, random: RandomStream | None) -> Batch:
        rows = stored.condition if random is None else random.integers("partner", len(b))
        return stored._replace(condition=b.to(rows.device)[rows % len(b)])

    return Dataset(a, conditions=np.arange(len(a)), read=partnered) if view.condition else Dataset(a)


def points_of_domain_b(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    return torch.from_numpy(input_arrays(options, "b")).float()


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    conditions = [] if batch.condition is None else [batch.condition]
    rows = torch.cat([*conditions, batch.real], 1).tolist()
    header = ("from x", "from y", "x", "y") if conditions else ("x", "y")
    return [Table(header, tuple(tuple(f"{number:.3g}" for number in row) for row in rows))]


OTHER = ConditionSpec({"input": "a file of points of domain b"}, points_of_domain_b, required=("input",))
KIND = Kind("domains", load, lambda points: points, exhibits, ".domains.npz", conditions={"other": OTHER})


class Domains(ToyRecipe):
    """CycleGAN between two domains."""

    modality: ClassVar[str] = "domains"
    players: ClassVar[tuple[str, ...]] = ("to a", "to b", "critic a", "critic b")

    def view(self, facts: Facts) -> View:
        return View(facts.shape, "other")

    def game(self, facts: Facts) -> Game:
        return ExchangeGame(size=facts.shape[0], width=16)


RECIPE = Domains()
