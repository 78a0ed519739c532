"""The synthetic test of SeqGAN (Yu et al. 2017, section 4, table 1): an LSTM of known weights writes the data.

    python benchmarks/oracle.py FOLDER --oracle DATA/text/seqgan-oracle.npz [--recipes lstm,seqgan,relgan]
        [--seeds 0,1,2] [--samples N] [--set width=32 …]

NLL_oracle is the mean -log p per token of generated sequences by the oracle; NLL_test that of new sequences of the
oracle by the model, over tokens that the training sequences have: the first rewards what is likely, the second what
is complete, so both belong together. Models are also sampled at other temperatures. Training sequences are 10,000,
test and generated ones as many.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rounds import setting
from sentences import states, train
from torch import Tensor

from sparring.data.sequences.coding import coding_of
from sparring.games.sequences import allowed, is_first
from sparring.model import Model
from sparring.tokens import UNKNOWN

COUNT, LENGTH = 10_000, 20
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


class Oracle:
    """The LSTM of the published parameters; a sequence starts with the token 0.

    Args:
        path: of the .npz file of its arrays.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as arrays:
            self.arrays = {name: torch.from_numpy(arrays[name]) for name in arrays.files}

    def step(self, before: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the next token, and both states."""
        given, a = self.arrays["embedding"][before], self.arrays
        gate = {name: given @ a[f"w{name}"] + hidden @ a[f"u{name}"] + a[f"b{name}"] for name in ("i", "f", "og", "c")}
        cell = gate["f"].sigmoid() * cell + gate["i"].sigmoid() * gate["c"].tanh()
        hidden = gate["og"].sigmoid() * cell.tanh()
        return hidden @ a["wo"] + a["bo"], hidden, cell

    def sample(self, count: int, seed: int) -> Tensor:
        """Return sequences, (count, 20)."""
        random = torch.Generator().manual_seed(seed)
        before, hidden, cell = self._start(count)
        found = []
        for _ in range(LENGTH):
            logits, hidden, cell = self.step(before, hidden, cell)
            before = torch.multinomial(logits.softmax(1), 1, generator=random)[:, 0]
            found.append(before)
        return torch.stack(found, 1)

    def surprise(self, sequences: Tensor) -> float:
        """Return the mean -log p per token."""
        before, hidden, cell = self._start(len(sequences))
        total = 0.0
        for place in range(LENGTH):
            logits, hidden, cell = self.step(before, hidden, cell)
            before = sequences[:, place]
            total += float(torch.nn.functional.cross_entropy(logits, before))
        return total / LENGTH

    def _start(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        zeros = torch.zeros(count, self.arrays["bi"].shape[0])
        return torch.zeros(count, dtype=torch.int64), zeros, zeros


def write(sequences: Tensor, path: Path) -> None:
    """Write sequences as lines of numbers, each of which is a word."""
    path.write_text("".join(" ".join(map(str, row)) + "\n" for row in sequences.tolist()))


def figures(model: Model, state: str, oracle: Oracle, test: Path) -> list[dict[str, Any]]:
    """Return NLL_oracle and NLL_test of a model at each temperature; NLL_test is that of the tempered distribution."""
    coding = coding_of(model.facts)
    rows = [coding.tokeniser.encode(line) for line in test.read_text().splitlines()]
    tokens = torch.tensor(rows)
    player = model.game.player
    found = list[dict[str, Any]]()
    for temperature in TEMPERATURES:
        texts = model.modality.decode(model.sample(COUNT, seed=1, temperature=temperature), model.facts)
        made = torch.tensor([[int(word) for word in text.split()] for text in texts])
        with torch.inference_mode():
            parts = []
            for some in tokens.split(500):
                prompt = model.conditions(len(some))
                logits = allowed(player(some, prompt), has_end=player.has_end, first=is_first(some)) / temperature
                each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), some.flatten(), reduction="none")
                parts.append(each[some.flatten() != UNKNOWN])
        found.append(
            {
                "state": state,
                "temperature": temperature,
                "oracle": round(oracle.surprise(made), 3),
                "test": round(float(torch.cat(parts).mean()), 3),
                "distinct": len(made.unique(dim=0)) / len(made),
            }
        )
    return found


def main(given: Sequence[str] | None = None) -> None:
    """Train what FOLDER lacks, and print a row for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--oracle", type=Path, required=True)
    parser.add_argument("--recipes", default="lstm,seqgan,relgan")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--set", nargs="*", default=[], help="fields of the recipes: width=32")
    parser.add_argument("--name", default="", help="what is added to the names of the runs")
    options = parser.parse_args(given)
    torch.set_num_threads(1)
    oracle = Oracle(options.oracle)
    options.folder.mkdir(parents=True, exist_ok=True)
    own = [oracle.surprise(oracle.sample(COUNT, seed)) for seed in range(3)]
    print(f"oracle on its own sequences: {np.mean(own):.3f} ± {np.std(own):.3f}")
    data, test = options.folder / "train.txt", options.folder / "test.txt"
    if not test.exists():
        write(oracle.sample(COUNT, 100), data)
        write(oracle.sample(COUNT, 200), test)
    fields = dict(pair.split("=", 1) for pair in options.set)
    for seed in map(int, options.seeds.split(",")):
        for name in options.recipes.split(","):
            place, began = options.folder / f"{name}{options.name}-{seed}", time.monotonic()
            record = options.folder / f"{place.name}.json"
            if not record.exists():
                budget = {"samples": options.samples} if options.samples else {}
                train(place, data, f"text/{name}", seed, fields, tokens="words", **budget)
                row = {
                    "seconds": round(time.monotonic() - began),
                    "setting": setting(),
                    "rows": [
                        one for state, model in states(place).items() for one in figures(model, state, oracle, test)
                    ],
                }
                record.write_text(json.dumps(row, indent=1))
            row = json.loads(record.read_text())
            for one in row["rows"]:
                print(f"{place.name} {line(one)} ({row['seconds']} s)", flush=True)


def line(one: dict[str, Any]) -> str:
    """Return the figures of one state and temperature in words."""
    pair = f"NLL_oracle {one['oracle']:.3f}, NLL_test {one['test']:.3f}"
    return f"{one['state']} T={one['temperature']}: {pair}, distinct {one['distinct']:.3f}"


if __name__ == "__main__":
    main()
