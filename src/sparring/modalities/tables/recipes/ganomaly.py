"""GANomaly on rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.tables.recipes.table_recipe import EPOCHS, TableRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, Chosen, LayerSize, Machine

if TYPE_CHECKING:
    from sparring.games.game import Game

Weight: TypeAlias = Annotated[float, Field(ge=0, le=1e6)]
"""Weight of a term."""
MIN_SAMPLES = 100_000
"""Least number of real samples that is chosen for a run: a small table is seen more often."""


@final
class TableGANomaly(TableRecipe):
    """A detector of unusual rows, which learns from ordinary ones: reconstruction against a critic."""

    paper: ClassVar[str] = "Akçay et al. 2018 (GANomaly), section 3, with dense networks"
    latent_size: LayerSize = 16
    """Length of a code."""
    width: LayerSize = 128
    """Units in each hidden layer."""
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    """Hidden layers of each encoder, of the decoder and of the discriminator."""
    contextual_weight: Weight = 50.0
    """Weight of the mean absolute error of the reconstructed cells, numbers in standard deviations."""
    adversarial_weight: Weight = 1.0
    """Weight of the distance between the discriminator's features of rows and of their reconstructions."""
    code_weight: Weight = 1.0
    """Weight of the distance between the codes of rows and of their reconstructions."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam, for all players; falls to 3 % along a half cosine."""

    def view(self, facts: Facts) -> View:
        """View rows without conditions."""
        return View(facts.shape)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose 300 epochs within bounds, and a batch as all recipes for tables do."""
        chosen = {**super().choose(facts, machine)}
        samples = max(EPOCHS * facts.count, MIN_SAMPLES)
        if samples < self.samples:
            chosen["samples"] = (samples, f"{samples // facts.count:,} epochs of {facts.count:,} rows")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """Build the game of a generator, a second encoder and a discriminator."""
        from sparring.games.reconstruction import Coded, GANomaly
        from sparring.modalities.tables.coding import coding_of
        from sparring.modalities.tables.networks.ganomaly import Autoencoder, Discriminator, Encoder
        from sparring.modalities.tables.standard_vectors import StandardVectors

        encoding = StandardVectors(coding_of(facts).learned)
        width, layers, size = self.width, self.layers, self.latent_size
        return GANomaly(
            Coded(Autoencoder(encoding=encoding, width=width, layers=layers, latent_size=size), size),
            Encoder(encoding=encoding, width=width, layers=layers, latent_size=size),
            Discriminator(encoding=encoding, width=width, layers=layers),
            residual=encoding.residual,
            contextual=self.contextual_weight,
            adversarial=self.adversarial_weight,
            coding=self.code_weight,
            normalizer=encoding,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with the decays of the paper for all players."""
        adam = Adam(cosine(self.learning_rate, 0.03 * self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "encoder": adam, "discriminator": adam}
