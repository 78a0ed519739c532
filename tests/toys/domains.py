"""Points of two domains that nobody has paired, more of the one than of the other (CycleGAN, Zhu et al. 2017)."""

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
from toys.kind import Kind, arrays_asked
from toys.recipe import ToyRecipe


def write(folder: Path, a: int = 250, b: int = 90, name: str = "data", seed: int = 0) -> str:
    """Domain a: points around (2, 0) and (-2, 0). Domain b: the same turned upright, but other points and fewer."""
    random = np.random.default_rng(seed)
    points = {"a": two_heaps(random, a), "b": two_heaps(random, b)[:, ::-1]}
    np.savez(folder / f"{name}.domains.npz", **points)
    return str(folder / f"{name}.domains.npz")


def two_heaps(random: np.random.Generator, count: int) -> np.ndarray:
    centres = np.array([(2, 0), (-2, 0)], np.float32)
    return centres[random.choice(2, count)] + 0.3 * random.standard_normal((count, 2), np.float32)


def asked(folder: Path) -> dict[str, str]:
    return {"input": write(folder, 0, 7, "inputs", seed=1)}


def load(source: str, view: View) -> Dataset:
    """Domain a; a row is stored with its number, and read with a point of domain b."""
    with np.load(source) as file:
        a, b = file["a"], torch.from_numpy(file["b"])

    def partnered(stored: Batch, random: RandomStream | None) -> Batch:
        rows = stored.condition if random is None else random.integers("partner", len(b))
        return stored._replace(condition=b.to(rows.device)[rows % len(b)])

    return Dataset(a, conditions=np.arange(len(a)), read=partnered) if view.condition else Dataset(a)


def others_asked(asked: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    return torch.from_numpy(arrays_asked(asked, "b")).float()


def look(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    told = [] if batch.condition is None else [batch.condition]
    rows = torch.cat([*told, batch.real], 1).tolist()
    header = ("from x", "from y", "x", "y") if told else ("x", "y")
    return [Table(header, tuple(tuple(f"{number:.3g}" for number in row) for row in rows))]


OTHER = ConditionSpec({"input": "a file of points of domain b"}, others_asked, required=("input",))
KIND = Kind("domains", load, lambda points: points, look, ".domains.npz", conditions={"other": OTHER})


class Domains(ToyRecipe):
    """An exchange of two domains."""

    modality: ClassVar[str] = "domains"
    players: ClassVar[tuple[str, ...]] = ("to a", "to b", "critic a", "critic b")

    def view(self, facts: Facts) -> View:
        return View(facts.shape, "other")

    def game(self, facts: Facts) -> Game:
        return ExchangeGame(size=facts.shape[0], width=16)


RECIPE = Domains()
