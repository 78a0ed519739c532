"""Sines of 12 to 24 steps, slow or fast, a tenth of whose values is missing: what is asked for against what comes.

    PYTHONPATH=tests python benchmarks/sines.py [--recipe series/gan] [--samples 100000] [--seed 0]

400 series of ``toys.sines``: a wave whose frequency follows an attribute, and a counter. One series of each speed is
asked for with the length and the other attribute of each training series. "frequency" is the share whose largest power
is within .03 cycles per step of what was asked, "length" the share of the length that was asked; "counter" is the mean
error of the counter in steps, "missing" the share of missing values of the wave before the end.
"""

import argparse
import time

import numpy as np
import torch
from rounds import setting

from sparring.modalities.series.coding import Series
from sparring.randomness import seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from toys.sines import FREQUENCIES, SPEEDS, frequency, sines_data, with_speed

COUNT, TOLERANCE = 400, 0.03
"""Series, and cycles per step within which a frequency is right."""


def figures(series: Series, length: torch.Tensor, speed: int) -> dict[str, float]:
    """Return the figures of series of which one speed, (count,) lengths were asked for."""
    there = ~series.missing
    within = torch.arange(series.values.shape[1]) < length[:, None]
    counted = (series.values[..., 1] - torch.arange(series.values.shape[1])).abs()
    return {
        "frequency": float(((frequency(series) - FREQUENCIES[speed]).abs() < TOLERANCE).double().mean()),
        "length": float((there.any(2).long() * (1 + torch.arange(within.shape[1]))).amax(1).eq(length).double().mean()),
        "counter": float(counted[there[..., 1]].mean()),
        "missing": float(series.missing[..., 0][within].double().mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipe", default="series/gan", choices=[name for name in RECIPES if "series/" in name])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    facts, data = sines_data(COUNT)
    recipe = with_fields(RECIPES[options.recipe], {"samples": options.samples})
    recipe, _ = resolve(recipe, facts, Machine("cpu", 2**33, 1, False))
    with seeded(options.seed, "weights"):
        game = recipe.game(facts)
    half_life = recipe.average_half_life
    plan = Plan(recipe.optimisers(), recipe.batch, options.samples, average_half_life=half_life, seed=options.seed)
    trainer, began = Trainer(game, data, plan), time.process_time()
    list(trainer)
    print(f"{setting()} · {time.process_time() - began:.0f} s of one thread\n")
    whole = data.batch(slice(0, COUNT))
    real, context, fast = whole.real, whole.condition, whole.real.attributes[:, 0] > 0
    for speed, name in enumerate(SPEEDS):
        asked = with_speed(context, speed)
        rows = {f"real, {name}": real, options.recipe: generate(trainer.average, COUNT, asked, seed=1, stream="asked")}
        for row, series in rows.items():
            kept = np.flatnonzero(fast.numpy() == speed) if row.startswith("real") else np.arange(COUNT)
            found = figures(Series(*(part[kept] for part in series)), real.length[kept], speed)
            print(row, {key: round(value, 3) for key, value in found.items()})


if __name__ == "__main__":
    main()
