"""Time of a step of `images/r3gan` at 32 × 32, batch 64, by penalty, precision and memory format.

    python benchmarks/r3gan_step.py [--rounds 7] [--steps 3]

Interleaved in one process on two threads; random data in memory, one channel, ten classes.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from rounds import interleaved, setting, stepper, table

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.modalities.images.recipes.r3gan import R3GAN
from sparring.randomness import seeded

FACTS = Facts("noise", "images", 2000, (1, 32, 32), "", tuple("0123456789"))


def contestant(
    *, bfloat16: bool, penalty: str = "exact", every: int = 1, plain: bool = False, blocks: int = 0
) -> Callable[[], None]:
    """Return one step of a trainer, as a function; ``plain`` keeps tensors contiguous, as plain PyTorch does."""
    recipe = R3GAN(resolution=(32, 32), penalty=penalty, penalty_every=every, blocks=blocks)
    with seeded(0, "weights"):
        game = recipe.game(FACTS)
    rows = np.random.default_rng(0)
    images, labels = rows.integers(0, 256, (2000, 1, 32, 32), dtype=np.uint8), rows.integers(0, 10, 2000)
    data = Dataset(images, labels, labels)
    step = stepper(game, recipe, data, bfloat16=bfloat16)
    if plain:
        for player in game.players.values():
            player.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return step


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(2)
    contestants = {
        "exact, fp32, contiguous (plain)": contestant(bfloat16=False, plain=True),
        "the same with residual blocks": contestant(bfloat16=False, plain=True, blocks=1),
        "exact, fp32, channels_last": contestant(bfloat16=False),
        "exact, bf16": contestant(bfloat16=True),
        "exact on a quarter, bf16 (the default here)": contestant(bfloat16=True, every=4),
        "finite differences, bf16": contestant(bfloat16=True, penalty="finite"),
        "finite differences on a quarter, bf16": contestant(bfloat16=True, penalty="finite", every=4),
        "no penalty, bf16": contestant(bfloat16=True, penalty="none"),
    }
    medians = interleaved(contestants, rounds=options.rounds, steps=options.steps)
    print(f"{setting()}\n\n{table(medians, next(iter(contestants)))}")


if __name__ == "__main__":
    main()
