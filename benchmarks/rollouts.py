"""Monte Carlo completions of every prefix, batched and cached, against the loop over prefixes written by hand.

    python benchmarks/rollouts.py [--rounds 5] [--threads 1]

The published size of SeqGAN: an LSTM of 32 units, 5,000 words, 20 tokens, 64 sequences, 16 completions of each prefix.
The loop takes one prefix and one completion after the other, for the whole batch: it reads the prefix again, and draws
the other tokens one by one with `torch.multinomial`; in a second form as we draw them. Interleaved in one process;
ratios of processor time, since a shared machine does other work, too.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rounds import ratio, seconds, setting
from torch import Tensor

from sparring.games.policy import completions
from sparring.games.sequences import drawn
from sparring.layers.tokens.lstm import LSTMPredictor
from sparring.randomness import RandomStream, seeded
from sparring.tokens import no_prompt

VOCABULARY, LENGTH, BATCH, ROLLOUTS, WIDTH = 5000, 20, 64, 16, 32


def by_multinomial(logits: Tensor) -> Tensor:
    """Draw as programs usually do."""
    return torch.multinomial(logits.softmax(1), 1)[:, 0]


def by_inverse(logits: Tensor) -> Tensor:
    """Draw as we do."""
    return drawn(logits, torch.rand(len(logits)), torch.ones(len(logits)))


def by_hand(player: LSTMPredictor, tokens: Tensor, draw: Callable[[Tensor], Tensor]) -> Tensor:
    """Return completions of every prefix, (starts, rollouts, batch, length)."""
    first, starts = torch.full_like(tokens[:, :1], VOCABULARY), []
    for start in range(1, LENGTH):
        rollouts = []
        for _ in range(ROLLOUTS):
            # Read the prefix from its beginning, then draw token by token.
            made = [tokens[:, :start]]
            output, state = player.lstm(player.embed(torch.cat([first, made[0]], 1)))
            for _ in range(start, LENGTH):
                before = draw(player.head(output[:, -1]))[:, None]
                made.append(before)
                output, state = player.lstm(player.embed(before), state)
            rollouts.append(torch.cat(made, 1))
        starts.append(torch.stack(rollouts))
    return torch.stack(starts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with seeded(0, "weights"):
        player = LSTMPredictor(vocabulary=VOCABULARY, length=LENGTH, has_end=False, embedding=WIDTH, width=WIDTH).eval()
    tokens = torch.randint(2, VOCABULARY, (BATCH, LENGTH), generator=torch.Generator().manual_seed(0))
    prompt, random = no_prompt(BATCH, LENGTH), RandomStream(0, 0, BATCH, slice(0, BATCH))

    contestants = {
        "ours": lambda: completions(player, tokens, prompt, ROLLOUTS, random),
        "by hand": lambda: by_hand(player, tokens, by_multinomial),
        "by hand, our drawing": lambda: by_hand(player, tokens, by_inverse),
    }
    with torch.inference_mode():
        times = seconds(contestants, rounds=options.rounds, steps=1, warm_up=1, clock=time.process_time)
    print(f"{setting()}\n\n| contestant | processor seconds | as a multiple of ours, median (range) |\n|---|---:|---:|")
    for name, own in times.items():
        print(f"| {name} | {statistics.median(own):.2f} | {ratio(own, times['ours'])} |")


if __name__ == "__main__":
    main()
