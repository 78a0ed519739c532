"""Base of all recipes for series."""

from typing import ClassVar

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.recipe import BatchSize, Chosen, Machine, Recipe

CONTEXT = "context"
"""Name of the condition in ``modalities.series.contexts``, repeated here because that file imports torch."""


class SeriesRecipe(Recipe):
    """Base of all recipes for series."""

    modality: ClassVar[str] = "series"
    batch: BatchSize = 128
    """Series per batch, over all processes."""

    def view(self, facts: Facts) -> View:
        """View series with their context: length, attributes, and in half of the rows the first steps."""
        return View(facts.shape, CONTEXT)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose a batch of all series where these are fewer than a batch."""
        if facts.count < self.batch:
            return {"batch": (facts.count, f"there are {facts.count} series")}
        return {}
