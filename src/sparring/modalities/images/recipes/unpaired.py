"""Translation between domains of which no pairs are known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat, PositiveInt

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.images.recipes.image_recipe import SizedImageRecipe, Weight
from sparring.objectives.schedules import constant, held_then_linear
from sparring.recipe import Adam, BatchSize, Chosen, LayerSize, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.modalities.images.networks.patches import PatchDiscriminator
    from sparring.modalities.images.networks.translator import Translator

DOMAIN = "domain"
"""Name of the condition in ``modalities.images.conditions``, repeated here because that file imports torch."""
LARGE_SIDE = 256
"""Shorter side in pixels from which on there are nine residual blocks instead of six (Zhu et al. 2017, section 7.2)."""
WIDTH_WITHOUT_GPU, BLOCKS_WITHOUT_GPU = 24, 4
"""Width and residual blocks that are chosen on other devices than CUDA."""
MAX_SAMPLES_WITHOUT_GPU, MAX_SAMPLES_ON_GPU = 20_000, 1_000_000
"""Most real samples that are chosen for a run; on CUDA these are a thousand epochs of a thousand images."""


class UnpairedRecipe(SizedImageRecipe):
    """Base of recipes that translate between unpaired domains, with the networks and the numbers of CycleGAN."""

    side_multiple: ClassVar[int] = 4
    samples: Samples = 200_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 4
    """Samples per batch, over all processes; 1 in most papers, which takes longer."""
    width: LayerSize = 64
    """Channels of the first layer of generators and discriminators."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 6
    """Residual blocks of a generator."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam, for all players; falls to 0 on a straight line in the second half of the run."""

    def view(self, facts: Facts) -> View:
        """View images of the target beside images of other domains.

        Raises:
            SparringError: the sides are no multiples of 4, there are no domains, or none of this name.
        """
        if len(facts.classes) < 2:
            raise SparringError(
                found=f"no two domains in {facts.source}",
                expected="two folders of readable images, one for each domain",
                remedy="put the images of each domain into a folder of its own, or give the second with "
                f"{option('to')}",
            )
        self.require_sides(self.side_multiple)
        return View(self.shape(facts), DOMAIN, {"target": self.target_name(facts)})

    def target_name(self, facts: Facts) -> str:
        """Return the name of the domain to translate into; "" for all of them."""
        return ""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, but smaller networks and a shorter run without a GPU."""
        chosen = super().choose(facts, machine)
        gpu = machine.device == "cuda"
        height, width = self.resolution if "resolution" in self.model_fields_set else chosen["resolution"][0]
        chosen["blocks"] = (9 if min(height, width) >= LARGE_SIDE else 6, f"images are {height} high and {width} wide")
        most = MAX_SAMPLES_ON_GPU if gpu else MAX_SAMPLES_WITHOUT_GPU
        samples, reason = chosen["samples"]
        chosen["samples"] = (min(samples, most), reason)
        if not gpu:
            chosen["width"] = (WIDTH_WITHOUT_GPU, f"wider networks take hours on {machine.device}")
            chosen["blocks"] = (BLOCKS_WITHOUT_GPU, f"more take hours on {machine.device}")
        return chosen

    def optimiser(self, beta1: float = 0.5) -> Adam:
        """Return the settings of all players (Zhu et al. 2017, section 7.1)."""
        return Adam(held_then_linear(self.learning_rate), beta1=beta1, beta2=constant(0.999))

    def average_half_life(self, samples: int) -> float:
        """Return at most 10,000 samples; the papers average no weights."""
        return min(10_000.0, 0.05 * samples)

    def translator(self, facts: Facts, domains: int = 0) -> "Translator":
        """Return a generator."""
        from sparring.modalities.images.networks.translator import Translator

        return Translator(channels=facts.shape[0], width=self.width, blocks=self.blocks, domains=domains)

    def discriminator(self, facts: Facts, *, normalise: bool = True, classes: int = 0) -> "PatchDiscriminator":
        """Return a discriminator of patches: of 70 × 70 pixels where images have at least 32."""
        from sparring.modalities.images.networks.patches import PatchDiscriminator, halvings

        layers = halvings(self.resolution)
        return PatchDiscriminator(
            channels=facts.shape[0], width=self.width, layers=layers, normalise=normalise, classes=classes
        )


class TargetedRecipe(UnpairedRecipe):
    """Base of recipes for one domain to translate into."""

    target: str = ""
    """Name of the domain to translate into; by default the last one."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all of them, and the last domain as the target."""
        return {
            **super().choose(facts, machine),
            "target": (facts.classes[-1] if facts.classes else "", "the last one"),
        }

    def target_name(self, facts: Facts) -> str:
        """Return the name of the domain to translate into.

        Raises:
            SparringError: there is none of this name.
        """
        name = self.target or facts.classes[-1]
        if name not in facts.classes:
            raise SparringError(
                found=f"the target {name!r}",
                expected=f"one of the domains {', '.join(facts.classes)}",
                remedy=f"check the spelling{nearest(name, list(facts.classes))}",
            )
        return name

    def target_number(self, facts: Facts) -> int:
        """Return the number of the domain to translate into; errors as for ``target_name``."""
        return facts.classes.index(self.target_name(facts))


@final
class CycleGAN(TargetedRecipe):
    """Translation in both directions by two generators that invert each other."""

    paper: ClassVar[str] = "Zhu et al. 2017, eqs. 1 to 3, sections 5.2 and 7"
    cycle: Weight = 10.0
    """Weight λ of the cycle term."""
    identity: Weight = 0.5
    """Weight of the identity term relative to λ: images of the target domain stay as they are, colours above all."""
    pool: Annotated[int, Field(ge=0, le=10_000)] = 50
    """Earlier fakes that each discriminator sees again."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of two generators and two discriminators."""
        from sparring.games import exchange
        from sparring.games.pool import Pooled

        to_target, to_source = self.translator(facts), self.translator(facts)
        target, source = (Pooled(self.discriminator(facts), self.shape(facts), self.pool) for _ in range(2))
        return exchange.CycleGAN(
            to_target,
            to_source,
            target,
            source,
            target=self.target_number(facts),
            cycle=self.cycle,
            identity=self.identity,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-4, 0.5, 0.999) for all players."""
        return dict.fromkeys(("to target", "to source", "target critic", "source critic"), self.optimiser())


class ContrastiveRecipe(TargetedRecipe):
    """Base of CUT and FastCUT: one direction, with contrast between patches in place of the way back."""

    contrast: Weight
    """Weight λ_X of the contrast between an image and its translation."""
    identity: Weight
    """Weight λ_Y of the contrast between images of the target domain and what the generator makes of them."""
    patches: Annotated[int, Field(ge=2, le=4096)] = 256
    """Patches per image and layer that are contrasted."""
    temperature: PositiveFloat = 0.07
    """Temperature τ of the contrast."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one generator, its projections and one discriminator."""
        from sparring.games import exchange
        from sparring.modalities.images.networks.translator import PatchProjections

        generator = self.translator(facts)
        return exchange.Contrast(
            generator,
            PatchProjections(generator.feature_widths),
            self.discriminator(facts),
            target=self.target_number(facts),
            contrast=self.contrast,
            identity=self.identity,
            patches=self.patches,
            temperature=self.temperature,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-4, 0.5, 0.999) for all players (Park et al. 2020, appendix C)."""
        return dict.fromkeys(("generator", "projections", "critic"), self.optimiser())


@final
class CUT(ContrastiveRecipe):
    """Translation in one direction, with half of CycleGAN's memory: patches stay near those of their input."""

    paper: ClassVar[str] = "Park et al. 2020 (CUT), eqs. 1 to 3 and 5"
    contrast: Weight = 1.0
    """Weight λ_X of the contrast between an image and its translation."""
    identity: Weight = 1.0
    """Weight λ_Y of the contrast between images of the target domain and what the generator makes of them."""


@final
class FastCUT(ContrastiveRecipe):
    """CUT without the identity term and with more contrast: faster, and nearer to the input."""

    paper: ClassVar[str] = "Park et al. 2020 (FastCUT), eqs. 1 to 3 and 5"
    contrast: Weight = 10.0
    """Weight λ_X of the contrast between an image and its translation."""
    identity: Weight = 0.0
    """Weight λ_Y of the contrast between images of the target domain and what the generator makes of them."""


@final
class StarGAN(UnpairedRecipe):
    """Translation between several domains by one generator, which is told the domain."""

    paper: ClassVar[str] = "Choi et al. 2018, eqs. 1 to 8, section 5.3"
    batch: BatchSize = 16
    """Samples per batch, over all processes."""
    learning_rate: PositiveFloat = 1e-4
    """Learning rate of Adam, for both players; falls to 0 on a straight line in the second half of the run."""
    classification: Weight = 1.0
    """Weight λ_cls of the classification of domains."""
    reconstruction: Weight = 10.0
    """Weight λ_rec of the difference after the way there and back."""
    penalty: Weight = 10.0
    """Weight λ_gp of the gradient penalty."""
    critic_turns: PositiveInt = 5
    """Updates of the discriminator per update of the generator."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one generator and one discriminator for all domains."""
        from sparring.games import exchange

        domains = len(facts.classes)
        return exchange.StarGAN(
            self.translator(facts, domains=domains),
            self.discriminator(facts, normalise=False, classes=domains),
            domains=domains,
            classification=self.classification,
            reconstruction=self.reconstruction,
            penalty=self.penalty,
            critic_turns=self.critic_turns,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(1e-4, 0.5, 0.999) for both players (section 5.3)."""
        return dict.fromkeys(("generator", "critic"), self.optimiser())
