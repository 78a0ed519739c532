"""GANomaly on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import ImageRecipe, Weight
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, LayerSize, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class GANomaly(ImageRecipe):
    """A detector of unusual images, which learns from ordinary ones: reconstruction against a critic."""

    paper: ClassVar[str] = "Akçay et al. 2018 (GANomaly), sections 3 and 4"
    side_multiple: ClassVar[int] = 16
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    latent_size: LayerSize = 100
    """Length of a code."""
    width: LayerSize = 64
    """Channels on the finest grid; doubled at every coarser one."""
    contextual_weight: Weight = 50.0
    """Weight of the mean absolute error of the reconstruction, images being in [-1, 1]."""
    adversarial_weight: Weight = 1.0
    """Weight of the distance between the discriminator's features of images and of their reconstructions."""
    code_weight: Weight = 1.0
    """Weight of the distance between the codes of images and of their reconstructions."""
    learning_rate: PositiveFloat = 2e-3
    """Learning rate of Adam, for all players."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of a generator, a second encoder and a discriminator.

        Raises:
            SparringError: a side of the resolution cannot be halved as often as the shorter one is.
        """
        from sparring.games.reconstruction import Coded, GANomaly
        from sparring.modalities.images.networks.dcgan import Discriminator, doublings
        from sparring.modalities.images.networks.ganomaly import Autoencoder, Encoder

        self.require_sides(2 ** doublings(self.resolution))
        size, channels, classes = self.resolution, self.shape(facts)[0], self.classes(facts)
        width, latent_size = self.width, self.latent_size
        autoencoder = Autoencoder(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes)
        return GANomaly(
            Coded(autoencoder, latent_size),
            Encoder(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes),
            Discriminator(size=size, channels=channels, width=width, classes=classes),
            contextual=self.contextual_weight,
            adversarial=self.adversarial_weight,
            coding=self.code_weight,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-3, 0.5, 0.999) for all players (section 4)."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "encoder": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """Return at most 20,000 samples; the paper averages no weights."""
        return min(20_000.0, 0.05 * samples)
