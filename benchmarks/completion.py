"""Completion of CIFAR-10 at 32 × 32 and of facades at 64 × 64, beside trivial fills.

    python benchmarks/completion.py ../shared/data [--sets cifar facades] [--holes centre strokes] [--steps 4000]
                                                   [--seeds 0 1 2] [--count 500] [--sheet FOLDER]

Holes are the central half, as in table 1 of Pathak et al. (2016), and free-form strokes; those of the test images are
fixed. Differences are measured in the hole: L1 and L2 in % of the range and of its square, PSNR in dB. Diversity is the
mean difference of two fills of one hole in %, perceptual distance and spectrum those of whole images.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from restoring import Pixels, answers, cifar, facades, facts_of, perceptual, table, trained, write_sheet
from rounds import setting
from torch import Tensor
from torch.nn.functional import pad

from sparring.data.dataset import Dataset
from sparring.flow import Batch
from sparring.modalities.images.conditions import Holed, reader
from sparring.modalities.images.spectrum import spectrum_distance
from sparring.modalities.images.terms import masked_difference
from sparring.recipe import with_fields
from sparring.recipes import RECIPES

Fill = Callable[[Tensor, Holed], Tensor]
"""(training images, images with holes) → filled images."""


def mean_colour(train: Tensor, holes: Holed) -> Tensor:
    """Fill with the mean colour of what is left."""
    left = 1 - holes.mask
    mean = (holes.image * left).sum((2, 3), keepdim=True) / left.sum((2, 3), keepdim=True)
    return torch.where(holes.mask > 0, mean, holes.image)


def nearest_neighbour(train: Tensor, holes: Holed) -> Tensor:
    """Copy from the training image that is nearest around the hole."""
    left = (1 - holes.mask).expand_as(holes.image).flatten(1)
    shown, real = holes.image.flatten(1), train.flatten(1)
    # Σ m (x - t)² = Σ m x² - 2 Σ m x t + Σ m t², of which the first is the same for every t.
    distance = left @ real.square().T - 2 * (left * shown) @ real.T
    return torch.where(holes.mask > 0, train[distance.argmin(1)], holes.image)


def diffusion(train: Tensor, holes: Holed) -> Tensor:
    """Solve Laplace's equation in the hole by Jacobi iterations, from the mean colour."""
    filled = mean_colour(train, holes)
    for _ in range(filled.shape[2] * filled.shape[3] // 2):
        around = pad(filled, (1, 1, 1, 1), mode="replicate")
        mean = (around[:, :, :-2, 1:-1] + around[:, :, 2:, 1:-1] + around[:, :, 1:-1, :-2] + around[:, :, 1:-1, 2:]) / 4
        filled = torch.where(holes.mask > 0, mean, holes.image)
    return filled


TRIVIAL: dict[str, Fill] = {"mean colour": mean_colour, "nearest neighbour": nearest_neighbour, "diffusion": diffusion}
TRAINED: dict[str, dict[str, object]] = {
    "L2 only": {"adversarial": 0, "distance": "l2", "diversity": 0},
    "context encoder": {
        "network": "context", "loss": "non_saturating", "distance": "l2", "hole": 0.999, "adversarial": 0.001,
        "diversity": 0,
    },
    "Fourier": {"network": "fourier"},
    "gated (default)": {},
}  # fmt: skip


def measured(fake: Tensor, test: Batch, distance: Callable[[Tensor, Tensor], float]) -> dict[str, float]:
    holes = test.condition
    assert isinstance(holes, Holed) and torch.equal(fake * (1 - holes.mask), holes.image * (1 - holes.mask))
    squared = masked_difference(fake, test.real, holes.mask, "l2")
    return {
        "L1 %": 50 * float(masked_difference(fake, test.real, holes.mask, "l1").mean()),
        "L2 %": 25 * float(squared.mean()),
        "PSNR": float((10 * torch.log10(4 / squared.clamp(min=1e-9))).mean()),
        "perceptual": distance(fake, test.real),
        "spectrum": spectrum_distance(test.real, fake),
    }


def compared(
    train: Pixels, test: Pixels, kind: str, options: argparse.Namespace, sheet: Path | None
) -> dict[str, list[dict[str, float]]]:
    """Return the rows of one table."""
    base = with_fields(RECIPES["images/fill"], {"holes": kind, "resolution": train.shape[2], **dict(options.field)})
    batch = Dataset(test, read=reader(base.view(facts_of(train)))).batch(slice(None))
    real, distance = Dataset(train).batch(slice(None)).real, perceptual(train)
    shown = {"input": batch.condition.image, "truth": batch.real}
    rows = {}
    for name, fill in TRIVIAL.items():
        shown[name] = fill(real, batch.condition)
        rows[name] = [measured(shown[name], batch, distance)]
    for name in options.rows:
        rows[name] = []
        for seed in options.seeds:
            game = trained(with_fields(base, TRAINED[name]), train, options.steps, seed)
            shown[name], other = answers(game, batch), answers(game, batch, seed=1)
            apart = masked_difference(shown[name], other, batch.condition.mask, "l1")
            rows[name].append({**measured(shown[name], batch, distance), "diversity %": 50 * float(apart.mean())})
    if sheet is not None:
        write_sheet(shown, sheet)
    for found in rows.values():
        for row in found:
            row.setdefault("diversity %", 0.0)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["cifar", "facades"])
    parser.add_argument("--holes", nargs="+", default=["centre", "strokes"])
    parser.add_argument("--rows", nargs="+", choices=list(TRAINED), default=list(TRAINED))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--count", type=int, default=500, help="test images at most")
    parser.add_argument("--train", type=int, default=20_000, help="training images at most")
    parser.add_argument("--side", type=int, default=64, help="of the facades")
    parser.add_argument("--field", action="append", default=[], type=lambda text: text.split("="), help="NAME=VALUE")
    parser.add_argument("--sheet", type=Path, help="folder for one picture per table")
    options = parser.parse_args()
    print(setting())
    for name in options.sets:
        folder = options.data / {"cifar": "cifar10"}.get(name, name)
        train, test = cifar(folder) if name == "cifar" else facades(folder, options.side)
        for kind in options.holes:
            sheet = options.sheet and options.sheet / f"{name}-{kind}.png"
            rows = compared(train[: options.train], test[: options.count], kind, options, sheet)
            print(f"\n## {name}, {kind}, {options.steps} steps\n\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
