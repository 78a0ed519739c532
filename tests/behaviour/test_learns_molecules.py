"""Every recipe for molecules learns to write ethers, amines and small rings that are valid, and varied ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.modalities.molecules.chemistry import parsed
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
