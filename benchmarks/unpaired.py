"""Translation without pairs, of which the answer is known: MNIST at 32 × 32 into itself inverted, coloured or rotated.

    python benchmarks/unpaired.py ../shared/data/mnist [--maps inverted coloured rotated] [--recipes images/cyclegan …]
                                                       [--steps 3000] [--seeds 0 1 2] [--uneven] [--field NAME=VALUE]

One half of the training images is the first domain, the other half, changed, the second: no digit is in both. Measured
on test images, beside trivial rows:

- digit kept: share of translations in which a classifier of the second domain finds the digit of the input;
- error: mean difference from the known answer, in % of the range;
- cycle: mean difference after the way there and back, in % of the range.

With --uneven the second domain has only a tenth of the digits 0 to 4.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from rounds import setting
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.extractors.classifier import fitted, predicted
from sparring.modalities.images.baselines import recoloured
from sparring.modalities.images.conditions import Translation, partnered
from sparring.modalities.images.data import survey
from sparring.randomness import seeded
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

Pixels: TypeAlias = NDArray[np.uint8]
"""(count, channels, height, width)."""
Rows: TypeAlias = dict[str, list[dict[str, float]]]
"""Row of a table → what was measured for each seed."""
INK, PAPER = np.array([250, 160, 30]), np.array([20, 30, 90])
"""Colours of coloured digits, (red, green, blue)."""
NAMES = ["images/cyclegan", "images/cut", "images/fastcut", "images/stargan"]
TWO_WAYS = ("images/cyclegan", "images/stargan")
PER_PASS = 250
"""Images in one forward pass."""


def inverted(images: Pixels) -> Pixels:
    return 255 - images


def coloured(images: Pixels) -> Pixels:
    share = images / 255
    mixed = share * INK[:, None, None] + (1 - share) * PAPER[:, None, None]
    return mixed.round().astype(np.uint8)


def rotated(images: Pixels) -> Pixels:
    return np.ascontiguousarray(np.rot90(images, axes=(2, 3)))


MAPS: Mapping[str, Callable[[Pixels], Pixels]] = {"inverted": inverted, "coloured": coloured, "rotated": rotated}


def same(inputs: Tensor, target: Tensor) -> Tensor:
    return inputs


def nearest(inputs: Tensor, target: Tensor) -> Tensor:
    return torch.cat([target[torch.cdist(part.flatten(1), target.flatten(1)).argmin(1)] for part in inputs.split(100)])


TRIVIAL = {"input as output": same, "nearest neighbour": nearest, "colours matched": recoloured}


def coded(images: Pixels) -> Tensor:
    found: Tensor = Dataset(images).batch(slice(None)).real
    return found


def trained(recipe: Recipe, first: Pixels, second: Pixels, steps: int, seed: int) -> Game:
    """Return the averaged game after some updates of the generator."""
    # A game of one target sees the second domain beside the first, one of all domains both beside both.
    facts, images, inputs = facts_of(first), second, first
    labels = np.ones(len(second), np.int64)
    if not recipe.view(facts).options["target"]:
        images = inputs = np.concatenate([first, second])
        labels = np.repeat([0, 1], [len(first), len(second)])
    others = torch.from_numpy(inputs)
    data = Dataset(images, labels, np.arange(len(images)), partnered(lambda rows: others[rows], len(others)))

    with seeded(seed, "weights"):
        game = recipe.game(facts)
    samples = steps * recipe.batch * getattr(recipe, "critic_turns", 1)
    plan = Plan(recipe.optimisers(), recipe.batch, samples, average_half_life=recipe.average_half_life, seed=seed)
    trainer = Trainer(game, data, plan)
    for _ in trainer:
        pass
    return trainer.average


def facts_of(images: Pixels) -> Facts:
    return Facts("digits", "images", len(images), images.shape[1:], "0" * 64, classes=("first", "second"))


def into(game: Game, domain: int, images: Tensor) -> Tensor:
    parts = []
    with torch.inference_mode():
        for part in images.split(PER_PASS):
            condition = Translation(part, torch.full((len(part),), domain))
            parts.append(game.generate(part.new_empty(len(part), 0), condition))
    return torch.cat(parts)


def measured(outputs: Tensor, inputs: Batch, truth: Tensor, predict: Callable[[Tensor], Tensor]) -> dict[str, float]:
    assert inputs.label is not None
    return {
        "digit kept %": 100 * float((predict(outputs) == inputs.label).float().mean()),
        "error %": 50 * float((outputs - truth).abs().mean()),
    }


def compared(train: Batch, test: Batch, change: Callable[[Pixels], Pixels], options: argparse.Namespace) -> Rows:
    """Return the rows of one table; ``train`` and ``test`` hold bytes and labels."""
    # The first half as it is, and the second half changed; grey digits have three channels where the others do.
    (first, second), (_, labels) = (np.array_split(part, 2) for part in (train.real, train.label))
    if options.uneven:
        kept = (labels > 4) | (np.arange(len(labels)) % 10 == 0)
        second, labels = second[kept], labels[kept]
    second, truth = change(second), coded(change(test.real))
    first, given = (np.repeat(part, second.shape[1] // part.shape[1], 1) for part in (first, test.real))
    inputs = Batch(coded(given), None, torch.from_numpy(test.label))

    # The digits of the second domain, by a classifier of all that there are in it, evenly.
    changed = change(np.array_split(train.real, 2)[1])
    network = fitted(Dataset(changed, np.array_split(train.label, 2)[1]), 10, 0)

    def predict(images: Tensor) -> Tensor:
        return predicted(network, images)

    rows: Rows = {"known answer": [measured(truth, inputs, truth, predict)]}
    for name, translate in TRIVIAL.items():
        rows[name] = [measured(translate(inputs.real, coded(second)), inputs, truth, predict)]
    for name in options.recipes:
        rows[name] = []
        for seed in options.seeds:
            recipe = with_fields(RECIPES[name], {"resolution": options.side, **dict(options.field)})
            game = trained(recipe, first, second, options.steps, seed)
            outputs = into(game, 1, inputs.real)
            found = measured(outputs, inputs, truth, predict)
            if name in TWO_WAYS:
                found["cycle %"] = 50 * float((into(game, 0, outputs) - inputs.real).abs().mean())
            rows[name].append(found)
    return rows


def table(rows: Rows) -> str:
    """Return Markdown: means over seeds, with the standard deviation where there are several."""
    columns = ("digit kept %", "error %", "cycle %")
    lines = [f"| | {' | '.join(columns)} |", "|---|---|---|---|"]
    for name, found in rows.items():
        cells = []
        for column in columns:
            values = [row[column] for row in found if column in row]
            spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
            cells.append(f"{statistics.fmean(values):.1f}{spread}" if values else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", help="MNIST, or another source of labelled digits")
    parser.add_argument("--maps", nargs="+", choices=list(MAPS), default=list(MAPS))
    parser.add_argument("--recipes", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--steps", type=int, default=3000, help="updates of the generator")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--count", type=int, default=1000, help="test images at most")
    parser.add_argument("--train", type=int, default=20_000, help="training images at most, of both domains together")
    parser.add_argument("--uneven", action="store_true", help="a tenth of the digits 0 to 4 in the second domain")
    parser.add_argument("--field", action="append", default=[], type=lambda text: text.split("="), help="NAME=VALUE")
    options = parser.parse_args()
    print(setting())
    split = survey(options.data).prepare(View((1, options.side, options.side), "label"))
    train, test = (
        Batch(np.array(part.samples[:count]), None, part.labels[:count])
        for part, count in ((split.train, options.train), (split.held_out, options.count))
    )
    for name in options.maps:
        rows = compared(train, test, MAPS[name], options)
        print(f"\n## {name}, {options.steps} steps{', uneven' * options.uneven}\n\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
