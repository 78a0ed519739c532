"""The recipe with a few fields that the toys share."""

from collections.abc import Mapping
from typing import ClassVar

from sparring.objectives.schedules import constant
from sparring.recipe import Adam, Recipe


class ToyRecipe(Recipe):
    """Recipe but for its modality, view and game; each of ``players`` has an optimiser."""

    paper: ClassVar[str] = "a toy"
    players: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    samples: int = 640
    """Real samples to see."""
    batch: int = 16
    """Samples per batch."""

    def optimisers(self) -> Mapping[str, Adam]:
        return dict.fromkeys(self.players, Adam(constant(1e-3), 0.0, constant(0.9)))
