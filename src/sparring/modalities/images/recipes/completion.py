"""Filling the holes of images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.images.recipes.image_recipe import Weight
from sparring.modalities.images.recipes.restoration import RestorationRecipe
from sparring.objectives.schedules import Weighted, constant
from sparring.recipe import Adam, Chosen, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.modalities.images.networks.completion import Completion
    from sparring.objectives.terms import Term

HOLE = "hole"
"""Name of the condition in ``modalities.images.conditions``, repeated here because that file imports torch."""
MAX_DEPTH = 4
"""Most layers of the context encoder that halve the size."""
DIVERSITY_LIMIT = 0.1
"""Ratio of the difference of fills to that of latents up to which diversity is rewarded."""


@final
class Fill(RestorationRecipe):
    """Completion: fill holes of any form, in one of several ways; around the hole not one bit changes."""

    paper: ClassVar[str] = (
        "Yu et al. 2019 (gated convolutions), section 3; Pathak et al. 2016 (context encoder), section 3; "
        "Suvorov et al. 2022 (LaMa), section 2"
    )
    side_multiple: ClassVar[int] = 4
    samples: Samples = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    network: Literal["gated", "context", "fourier"] = "gated"
    """Gated convolutions, a context encoder, or Fourier convolutions, which see the whole image: for wide holes."""
    holes: Literal["mixed", "centre", "boxes", "strokes", "wide", "narrow"] = "mixed"
    """Holes to train on: the central half, boxes, strokes, thick strokes and boxes, thin strokes, or all of these."""
    loss: LossName = "hinge"
    """Adversarial loss of both players."""
    adversarial: Weight = 1.0
    """Weight of the adversarial loss of the generator; 0 minimises the other terms alone, which blurs."""
    distance: Literal["l1", "l2"] = "l1"
    """Absolute or squared difference from the true image."""
    hole: Weight = 10.0
    """Weight of the difference in the hole."""
    known: Weight = 0.0
    """Weight of the difference around the hole, before the image is composited; above 0 steps take longer."""
    diversity: Weight = 1.0
    """Weight of the difference between two fills of one hole."""
    latent_size: LayerSize = 8
    """Length of the latent vector, by which several fills of one hole differ."""
    blocks: Annotated[int, Field(ge=0, le=64)] = 4
    """Residual blocks of Fourier convolutions; other networks have none."""
    learning_rate: PositiveFloat = 5e-4
    """Learning rate of Adam, for both players."""

    def view(self, facts: Facts) -> View:
        """View images with holes of one kind."""
        self.require_sides(self.side_multiple)
        return View(self.shape(facts), HOLE, {"holes": self.holes})

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, and for the context encoder the objective of its paper."""
        chosen = super().choose(facts, machine)
        if self.network == "context":
            for field, value in {
                "loss": "non_saturating",
                "distance": "l2",
                "hole": 0.999,
                "adversarial": 0.001,
            }.items():
                chosen[field] = (value, "as in the paper of the context encoder")
            chosen["diversity"] = (0.0, "the context encoder gives one fill")
        return chosen

    def game(self, facts: Facts) -> "Game":
        """Build a duel about images with holes."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.images.terms import diverse, in_hole, outside
        from sparring.objectives.losses import weighted

        generator = self._generator(facts)
        terms: dict[str, tuple[Term, float]] = {
            "hole": (in_hole(self.distance), self.hole),
            "known": (outside(generator.paint, self.distance), self.known),
            "diversity": (diverse(DIVERSITY_LIMIT), self.diversity),
        }
        return Duel(
            generator,
            self.discriminator(facts, given=1),
            prior=normal(self.latent_size),
            loss=weighted(self.loss_function(), self.adversarial),
            terms={name: Weighted(term, constant(weight)) for name, (term, weight) in terms.items() if weight},
            generator_first=True,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 0.5 for both players (Yu et al. 2019)."""
        return self.adam(beta1=0.5)

    def _generator(self, facts: Facts) -> "Completion":
        """Return the network of the field ``network``."""
        from sparring.modalities.images.networks.context import context
        from sparring.modalities.images.networks.fourier import fourier
        from sparring.modalities.images.networks.gated import gated

        channels = self.shape(facts)[0]
        if self.network == "context":
            return context(
                channels=channels, latent_size=self.latent_size, width=self.width, depth=self.halvings(MAX_DEPTH)
            )
        if self.network == "fourier":
            return fourier(channels=channels, latent_size=self.latent_size, width=self.width, blocks=self.blocks)
        return gated(channels=channels, latent_size=self.latent_size, width=self.width)
