"""The original GAN on images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import AdversarialImageRecipe
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, BatchSize, LayerSize, LossName, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class GAN(AdversarialImageRecipe):
    """The original GAN: dense networks, maxout, dropout."""

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 5"
    samples: Samples = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 100
    """Samples per batch, over all processes."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players; the paper's are minimax (eq. 1) and non_saturating (section 3)."""
    prior: Literal["uniform", "normal"] = "uniform"
    """Distribution of the latent vectors."""
    latent_size: LayerSize = 100
    """Length of the latent vector."""
    width: LayerSize = 1200
    """Units in each hidden layer of the generator; the discriminator has a fifth as many maxout units."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam, for both players."""

    @property
    def constrained(self) -> bool:
        """False: there is no penalty and no clipping."""
        return False

    def game(self, facts: Facts) -> "Game":
        """Build a duel of dense networks, without penalties."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal, uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dense import Discriminator, Generator

        # The discriminator sees the images of a pack as channels of one.
        shape, classes = self.shape(facts), self.classes(facts)
        packed_shape = (self.packing * shape[0], *shape[1:])
        generator = Generator(shape=shape, latent_size=self.latent_size, width=self.width, classes=classes)
        discriminator = Discriminator(shape=packed_shape, width=max(1, self.width // 5), classes=classes)
        return Duel(
            generator,
            packed(discriminator, self.packing),
            prior=(uniform if self.prior == "uniform" else normal)(self.latent_size),
            loss=self.loss_function(),
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with the decays of DCGAN for both players; the paper uses momentum."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """Return at most 20,000 samples; the paper averages no weights."""
        return min(20_000.0, 0.05 * samples)
