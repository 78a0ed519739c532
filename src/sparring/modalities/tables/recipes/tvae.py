"""TVAE: a variational autoencoder on rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.tables.recipes.table_recipe import EpochsRecipe
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, LayerSize

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class TVAE(EpochsRecipe):
    """The published variational autoencoder for tables: modes of numbers, and no conditions."""

    paper: ClassVar[str] = "Xu et al. 2019 (TVAE), section 4.5"
    width: LayerSize = 128
    """Units in each of the two hidden layers of encoder and decoder."""
    latent_size: LayerSize = 128
    """Length of the latent vector."""
    reconstruction_weight: PositiveFloat = 2.0
    """Weight of the reconstruction, beside a divergence of weight 1."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam."""

    def view(self, facts: Facts) -> View:
        """View rows without conditions."""
        return View(facts.shape)

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.games.likelihood import Likelihood
        from sparring.modalities.tables.coding import coding_of
        from sparring.modalities.tables.likelihoods import MixedObservation
        from sparring.modalities.tables.mode_vectors import ModeVectors
        from sparring.modalities.tables.networks.tvae import Autoencoder

        encoding = ModeVectors(coding_of(facts).learned)
        return Likelihood(
            Autoencoder(encoding=encoding, latent_size=self.latent_size, width=self.width),
            latent_size=self.latent_size,
            observation=MixedObservation(encoding),
            divergence_weight=constant(1 / self.reconstruction_weight),
            normalizer=encoding,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays; that of the weights is 1e-5, relative to the loss of the paper."""
        # The game minimises the loss of the paper over the weight of the reconstruction.
        decay = 1e-5 / self.reconstruction_weight
        return {"autoencoder": Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999), weight_decay=decay)}
