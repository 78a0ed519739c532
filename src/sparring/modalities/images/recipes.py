"""Images: the experiments."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, final

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.objectives.schedules import Weighted, constant, cosine, geometric_cosine
from sparring.recipe import Adam, Chosen, Gamma, Machine, Recipe

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.layers.augment import Augment
    from sparring.objectives.penalties import Penalty


START = 0.3
"""An automatic γ at the start."""
GAMMA_RATE, LOWEST_GAMMA = 0.01, 0.1
"""The share by which an automatic γ moves in a step, and its least value as a share of the start.

Where few images are augmented, reals and samples score alike whatever γ is, and it would fall without end.
"""
SMALLEST, LARGEST = 8, 256
"""Sides of images, in pixels."""


def _height_and_width(value: Any) -> Any:
    """From 64 or "64": 64 × 64; from "64x96": 64 high and 96 wide."""
    words = value.lower().split("x") if isinstance(value, str) else [value] if isinstance(value, int) else list(value)
    sides = [int(word) if str(word).isdigit() else 0 for word in words]
    if len(sides) not in (1, 2) or not all(SMALLEST <= side <= LARGEST for side in sides):
        raise ValueError(f"64, or 64x96 for 64 high and 96 wide, with sides from {SMALLEST} to {LARGEST}")
    return (sides * 2)[:2]


Resolution = Annotated[tuple[int, int], BeforeValidator(_height_and_width)]


def _words(value: Any) -> Any:
    """From "geometry,flips", or from "none"."""
    if not isinstance(value, str):
        return value
    return [] if value == "none" else [word.strip() for word in value.split(",")]


Kinds = Annotated[
    tuple[Literal["geometry", "colour", "cutout", "flips", "turns", "inversion", "hue"], ...], BeforeValidator(_words)
]


class ImageRecipe(Recipe):
    """What all experiments with images share."""

    modality: ClassVar[str] = "images"
    sides: ClassVar[int] = 1
    """Both sides are multiples of this."""

    batch: PositiveInt = 64
    """Samples per batch, over all processes."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the networks compute in; losses and penalties are always float32."""
    resolution: Resolution = (64, 64)
    """Height and width that every image is brought to: 64 or 64x96, sides from 8 to 256."""
    labels: bool = False
    """Whether the class of a sample can be asked for, if the data has classes."""

    def shape(self, facts: Facts) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (facts.shape[0], *self.resolution)

    def view(self, facts: Facts) -> View:
        """Images of one size; players are told the class if ``labels`` is set and the data has classes."""
        return View(self.shape(facts), "label" if self.classes(facts) else "")

    def classes(self, facts: Facts) -> int:
        """How many classes the networks know."""
        return len(facts.classes) if self.labels else 0

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Resolution, batch, precision and duration from data and device."""
        height, width = facts.shape[1:]
        largest = LARGEST if machine.device == "cuda" else 64
        resolution = fit(height, width, largest, self.sides)
        asked = self.resolution if "resolution" in self.model_fields_set else resolution
        chosen: Chosen = {
            "resolution": (
                resolution,
                f"most images are {height} high and {width} wide; on {machine.device} at most {largest}",
            )
        }
        if facts.count < 4 * self.batch:
            batch = max(2, 2 ** ((facts.count // 4).bit_length() - 1))
            chosen["batch"] = (batch, f"there are only {facts.count} images")
        if machine.bfloat16:
            chosen["precision"] = ("bfloat16", "this device computes convolutions faster in it")
        chosen["samples"] = (duration(facts.count, asked, machine), f"{facts.count} images on {machine.device}")
        return chosen


def fit(height: int, width: int, largest: int, multiple: int) -> tuple[int, int]:
    """The size nearest to ``height`` × ``width`` with sides from 8 to ``largest``, multiples of ``multiple``."""
    scale = min(1.0, largest / max(height, width))
    smallest = -(-SMALLEST // multiple) * multiple

    def side(length: int) -> int:
        return min(max(round(length * scale / multiple) * multiple, smallest), largest)

    return side(height), side(width)


def duration(count: int, size: tuple[int, int], machine: Machine) -> int:
    """Samples to see: 400 times the data, but at most about half an hour's work on two cores, a day's on a GPU."""
    most = 25_000_000 if machine.device == "cuda" else 1_000_000 * 32 * 32 // (size[0] * size[1])
    return max(min(400 * count, most), 100_000)


class Adversarial(ImageRecipe):
    """What all experiments with images and a discriminator share."""

    augment: Kinds = ("geometry", "colour", "cutout")
    """How images may be augmented where there are few: none, or kinds with commas between. If left and right mean the
    same, also flips; if up and down do, turns; if dark and bright do, inversion; if colours do, hue."""
    packing: PositiveInt = 1
    """Images that the discriminator judges together, so that it sees how various they are; more than one: no labels."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """No labels where packs are judged.

        Raises:
            SparringError: both are asked for.
        """
        chosen = super().choose(facts, machine)
        if self.packing > 1 and self.labels:
            if "labels" in self.model_fields_set:
                raise SparringError(
                    found=f"packing {self.packing} together with labels",
                    expected="packs without labels: the images of a pack are of any class",
                    remedy="leave one of the two out",
                )
            chosen["labels"] = (False, "the images of a pack are of any class")
        return chosen

    def augmentation(self) -> "Augment | None":
        """For a duel."""
        from sparring.layers.augment import Augment

        return Augment(self.augment) if self.augment else None


@final
class R3GAN(Adversarial):
    """The default: relativistic pairing, R1 and R2, no normalisation."""

    paper: ClassVar[str] = "Huang et al. 2024 (R3GAN), sections 2 to 4, table 9"
    samples: PositiveInt = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Whether the class of a sample can be asked for, if the data has classes."""
    noise: PositiveInt = 64
    """Length of the noise."""
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
        from sparring.objectives.balance import automatic
        from sparring.objectives.losses import relativistic

        channels, classes = self.shape(facts)[0], self.classes(facts)
        generator = Generator(
            size=self.resolution,
            channels=channels,
            noise=self.noise,
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
            prior=normal(self.noise),
            loss=relativistic,
            penalties=self._penalties(),
            strength=automatic(START, GAMMA_RATE, LOWEST_GAMMA)
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


@final
class GAN(Adversarial):
    """The first GAN: dense networks, maxout, dropout."""

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 5"
    samples: PositiveInt = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: PositiveInt = 100
    """Samples per batch, over all processes."""
    loss: Literal["non_saturating", "minimax"] = "non_saturating"
    """What the generator minimises: log D as the paper advises (section 3), or the minimax value itself."""
    prior: Literal["uniform", "normal"] = "uniform"
    """Where the noise comes from."""
    noise: PositiveInt = 100
    """Length of the noise."""
    width: PositiveInt = 1200
    """Units in each hidden layer of the generator; a fifth as many maxout units in the discriminator."""
    learning_rate: PositiveFloat = 2e-4
    """Of Adam, for both players."""

    def game(self, facts: Facts) -> "Game":
        """A duel of dense networks."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal, uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dense import Discriminator, Generator
        from sparring.objectives.losses import LOSSES

        shape, classes = self.shape(facts), self.classes(facts)
        pack = (self.packing * shape[0], *shape[1:])
        return Duel(
            Generator(shape=shape, noise=self.noise, width=self.width, classes=classes),
            packed(Discriminator(shape=pack, width=max(1, self.width // 5), classes=classes), self.packing),
            prior=(uniform if self.prior == "uniform" else normal)(self.noise),
            loss=LOSSES[self.loss],
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam with the decays of DCGAN, where the paper has momentum."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """At most 20,000 samples; the paper has no average."""
        return min(20_000.0, 0.05 * samples)


@final
class DCGAN(Adversarial):
    """Strided convolutions with batch norm: the classic."""

    paper: ClassVar[str] = "Radford et al. 2016, section 4"
    sides: ClassVar[int] = 16
    samples: PositiveInt = 3_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    noise: PositiveInt = 100
    """Length of the noise."""
    width: PositiveInt = 64
    """Channels on the finest grid; doubled with every coarser one."""
    learning_rate: PositiveFloat = 2e-4
    """Of Adam, for both players."""

    def game(self, facts: Facts) -> "Game":
        """A duel with the non-saturating loss."""
        from sparring.games.duel import Duel
        from sparring.games.priors import uniform
        from sparring.layers.packing import packed
        from sparring.modalities.images.networks.dcgan import Discriminator, Generator
        from sparring.objectives.losses import non_saturating

        channels, classes = self.shape(facts)[0], self.classes(facts)
        pack = self.packing * channels
        return Duel(
            Generator(size=self.resolution, channels=channels, noise=self.noise, width=self.width, classes=classes),
            packed(Discriminator(size=self.resolution, channels=pack, width=self.width, classes=classes), self.packing),
            prior=uniform(self.noise),
            loss=non_saturating,
            augment=self.augmentation(),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam(2e-4, 0.5, 0.999), section 4."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}

    def average_half_life(self, samples: int) -> float:
        """At most 20,000 samples; the paper has no average."""
        return min(20_000.0, 0.05 * samples)


@final
class VAE(ImageRecipe):
    """The likelihood comparator: blurred, but sure to arrive."""

    paper: ClassVar[str] = "Kingma & Welling 2014, section 3; Higgins et al. 2017, eq. 4"
    samples: PositiveInt = 1_000_000
    """Real samples to see when neither --samples nor --minutes is given."""
    labels: bool = True
    """Whether the class of a sample can be asked for, if the data has classes."""
    noise: PositiveInt = 32
    """Length of the noise."""
    width: PositiveInt = 32
    """Channels on the fine grids; the two coarsest have 4 and 2 times as many."""
    spread: PositiveFloat = 0.8
    """Standard deviation of the observation noise, images being in [-1, 1]: larger is smoother and more various."""
    divergence_weight: PositiveFloat = 1.0
    """β: weight of the Kullback-Leibler divergence."""
    learning_rate: PositiveFloat = 3e-3
    """Of Adam; falls to 5 % along a half cosine."""

    def game(self, facts: Facts) -> "Game":
        """One player."""
        from sparring.games.likelihood import Likelihood
        from sparring.modalities.images.networks.autoencoder import Autoencoder

        channels, classes = self.shape(facts)[0], self.classes(facts)
        return Likelihood(
            Autoencoder(size=self.resolution, channels=channels, noise=self.noise, width=self.width, classes=classes),
            noise_size=self.noise,
            spread=self.spread,
            divergence_weight=constant(self.divergence_weight),
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Adam with its usual decays (Kingma & Ba 2015, algorithm 1)."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"autoencoder": Adam(rate, beta1=0.9, beta2=constant(0.999))}

    def average_half_life(self, samples: int) -> float:
        """At most 10,000 samples."""
        return min(10_000.0, 0.05 * samples)
