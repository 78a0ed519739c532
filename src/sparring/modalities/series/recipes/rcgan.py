"""RCGAN on series: the recurrent conditional GAN."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.series.recipes.series_recipe import SeriesRecipe
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, LayerSize, LossName, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class RCGAN(SeriesRecipe, AdversarialRecipe):
    """The published recurrent GAN: an LSTM draws every step, and an LSTM judges every step."""

    paper: ClassVar[str] = "Esteban, Hyland & Rätsch 2017 (RCGAN), section 3"
    samples: Samples = 300_000
    """Real series to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 28
    """Series per batch, over all processes."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players, the mean over the steps of a series."""
    width: LayerSize = 100
    """Hidden units of both players."""
    latent_size: LayerSize = 5
    """Random numbers at each step of the generator."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam for both players; the paper's discriminator descends without it."""

    @property
    def constrained(self) -> bool:
        """False: nothing bounds the slope of the discriminator."""
        return False

    def game(self, facts: Facts) -> "Game":
        """Build a duel of LSTMs."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.series.coding import coding_of
        from sparring.modalities.series.networks.recurrent import Discriminator, Generator
        from sparring.modalities.series.scaling import Scaling

        encoding, steps = Scaling(coding_of(facts)), facts.shape[0]
        return Duel(
            Generator(encoding=encoding, steps=steps, latent_size=self.latent_size, width=self.width),
            Discriminator(encoding=encoding, width=self.width),
            prior=normal(Generator.latent_size(encoding, steps, self.latent_size)),
            loss=self.loss_function(),
            normalizer=encoding,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays for both players."""
        adam = Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}
