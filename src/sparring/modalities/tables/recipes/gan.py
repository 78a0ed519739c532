"""The default GAN on rows: one-hot levels, relativistic pairing, and conditions on any cells."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.tables.recipes.table_recipe import TableRecipe
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, Gamma, LayerSize, LossName

if TYPE_CHECKING:
    from sparring.games.game import Game

INITIAL_GAMMA = 0.1
"""Weight of the penalties at the start of a run that finds it, and where a run cannot."""
GAMMA_RATE = 0.002
"""Relative change of an automatic γ per step."""
MIN_GAMMA_RATIO = 1e-3
"""Lower bound of an automatic γ, relative to its start."""


@final
class TableGAN(TableRecipe, AdversarialRecipe):
    """A GAN on rows, which also fills in the cells of rows of which any others are known."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), section 2; Jang et al. 2017 (Gumbel-softmax), section 2"
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    gamma: Gamma = "auto"
    """Weight γ of the penalties R1 and R2: a number, or auto to hold the discriminator's lead at a set point."""
    penalty_every: PositiveInt = 4
    """Penalties are computed on every n-th row of a batch, and count n times."""
    bins: Annotated[int, Field(ge=2, le=1000)] = 64
    """Levels that a numeric column is cut into, beside its frequent values."""
    width: LayerSize = 256
    """Units in each layer of the generator; the discriminator has twice as many."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 3
    """Residual blocks of the generator, and hidden layers of the discriminator."""
    noise: LayerSize = 64
    """Random numbers at the input of the generator."""
    learning_rate: PositiveFloat = 4e-4
    """Initial learning rate of Adam, for both players; falls to 3 % along a half cosine."""

    @property
    def constrained(self) -> bool:
        """True: R1 and R2 bound the slope of the discriminator."""
        return True

    def game(self, facts: Facts) -> "Game":
        """Build a duel about rows of which some cells are known."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.tables.coding import coding_of
        from sparring.modalities.tables.levels import Levels
        from sparring.modalities.tables.networks.dense import Discriminator, Generator
        from sparring.objectives.gamma import automatic
        from sparring.objectives.penalties import r1, r2, sparse

        levels = Levels(coding_of(facts).learned, self.bins)
        gamma = self.constant_gamma(self.gamma, INITIAL_GAMMA, zero_centred=True)
        weight = constant(1.0 if gamma is None else gamma)
        return Duel(
            Generator(levels=levels, noise=self.noise, width=self.width, blocks=self.blocks),
            Discriminator(levels=levels, width=2 * self.width, layers=self.blocks),
            prior=normal(Generator.latent_size(levels, self.noise)),
            loss=self.loss_function(),
            penalties={
                name: Weighted(sparse(penalty, self.penalty_every), weight)
                for name, penalty in (("r1", r1), ("r2", r2))
            },
            gamma=automatic(INITIAL_GAMMA, GAMMA_RATE, MIN_GAMMA_RATIO) if gamma is None else None,
            normalizer=levels,
            generator_first=True,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return the same settings for both players; β1 is 0."""
        adam = Adam(cosine(self.learning_rate, 0.03 * self.learning_rate), beta1=0.0, beta2=constant(0.99))
        return {"generator": adam, "discriminator": adam}
