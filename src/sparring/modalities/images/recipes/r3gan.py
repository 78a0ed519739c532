"""R3GAN on images: the default."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, final

from pydantic import Field, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import AdversarialImageRecipe
from sparring.objectives.schedules import Weighted, constant, cosine, geometric_cosine
from sparring.recipe import Adam, Chosen, Gamma, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.penalties import Penalty

INITIAL_GAMMA = 0.3
"""Value of an automatic γ at the start, and of γ "auto" throughout where the run cannot find it."""
GAMMA_RATE = 0.01
"""Relative change of an automatic γ per step."""
MIN_GAMMA_RATIO = 0.1
"""Lower bound of an automatic γ, relative to its start. Without it γ would fall without end where few images are
augmented: the logits of real and generated samples are then about equal whatever γ is."""


@final
class R3GAN(AdversarialImageRecipe):
    """The default: relativistic loss, R1 and R2, no normalisation layers."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), sections 2 to 4, table 9"
    earlier: ClassVar[Mapping[str, Any]] = {"upsampling": "bilinear"}
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Condition the networks on the class of an image, if the data has classes."""
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    latent_size: LayerSize = 64
    """Length of the latent vector."""
    width: LayerSize = 32
    """Channels of the generator on the fine grids; the two coarsest have 4 and 2 times as many."""
    discriminator_width: LayerSize = 32
    """Channels of the discriminator on the fine grids; the two coarsest have 4 and 2 times as many."""
    blocks: Annotated[int, Field(ge=0, le=64)] = 0
    """Residual blocks per grid: slower, and they need a lower learning rate."""
    upsampling: Literal["rectified", "bilinear"] = "rectified"
    """Finest grid of the generator: rectified after the interpolation to it, or before it, which is bilinear then and
    draws textures as a regular grid (runs of earlier versions)."""
    gamma: Gamma = "auto"
    """Weight γ of R1 and R2: a number, or auto to hold the discriminator's lead at a set point during the run. Losses
    other than minimax, non_saturating and relativistic have no such set point: for them auto means 0.3."""
    penalty: Literal["exact", "finite", "none"] = "exact"
    """R1 and R2 by a second backward pass (exact), estimated by finite differences (finite), or left out (none)."""
    penalty_every: PositiveInt = 4
    """Interval of the penalties within a batch: every n-th sample is penalised, scaled by n."""
    learning_rate: PositiveFloat = 3e-3
    """Initial learning rate of Adam, for both players; falls to 5 % along a half cosine."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Initial β2 of Adam; 1 - β2 goes to 0.01 along a half cosine of its logarithm."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, and a lower learning rate for residual blocks."""
        chosen = super().choose(facts, machine)
        if self.blocks:
            chosen["learning_rate"] = (1e-3, "residual blocks need a lower rate")
        return chosen

    @property
    def constrained(self) -> bool:
        """True if there is a penalty or weight clipping."""
        return self.penalty != "none"

    def game(self, facts: Facts) -> "Game":
        """Build a duel of networks without normalisation layers."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.residual import Discriminator, Generator
        from sparring.objectives.gamma import automatic

        # The networks; the discriminator sees the images of a pack as channels of one.
        channels, classes = self.shape(facts)[0], self.classes(facts)
        generator = Generator(
            size=self.resolution,
            channels=channels,
            latent_size=self.latent_size,
            width=self.width,
            classes=classes,
            blocks=self.blocks,
            upsampling=self.upsampling,
        )
        discriminator = Discriminator(
            size=self.resolution,
            channels=self.packing * channels,
            width=self.discriminator_width,
            classes=classes,
            blocks=self.blocks,
        )

        # The loss, and the penalties with a constant γ or one that the run finds, whose factors are then 1.
        gamma = self.constant_gamma(self.gamma, INITIAL_GAMMA, zero_centred=self.constrained)
        return Duel(
            generator,
            packed(discriminator, self.packing),
            prior=normal(self.latent_size),
            loss=self.loss_function(),
            penalties=self._penalties(1.0 if gamma is None else gamma),
            gamma=automatic(INITIAL_GAMMA, GAMMA_RATE, MIN_GAMMA_RATIO) if gamma is None else None,
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return the same settings for both players; β1 is 0."""
        complement = geometric_cosine(1 - self.beta2, 0.01)
        adam = Adam(
            cosine(self.learning_rate, 0.05 * self.learning_rate),
            beta1=0.0,
            beta2=lambda fraction: 1 - complement(fraction),
        )
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """Return a twentieth of what was seen (the ramp of Karras et al. 2020, appendix B, without its end)."""
        return 0.05 * samples

    def _penalties(self, weight: float) -> "dict[str, Weighted[Penalty]]":
        from sparring.objectives.penalties import finite_r1, finite_r2, r1, r2, sparse

        kinds: dict[str, dict[str, Penalty]] = {
            "exact": {"r1": r1, "r2": r2},
            "finite": {"r1": finite_r1(), "r2": finite_r2()},
            "none": {},
        }
        return {
            name: Weighted(sparse(penalty, self.penalty_every), constant(weight))
            for name, penalty in kinds[self.penalty].items()
        }
