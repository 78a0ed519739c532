"""DCGAN 64 × 64: our trainer against the same networks in a loop written by hand.

    python benchmarks/dcgan_step.py [--rounds 7] [--steps 3]

Latents of 100, 64 features, batch 64, Adam(2e-4, 0.5), data in memory, interleaved in one process on two threads. The
hand-written loop is the usual one: new latents per step, one fake batch for both updates, binary cross-entropy on
logits, an averaged generator.
"""

import argparse
import copy
from collections.abc import Callable

import numpy as np
import torch
from rounds import interleaved, setting, stepper, table
from torch.nn.functional import binary_cross_entropy_with_logits

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.modalities.images.networks.dcgan import Discriminator, Generator
from sparring.modalities.images.recipes.dcgan import DCGAN
from sparring.randomness import seeded

BATCH, LATENT_SIZE, WIDTH, SIZE = 64, 100, 64, (64, 64)


def by_hand(data: torch.Tensor, *, channels_last: bool = False, bfloat16: bool = False) -> Callable[[], None]:
    """Return one step of the hand-written loop, as a function."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator = Generator(size=SIZE, channels=3, latent_size=LATENT_SIZE, width=WIDTH).to(memory_format=layout)
    discriminator = Discriminator(size=SIZE, channels=3, width=WIDTH).to(memory_format=layout)
    average = copy.deepcopy(generator)
    adams = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True) for net in (generator, discriminator)]
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

    def step() -> None:
        # Real and generated samples to logits.
        rows = torch.randint(len(data), (BATCH,))
        real = (data[rows].float() / 127.5 - 1).contiguous(memory_format=layout)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fake = generator(torch.randn(BATCH, LATENT_SIZE))
            real_logits = discriminator(real).logits[0].float()
            fake_logits = discriminator(fake.detach()).logits[0].float()

        # Update the discriminator, then the generator by its new logits of the same samples.
        bce = binary_cross_entropy_with_logits
        adams[1].zero_grad()
        (bce(real_logits, ones) + bce(fake_logits, zeros)).backward()
        adams[1].step()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fake_logits = discriminator(fake).logits[0].float()
        adams[0].zero_grad()
        bce(fake_logits, ones).backward()
        adams[0].step()

        # Update the average.
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(generator.parameters()), 0.001)

    return step


def ours(data: np.ndarray, *, bfloat16: bool) -> Callable[[], None]:
    """Return one step of the project's trainer, as a function."""
    facts = Facts("noise", "images", len(data), (3, *SIZE), "")
    recipe = DCGAN(resolution=SIZE, latent_size=LATENT_SIZE, width=WIDTH)
    with seeded(0, "weights"):
        game = recipe.game(facts)
    return stepper(game, recipe, Dataset(data), bfloat16=bfloat16)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    data = np.random.default_rng(0).integers(0, 256, (2000, 3, *SIZE), dtype=np.uint8)
    tensor = torch.from_numpy(data)
    contestants = {
        "by hand, fp32": by_hand(tensor),
        "by hand, fp32, channels_last": by_hand(tensor, channels_last=True),
        "our trainer, fp32": ours(data, bfloat16=False),
        "by hand, bf16, channels_last": by_hand(tensor, channels_last=True, bfloat16=True),
        "our trainer, bf16 (the default here)": ours(data, bfloat16=True),
    }
    medians = interleaved(contestants, rounds=options.rounds, steps=options.steps)
    print(f"{setting()}\n")
    print(table(medians, "by hand, fp32"))
    for precision in ("fp32", "bf16"):
        name = "our trainer, fp32" if precision == "fp32" else "our trainer, bf16 (the default here)"
        overhead = medians[name] / medians[f"by hand, {precision}, channels_last"] - 1
        print(f"\nOverhead at equal precision and memory format, {precision}: {100 * overhead:+.1f} %")


if __name__ == "__main__":
    main()
