"""What all experiments with images share."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, PositiveInt

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.recipe import Chosen, Machine, Recipe

if TYPE_CHECKING:
    from sparring.layers.augment import Augment

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
