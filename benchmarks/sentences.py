"""BLEU of generated lines against held-out ones, and against one another, for language models and contests.

    python benchmarks/sentences.py FOLDER --train LINES [--test LINES] [--tokens words] [--recipes lstm,seqgan]
        [--seeds 0,1,2] [--samples N] [--count N] [--set width=32 …] [--temperatures 1,0.7] [--name SUFFIX]

Without --test, every tenth line is held out. BLEU-n is the mean over lines against all held-out lines (Zhu et al. 2018,
Texygen); self-BLEU-n that against the other generated lines: 1 where all are alike. Neither says anything alone: a
model may beat real lines in the first by writing likely ones only, which the second shows. Rows of real lines (from the
training data) and of a model of pairs of tokens stand beside them.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rounds import setting

import sparring
from sparring.data.sequences.coding import coding_of
from sparring.loading import published_weights
from sparring.modalities.text.bleu import bleu, self_bleu
from sparring.modalities.text.metrics import tokens_of
from sparring.model import Model
from sparring.runs.display import Silent
from sparring.runs.folder import open_begun_run
from sparring.tensor_files import below, shapes_of
from sparring.tokens import END
from sparring.training.checkpoint import load_checkpoint, require_shapes, restore_average

LONGEST = 5
REAL_EVERY = 10
"""Every how many lines one is held out, where no file of them is given."""


def train(place: Path, data: Path, recipe: str, seed: int, fields: dict[str, Any], **options: Any) -> None:
    """Train a run, or the rest of it."""
    sparring.train(
        data,
        recipe=recipe,
        out=place,
        seed=seed,
        judge="none",
        display=Silent(),
        continued=place.exists(),
        **options,
        **fields,
    )


def states(place: Path) -> dict[str, Model]:
    """Return the model that a run publishes, and that of its best state where the watchdog kept another one."""
    found = {"last": sparring.load(place)}
    run, best = open_begun_run(place), sparring.load(place)
    if (place / "best").is_dir() and any((place / "best").iterdir()):
        expected = shapes_of(published_weights(best.game))
        snapshot, _, _ = load_checkpoint(
            place / "best",
            run.record.identity,
            lambda outline: require_shapes(below(outline.players, "average/"), expected),
        )
        restore_average(best.game, snapshot)
        if snapshot.state["samples"] != found["last"].history["samples"]:
            found["best"] = best
    return found


def pairs_model(lines: Sequence[Sequence[int]], count: int, seed: int) -> list[list[int]]:
    """Return lines in which each token follows the one before it as often as in the data: a trivial baseline."""
    after, chance = defaultdict[int, list[int]](list), random.Random(seed)
    for line in lines:
        for first, second in zip([END, *line], [*line, END], strict=True):
            after[first].append(second)
    found = list[list[int]]()
    for _ in range(count):
        line = list[int]()
        while (token := chance.choice(after[line[-1] if line else END])) != END:
            line.append(token)
        found.append(line)
    return found


def row(name: str, texts: list[list[int]], references: list[list[int]], known: set[tuple[int, ...]]) -> dict[str, Any]:
    """Return the figures of one row."""
    against, own = bleu(texts, references, LONGEST), self_bleu(texts, LONGEST)
    different = {tuple(text) for text in texts}
    return {
        "name": name,
        **{f"BLEU-{size}": round(value, 3) for size, value in against.items()},
        **{f"self-BLEU-{size}": round(value, 3) for size, value in own.items()},
        "distinct": round(len(different) / len(texts), 3),
        "new": round(sum(tuple(text) not in known for text in texts) / len(texts), 3),
    }


def shown(figures: dict[str, Any]) -> str:
    """Return a line of a Markdown table."""
    return "| " + " | ".join(str(value) for value in figures.values()) + " |"


def main(given: Sequence[str] | None = None) -> None:
    """Train what FOLDER lacks, and print a row for each run, state and temperature."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--tokens", default="words")
    parser.add_argument("--recipes", default="lstm")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--count", type=int, default=10_000, help="generated lines")
    parser.add_argument("--temperatures", default="1")
    parser.add_argument("--set", nargs="*", default=[], help="fields of the recipes: width=32")
    parser.add_argument("--name", default="", help="what is added to the names of the runs")
    options = parser.parse_args(given)
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = [line for line in options.train.read_text(encoding="utf-8").splitlines() if line.strip()]
    data, held = options.folder / "train.txt", lines[::REAL_EVERY]
    if options.test:
        held = [line for line in options.test.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        lines = [line for number, line in enumerate(lines) if number % REAL_EVERY]
    if not data.exists():
        data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fields = dict(pair.split("=", 1) for pair in options.set)
    budget = {"samples": options.samples} if options.samples else {}
    headed = False
    for seed in map(int, options.seeds.split(",")):
        for name in options.recipes.split(","):
            place, began = options.folder / f"{name}{options.name}-{seed}", time.monotonic()
            record = options.folder / f"{place.name}.json"
            if not record.exists():
                train(place, data, f"text/{name}", seed, fields, tokens=options.tokens, **budget)
                seconds = time.monotonic() - began
                models = states(place)
                tokeniser = coding_of(models["last"].facts).tokeniser
                references, training = [tokeniser.encode(one) for one in held], [tokeniser.encode(one) for one in lines]
                known = {tuple(one) for one in training}
                rows = [
                    row("real lines", training[: options.count], references, set()),
                    row("pairs of tokens", pairs_model(training, options.count, 0), references, known),
                ]
                for state, model in models.items():
                    for temperature in map(float, options.temperatures.split(",")):
                        made = model.sample(options.count, seed=1, temperature=temperature)
                        texts = [text or [END] for text in tokens_of(made)]
                        rows.append(row(f"{place.name} {state} T={temperature:g}", texts, references, known))
                record.write_text(json.dumps({"seconds": round(seconds), "setting": setting(), "rows": rows}, indent=1))
            found = json.loads(record.read_text())
            if not headed:
                print(shown({key: key for key in found["rows"][0]}))
                print("|---|" + "---:|" * (len(found["rows"][0]) - 1))
            # Real lines and pairs of tokens are the same for all runs.
            for one in found["rows"][2 * headed :]:
                print(shown(one), flush=True)
            headed = True
            print(f"({place.name}: {found['seconds']} s, {found['setting']})", flush=True)


if __name__ == "__main__":
    main()
