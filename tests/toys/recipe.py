"""A recipe of a few numbers: what the toys share."""

from collections.abc import Mapping
from typing import ClassVar

from sparring.objectives.schedules import constant
from sparring.recipe import Adam, Recipe


class ToyRecipe(Recipe):
    """All but the modality, the view of the data and the game; ``players`` are those with an optimiser."""

    paper: ClassVar[str] = "a toy"
    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    samples: int = 640
    """Real samples to see."""
    batch: int = 16
    """Samples per batch."""

    def optimisers(self) -> Mapping[str, Adam]:
        return dict.fromkeys(self.players, Adam(constant(1e-3), 0.0, constant(0.9)))
