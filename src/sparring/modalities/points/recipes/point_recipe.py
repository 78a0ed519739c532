"""What all experiments with points share."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.recipe import Chosen, Machine, Recipe

if TYPE_CHECKING:
    pass


class PointRecipe(Recipe):
    """What all experiments with points share."""

    modality: ClassVar[str] = "points"
    samples: PositiveInt = 4_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: PositiveInt = 256
    """Samples per batch, over all processes."""
    width: PositiveInt = 128
    """Units in each hidden layer."""
    latent_size: Annotated[int, Field(ge=2)] = 8
    """Length of the latent vector."""
    learning_rate: PositiveFloat = 1e-3
    """Of Adam, for all players; falls to 3 % along a half cosine."""

    def average_half_life(self, samples: int) -> float:
        """At most 20,000 samples."""
        return min(20_000.0, 0.05 * samples)

    def view(self, facts: Facts) -> View:
        """Points as they are."""
        return View(facts.shape)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """A smaller batch for a small data set."""
        if facts.count < self.batch:
            return {"batch": (facts.count, f"there are {facts.count} points")}
        return {}
