"""Base of the recipes for molecules that are written as SMILES."""

from typing import ClassVar

from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT
from sparring.data.view import View
from sparring.recipe import BatchSize, Chosen, Machine, Recipe, Samples

LEAST, MOST = 10, 200
"""Passes through large and through small data."""
ENOUGH = 1_000_000
"""Molecules to see, within these passes."""


class MoleculeRecipe(Recipe):
    """Base of the recipes for molecules that are written as SMILES."""

    modality: ClassVar[str] = "molecules"
    samples: Samples = ENOUGH
    """Real molecules to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 64
    """Molecules per batch, over all processes."""

    def view(self, facts: Facts) -> View:
        """View molecules as SMILES with their prompts."""
        return View(facts.shape, PROMPT)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data."""
        passes = round(min(MOST, max(LEAST, ENOUGH / max(1, facts.count))))
        return {"samples": (passes * facts.count, f"{passes} passes through {facts.count:,} molecules")}
