"""Autoregression on rows, in any order: no adversary, and the best rows for the time that they take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.tables.recipes.table_recipe import TableRecipe, epochs
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, Chosen, LayerSize, Machine

if TYPE_CHECKING:
    from sparring.games.game import Game

MAX_EPOCHS = 50
"""Epochs after which held-out rows of small tables (400 to 2,000 rows) became less likely, or no likelier."""
ROWS_PER_LEVEL, MIN_BINS = 20, 8
"""Rows that each level of a number has at least, and levels that it is cut into at least."""


@final
class Masked(TableRecipe):
    """A network that predicts each cell of a row from any others, by maximum likelihood."""

    paper: ClassVar[str] = "Uria et al. 2014; Hoogeboom et al. 2022 (ARDM), section 2; Tiwald et al. 2025 (TabularARGN)"
    bins: Annotated[int, Field(ge=2, le=1000)] = 64
    """Levels that a numeric column is cut into, beside its frequent values."""
    width: LayerSize = 384
    """Units of each layer."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 3
    """Residual blocks."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam; falls to 3 % along a half cosine."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose fewer epochs and fewer levels for a small table, which the network would memorise."""
        chosen = {**super().choose(facts, machine)}
        if MAX_EPOCHS * facts.count < self.samples:
            chosen["samples"] = epochs(MAX_EPOCHS, facts)
        bins = max(MIN_BINS, facts.count // ROWS_PER_LEVEL)
        if bins < self.bins:
            chosen["bins"] = (bins, f"about {ROWS_PER_LEVEL} of {facts.count:,} rows for each level of a number")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.games.any_order import AnyOrder
        from sparring.modalities.tables.coding import coding_of
        from sparring.modalities.tables.levels import Levels
        from sparring.modalities.tables.networks.completer import RowCompleter

        levels = Levels(coding_of(facts).learned, self.bins, facts.count)
        return AnyOrder(RowCompleter(levels=levels, width=self.width, blocks=self.blocks))

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0.9 and β2 0.99."""
        adam = Adam(cosine(self.learning_rate, 0.03 * self.learning_rate), beta1=0.9, beta2=constant(0.99))
        return {"completer": adam}
