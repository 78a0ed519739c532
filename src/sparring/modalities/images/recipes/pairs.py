"""Recipes for pairs of images: one is generated from the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias, final

from pydantic import Field, PositiveFloat

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.images.recipes.image_recipe import SizedImageRecipe, Weight
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, Chosen, LayerSize, LossName, Machine, Samples
from sparring.text import number_of

if TYPE_CHECKING:
    from torch import nn

    from sparring.games.game import Game
    from sparring.games.priors import Prior
    from sparring.modalities.images.networks.patches import MultiScale
    from sparring.objectives.terms import Term

PAIR = "pair"
"""Name of the condition in ``modalities.images.conditions``, repeated here because that file imports torch."""
MAX_DEPTH = 8
"""Most halvings of the U-Net (Isola et al. 2017, appendix 6.1.1)."""
STYLE_SIZE = 8
"""Numbers of the latent that a diverse U-Net sees beside its dropout (Zhu et al. 2017, section 5)."""
COARSEST_RESIDUAL, COARSEST_SPADE, COARSEST_SEEN = 8, 4, 8
"""Least sides of a grid of residual blocks, of SPADE's first grid, and of what the discriminator of patches sees."""
PATCH_LAYERS = {16: 1, 34: 2, 70: 3, 142: 4}
"""Pixels that a logit sees → strided layers of the discriminator."""
BLOCKS_WITHOUT_GPU = 4
"""Residual blocks that are chosen on other devices than CUDA."""
EPOCHS, MIN_SAMPLES = 200, 20_000
"""Passes through the pairs that are chosen (Isola et al. 2017, appendix 6.2), and the least real samples."""
MAX_PIXELS_WITHOUT_GPU = 30_000 * 64 * 64
"""Most pixels of real samples that are chosen on other devices: about half an hour on two cores."""

Scales: TypeAlias = Annotated[int, Field(ge=1, le=4)]
"""Number of discriminators."""


class PairRecipe(SizedImageRecipe, AdversarialRecipe):
    """Base of recipes that generate one image of a pair from the other."""

    width_without_gpu: ClassVar[int] = 32
    """Channels of the finest layers that are chosen on other devices than CUDA."""

    batch: BatchSize = 4
    """Samples per batch, over all processes."""
    target: str = ""
    """Side of the pairs that is generated, by its name; the side that the data was read for where it is left out."""
    width: LayerSize = 64
    """Channels of the finest layer of the generator."""
    discriminator_width: LayerSize = 64
    """Channels of the first layer of the discriminator."""
    adversarial: Weight = 1.0
    """Weight of the adversarial loss of the generator; 0 minimises the other terms alone, which blurs."""
    l1: Weight = 0.0
    """Weight of the mean absolute difference from the true image."""
    features: Weight = 0.0
    """Weight of the difference from the true image in features of the discriminator."""
    learning_rate: PositiveFloat = 2e-4
    """Initial learning rate of Adam, for both players; falls to 5 % along a half cosine."""

    def channels(self, facts: Facts) -> tuple[int, int]:
        """Return the channels of the input and of the output.

        Raises:
            SparringError: the data has no pairs, or no side called ``target``.
        """
        pair = facts.coding.get("pair")
        if pair is None:
            raise SparringError(
                found=f"no pairs in {facts.source}",
                expected="pairs of images: two in one file, or two folders of equal names",
                remedy=f"give {option('pairs', 'folders')} or {option('pairs', 'halves')} for pairs that were not "
                "found, or "
                "choose a recipe that needs none, such as images/cyclegan",
            )
        sides: list[str] = pair["sides"]
        if self.target and self.target not in sides:
            raise SparringError(
                found=f"the target {self.target!r}",
                expected=" or ".join(sides),
                remedy=f"check the spelling{nearest(self.target, sides)}",
            )
        inputs, outputs = pair["channels"][:: -1 if self.target == sides[0] else 1]
        return inputs, outputs

    def shape(self, facts: Facts) -> tuple[int, int, int]:
        """Return (channels, height, width) of a sample."""
        return (self.channels(facts)[1], *self.resolution)

    def view(self, facts: Facts) -> View:
        """View images beside those that they are generated from.

        Raises:
            SparringError: the sides of the resolution are no multiples of ``side_multiple``.
        """
        self.require_sides(self.side_multiple)
        return View(self.shape(facts), PAIR, {"target": self.target} if self.target else {})

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, 200 passes through the pairs, and smaller networks without a GPU.

        Raises:
            SparringError: the data has no pairs.
        """
        self.channels(facts)  # Refuses data without pairs.
        chosen = super().choose(facts, machine)
        height, width = self._resolution(chosen)
        samples = max(EPOCHS * facts.count, MIN_SAMPLES)
        if machine.device != "cuda":
            samples = min(samples, max(MAX_PIXELS_WITHOUT_GPU // (height * width), 1))
            reason = f"wider networks take hours on {machine.device}"
            chosen |= {field: (self.width_without_gpu, reason) for field in ("width", "discriminator_width")}
        chosen["samples"] = (samples, f"a budget that suits {number_of(facts.count, 'pair')} on {machine.device}")
        return chosen

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0.5 for both players (Isola et al. 2017, section 3.3)."""
        return self.adam(beta1=0.5)

    @property
    def constrained(self) -> bool:
        """False: there is no penalty and no clipping."""
        return False

    def adam(self, beta1: float, ratio: float = 1.0) -> Mapping[str, Adam]:
        """Return Adam for both players; the discriminator's learning rate is ``ratio`` times the generator's."""
        rates = {"generator": self.learning_rate, "discriminator": ratio * self.learning_rate}
        return {
            player: Adam(cosine(rate, 0.05 * rate), beta1=beta1, beta2=constant(0.999))
            for player, rate in rates.items()
        }

    def average_half_life(self, samples: int) -> float:
        """Return at most 2000 samples; the papers average no weights."""
        return min(2000.0, 0.05 * samples)

    def duel(self, generator: "nn.Module", discriminator: "nn.Module", prior: "Prior", diverse: float = 0.0) -> "Game":
        """Build a duel of two networks with the terms that have a weight; ``diverse`` is that of mode seeking.

        Raises:
            SparringError: answers are to be diverse, but a batch has no two latents to compare.
        """
        from sparring.games.duel import Duel
        from sparring.modalities.images.terms import paired_features
        from sparring.objectives.losses import weighted
        from sparring.objectives.terms import mode_seeking, reconstruction

        if diverse and self.batch < 2:
            raise SparringError(
                found=f"diverse {diverse:g} with a batch of one image",
                expected="at least two images in a batch, whose latents are compared",
                remedy=f"give a larger {option('batch')}, or leave {option('diverse')} out",
            )
        terms: dict[str, tuple[Term, float]] = {
            "l1": (reconstruction, self.l1),
            "features": (paired_features, self.features),
            "diverse": (mode_seeking, diverse),
        }
        return Duel(
            generator,
            discriminator,
            prior=prior,
            loss=weighted(self.loss_function(), self.adversarial),
            terms={name: Weighted(term, constant(weight)) for name, (term, weight) in terms.items() if weight},
            generator_first=True,
        )

    def multi_scale(self, channels: int, scales: int) -> "MultiScale":
        """Return discriminators of patches on at most ``scales`` scales, the coarsest of at least 8 pixels."""
        from sparring.modalities.images.networks.patches import MultiScale, halvings

        count = min(scales, (min(self.resolution) // COARSEST_SEEN).bit_length())
        height, width = (side >> (count - 1) for side in self.resolution)
        return MultiScale(
            channels=channels, scales=count, width=self.discriminator_width, layers=halvings((height, width))
        )

    def _resolution(self, chosen: Chosen) -> tuple[int, int]:
        """Return the resolution that was given, or else chosen."""
        height, width = self.resolution if "resolution" in self.model_fields_set else chosen["resolution"][0]
        return height, width


@final
class Pix2Pix(PairRecipe):
    """A U-Net against a discriminator of patches, with the absolute difference from the true image."""

    paper: ClassVar[str] = "Isola et al. 2017 (pix2pix), sections 3 and 6; Mao et al. 2019 (mode seeking), section 3"
    side_multiple: ClassVar[int] = 8
    samples: Samples = 80_000
    """Real samples to see when neither --samples nor --minutes is given: 200 passes through 400 pairs in the paper."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players."""
    l1: Weight = 100.0
    """Weight of the mean absolute difference from the true image."""
    patch: Literal[16, 34, 70, 142] = 70
    """Pixels that each logit of the discriminator sees: 16, 34, 70 or 142; fewer in images of less than 32 pixels."""
    dropout: bool = True
    """Drop half of the channels of the three innermost layers of the decoder, also when sampling; this is the noise."""
    diverse: Weight = 0.0
    """Weight of mode seeking: above 0, latents have a style, and different ones are to give different answers."""

    def game(self, facts: Facts) -> "Game":
        """Build a duel that is conditioned on images."""
        from sparring.games.priors import uniform
        from sparring.modalities.images.networks.patches import PatchDiscriminator, halvings
        from sparring.modalities.images.networks.unet import UNet, depth_of, latent_size

        inputs, outputs = self.channels(facts)
        depth, style = depth_of(self.resolution, MAX_DEPTH), STYLE_SIZE if self.diverse else 0
        layers = halvings(self.resolution, PATCH_LAYERS[self.patch])
        return self.duel(
            UNet(inputs=inputs, outputs=outputs, width=self.width, depth=depth, dropout=self.dropout, style=style),
            PatchDiscriminator(channels=inputs + outputs, width=self.discriminator_width, layers=layers),
            uniform(latent_size(self.width, depth, style=style, dropout=self.dropout)),
            self.diverse,
        )


@final
class Pix2PixHD(PairRecipe):
    """A residual generator against discriminators on several scales, whose features have to match."""

    paper: ClassVar[str] = "Wang et al. 2018 (pix2pixHD), sections 3.1 and 3.2"
    side_multiple: ClassVar[int] = 8
    width_without_gpu: ClassVar[int] = 16
    samples: Samples = 80_000
    """Real samples to see when neither --samples nor --minutes is given."""
    loss: LossName = "least_squares"
    """Adversarial loss of both players."""
    features: Weight = 10.0
    """Weight of the difference from the true image in features of the discriminators."""
    scales: Scales = 3
    """Number of discriminators, each of which sees images of half the size; fewer in images of less than 32 pixels."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 9
    """Residual blocks of the generator."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all pairs, and fewer blocks without a GPU."""
        chosen = super().choose(facts, machine)
        if machine.device != "cuda":
            chosen["blocks"] = (BLOCKS_WITHOUT_GPU, f"more take hours on {machine.device}")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """Build a duel of the global generator, which has one answer per input: its latents have no numbers."""
        from sparring.games.priors import normal
        from sparring.modalities.images.networks.translator import Translator

        inputs, outputs = self.channels(facts)
        generator = Translator(
            channels=inputs,
            outputs=outputs,
            width=self.width,
            blocks=self.blocks,
            halvings=halvings_until(COARSEST_RESIDUAL, self.resolution, most=4),
        )
        return self.duel(generator, self.multi_scale(inputs + outputs, self.scales), normal(0))


@final
class Spade(PairRecipe):
    """A generator that sees the input at every grid: for maps of labels, whose areas other networks wash out."""

    paper: ClassVar[str] = "Park et al. 2019 (SPADE), sections 3 and 4; Mao et al. 2019 (mode seeking), section 3"
    side_multiple: ClassVar[int] = 8
    width_without_gpu: ClassVar[int] = 16
    samples: Samples = 80_000
    """Real samples to see when neither --samples nor --minutes is given."""
    loss: LossName = "hinge"
    """Adversarial loss of both players."""
    features: Weight = 10.0
    """Weight of the difference from the true image in features of the discriminators."""
    scales: Scales = 2
    """Number of discriminators, each of which sees images of half the size; fewer in images of less than 16 pixels."""
    latent_size: LayerSize = 64
    """Length of the latent vector; without ``diverse`` it changes little."""
    diverse: Weight = 0.0
    """Weight of mode seeking: above 0, different latents are to give different answers."""
    learning_rate: PositiveFloat = 1e-4
    """Initial learning rate of Adam for the generator, and 4 times as much for the discriminators; falls to 5 % along a
    half cosine."""

    @property
    def constrained(self) -> bool:
        """True: spectral normalisation bounds the slope of the discriminators."""
        return True

    def game(self, facts: Facts) -> "Game":
        """Build a duel about images of labels."""
        from sparring.games.priors import normal
        from sparring.modalities.images.networks import spade

        inputs, outputs = self.channels(facts)
        generator = spade.Spade(
            inputs=inputs,
            outputs=outputs,
            latent_size=self.latent_size,
            width=self.width,
            depth=halvings_until(COARSEST_SPADE, self.resolution, most=6),
        )
        discriminators = spade.spectrally_normalised(self.multi_scale(inputs + outputs, self.scales))
        return self.duel(generator, discriminators, normal(self.latent_size), self.diverse)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0, and two learning rates (section 4)."""
        return self.adam(beta1=0.0, ratio=4.0)


def halvings_until(coarsest: int, size: tuple[int, int], most: int) -> int:
    """Return how often both sides can be halved to whole numbers of at least ``coarsest``: from 1 to ``most`` times."""
    depth = 1
    while depth < most and all(side % 2 ** (depth + 1) == 0 and side >> (depth + 1) >= coarsest for side in size):
        depth += 1
    return depth
