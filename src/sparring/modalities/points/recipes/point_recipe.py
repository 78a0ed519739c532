"""Base of all recipes for points."""

from typing import Annotated, ClassVar

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.recipe import BatchSize, Chosen, LayerSize, Machine, Recipe, Samples


class PointRecipe(Recipe):
    """Base of all recipes for points."""

    modality: ClassVar[str] = "points"
    samples: Samples = 4_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 256
    """Samples per batch, over all processes."""
    width: LayerSize = 128
    """Units in each hidden layer."""
    latent_size: Annotated[LayerSize, Field(ge=2)] = 8
    """Length of the latent vector."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam, for all players; falls to 3 % along a half cosine."""

    def average_half_life(self, samples: int) -> float:
        """Return at most 20,000 samples."""
        return min(20_000.0, 0.05 * samples)

    def view(self, facts: Facts) -> View:
        """View points as they are, without a condition."""
        return View(facts.shape)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose a batch of the whole data where that is smaller than a batch."""
        if facts.count < self.batch:
            return {"batch": (facts.count, f"there are {facts.count} points")}
        return {}
