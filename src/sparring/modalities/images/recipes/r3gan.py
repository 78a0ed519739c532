"""R3GAN on images: the default."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.images.recipes.image_recipe import Adversarial
from sparring.objectives.schedules import Weighted, constant, cosine, geometric_cosine
from sparring.recipe import Adam, Chosen, Gamma, Machine

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.penalties import Penalty

START = 0.3
"""An automatic γ at the start."""
GAMMA_RATE, LOWEST_GAMMA = 0.01, 0.1
"""The share by which an automatic γ moves in a step, and its least value as a share of the start.

Where few images are augmented, reals and samples score alike whatever γ is, and it would fall without end.
"""


@final
class R3GAN(Adversarial):
    """The default: relativistic pairing, R1 and R2, no normalisation."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), sections 2 to 4, table 9"
    samples: PositiveInt = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Whether the class of a sample can be asked for, if the data has classes."""
    latent_size: PositiveInt = 64
    """Length of the latent vector."""
    width: PositiveInt = 32
    """Channels of the generator on the fine grids; the two coarsest have 4 and 2 times as many."""
    discriminator_width: PositiveInt = 32
    """The same for the discriminator."""
    blocks: NonNegativeInt = 0
    """Residual blocks on each grid: slower, and they need a lower learning rate."""
    gamma: Gamma = "auto"
    """Weight γ of R1 and R2: a number, or auto, by which the lead of reals over fakes is held at a set point."""
    penalty: Literal["exact", "finite", "none"] = "exact"
    """R1 and R2 by a second backward pass, or estimated by finite differences, or left out."""
    penalty_every: PositiveInt = 4
    """R1 and R2 look at every so-many-th sample of a batch, and count so many times."""
    learning_rate: PositiveFloat = 3e-3
    """Of Adam, for both players; falls to 5 % along a half cosine."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Second decay of Adam at the start; 1 - β2 goes to 1 - 0.99 along a half cosine of its logarithm."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Smaller steps for deeper networks."""
        chosen = super().choose(facts, machine)
        if self.blocks:
            chosen["learning_rate"] = (1e-3, "residual blocks need a lower rate")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """A duel of networks without normalisation."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.residual import Discriminator, Generator
        from sparring.objectives.gamma import automatic
        from sparring.objectives.losses import relativistic

        channels, classes = self.shape(facts)[0], self.classes(facts)
        generator = Generator(
            size=self.resolution,
            channels=channels,
            latent_size=self.latent_size,
            width=self.width,
            classes=classes,
            blocks=self.blocks,
        )
        discriminator = Discriminator(
            size=self.resolution,
            channels=self.packing * channels,
            width=self.discriminator_width,
            classes=classes,
            blocks=self.blocks,
        )
        return Duel(
            generator,
            packed(discriminator, self.packing),
            prior=normal(self.latent_size),
            loss=relativistic,
            penalties=self._penalties(),
            gamma=automatic(START, GAMMA_RATE, LOWEST_GAMMA)
            if self.gamma == "auto" and self.penalty != "none"
            else None,
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Both players alike; β1 = 0."""
        forgetting = geometric_cosine(1 - self.beta2, 0.01)
        adam = Adam(
            cosine(self.learning_rate, 0.05 * self.learning_rate),
            beta1=0.0,
            beta2=lambda fraction: 1 - forgetting(fraction),
        )
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """A twentieth of what was seen (the ramp of Karras et al. 2020, appendix B, without its end)."""
        return 0.05 * samples

    def _penalties(self) -> "dict[str, Weighted[Penalty]]":
        from sparring.objectives.penalties import finite_r1, finite_r2, r1, r2, sparse

        gamma = constant(1.0 if self.gamma == "auto" else self.gamma)
        kinds: dict[str, dict[str, Penalty]] = {
            "exact": {"r1": r1, "r2": r2},
            "finite": {"r1": finite_r1(), "r2": finite_r2()},
            "none": {},
        }
        pair = kinds[self.penalty]
        return {name: Weighted(sparse(penalty, self.penalty_every), gamma) for name, penalty in pair.items()}
