"""Base of all recipes for text."""

from typing import ClassVar

from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT
from sparring.data.view import View
from sparring.recipe import BatchSize, Chosen, Machine, Recipe, Samples
from sparring.text import number_of

LEAST, MOST = 20, 200
"""Passes through large and through small data."""
ENOUGH = 1_000_000
"""Texts to see, within these passes."""


class TextRecipe(Recipe):
    """Base of all recipes for text."""

    modality: ClassVar[str] = "text"
    samples: Samples = ENOUGH
    """Real texts to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 64
    """Texts per batch, over all processes."""

    def view(self, facts: Facts) -> View:
        """View texts with their prompts."""
        return View(facts.shape, PROMPT)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data."""
        passes = round(min(MOST, max(LEAST, ENOUGH / max(1, facts.count))))
        return {"samples": (passes * facts.count, f"{passes} passes through {number_of(facts.count, 'text')}")}
