"""Training and sampling of text/lstm: our trainer against the usual loop of PyTorch, in tokens per second.

    python benchmarks/token_speed.py [--sizes words characters] [--rounds 9] [--steps 10] [--threads 1]

"words": 5,000 words, texts of 20 tokens, 64 units (as in SeqGAN's test, twice as wide); "characters": 80 characters,
texts of 40 to 100, the default width. The loop by hand has `nn.Embedding`, `nn.LSTM`, `nn.Linear`, dropout,
cross-entropy that ignores what follows the end, fused Adam, and the same batches; in a second form also an averaged
network, as ours has one. It samples by `torch.multinomial`. Interleaved in one process; ratios of processor time, since
a shared machine does other work, too.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from rounds import ratio, seconds, setting, stepper
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

from sparring.data.dataset import Dataset
from sparring.data.sampler import EpochSampler
from sparring.data.sequences.rows import with_prompt
from sparring.games.language import LanguageModel
from sparring.layers.tokens.lstm import LSTMPredictor
from sparring.modalities.text.recipes.language_model import TextLSTM
from sparring.randomness import derive, seeded
from sparring.sampling import generate
from sparring.tokens import END, SPECIAL, no_prompt

COUNT, SAMPLES, BATCH, IGNORED = 10_000, 1024, 64, -100


class Size(NamedTuple):
    """Sizes of the data and of the network."""

    vocabulary: int
    least: int
    length: int
    embedding: int
    width: int


SIZES = {"words": Size(5000, 20, 20, 64, 64), "characters": Size(80, 40, 100, 128, 256)}


class ByHand(nn.Module):
    """The usual language model."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embed = nn.Embedding(size.vocabulary + 1, size.embedding)
        self.lstm = nn.LSTM(size.embedding, size.width, batch_first=True)
        self.head = nn.Linear(size.width, size.vocabulary)

    def forward(self, before: Tensor) -> Tensor:
        """Return the logits of all tokens, given those before them."""
        output, _ = self.lstm(dropout(self.embed(before), 0.2, self.training))
        logits: Tensor = self.head(dropout(output, 0.2, self.training))
        return logits


def made(size: Size) -> np.ndarray:
    """Return random texts, (count, length) int16."""
    random = np.random.default_rng(0)
    tokens = random.integers(SPECIAL, size.vocabulary, (COUNT, size.length), dtype=np.int16)
    lengths = random.integers(size.least, size.length + 1, COUNT)
    return np.where(np.arange(size.length) < lengths[:, None], tokens, np.int16(END))


def training_by_hand(model: ByHand, tokens: np.ndarray, *, averaged: bool) -> Callable[[], None]:
    """Return one step of training, as a function."""
    data = torch.from_numpy(tokens).long()
    start = torch.full_like(data[:, :1], model.embed.num_embeddings - 1)
    inputs = torch.cat([start, data[:, :-1]], 1)
    ended = (data == END).cumsum(1) > 1
    targets = data.masked_fill(ended, IGNORED)
    sampler, number = EpochSampler(COUNT, BATCH, derive(0, "batches")), 0
    adam, average = torch.optim.Adam(model.parameters(), 2e-3, fused=True), copy.deepcopy(model)

    def step() -> None:
        nonlocal number
        rows = torch.from_numpy(sampler.rows(number))
        number += 1
        loss = cross_entropy(model(inputs[rows]).flatten(0, 1), targets[rows].flatten(), ignore_index=IGNORED)
        adam.zero_grad()
        loss.backward()
        adam.step()
        if averaged:
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 0.001)

    return step


@torch.inference_mode()
def sampled_by_hand(model: ByHand, size: Size) -> Tensor:
    """Return texts, token by token."""
    before, state, found = torch.full((SAMPLES, 1), size.vocabulary), None, []
    ended = torch.zeros(SAMPLES, 1, dtype=torch.bool)
    for _ in range(size.length):
        output, state = model.lstm(model.embed(before), state)
        before = torch.multinomial(model.head(output[:, 0]).softmax(1), 1).masked_fill(ended, END)
        ended |= before == END
        found.append(before)
    return torch.cat(found, 1)


def games(size: Size) -> tuple[LanguageModel, TextLSTM]:
    """Return the game and the recipe."""
    recipe = TextLSTM(embedding=size.embedding, width=size.width)
    ends = size.least < size.length
    with seeded(0, "weights"):
        predictor = LSTMPredictor(
            vocabulary=size.vocabulary,
            length=size.length,
            has_end=ends,
            embedding=size.embedding,
            width=size.width,
            dropout=recipe.dropout,
        )
    return LanguageModel(predictor, mean_tokens=(size.least + size.length) / 2 + ends), recipe


def report(task: str, times: dict[str, list[float]], tokens: int) -> None:
    """Print tokens per second, and times as multiples of ours."""
    for name, own in times.items():
        rate = tokens / statistics.median(own)
        print(f"| {task}, {name} | {rate:,.0f} | {ratio(own, times['ours'])} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{setting()}\n\n| task | tokens per second | time as a multiple of ours, median (range) |\n|---|---:|---:|")
    for name in options.sizes:
        size = SIZES[name]
        tokens = made(size)
        (game, recipe), model = games(size), ByHand(size)
        contestants: dict[str, Callable[[], object]] = {
            "ours": stepper(game, recipe, Dataset(tokens, read=with_prompt), bfloat16=False),
            "by hand": training_by_hand(model, tokens, averaged=False),
            "by hand with an average": training_by_hand(ByHand(size), tokens, averaged=True),
        }
        rounds = {"rounds": options.rounds, "clock": time.process_time}
        times = seconds(contestants, steps=options.steps, **rounds)
        report(f"{name}: training", times, BATCH * round(float((tokens != END).sum(1).mean())))

        # Networks that have learned little, so that texts are long.
        (game, _), model = games(size), ByHand(size).eval()
        game.player.eval()
        contestants = {
            "ours": lambda game=game, size=size: generate(
                game, SAMPLES, no_prompt(SAMPLES, size.length), seed=0, stream="speed"
            ),
            "by hand": lambda model=model, size=size: sampled_by_hand(model, size),
        }
        report(f"{name}: sampling", seconds(contestants, steps=1, **rounds), SAMPLES * size.length)


if __name__ == "__main__":
    main()
