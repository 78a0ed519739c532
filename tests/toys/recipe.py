"""A duel in a few numbers: what recipes of toys with a generator and a discriminator share."""

from collections.abc import Mapping
from typing import ClassVar

from sparring.data.facts import Facts
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, Chosen, Machine, Recipe


class DuelRecipe(Recipe):
    """All but the modality, the view of the data and the game."""

    paper: ClassVar[str] = "a toy"
    samples: int = 640
    """Real samples to see."""
    batch: int = 16
    """Samples per batch."""

    def optimisers(self) -> Mapping[str, Adam]:
        return dict.fromkeys(("generator", "discriminator"), Adam(constant(1e-3), 0.0, constant(0.9)))

    def average_half_life(self, samples: int) -> float:
        return 0.05 * samples

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        return {}
