"""The likelihood comparator on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import ImageRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class VAE(ImageRecipe):
    """The likelihood comparator: blurred, but sure to arrive."""

    paper: ClassVar[str] = "Kingma & Welling 2014, section 3; Higgins et al. 2017, eq. 4"
    samples: PositiveInt = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Whether the class of a sample can be asked for, if the data has classes."""
    latent_size: PositiveInt = 32
    """Length of the latent vector."""
    width: PositiveInt = 32
    """Channels on the fine grids; the two coarsest have 4 and 2 times as many."""
    spread: PositiveFloat = 0.8
    """Standard deviation of the observation noise, images being in [-1, 1]: larger is smoother and more various."""
    divergence_weight: PositiveFloat = 1.0
    """β: weight of the Kullback-Leibler divergence."""
    learning_rate: PositiveFloat = 3e-3
    """Of Adam; falls to 5 % along a half cosine."""

    def game(self, facts: Facts) -> "Game":
        """One player."""
        from sparring.games.likelihood import Likelihood
        from sparring.modalities.images.networks.autoencoder import Autoencoder

        channels, classes = self.shape(facts)[0], self.classes(facts)
        return Likelihood(
            Autoencoder(
                size=self.resolution, channels=channels, latent_size=self.latent_size, width=self.width, classes=classes
            ),
            latent_size=self.latent_size,
            spread=self.spread,
            divergence_weight=constant(self.divergence_weight),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam with its usual decays (Kingma & Ba 2015, algorithm 1)."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"autoencoder": Adam(rate, beta1=0.9, beta2=constant(0.999))}

    def average_half_life(self, samples: int) -> float:
        """At most 10,000 samples."""
        return min(10_000.0, 0.05 * samples)
