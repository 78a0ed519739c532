"""Base of all recipes for tables."""

from typing import ClassVar

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.recipe import BatchSize, Chosen, Machine, Recipe, Samples

KNOWN = "known"
"""Name of the condition in ``modalities.tables.conditions``, repeated here because that file imports torch."""
EPOCHS = 300
"""Epochs of the recipes of Xu et al. (2019, section 5)."""


class TableRecipe(Recipe):
    """Base of all recipes for tables."""

    modality: ClassVar[str] = "tables"
    samples: Samples = 1_500_000
    """Real rows to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 500
    """Rows per batch, over all processes."""

    def view(self, facts: Facts) -> View:
        """View rows, of which some cells are known."""
        return View(facts.shape, KNOWN)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose a batch of the whole table where that is smaller than a batch."""
        if facts.count < self.batch:
            return {"batch": (facts.count, f"there are {facts.count} rows")}
        return {}


class EpochsRecipe(TableRecipe):
    """Base of the recipes of Xu et al. (2019), which see every row 300 times."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose 300 epochs, and a batch as all recipes for tables do."""
        return {**super().choose(facts, machine), "samples": epochs(EPOCHS, facts)}

    def average_half_life(self, samples: int) -> float:
        """Return at most 20,000 samples; the paper averages no weights."""
        return min(20_000.0, 0.05 * samples)


def epochs(count: int, facts: Facts) -> tuple[int, str]:
    """Return the choice of so many passes through a table: the samples to see, and the reason."""
    return min(count * facts.count, 2**53), f"{count} epochs of {facts.count:,} rows"
