"""TimeGAN on series."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.series.recipes.series_recipe import SeriesRecipe
from sparring.objectives.schedules import constant
from sparring.recipe import Adam, LayerSize, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
class TimeGAN(SeriesRecipe):
    """The published GAN on codes of series: an autoencoder, a supervisor of its steps, then the contest."""

    paper: ClassVar[str] = "Yoon, Jarrett & van der Schaar 2019 (TimeGAN), sections 4 and 5, appendix"
    samples: Samples = 2_560_000
    """Real series to see when neither --samples nor --minutes is given: a quarter of them in each of the first two
    phases, a half in the third, which sees two batches in a step."""
    width: LayerSize = 24
    """Hidden units of each layer, and numbers of a step's code."""
    layers: Annotated[int, Field(ge=2, le=64)] = 3
    """GRUs in each network; the supervisor has one less."""
    reconstruction: PositiveFloat = 10.0
    """Weight of the root of the squared error of reconstructions."""
    supervision: PositiveFloat = 100.0
    """Weight η of the root of the supervised loss of the generator."""
    moments: PositiveFloat = 100.0
    """Weight of the distance between means and deviations of real and generated series."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam, for all players."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of five players."""
        from sparring.games.embedded import Embedded, Networks
        from sparring.games.priors import uniform
        from sparring.modalities.series.coding import coding_of
        from sparring.modalities.series.networks.embedded import (
            Discriminator,
            Embedder,
            Generator,
            Recovery,
            Supervisor,
        )
        from sparring.modalities.series.scaling import Scaling

        # Each step has as many random numbers as a series has numbers there.
        encoding, size = Scaling(coding_of(facts)), {"width": self.width, "layers": self.layers}
        return Embedded(
            Networks(
                embedder=Embedder(encoding=encoding, **size),
                recovery=Recovery(encoding=encoding, **size),
                generator=Generator(encoding=encoding, latent_size=encoding.width, **size),
                supervisor=Supervisor(width=self.width, layers=self.layers - 1),
                discriminator=Discriminator(encoding=encoding, **size),
            ),
            prior=uniform(facts.shape[0] * encoding.width),
            normalizer=encoding,
            reconstruction=self.reconstruction,
            supervision=self.supervision,
            moments=self.moments,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays for all players."""
        adam = Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999))
        return dict.fromkeys(("embedder", "recovery", "generator", "supervisor", "discriminator"), adam)
