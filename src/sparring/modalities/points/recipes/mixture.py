"""A duel over points."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, NonNegativeInt, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.points.recipes.point_recipe import PointRecipe
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, Gamma

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.penalties import Penalty

LossName = Literal["minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic"]
PenaltyName = Literal["none", "r1", "r1+r2", "finite r1+r2", "gradient penalty", "dragan", "weight clipping"]
GAMMA_RATE, LOWEST_GAMMA = 0.01, 1e-7
"""The share by which an automatic γ moves in a step, and its least value as a share of the start."""
NO_AUTOMATIC_GAMMA = 0.1
"""The weight of penalties where it cannot be found by the lead."""


@final
class Mixture(PointRecipe):
    """A duel over points: eight Gaussians on a ring, twenty-five on a grid, or your own."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), appendix; data of Lin et al. 2018 (PacGAN), section 4"
    loss: LossName = "relativistic"
    """What the two players minimise."""
    penalty: PenaltyName = "r1+r2"
    """What keeps the discriminator smooth."""
    gamma: Gamma = "auto"
    """Weight γ of the penalty: a number, or auto, by which the generator's relativistic loss is held at a set point."""
    places: NonNegativeInt = 1000
    """Small clouds that the noise is made of, with learned centres; 0 for one round cloud."""
    max_frequency: Annotated[float, Field(gt=1)] = 128.0
    """Shortest wave in the discriminator's first layer, per spread of the data."""
    packing: PositiveInt = 1
    """Points that the discriminator judges together, so that it sees how various they are."""

    def game(self, facts: Facts) -> "Game":
        """A duel of dense networks."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.layers.packing import packed
        from sparring.modalities.points.networks.dense import Discriminator, Generator
        from sparring.modalities.points.normalizer import ColumnNormalizer
        from sparring.objectives.gamma import automatic
        from sparring.objectives.losses import LOSSES

        (dimensions,) = facts.shape
        pack = self.packing * dimensions
        return Duel(
            Generator(dimensions=dimensions, latent_size=self.latent_size, width=self.width, places=self.places),
            packed(Discriminator(dimensions=pack, width=self.width, highest=self.max_frequency), self.packing),
            prior=normal(self.latent_size),
            loss=LOSSES[self.loss],
            penalties=self._penalties(),
            weight_limit=0.1 if self.penalty == "weight clipping" else None,
            gamma=automatic(float(dimensions), GAMMA_RATE, LOWEST_GAMMA) if self._is_automatic else None,
            normalizer=ColumnNormalizer(facts),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Both players alike."""
        adam = Adam(cosine(self.learning_rate, 0.03 * self.learning_rate), beta1=0.0, beta2=constant(0.9))
        return {"generator": adam, "discriminator": adam}

    @property
    def _is_automatic(self) -> bool:
        """The other losses have scores in other units, the other penalties another sense of strength."""
        logits = self.loss in ("minimax", "non_saturating", "relativistic")
        return self.gamma == "auto" and logits and self.penalty in ("r1", "r1+r2", "finite r1+r2")

    def _penalties(self) -> "dict[str, Weighted[Penalty]]":
        from sparring.objectives.penalties import dragan, finite_r1, finite_r2, gradient_penalty, r1, r2

        gamma = 1.0 if self._is_automatic else NO_AUTOMATIC_GAMMA if self.gamma == "auto" else self.gamma
        weight = constant(gamma)
        penalties: dict[str, dict[str, Weighted[Penalty]]] = {
            "r1": {"r1": Weighted(r1, weight)},
            "r1+r2": {"r1": Weighted(r1, weight), "r2": Weighted(r2, weight)},
            "finite r1+r2": {"r1": Weighted(finite_r1(), weight), "r2": Weighted(finite_r2(), weight)},
            "gradient penalty": {"gradient penalty": Weighted(gradient_penalty, weight)},
            "dragan": {"dragan": Weighted(dragan, weight)},
        }
        return penalties.get(self.penalty, {})
