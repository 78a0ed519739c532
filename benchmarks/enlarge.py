"""Super-resolution of facades, twice and four times, beside the bicubic enlargement.

    python benchmarks/enlarge.py ../shared/data/facades [--factors 2 4] [--side 64] [--steps 4000] [--seeds 0 1 2]

PSNR in dB over whole images; the perceptual distance is that of features of a network trained on the real images, as a
share of the distance between different images; spectrum is the distance of mean radial spectra.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from restoring import Pixels, answers, facades, facts_of, perceptual, table, trained, write_sheet
from rounds import setting
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.metrics.paired import psnr, ssim
from sparring.modalities.images.conditions import reader
from sparring.modalities.images.networks.enlarge import enlarged
from sparring.modalities.images.spectrum import spectrum_distance
from sparring.recipe import with_fields
from sparring.recipes import RECIPES

TRAINED: dict[str, dict[str, object]] = {"L1 only": {"adversarial": 0, "features": 0}, "ours": {}}


def measured(fake: Tensor, real: Tensor, distance: Callable[[Tensor, Tensor], float]) -> dict[str, float]:
    return {
        "PSNR": psnr(fake, real, (-1, 1)),
        "SSIM": ssim(fake, real, (-1, 1)),
        "perceptual": distance(fake, real),
        "spectrum": spectrum_distance(real, fake),
    }


def compared(
    train: Pixels, test: Pixels, factor: int, options: argparse.Namespace, sheet: Path | None
) -> dict[str, list[dict[str, float]]]:
    """Return the rows of one table."""
    fields = {"factor": factor, "resolution": train.shape[2], **dict(options.field)}
    base, distance = with_fields(RECIPES["images/super-resolution"], fields), perceptual(train)
    batch = Dataset(test, read=reader(base.view(facts_of(train)))).batch(slice(None))
    shown = {"truth": batch.real, "bicubic": enlarged(batch.condition, factor).clamp(-1, 1)}
    rows = {"bicubic": [measured(shown["bicubic"], batch.real, distance)]}
    for name, other in TRAINED.items():
        rows[name] = []
        for seed in options.seeds:
            shown[name] = answers(trained(with_fields(base, other), train, options.steps, seed), batch)
            rows[name].append(measured(shown[name], batch.real, distance))
    if sheet is not None:
        write_sheet(shown, sheet)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="the folder of the facades")
    parser.add_argument("--factors", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", type=int, default=500, help="training images at most")
    parser.add_argument("--count", type=int, default=106, help="test images at most")
    parser.add_argument("--field", action="append", default=[], type=lambda text: text.split("="), help="NAME=VALUE")
    parser.add_argument("--sheet", type=Path, help="folder for one picture per table")
    options = parser.parse_args()
    print(setting())
    train, test = facades(options.data, options.side)
    for factor in options.factors:
        sheet = options.sheet and options.sheet / f"enlarged-{factor}.png"
        rows = compared(train[: options.train], test[: options.count], factor, options, sheet)
        print(f"\n## × {factor}, {options.side} × {options.side}, {options.steps} steps\n\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
