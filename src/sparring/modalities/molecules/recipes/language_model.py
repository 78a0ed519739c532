"""Language model of SMILES: the likelihood baseline on molecules."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.molecules.recipes.molecule_recipe import MoleculeRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, LayerSize

if TYPE_CHECKING:
    from sparring.games.game import Game

Dropout = Annotated[float, Field(ge=0, lt=1)]


@final
class MoleculeLSTM(MoleculeRecipe):
    """A recurrent language model of SMILES: predicts token after token by maximum likelihood."""

    paper: ClassVar[str] = "Segler et al. 2018, Generating Focused Molecule Libraries, methods"
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
