"""Photographs, training, perceptual distance and tables of the benchmarks of completion and translation."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.extractors.self_supervised import train_self_supervised
from sparring.modalities.images.conditions import reader
from sparring.modalities.images.data import survey
from sparring.randomness import seeded
from sparring.recipe import Recipe
from sparring.rendering.grids import image_grid
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

Pixels = NDArray[np.uint8]
"""(count, channels, height, width)."""


def cifar(folder: Path) -> tuple[Pixels, Pixels]:
    """Return the training and the test images of CIFAR-10 in ``folder``, 32 × 32."""
    files = [folder / f"{name}.parquet" for name in ("train-first-20000", "test-first-1000")]
    train, test = (np.array(survey(str(file)).whole(View((3, 32, 32))).samples) for file in files)
    return train, test


def facades(folder: Path, side: int) -> tuple[Pixels, Pixels]:
    """Return the photographs of the facades, which are the left halves of the files: 500 for training, 106 to test."""

    return halves(folder, ("train", "val"), side)[0], halves(folder, ("test",), side)[0]


def halves(folder: Path, parts: Iterable[str], side: int) -> tuple[Pixels, Pixels]:
    """Return the left and the right halves of the facades of some parts: the photographs and the labels."""
    files = [file for part in parts for file in sorted((folder / part).glob("*.jpg"))]
    left, right = zip(*(_halves(file, side) for file in files), strict=True)
    return np.stack(left), np.stack(right)


def _halves(file: Path, side: int) -> list[Pixels]:
    with Image.open(file) as image:
        whole, (width, height) = image.convert("RGB"), image.size
        parts = [whole.crop(box) for box in ((0, 0, width // 2, height), (width - width // 2, 0, width, height))]
    return [np.asarray(part.resize((side, side), Image.Resampling.LANCZOS)).transpose(2, 0, 1) for part in parts]


def facts_of(train: Pixels) -> Facts:
    return Facts("benchmark", "images", len(train), tuple(train.shape[1:]), "0" * 64)


def trained(recipe: Recipe, train: Pixels, steps: int, seed: int) -> Game:
    """Train a recipe for a number of steps and return the game with averaged weights."""
    facts = facts_of(train)
    return fitted(recipe, facts, Dataset(train, read=reader(recipe.view(facts))), steps, seed)


def fitted(recipe: Recipe, facts: Facts, data: Dataset, steps: int, seed: int, device: str = "cpu") -> Game:
    """Train a recipe on data that was read in its view, and return the game with averaged weights on the CPU."""
    with seeded(seed, "weights"):
        game = recipe.game(facts)
    plan = Plan(
        recipe.optimisers(),
        recipe.batch,
        steps * recipe.batch,
        seed=seed,
        average_half_life=recipe.average_half_life,
    )
    trainer = Trainer(game, data, plan, device=device)
    assert len(list(trainer)) == steps and trainer.guard.total == 0
    for player in trainer.average.players.values():
        player.to("cpu")
    return trainer.average


def answers(game: Game, test: Batch, seed: int = 0) -> Tensor:
    """Return one image for each condition of ``test``."""
    return generate(game, len(test.real), test.condition, seed=seed, stream="benchmark/", bounds=(-1.0, 1.0))


def perceptual(train: Pixels, seed: int = 0) -> Callable[[Tensor, Tensor], float]:
    """Return a function (images, true images) → distance in features of a network trained on the real images.

    It is the mean distance of the features, as a share of the mean distance between features of different true images.
    """
    data = Dataset(train)
    features = train_self_supervised(Split(data, data, facts_of(train)), seed)

    def distance(fake: Tensor, true: Tensor) -> float:
        one, other = features(fake), features(true)
        return float((one - other).norm(dim=1).mean() / torch.pdist(other).mean())

    return distance


def write_sheet(shown: Mapping[str, Tensor], path: Path) -> None:
    """Write the first eight images of each kind side by side, one column for each kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = torch.stack([images[:8] for images in shown.values()], 1).flatten(0, 1)
    image_grid(pictures, columns=len(shown)).save(path)


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return a Markdown table: name → one dictionary per seed; mean ± standard deviation where there are several."""
    columns = list(next(iter(rows.values()))[0])
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for name, found in rows.items():
        cells = [_cell([one[column] for one in found if column in one]) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"
