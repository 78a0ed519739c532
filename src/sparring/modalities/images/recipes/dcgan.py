"""DCGAN on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import Adversarial
from sparring.objectives.schedules import constant
from sparring.recipe import Adam

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class DCGAN(Adversarial):
    """Strided convolutions with batch norm: the classic."""

    paper: ClassVar[str] = "Radford et al. 2016, section 4"
    sides: ClassVar[int] = 16
    samples: PositiveInt = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    latent_size: PositiveInt = 100
    """Length of the latent vector."""
    width: PositiveInt = 64
    """Channels on the finest grid; doubled with every coarser one."""
    learning_rate: PositiveFloat = 2e-4
    """Of Adam, for both players."""

    def game(self, facts: Facts) -> "Game":
        """A duel with the non-saturating loss."""
        from sparring.games.duel import Duel
        from sparring.games.priors import uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dcgan import Discriminator, Generator
        from sparring.objectives.losses import non_saturating

        channels, classes = self.shape(facts)[0], self.classes(facts)
        pack = self.packing * channels
        return Duel(
            Generator(
                size=self.resolution, channels=channels, latent_size=self.latent_size, width=self.width, classes=classes
            ),
            packed(Discriminator(size=self.resolution, channels=pack, width=self.width, classes=classes), self.packing),
            prior=uniform(self.latent_size),
            loss=non_saturating,
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam(2e-4, 0.5, 0.999), section 4."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """At most 20,000 samples; the paper has no average."""
        return min(20_000.0, 0.05 * samples)
