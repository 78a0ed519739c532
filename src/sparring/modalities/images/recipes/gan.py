"""The GAN of 2014 on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, final

from pydantic import PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import Adversarial
from sparring.objectives.schedules import constant
from sparring.recipe import Adam

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class GAN(Adversarial):
    """The first GAN: dense networks, maxout, dropout."""

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 5"
    samples: PositiveInt = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: PositiveInt = 100
    """Samples per batch, over all processes."""
    loss: Literal["non_saturating", "minimax"] = "non_saturating"
    """What the generator minimises: log D as the paper advises (section 3), or the minimax value itself."""
    prior: Literal["uniform", "normal"] = "uniform"
    """Where the noise comes from."""
    latent_size: PositiveInt = 100
    """Length of the latent vector."""
    width: PositiveInt = 1200
    """Units in each hidden layer of the generator; a fifth as many maxout units in the discriminator."""
    learning_rate: PositiveFloat = 2e-4
    """Of Adam, for both players."""

    def game(self, facts: Facts) -> "Game":
        """A duel of dense networks."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal, uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dense import Discriminator, Generator
        from sparring.objectives.losses import LOSSES

        shape, classes = self.shape(facts), self.classes(facts)
        pack = (self.packing * shape[0], *shape[1:])
        return Duel(
            Generator(shape=shape, latent_size=self.latent_size, width=self.width, classes=classes),
            packed(Discriminator(shape=pack, width=max(1, self.width // 5), classes=classes), self.packing),
            prior=(uniform if self.prior == "uniform" else normal)(self.latent_size),
            loss=LOSSES[self.loss],
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam with the decays of DCGAN, where the paper has momentum."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """At most 20,000 samples; the paper has no average."""
        return min(20_000.0, 0.05 * samples)
