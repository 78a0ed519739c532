"""Language models: the likelihood baseline on text, and the pre-training of its adversarial recipes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.text.recipes.text_recipe import TextRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, LayerSize
from sparring.sequence_recipe import Dropout, LSTMRecipe

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class TextLSTM(TextRecipe, LSTMRecipe):
    """A recurrent language model: predicts token after token by maximum likelihood."""

    paper: ClassVar[str] = "Mikolov et al. 2010, section 2; Hochreiter & Schmidhuber 1997"


@final
class TextTransformer(TextRecipe):
    """A small transformer as language model: predicts token after token by maximum likelihood."""

    paper: ClassVar[str] = "Vaswani et al. 2017, section 3; Radford et al. 2018, section 3.1"
    width: LayerSize = 128
    """Numbers of a place, a multiple of the heads."""
    blocks: Annotated[int, Field(ge=1, le=48)] = 3
    """Number of blocks of attention and dense layers."""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Heads of the attention."""
    dropout: Dropout = 0.1
    """Share of the numbers that is dropped in training."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam at the start; it falls to a twentieth of it."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.language import LanguageModel
        from sparring.layers.tokens.transformer import TransformerPredictor

        predictor = TransformerPredictor(
            width=self.width,
            blocks=self.blocks,
            heads=self.heads,
            dropout=self.dropout,
            **predictor_fields(facts),
        )
        return LanguageModel(predictor, mean_tokens=coding_of(facts).mean_tokens)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with a learning rate that falls."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"predictor": Adam(rate, beta1=0.9, beta2=constant(0.98))}
