"""The default GAN on series: convolutions over time, and relativistic pairing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.modalities.series.recipes.series_recipe import SeriesRecipe
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, Chosen, Gamma, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game

INITIAL_GAMMA = 3.0
"""Weight of the penalties at the start of a run that finds it, and where a run cannot."""
GAMMA_RATE = 0.003
"""Relative change of an automatic γ per step."""
MIN_GAMMA_RATIO = 1e-3
"""Lower bound of an automatic γ, relative to its start."""
SHORT = 32
"""Steps of a series up to which the whole series is a patch, and the networks are dense."""
LONG_WIDTH = 64
"""Channels for longer series."""
MAX_PATCH, PATCHES = 16, 64
"""Steps of a patch of longer series at most, and patches of a series beyond which they have more steps."""
DISCRIMINATOR_FACTOR = 4.0
"""Learning rate of the discriminator over that of the generator. With equal rates the changes of stock prices swung
between too large and too small by a third."""
MAX_NOISE = 64
"""Random numbers of a patch at most."""


@final
class SeriesGAN(SeriesRecipe, AdversarialRecipe):
    """A GAN on series of any length, which also continues series of which the first steps are known."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), section 2; Ronneberger et al. 2015 (U-Net), section 2"
    samples: Samples = 800_000
    """Real series to see when neither --samples nor --minutes is given."""
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    gamma: Gamma = "auto"
    """Weight γ of the penalties R1 and R2: a number, or auto to hold the discriminator's lead at a set point."""
    penalty_every: PositiveInt = 4
    """Penalties are computed on every n-th series of a batch, and count n times."""
    patch: PositiveInt = 4
    """Steps that the networks take together: more for long series cost less."""
    width: LayerSize = 192
    """Channels of both networks."""
    latent_size: LayerSize = 32
    """Random numbers of a whole series, beside those of its steps."""
    learning_rate: PositiveFloat = 5e-4
    """Initial learning rate of Adam for the generator, a quarter of the discriminator's; falls to 3 % along a half
    cosine."""

    @property
    def constrained(self) -> bool:
        """True: R1 and R2 bound the slope of the discriminator."""
        return True

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose a batch as for all series, and the size of patches and the width by the steps of a series."""
        steps = facts.shape[0]
        patch = steps if steps <= SHORT else min(MAX_PATCH, max(self.patch, -(-steps // PATCHES)))
        chosen = {**super().choose(facts, machine)}
        if patch != self.patch:
            chosen["patch"] = (patch, f"a series has {steps} steps")
        if steps > SHORT:
            chosen["width"] = (LONG_WIDTH, f"{-(-steps // patch)} patches in place of one take as many times as long")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """Build a duel about series of which the first steps may be known."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.series.coding import coding_of
        from sparring.modalities.series.networks.convolutional import Discriminator, Generator
        from sparring.modalities.series.scaling import Scaling
        from sparring.objectives.gamma import automatic
        from sparring.objectives.penalties import r1, r2, sparse

        encoding, steps = Scaling(coding_of(facts), changes=True), facts.shape[0]
        noise = min(MAX_NOISE, self.patch * encoding.components)
        gamma = self.constant_gamma(self.gamma, INITIAL_GAMMA, zero_centred=True)
        weight = constant(1.0 if gamma is None else gamma)
        return Duel(
            Generator(
                encoding=encoding,
                steps=steps,
                patch=self.patch,
                latent_size=self.latent_size,
                noise=noise,
                width=self.width,
            ),
            Discriminator(encoding=encoding, steps=steps, patch=self.patch, width=self.width),
            prior=normal(Generator.latent_size(encoding, steps, self.patch, self.latent_size, noise)),
            loss=self.loss_function(),
            penalties={
                name: Weighted(sparse(penalty, self.penalty_every), weight)
                for name, penalty in (("r1", r1), ("r2", r2))
            },
            gamma=automatic(INITIAL_GAMMA, GAMMA_RATE, MIN_GAMMA_RATIO) if gamma is None else None,
            normalizer=encoding,
            generator_first=True,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return a higher learning rate for the discriminator (Heusel et al. 2017, section 2); β1 is 0."""
        rates = {"generator": self.learning_rate, "discriminator": DISCRIMINATOR_FACTOR * self.learning_rate}
        return {name: Adam(cosine(rate, 0.03 * rate), beta1=0.0, beta2=constant(0.99)) for name, rate in rates.items()}

    def average_half_life(self, samples: int) -> float:
        """Return a tenth of what was seen: the roughness of samples swings for longer than that of images."""
        return 0.1 * samples
