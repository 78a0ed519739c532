"""Molecules: valid, different and new ones by each recipe, beside real molecules and a trivial model.

    python benchmarks/molecules.py FOLDER DATA/molecules/qm9.csv [--rows real,ngram,lstm,organ,reinforce,molgan]
        [--seeds 0,1,2] [--samples N] [--count 6400] [--set width=192 …] [--name NAME]

Shares are those of MolGAN (De Cao & Kipf 2018, section 5): valid of all samples, and, of the valid ones, different
molecules and samples that are no training molecule. Uniqueness falls with the number of samples, so --count is that of
MolGAN. Nothing is filtered. Distances of properties are to the held-out molecules, which are the first row. The second
one is a model of the units of SMILES, each by the three before it.
"""

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rounds import setting
from scipy.stats import wasserstein_distance

import sparring
from sparring.data.dataset import Split
from sparring.modalities.molecules.chemistry import internal_diversity, parsed, properties
from sparring.modalities.molecules.features import identity
from sparring.modalities.molecules.forms import smiles_of, smiles_of_all
from sparring.modalities.molecules.rooms import MOLECULES
from sparring.recipes import find_recipe
from sparring.runs.display import Silent

PUBLISHED = {"MolGAN, as published": {"valid": 0.981, "unique": 0.104, "novel": 0.942}}
ORDER, PAIRED = 4, 5000
COLUMNS = ("valid", "unique", "novel", "diversity", "qed", "d_qed", "d_logp", "d_sa", "d_weight")


def figures(texts: Sequence[str], trained: set[str], real: dict[str, list[float]]) -> dict[str, float]:
    """Return the figures of samples.

    Args:
        texts: SMILES, whatever they are.
        trained: canonical SMILES of the training data.
        real: property → its values of held-out molecules.
    """
    found = [one for one in map(identity, texts) if one]
    mols = [parsed(one) for one in found]
    own = [properties(mol) for mol in mols[:PAIRED]]
    row = {
        "valid": len(found) / len(texts),
        "unique": len(set(found)) / max(1, len(found)),
        "novel": sum(one not in trained for one in found) / max(1, len(found)),
        "diversity": internal_diversity(mols[:PAIRED]),
        "qed": float(np.mean([one["qed"] for one in own])),
    }
    distances = {name: wasserstein_distance([one[name] for one in own], values) for name, values in real.items()}
    return row | {f"d_{name}": float(value) for name, value in distances.items()}


def ngrams(texts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[int]]:
    """Return sequences of a model that draws each token by the ``ORDER`` − 1 before it."""
    counts = defaultdict[tuple[int, ...], Counter[int]](Counter)
    for text in texts:
        padded = [-1] * (ORDER - 1) + [*text, 0]
        for place in range(ORDER - 1, len(padded)):
            counts[tuple(padded[place - ORDER + 1 : place])][padded[place]] += 1
    draw, made = random.Random(seed), list[list[int]]()
    while len(made) < count:
        row = [-1] * (ORDER - 1)
        while len(row) < 200 and (row[-1] != 0):
            following = counts[tuple(row[-ORDER + 1 :])]
            row += draw.choices(list(following), list(following.values()))
        made.append(row[ORDER - 1 : -1])
    return made


def trivial(split: Split, count: int, seed: int) -> list[str]:
    """Return SMILES of the model of ``ngrams``."""
    rows = split.train.batch(slice(0, len(split.train))).real.tolist()
    made = ngrams([[token for token in row if token] for row in rows], count, seed)
    length = max(map(len, made))
    return smiles_of(torch.tensor([row + [0] * (length - len(row)) for row in made]), split.facts)


def trained_row(options: argparse.Namespace, name: str, seed: int, fields: dict[str, Any]) -> tuple[Path, float]:
    """Train a recipe unless its run is finished, and return the run and the seconds that it took."""
    place, began = options.folder / f"{name}{options.name}-{seed}", time.monotonic()
    budget = {"samples": options.samples} if options.samples else {}
    known = type(find_recipe(f"molecules/{name}")).model_fields
    fields = {field: value for field, value in fields.items() if field in known}
    common = {"out": place, "seed": seed, "judge": "none", "watchdog": "off", "display": Silent()}
    data, recipe = options.data, f"molecules/{name}"
    sparring.train(data, recipe=recipe, continued=(place / "recipe.json").exists(), **common, **budget, **fields)
    return place, time.monotonic() - began


def main(given: Sequence[str] | None = None) -> None:
    """Train what FOLDER lacks, and print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", default="real,ngram,lstm,organ,reinforce")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--count", type=int, default=6400)
    parser.add_argument("--set", nargs="*", default=[], help="fields of the recipes that have them: width=192")
    parser.add_argument("--name", default="", help="what is added to the names of the runs")
    options = parser.parse_args(given)
    options.folder.mkdir(parents=True, exist_ok=True)
    fields = dict(pair.split("=", 1) for pair in options.set)
    print(f"{'':24}" + "".join(f"{column:>10}" for column in COLUMNS))
    for name, published in PUBLISHED.items():
        show(name, published)
    survey = MOLECULES.survey(str(options.data))
    view = find_recipe("molecules/lstm").view(survey.facts)
    for seed in map(int, options.seeds.split(",")):
        split = survey.prepare(view, seed=seed)
        trained = {*map(identity, smiles_of_all(split.train, survey.facts))}
        held_out = smiles_of_all(split.held_out, survey.facts)[: options.count]
        each = [properties(parsed(one)) for one in held_out[:PAIRED]]
        real = {name: [one[name] for one in each] for name in ("qed", "logp", "sa", "weight")}
        for name in options.rows.split(","):
            record = options.folder / f"{name}{options.name}-{seed}.json"
            if not record.exists():
                seconds = 0.0
                if name == "real":
                    texts = held_out
                elif name == "ngram":
                    texts = trivial(split, options.count, seed)
                else:
                    place, seconds = trained_row(options, name, seed, fields)
                    model = sparring.load(place)
                    texts = MOLECULES.decode(model.sample(options.count, seed=1), model.facts)
                row = {"setting": setting(), "seconds": round(seconds), **figures(texts, trained, real)}
                record.write_text(json.dumps(row, indent=1))
            show(record.stem, json.loads(record.read_text()))


def show(name: str, row: dict[str, Any]) -> None:
    """Print a row."""
    print(
        f"{name:24}" + "".join(f"{row[column]:10.3f}" if column in row else f"{'':10}" for column in COLUMNS),
        flush=True,
    )


if __name__ == "__main__":
    main()
