"""The variational autoencoder on images: the likelihood baseline."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import ImageRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, LayerSize, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class VAE(ImageRecipe):
    """The likelihood baseline: blurry but reliable."""

    paper: ClassVar[str] = "Kingma & Welling 2014, section 3; Higgins et al. 2017, eq. 4"
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Condition the networks on the class of an image, if the data has classes."""
    latent_size: LayerSize = 32
    """Length of the latent vector."""
    width: LayerSize = 32
    """Channels on the fine grids; the two coarsest have 4 and 2 times as many."""
    spread: PositiveFloat = 0.8
    """Standard deviation σ of the observation noise, images being in [-1, 1]: larger is smoother and more diverse."""
    divergence_weight: PositiveFloat = 1.0
    """Weight β of the Kullback-Leibler divergence."""
    learning_rate: PositiveFloat = 3e-3
    """Initial learning rate of Adam; falls to 5 % along a half cosine."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.games.likelihood import Likelihood, Normal
        from sparring.modalities.images.networks.autoencoder import Autoencoder

        channels, classes = self.shape(facts)[0], self.classes(facts)
        autoencoder = Autoencoder(
            size=self.resolution, channels=channels, latent_size=self.latent_size, width=self.width, classes=classes
        )
        return Likelihood(
            autoencoder,
            latent_size=self.latent_size,
            observation=Normal(self.spread),
            divergence_weight=constant(self.divergence_weight),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays (Kingma & Ba 2015, algorithm 1)."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"autoencoder": Adam(rate, beta1=0.9, beta2=constant(0.999))}

    def average_half_life(self, samples: int) -> float:
        """Return at most 10,000 samples."""
        return min(10_000.0, 0.05 * samples)
