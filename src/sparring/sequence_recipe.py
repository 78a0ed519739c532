"""Bases of the recipes for sequences of tokens: texts, and molecules that are written as text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT
from sparring.data.view import View
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, Chosen, LayerSize, Machine, Recipe
from sparring.text import number_of

if TYPE_CHECKING:
    from sparring.games.game import Game

MOST = 200
"""Passes through small data."""
ENOUGH = 1_000_000
"""Sequences to see, within the least and the most passes."""

Dropout = Annotated[float, Field(ge=0, lt=1)]


class SequenceRecipe(Recipe):
    """Base of all recipes for sequences: they are viewed with their prompts, and seen a number of times."""

    noun: ClassVar[str]
    """Name of a sample."""
    least: ClassVar[int]
    """Passes through large data."""

    def view(self, facts: Facts) -> View:
        """View sequences with their prompts."""
        return View(facts.shape, PROMPT)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data."""
        passes = round(min(MOST, max(self.least, ENOUGH / max(1, facts.count))))
        return {"samples": (passes * facts.count, f"{passes} passes through {number_of(facts.count, self.noun)}")}


class LSTMRecipe(SequenceRecipe):
    """Base of recurrent language models, which predict token after token by maximum likelihood."""

    embedding: LayerSize = 128
    """Numbers of an embedded token."""
    width: LayerSize = 256
    """Units of each layer."""
    layers: Annotated[int, Field(ge=1, le=8)] = 1
    """Number of layers."""
    dropout: Dropout = 0.2
    """Share of the units of embeddings and outputs that is dropped in training."""
    learning_rate: PositiveFloat = 2e-3
    """Learning rate of Adam at the start; it falls to a twentieth of it."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.language import LanguageModel
        from sparring.layers.tokens.lstm import LSTMPredictor

        predictor = LSTMPredictor(
            embedding=self.embedding,
            width=self.width,
            layers=self.layers,
            dropout=self.dropout,
            **predictor_fields(facts),
        )
        return LanguageModel(predictor, mean_tokens=coding_of(facts).mean_tokens)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with a learning rate that falls."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"predictor": Adam(rate, beta1=0.9, beta2=constant(0.999))}
