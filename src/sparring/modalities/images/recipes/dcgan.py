"""DCGAN on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import AdversarialImageRecipe
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, LayerSize, LossName, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class DCGAN(AdversarialImageRecipe):
    """The classic convolutional GAN: strided convolutions and batch norm."""

    paper: ClassVar[str] = "Radford et al. 2016, section 4"
    side_multiple: ClassVar[int] = 16
    samples: Samples = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players."""
    latent_size: LayerSize = 100
    """Length of the latent vector."""
    width: LayerSize = 64
    """Channels on the finest grid; doubled at every coarser one."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam, for both players."""

    @property
    def constrained(self) -> bool:
        """False: there is no penalty and no clipping."""
        return False

    def game(self, facts: Facts) -> "Game":
        """Build a duel without penalties."""
        from sparring.games.duel import Duel
        from sparring.games.priors import uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dcgan import Discriminator, Generator

        # The discriminator sees the images of a pack as channels of one.
        channels, classes = self.shape(facts)[0], self.classes(facts)
        generator = Generator(
            size=self.resolution, channels=channels, latent_size=self.latent_size, width=self.width, classes=classes
        )
        discriminator = Discriminator(
            size=self.resolution, channels=self.packing * channels, width=self.width, classes=classes
        )
        return Duel(
            generator,
            packed(discriminator, self.packing),
            prior=uniform(self.latent_size),
            loss=self.loss_function(),
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-4, 0.5, 0.999) for both players (section 4)."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """Return at most 20,000 samples; the paper averages no weights."""
        return min(20_000.0, 0.05 * samples)
