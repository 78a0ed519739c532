"""Translation of the facades between labels and photographs, beside answers that need no training.

    python benchmarks/facades.py ../shared/data/facades [--side 64] [--targets photograph labels] [--rows …]
                                                        [--steps 8000] [--seeds 0 1 2] [--sheet FOLDER]

400 pairs for training and 106 to test, as published with Isola et al. (2017). CycleGAN and CUT get the same images with
the pairs hidden. L1 in % of the range, PSNR in dB, spectrum in decades, and the Fréchet distance in features of a
network that was trained on the real images of the target without labels; all between test images.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from restoring import Pixels, answers, facts_of, fitted, halves, table, write_sheet
from rounds import setting
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.metrics.distances import frechet
from sparring.metrics.extractors.self_supervised import NetworkFeatures, train_self_supervised
from sparring.metrics.paired import l1, psnr, ssim
from sparring.modalities.images.baselines import baselines
from sparring.modalities.images.conditions import PAIR, Translation, partnered, reader
from sparring.modalities.images.spectrum import spectrum_distance
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES

TRAINED: dict[str, tuple[str, dict[str, object]]] = {
    "L1 alone": ("images/pix2pix", {"adversarial": 0}),
    "adversarial alone": ("images/pix2pix", {"l1": 0}),
    "L1 + adversarial": ("images/pix2pix", {}),
    "diverse": ("images/pix2pix", {"diverse": 1}),
    "pix2pix-hd": ("images/pix2pix-hd", {}),
    "SPADE": ("images/spade", {}),
    "CycleGAN, pairs hidden": ("images/cyclegan", {}),
    "CUT, pairs hidden": ("images/cut", {}),
}
"""Row → recipe, and its fields beside those that all rows share."""
DEFAULT_ROWS = ["L1 alone", "L1 + adversarial", "CycleGAN, pairs hidden", "CUT, pairs hidden"]
SIDES = ("labels", "photograph")


def paired(outputs: Pixels, inputs: Pixels, recipe: Recipe, facts: Facts) -> Dataset:
    """Return pairs, of which ``inputs`` are the conditions."""
    return Dataset(outputs, conditions=inputs, read=reader(recipe.view(facts)))


def unpaired(outputs: Pixels, inputs: Pixels, target: int) -> Dataset:
    """Return images of the target beside any of the others."""

    def others(rows: Tensor) -> Tensor:
        return torch.from_numpy(inputs[rows.numpy()])

    labels = np.full(len(outputs), target, dtype=np.int64)
    return Dataset(outputs, labels, np.arange(len(outputs)), partnered(others, len(inputs)))


def measured(fake: Tensor, real: Tensor, features: NetworkFeatures) -> dict[str, float]:
    return {
        "L1 %": 50 * l1(fake, real),
        "PSNR": psnr(fake, real, (-1, 1)),
        "SSIM": ssim(fake, real, (-1, 1)),
        "spectrum": spectrum_distance(real, fake),
        "Fréchet": frechet(features(real), features(fake)),
    }


def compared(
    data: dict[str, list[Pixels]], target: str, options: argparse.Namespace
) -> dict[str, list[dict[str, float]]]:
    """Return the rows of one table: translations into ``target``."""
    source = SIDES[1 - SIDES.index(target)]
    train, test = ([part[SIDES.index(side)] for side in (target, source)] for part in (data["train"], data["test"]))
    facts = replace(facts_of(train[0]), classes=SIDES, coding={"pair": {"sides": [source, target], "channels": [3, 3]}})

    # Answers that need no training.
    pix2pix = with_fields(RECIPES["images/pix2pix"], {"resolution": options.side})
    known, unseen = (paired(*images, pix2pix, facts) for images in (train, test))
    batch, features = unseen.batch(slice(None)), train_self_supervised(Split(known, unseen, facts), 0)
    assert isinstance(batch.condition, Tensor)
    shown = {"input": batch.condition, "truth": batch.real, **baselines(batch, Split(known, unseen, facts))}
    rows = {name: [measured(shown[name], batch.real, features)] for name in list(shown)[2:]}

    # One model for each row and seed.
    for name in options.rows:
        recipe_name, fields = TRAINED[name]
        given = {"resolution": options.side, "target": target, **dict(options.field), **fields}
        known_fields = type(RECIPES[recipe_name]).model_fields
        recipe = with_fields(RECIPES[recipe_name], {field: given[field] for field in given if field in known_fields})
        rows[name] = []
        for seed in options.seeds:
            asked, trained_on = batch, paired(*train, recipe, facts)
            if recipe.view(facts).condition != PAIR:
                number = SIDES.index(target)
                trained_on = unpaired(*train, number)
                targets = torch.full((len(batch.real),), number)
                asked = Batch(batch.real, Translation(batch.condition, targets))
            game = fitted(recipe, facts, trained_on, options.steps, seed, options.device)
            shown[name] = answers(game, asked)
            rows[name].append(measured(shown[name], batch.real, features))

    if options.sheet is not None:
        write_sheet(shown, options.sheet / f"{target}-{options.side}.png")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="the folder of the facades")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--targets", nargs="+", choices=SIDES, default=["photograph", "labels"])
    parser.add_argument("--rows", nargs="+", choices=list(TRAINED), default=DEFAULT_ROWS)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", type=int, default=400, help="training pairs at most")
    parser.add_argument("--count", type=int, default=106, help="test pairs at most")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--field", action="append", default=[], type=lambda text: text.split("="), help="NAME=VALUE")
    parser.add_argument("--sheet", type=Path, help="folder for one picture per table")
    options = parser.parse_args()
    print(setting())
    data = {}
    for part, most in (("train", options.train), ("test", options.count)):
        photographs, labels = halves(options.data, (part,), options.side)
        data[part] = [labels[:most], photographs[:most]]
    for target in options.targets:
        rows = compared(data, target, options)
        print(f"\n## {target}, {options.side} × {options.side}, {options.steps} steps\n\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
