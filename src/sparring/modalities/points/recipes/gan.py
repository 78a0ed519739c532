"""A GAN on points."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias, final

from pydantic import Field

from sparring.data.facts import Facts
from sparring.modalities.points.recipes.point_recipe import PointRecipe
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, Gamma, LossName, PackSize

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.penalties import Penalty

PenaltyName: TypeAlias = Literal["none", "r1", "r1+r2", "finite r1+r2", "gradient penalty", "dragan", "weight clipping"]

ZERO_CENTRED: tuple[PenaltyName, ...] = ("r1", "r1+r2", "finite r1+r2")
"""Penalties that pull the slope of the discriminator to zero, so that their weight can be found during a run."""
GAMMA_RATE = 0.01
"""Relative change of an automatic γ per step."""
MIN_GAMMA_RATIO = 1e-7
"""Lower bound of an automatic γ, relative to its start."""
CONSTANT_GAMMA = 0.1
"""Weight of the penalty for γ "auto" where the run cannot find it."""
WEIGHT_LIMIT = 0.1
"""Bound of the discriminator's weights under weight clipping."""


@final
class PointGAN(PointRecipe, AdversarialRecipe):
    """A GAN on points: eight Gaussians on a ring, twenty-five on a grid, or your own table of numbers."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), appendix; data of Lin et al. 2018 (PacGAN), section 4"
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    penalty: PenaltyName = "r1+r2"
    """Regularisation of the discriminator."""
    gamma: Gamma = "auto"
    """Weight γ of the penalty: a number, or auto to hold the discriminator's lead at a set point during the run. The
    set point is defined for R1 and R2 with minimax, non_saturating or relativistic loss: elsewhere auto means 0.1."""
    places: Annotated[int, Field(ge=0, le=2**20)] = 1000
    """Components of the latent mixture, each with a learned centre (its place); 0 for a plain normal latent."""
    max_frequency: Annotated[float, Field(gt=1)] = 128.0
    """Highest frequency of the discriminator's Fourier features, in radians per standard deviation of the data."""
    packing: PackSize = 1
    """Points that the discriminator scores together, so that it sees their diversity."""

    @property
    def constrained(self) -> bool:
        """True if there is a penalty or weight clipping."""
        return self.penalty != "none"

    def game(self, facts: Facts) -> "Game":
        """Build a duel of dense networks."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.layers.packing import packed
        from sparring.modalities.points.networks.dense import Discriminator, Generator
        from sparring.modalities.points.normalizer import ColumnNormalizer
        from sparring.objectives.gamma import automatic

        # The networks; the discriminator sees the points of a pack as coordinates of one.
        (dimensions,) = facts.shape
        generator = Generator(dimensions=dimensions, latent_size=self.latent_size, width=self.width, places=self.places)
        discriminator = Discriminator(
            dimensions=self.packing * dimensions, width=self.width, max_frequency=self.max_frequency
        )

        # The loss, and the penalties with a constant γ or one that the run finds, whose factors are then 1.
        gamma = self.constant_gamma(self.gamma, CONSTANT_GAMMA, zero_centred=self.penalty in ZERO_CENTRED)
        return Duel(
            generator,
            packed(discriminator, self.packing),
            prior=normal(self.latent_size),
            loss=self.loss_function(),
            penalties=self._penalties(1.0 if gamma is None else gamma),
            weight_limit=WEIGHT_LIMIT if self.penalty == "weight clipping" else None,
            gamma=automatic(float(dimensions), GAMMA_RATE, MIN_GAMMA_RATIO) if gamma is None else None,
            normalizer=ColumnNormalizer(facts),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return the same settings for both players."""
        adam = Adam(cosine(self.learning_rate, 0.03 * self.learning_rate), beta1=0.0, beta2=constant(0.9))
        return {"generator": adam, "discriminator": adam}

    def _penalties(self, weight: float) -> "dict[str, Weighted[Penalty]]":
        from sparring.objectives.penalties import dragan, finite_r1, finite_r2, gradient_penalty, r1, r2

        kinds: dict[str, dict[str, Penalty]] = {
            "r1": {"r1": r1},
            "r1+r2": {"r1": r1, "r2": r2},
            "finite r1+r2": {"r1": finite_r1(), "r2": finite_r2()},
            "gradient penalty": {"gradient penalty": gradient_penalty},
            "dragan": {"dragan": dragan},
        }
        return {name: Weighted(penalty, constant(weight)) for name, penalty in kinds.get(self.penalty, {}).items()}
