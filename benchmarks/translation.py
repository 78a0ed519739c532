"""Translation of short sentences: maximum likelihood, and a discriminator of pairs after it, for as many samples.

    python benchmarks/translation.py FOLDER --pairs DATA/text/parallel/english-chinese.tsv [--longest 8]
        [--recipes translate,translate-gan] [--seeds 0,1,2] [--samples 120000] [--set width=128 …]

Prints BLEU-4 (of the tokens of all held-out translations together) and exact matches, in %: greedy, and sampled at
several temperatures; of the translation of the nearest training source; and of a second translation by a person, for
sources that have two. Pairs of which one side is equal are all trained on or all held out. One process for each seed
can run at the same time; rows that exist are not computed again.
"""

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from rounds import setting

import sparring
from sparring.data.sequences.coding import coding_of
from sparring.flow import Batch
from sparring.modalities.text.bleu import corpus_bleu
from sparring.modalities.text.data import survey
from sparring.modalities.text.translations import nearest, paired
from sparring.runs.display import Silent

TEMPERATURES = (0.0, 0.5, 0.7, 1.0)
"""Temperatures of sampling; 0 is greedy."""


def select(pairs: Path, longest: int, to: Path) -> None:
    """Write the pairs whose second text has at most ``longest`` characters."""
    lines = pairs.read_text().splitlines()
    to.write_text("".join(f"{line}\n" for line in lines if len(line.split("\t")[1]) <= longest))


def people(pairs: Path, kind: str) -> tuple[int, float, float]:
    """Return how many sources have a second translation, and its BLEU and exact matches against the first, in %."""
    by_source = dict[str, list[str]]()
    for line in pairs.read_text().splitlines():
        source, text = line.split("\t")
        by_source.setdefault(source, []).append(text)
    several = [texts for texts in by_source.values() if len(texts) > 1]
    cut = list if kind == "characters" else str.split
    texts, references = [cut(one[1]) for one in several], [cut(one[0]) for one in several]
    equal = sum(text == reference for text, reference in zip(texts, references, strict=True))
    return len(several), 100 * corpus_bleu(texts, references), 100 * equal / max(1, len(several))


def figures(place: Path, data: Path, seed: int) -> dict[str, dict[str, float]]:
    """Return BLEU and exact matches of held-out translations of a run, by row of the table."""
    model = sparring.load(place)
    split = survey(str(data)).prepare(model.view, seed=seed)
    batch = split.held_out.batch(slice(None))
    found = dict[str, dict[str, float]]()
    for temperature in TEMPERATURES:
        condition = batch.condition._replace(temperature=torch.full((len(split.held_out),), temperature))
        made = model.sample(condition=condition, seed=1)
        found["greedy" if temperature == 0 else f"T = {temperature}"] = paired(made, batch.real)
    found["nearest"] = paired(nearest(Batch(batch.real, batch.condition), split)["nearest training source"], batch.real)
    found["count"] = {"train": len(split.train), "held out": len(split.held_out)}
    with torch.inference_mode():
        starts = range(0, len(split.held_out), 500)
        likelihoods = [model.game.opinion(split.held_out.batch(slice(at, at + 500))) for at in starts]
    total = torch.cat([one.likelihood for one in likelihoods if one.likelihood is not None])
    found["likelihood"] = {"nats per token": -float(total.mean()) / coding_of(model.facts).mean_tokens}
    return found


def table(rows: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> str:
    """Return a Markdown table of means over seeds, ± half of their range."""
    lines = ["| row | BLEU-4 | exact matches |", "|---|---:|---:|"]
    for recipe, runs in rows.items():
        for name in (one for one in runs[0] if "corpus_bleu" in runs[0][one]):
            cells = []
            for metric in ("corpus_bleu", "exact"):
                values = [100 * run[name][metric] for run in runs]
                cells.append(f"{statistics.fmean(values):.1f} ± {(max(values) - min(values)) / 2:.1f}")
            lines.append(f"| {recipe}, {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> None:
    """Train what FOLDER lacks, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--longest", type=int, default=1000, help="characters of the longest translation")
    parser.add_argument("--recipes", default="translate,translate-gan")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--samples", type=int, default=120_000)
    parser.add_argument("--set", nargs="*", default=[], help="fields of the recipes: width=128")
    options = parser.parse_args(given)
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    data, fields = options.folder / f"pairs-{options.longest}.tsv", dict(pair.split("=", 1) for pair in options.set)
    if not data.exists():
        select(options.pairs, options.longest, data)
    rows = dict[str, list[Mapping[str, Mapping[str, float]]]]()
    for seed in map(int, options.seeds.split(",")):
        for name in options.recipes.split(","):
            place, began = options.folder / f"{name}-{seed}", time.process_time()
            record = options.folder / f"{place.name}.json"
            if not record.exists():
                numbers = {"samples": options.samples, "seed": seed, "judge": "none", "display": Silent()}
                sparring.train(data, recipe=f"text/{name}", out=place, continued=place.exists(), **numbers, **fields)
                seconds = round(time.process_time() - began)
                row = {"cpu seconds": seconds, "setting": setting(), "rows": figures(place, data, seed)}
                record.write_text(json.dumps(row, indent=1))
            content = json.loads(record.read_text())
            print(f"{place.name}: {content['cpu seconds']} s of a core, {content['rows']['count']}", flush=True)
            rows.setdefault(name, []).append(content["rows"])
    print(table(rows))
    count, bleu, exact = people(data, "characters")
    print(f"A second translation by a person ({count} sources): BLEU-4 {bleu:.1f}, exact matches {exact:.1f}")


if __name__ == "__main__":
    main()
