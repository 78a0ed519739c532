"""The variational autoencoder on points: the likelihood baseline."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.points.recipes.point_recipe import PointRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class PointVAE(PointRecipe):
    """The likelihood baseline on points."""

    paper: ClassVar[str] = "Kingma & Welling 2014, section 3"
    spread: PositiveFloat = 0.1
    """Standard deviation σ of the observation noise, in standard deviations of the data."""
    divergence_weight: PositiveFloat = 1.0
    """Weight β of the Kullback-Leibler divergence."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.games.likelihood import Likelihood, Normal
        from sparring.modalities.points.networks.dense import Autoencoder
        from sparring.modalities.points.normalizer import ColumnNormalizer

        return Likelihood(
            Autoencoder(dimensions=facts.shape[0], latent_size=self.latent_size, width=self.width),
            latent_size=self.latent_size,
            observation=Normal(self.spread),
            divergence_weight=constant(self.divergence_weight),
            normalizer=ColumnNormalizer(facts),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays (Kingma & Ba 2015, algorithm 1)."""
        rate = cosine(self.learning_rate, 0.03 * self.learning_rate)
        return {"autoencoder": Adam(rate, beta1=0.9, beta2=constant(0.999))}
