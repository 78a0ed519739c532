"""Recipes for pairs of images: one is generated from the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, NonNegativeFloat, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.images.recipes.image_recipe import SizedImageRecipe
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, Chosen, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.terms import Term

MAX_DEPTH = 8
PATCH_LAYERS = {16: 1, 34: 2, 70: 3, 142: 4}
"""Pixels that a logit sees → strided layers of the discriminator."""


class PairRecipe(SizedImageRecipe, AdversarialRecipe):
    """Base of recipes that generate one image of a pair from the other."""

    batch: BatchSize = 4
    """Samples per batch, over all processes."""
    target: str = ""
    """Side of the pairs that is generated, by its name; the side that the data was read for where it is left out."""
    width: LayerSize = 64
    """Channels of the finest layer of the generator."""
    discriminator_width: LayerSize = 64
    """Channels of the first layer of the discriminator."""
    l1: NonNegativeFloat = 100.0
    """Weight of the mean absolute difference from the true image."""
    adversarial: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the adversarial loss of the generator; 0 for the difference alone."""
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
                remedy="see `sparring inspect`, or choose a recipe that needs no pairs, such as images/cyclegan",
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
        """View images beside those that they are generated from."""
        return View(self.shape(facts), "pair", {"target": self.target} if self.target else {})

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, but keep the small batch."""
        chosen = super().choose(facts, machine)
        self.channels(facts)  # Refuses data without pairs.
        return chosen

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-4, 0.5, 0.999) for both players, whose rate falls along a half cosine."""
        adam = Adam(cosine(self.learning_rate, 0.05 * self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    @property
    def constrained(self) -> bool:
        """False: there is no penalty and no clipping."""
        return False


@final
class Pix2Pix(PairRecipe):
    """A U-Net against a discriminator of patches, with the absolute difference from the true image."""

    paper: ClassVar[str] = "Isola et al. 2017 (pix2pix), sections 3 and 6"
    side_multiple: ClassVar[int] = 8
    samples: Samples = 80_000
    """Real samples to see when neither --samples nor --minutes is given: 200 passes through 400 pairs in the paper."""
    loss: LossName = "non_saturating"
    """Adversarial loss of both players."""
    patch: Literal[16, 34, 70, 142] = 70
    """Pixels that each logit of the discriminator sees: 16, 34, 70 or 142; fewer where images are smaller."""
    dropout: bool = True
    """Drop half of the channels of the three innermost layers of the decoder, also when sampling; this is the noise."""

    def game(self, facts: Facts) -> "Game":
        """Build a duel that is conditioned on images."""
        from sparring.games.duel import Duel
        from sparring.games.priors import uniform
        from sparring.modalities.images.networks.patches import PatchDiscriminator, halvings
        from sparring.modalities.images.networks.unet import UNet, depth_of, latent_size
        from sparring.objectives.losses import weighted
        from sparring.objectives.terms import reconstruction

        inputs, outputs = self.channels(facts)
        depth = depth_of(self.resolution, MAX_DEPTH)
        terms: dict[str, Weighted[Term]] = {"l1": Weighted(reconstruction, constant(self.l1))} if self.l1 else {}
        return Duel(
            UNet(inputs=inputs, outputs=outputs, width=self.width, depth=depth, dropout=self.dropout),
            PatchDiscriminator(
                channels=inputs + outputs,
                width=self.discriminator_width,
                layers=halvings(self.resolution, PATCH_LAYERS[self.patch]),
            ),
            prior=uniform(latent_size(self.width, depth)),
            loss=weighted(self.loss_function(), self.adversarial),
            terms=terms,
        )
