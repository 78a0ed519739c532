"""Every recipe for molecules learns to write ethers, amines and small rings that are valid, and varied ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.modalities.molecules.chemistry import parsed
from sparring.modalities.molecules.features import identity
from sparring.runs.display import Silent

PARTS = ("C", "CC", "C(C)C", "CO", "CN", "C1CC1", "C1CCO1")
BUDGETS: dict[str, dict[str, Any]] = {
    "molecules/lstm": {"samples": 10_000, "width": 32, "embedding": 16, "learning_rate": 0.02},
}
"""Recipe → fields with which it learns in seconds."""


@pytest.mark.parametrize("name", BUDGETS)
def test_recipes_for_molecules_learn(name: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, len(PARTS), (400, 3))
    (tmp_path / "some.smi").write_text("".join(f"{''.join(PARTS[one] for one in row)}\n" for row in rows))
    fields = {"recipe": name, "watchdog": "warn", "judge": "none", "display": Silent(), **BUDGETS[name]}
    run = sparring.train(tmp_path / "some.smi", out=tmp_path / "run", **fields)
    model = sparring.load(run.folder)
    made = model.modality.decode(model.sample(100, seed=1), model.facts)
    valid = [one for one in made if parsed(one)]
    assert len(valid) > 75 and len(set(valid)) > 30, (len(valid), made[:5])
    assert any("1" in one for one in valid)


SMALL = ("CCO", "CCN", "C=CO", "C1CC1", "C1CO1", "C#CC", "COC", "CC=O", "C=N", "CF")
GRAPHS: dict[str, dict[str, Any]] = {
    "molecules/gan": {"samples": 12_800, "learning_rate": 2e-3},
    "molecules/molgan": {
        "samples": 25_600,
        "learning_rate": 5e-3,
        "critic_turns": 2,
        "discretisation": "straight-through",
    },
}
"""Recipe on graphs → fields with which it learns in seconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one != "molecules/gan")) for one in GRAPHS]
)
def test_recipes_on_graphs_learn_small_molecules(name: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, len(SMALL), 500)
    (tmp_path / "small.smi").write_text("".join(f"{SMALL[row]}\n" for row in rows))
    fields = {"recipe": name, "width": 32, "discriminator_width": 16, "watchdog": "warn", **GRAPHS[name]}
    run = sparring.train(tmp_path / "small.smi", out=tmp_path / "run", judge="none", display=Silent(), **fields)
    model = sparring.load(run.folder)
    made = [identity(one) for one in model.modality.decode(model.sample(200, seed=1), model.facts)]
    known = {identity(one) for one in SMALL}
    if name == "molecules/gan":  # It punishes what is no molecule, and molecules that are all alike.
        assert sum(map(bool, made)) > 150 and len(known & {*made}) >= 7, made[:8]
    else:
        assert sum(map(bool, made)) > 90 and sum(one in known for one in made) > 15, made[:8]
