"""A small problem for every recipe: noise in the form that it takes, and small networks."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.sequences.coding import SourceCoding, TokenCoding
from sparring.data.sequences.rows import READERS
from sparring.data.words import Tokeniser
from sparring.modalities.images.conditions import DOMAIN, PAIR, partnered, reader
from sparring.modalities.molecules.chemistry import Structure
from sparring.modalities.molecules.graphs import GraphCoding, OneHot, stored
from sparring.modalities.tables.coding import Column, Rows, TableCoding
from sparring.modalities.tables.conditions import CATEGORY, KNOWN
from sparring.modalities.tables.survey import conditioned
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES
from sparring.tokens import END
from toys.sines import sines_data

SMALL = {
    "batch": 4,
    "width": 8,
    "blocks": 1,
    "discriminator_width": 8,
    "resolution": (16, 16),
    "latent_size": 4,
    "labels": True,
    "critic_turns": 1,
    "noise": 4,
    "embedding": 8,
    "head_size": 8,
    "representations": 4,
    "rollouts": 2,
}


def toy(recipe: Recipe) -> tuple[Facts, Dataset]:
    """Return 64 samples of noise, with the conditions that the recipe asks for."""
    random = np.random.default_rng(0)
    if recipe.modality == "points":
        facts = Facts("toy", "points", 64, (2,), "0" * 64, details={"scale": 1.0})
        return facts, Dataset(random.normal(size=(64, 2)).astype(np.float32))
    if recipe.modality == "series":
        return sines_data(64, steps=6)
    if recipe.modality in ("text", "molecules"):
        letters = Tokeniser("characters", ("a", "b", "c"))
        units = letters if recipe.modality == "text" else Tokeniser("smiles", ("C", "N", "O"))
        source = SourceCoding(letters, 5, ("a", "b")) if recipe.modality == "text" else None
        coding = TokenCoding(units, length=6, has_end=True, mean_tokens=5.0, source=source).as_json()
        graphs = GraphCoding(3, ("C", "N+"), (4, 4))
        offers = ("source", "prompt")
        if recipe.modality == "molecules":
            coding["graphs"], offers = graphs.as_json(), ("prompt",)
        facts = Facts("toy", recipe.modality, 64, (6,), "0" * 64, offers=offers, coding=coding)
        if recipe.view(facts).options.get("form") == "graphs":
            pairs = [Structure(("C", "N+"), bytes((0, 1, order))) for order in random.integers(1, 4, 64).tolist()]
            return facts, Dataset(stored(pairs, graphs), read=OneHot(graphs))
        tokens = random.integers(2, 5, (64, 6)).astype(np.int16)
        tokens[::2, 4:] = END
        return facts, Dataset(tokens, conditions=tokens[:, 4::-1], read=READERS[recipe.view(facts).condition])
    if recipe.modality == "tables":
        columns = (
            Column("size", "continuous", quantiles=tuple(np.linspace(0, 1, 21).tolist())),
            Column("kind", "category", missing=0.1, categories=("a", "b"), shares=(0.5, 0.5)),
        )
        facts = Facts(
            "toy", "tables", 64, (2,), "0" * 64, offers=(KNOWN, CATEGORY), coding=TableCoding(columns).as_json()
        )
        values = np.stack([random.random(64), random.integers(0, 2, 64)], 1)
        missing = np.stack([np.zeros(64, bool), np.arange(64) % 10 == 0], 1)
        data = Dataset(Rows(np.where(missing, 0, values), missing))
        return facts, conditioned(data, recipe.view(facts).condition, columns)
    facts = Facts("toy", "images", 64, (3, 16, 16), "0" * 64, classes=("even", "odd"))
    samples = random.integers(0, 256, size=(64, 3, 16, 16), dtype=np.uint8)
    labels = np.arange(64, dtype=np.int64) % 2
    facts = replace(facts, coding={"pair": {"sides": ["a", "b"], "channels": [3, 3]}})
    view = with_fields(recipe, {"resolution": 16}).view(facts)
    if view.condition == DOMAIN:
        # Images of one domain, or of all, beside others.
        labels = np.full_like(labels, facts.classes.index(view.options["target"])) if view.options["target"] else labels
        return facts, Dataset(samples, labels, labels, partnered(lambda rows: torch.from_numpy(samples)[rows], 64))
    conditions = samples[::-1] if view.condition == PAIR else labels
    return facts, Dataset(samples, labels, conditions, read=reader(view))


def small(name: str, **fields: Any) -> Recipe:
    """Return a recipe with small networks and batches."""
    recipe = RECIPES[name]
    known = {field: value for field, value in SMALL.items() if field in type(recipe).model_fields}
    return with_fields(recipe, {**known, **fields})
