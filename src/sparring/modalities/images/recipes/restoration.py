"""Super-resolution and colourisation: what an image has lost is added by a duel."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, final

from pydantic import BeforeValidator, Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.recipes.image_recipe import SizedImageRecipe, Weight
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, LayerSize, LossName, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.modalities.images.networks.spectral_patches import SpectralPatches
    from sparring.objectives.terms import Term

SMALL, GREY = "small", "grey"
"""Names of the conditions in ``modalities.images.conditions``, repeated here because that file imports torch."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey value, likewise."""
MAX_LAYERS = 4
"""Most layers of the discriminator that halve the size."""
MAX_DEPTH = 4
"""Most grids below the finest that colours are found on."""

Factor: TypeAlias = Annotated[Literal[2, 4], BeforeValidator(lambda value: {"2": 2, "4": 4}.get(value, value))]
"""Enlargement of both sides."""


class RestorationRecipe(SizedImageRecipe, AdversarialRecipe):
    """Base of recipes whose condition is computed from the image: a part, a smaller or a grey one."""

    batch: BatchSize = 16
    """Samples per batch, over all processes."""
    width: LayerSize = 32
    """Channels of the generator on the finest grid."""
    discriminator_width: LayerSize = 32
    """Channels of the first layer of the discriminator; 2, then 4 times as many in the next."""
    learning_rate: PositiveFloat
    """Learning rate of Adam, for both players."""

    @property
    def constrained(self) -> bool:
        """True: spectral normalisation bounds the slope of the discriminator."""
        return True

    @abstractmethod
    def view(self, facts: Facts) -> View:
        """View images with the condition that is computed from them."""

    def halvings(self, most: int) -> int:
        """Return how often both sides can be halved to whole numbers of at least 4: at most ``most`` times."""
        depth = 0
        while depth < most and all(
            side % 2 ** (depth + 1) == 0 and side >> (depth + 1) >= 4 for side in self.resolution
        ):
            depth += 1
        return depth

    def discriminator(self, facts: Facts, given: int) -> "SpectralPatches":
        """Return a patch discriminator with spectral normalisation that sees ``given`` channels of the condition."""
        from sparring.modalities.images.networks.spectral_patches import SpectralPatches

        layers = min(MAX_LAYERS, min(self.resolution).bit_length() - 2)
        channels = self.shape(facts)[0]
        return SpectralPatches(channels=channels, given=given, width=self.discriminator_width, layers=layers)

    def adam(self, beta1: float) -> Mapping[str, Adam]:
        """Return the same settings for both players; the learning rate falls to 5 % along half a cosine."""
        adam = Adam(cosine(self.learning_rate, 0.05 * self.learning_rate), beta1=beta1, beta2=constant(0.99))
        return {"generator": adam, "discriminator": adam}


@final
class SuperResolution(RestorationRecipe):
    """Super-resolution: add the details that a bicubic enlargement lacks."""

    paper: ClassVar[str] = (
        "Ledig et al. 2017 (SRGAN), section 2; Lim et al. 2017 (EDSR), section 3; Wang et al. 2018 (ESRGAN), section 3"
    )
    side_multiple: ClassVar[int] = 4
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    factor: Factor = 4
    """Enlargement of both sides: 2 or 4. The resolution is that of the result."""
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    adversarial: Weight = 0.05
    """Weight of the adversarial loss of the generator; 0 minimises the other terms alone, which blurs."""
    content: Weight = 10.0
    """Weight of the absolute difference from the true image."""
    features: Weight = 1.0
    """Weight of the difference from the true image in features of the discriminator."""
    blocks: Annotated[int, Field(ge=0, le=64)] = 8
    """Residual blocks of the generator."""
    learning_rate: PositiveFloat = 1e-3
    """Initial learning rate of Adam, for both players; falls to 5 % along half a cosine."""

    def view(self, facts: Facts) -> View:
        """View images beside smaller ones."""
        self.require_sides(self.factor)
        return View(self.shape(facts), SMALL, {"factor": self.factor})

    def game(self, facts: Facts) -> "Game":
        """Build a duel of an enlarging network against a discriminator that sees the large image alone."""
        from sparring.modalities.images.networks.enlarge import Enlarger

        generator = Enlarger(channels=self.shape(facts)[0], width=self.width, scale=self.factor, blocks=self.blocks)
        weights = {"content": self.content, "features": self.features}
        return deterministic_duel(self, facts, generator, self.adversarial, weights, given=0)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0.9 for both players (Wang et al. 2018, section 4.1)."""
        return self.adam(beta1=0.9)


@final
class Colourise(RestorationRecipe):
    """Colourisation: add colours to grey images; the luminance stays what it is."""

    paper: ClassVar[str] = "Isola et al. 2017 (pix2pix), sections 3 and 4"
    side_multiple: ClassVar[int] = 8
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players."""
    adversarial: Weight = 1.0
    """Weight of the adversarial loss of the generator; 0 minimises the other terms alone, which greys."""
    content: Weight = 100.0
    """Weight of the absolute difference from the true image (Isola et al. 2017, section 3.1)."""
    features: Weight = 0.0
    """Weight of the difference from the true image in features of the discriminator."""
    learning_rate: PositiveFloat = 5e-4
    """Initial learning rate of Adam, for both players; falls to 5 % along half a cosine."""

    def view(self, facts: Facts) -> View:
        """View colour images beside grey ones.

        Raises:
            SparringError: the images are grey.
        """
        if facts.shape[0] != 3:
            raise SparringError(
                found=f"grey images in {facts.source}",
                expected="colour images, from which colouring is learned",
                remedy="choose colour images, or another recipe",
            )
        self.require_sides(4)
        return View(self.shape(facts), GREY)

    def game(self, facts: Facts) -> "Game":
        """Build a duel of a U-Net against a discriminator that sees the colours beside the grey image."""
        from sparring.modalities.images.networks.colour import Colouriser

        generator = Colouriser(width=self.width, depth=self.halvings(MAX_DEPTH), luminance=LUMINANCE)
        weights = {"content": self.content, "features": self.features}
        return deterministic_duel(self, facts, generator, self.adversarial, weights, given=1)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0.5 for both players (Isola et al. 2017, section 3.3)."""
        return self.adam(beta1=0.5)


def deterministic_duel(
    recipe: RestorationRecipe,
    facts: Facts,
    generator: Any,
    adversarial: float,
    weights: Mapping[str, float],
    given: int,
) -> "Game":
    """Build a duel whose generator has one answer for each condition: its latents have no numbers.

    Args:
        recipe: of the discriminator and the loss.
        facts: of the data.
        generator: ``(latent, condition) -> images``.
        adversarial: weight of the generator's side of the loss.
        weights: "content" and "features" → weight of the term.
        given: channels of the condition that the discriminator sees.
    """
    from sparring.games.duel import Duel
    from sparring.games.priors import normal
    from sparring.modalities.images.terms import paired_features
    from sparring.objectives.losses import weighted
    from sparring.objectives.terms import reconstruction

    terms: dict[str, Term] = {"content": reconstruction, "features": paired_features}
    return Duel(
        generator,
        recipe.discriminator(facts, given),
        prior=normal(0),
        loss=weighted(recipe.loss_function(), adversarial),
        terms={name: Weighted(terms[name], constant(weight)) for name, weight in weights.items() if weight},
        generator_first=True,
    )
