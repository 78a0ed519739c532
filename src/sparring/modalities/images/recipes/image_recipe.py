"""Bases of all recipes for images."""

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.recipe import AdversarialRecipe, BatchSize, Chosen, Machine, PackSize, Recipe, batch_for
from sparring.text import number_of

if TYPE_CHECKING:
    from sparring.layers.augment import Augment

MIN_SIDE, MAX_SIDE = 8, 256
"""Bounds of the sides of an image, in pixels."""
MAX_SIDE_WITHOUT_GPU = 64
"""Longest side that is chosen on other devices than CUDA, in pixels."""
LEAST_KEPT = 0.95
"""Share of most images below which the reason of the resolution says how much the crop keeps."""
MIN_SAMPLES = 100_000
"""Least number of real samples that is chosen for a run."""
MAX_SAMPLES_ON_GPU = 25_000_000
"""Most real samples that are chosen on CUDA: about a day."""
MAX_PIXELS_WITHOUT_GPU = 1_000_000 * 32 * 32
"""Most pixels of real samples that are chosen on other devices: about half an hour on two cores."""
MAX_EPOCHS = 400
"""Most passes through the data that are chosen."""


def _height_and_width(value: Any) -> Any:
    """Parse 64, 64.0 or "64" as 64 × 64, and "64x96" or (64, 96) as 64 high and 96 wide."""
    words = value if isinstance(value, list | tuple) else str(value).lower().split("x")
    digits = [str(word).removesuffix(".0") for word in words]
    sides = [int(word) if re.fullmatch("[0-9]{1,9}", word) else 0 for word in digits]
    if len(sides) not in (1, 2) or not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ValueError(f"64, or 64x96 for 64 high and 96 wide, with sides from {MIN_SIDE} to {MAX_SIDE}")
    return (sides * 2)[:2]


Resolution: TypeAlias = Annotated[tuple[int, int], BeforeValidator(_height_and_width)]
"""(height, width) in pixels."""
Weight: TypeAlias = Annotated[float, Field(ge=0, le=1e6)]
"""Weight of a term."""


def _split_words(value: Any) -> Any:
    """Split "geometry,flips" into its words; "none" stands for no words."""
    if not isinstance(value, str):
        return value
    return [] if value == "none" else [word.strip() for word in value.split(",")]


AugmentationKinds: TypeAlias = Annotated[
    tuple[Literal["geometry", "colour", "cutout", "flips", "turns", "inversion", "hue"], ...],
    BeforeValidator(_split_words),
]
"""Keys of ``sparring.layers.augment.KINDS``, repeated here because that file imports torch."""


class SizedImageRecipe(Recipe):
    """Base of all recipes for images: one size, and a budget that follows from it."""

    modality: ClassVar[str] = "images"
    side_multiple: ClassVar[int] = 1
    """Number of which both sides of the resolution are multiples."""

    batch: BatchSize = 64
    """Samples per batch, over all processes."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Number format of the networks; losses and penalties are always float32."""
    resolution: Resolution = (64, 64)
    """Height and width to which every image is resized: 64 or 64x96, sides from 8 to 256."""

    def shape(self, facts: Facts) -> tuple[int, int, int]:
        """Return (channels, height, width) of a sample."""
        return (facts.shape[0], *self.resolution)

    def require_sides(self, multiple: int) -> None:
        """Check that both sides of the resolution are multiples of ``multiple``.

        Raises:
            SparringError: one is not.
        """
        if any(side % multiple for side in self.resolution):
            raise SparringError(
                found=f"the resolution {self.resolution[0]}x{self.resolution[1]}",
                expected=f"sides that are multiples of {multiple}",
                remedy=f"give another {option('resolution')}",
            )

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose resolution, batch, precision and samples by data and device."""
        # The resolution follows from the most frequent size, unless it was given.
        height, width = facts.shape[1:]
        longest = MAX_SIDE if machine.device == "cuda" else MAX_SIDE_WITHOUT_GPU
        fitted = fitted_resolution(height, width, longest, self.side_multiple)
        resolution = self.resolution if "resolution" in self.model_fields_set else fitted
        reason = f"most images are {height} high and {width} wide; on {machine.device} at most {longest}"
        kept = share_kept(fitted, height, width)
        if self.side_multiple > 1 and fitted != (height, width):
            reason += f", in multiples of {self.side_multiple}"
        if kept < LEAST_KEPT:
            reason += f", which keeps the central {kept:.1%} of them"
        chosen: Chosen = {"resolution": (fitted, reason)}

        # A batch is at most a quarter of the data, a power of two.
        if facts.count < 4 * self.batch:
            chosen["batch"] = (batch_for(facts.count), f"there are only {facts.count} images")
        if machine.bfloat16:
            chosen["precision"] = ("bfloat16", "convolutions are faster in bfloat16 on this device")

        # The budget follows from the number of images and their size.
        chosen["samples"] = (
            sample_budget(facts.count, resolution, machine),
            f"a budget that suits {number_of(facts.count, 'image')} of this size on {machine.device}",
        )
        return chosen


class ImageRecipe(SizedImageRecipe):
    """Base of recipes for images that generate them from nothing, or from a class."""

    labels: bool = False
    """Condition the networks on the class of an image, if the data has classes."""

    def view(self, facts: Facts) -> View:
        """View images in one size, conditioned on the class if ``labels`` is set and the data has classes."""
        return View(self.shape(facts), "label" if self.classes(facts) else "")

    def classes(self, facts: Facts) -> int:
        """Return the number of classes that the networks are conditioned on."""
        return len(facts.classes) if self.labels else 0


def fitted_resolution(height: int, width: int, longest: int, multiple: int) -> tuple[int, int]:
    """Return a size near ``height`` × ``width`` with sides from 8 to ``longest``, multiples of ``multiple``.

    Of the multiples next to both sides it takes those whose aspect ratio crops the least, and the nearest of these.
    """
    scale = min(1.0, longest / max(height, width))
    shortest, most = -(-MIN_SIDE // multiple) * multiple, max(longest // multiple, 1) * multiple

    def sides(length: int) -> list[int]:
        below = math.floor(length * scale / multiple) * multiple
        return sorted({min(max(side, shortest), most) for side in (below, below + multiple)})

    def distance(size: tuple[int, int]) -> tuple[float, float]:
        area = size[0] * size[1] / (height * width * scale * scale)
        return -round(share_kept(size, height, width), 3), abs(math.log(area))

    return min(((high, wide) for high in sides(height) for wide in sides(width)), key=distance)


def share_kept(size: tuple[int, int], height: int, width: int) -> float:
    """Return the share of an image of ``height`` × ``width`` that a crop to the shape of ``size`` leaves."""
    ratio = (size[0] * width) / (size[1] * height)
    return min(ratio, 1 / ratio)


def sample_budget(count: int, resolution: tuple[int, int], machine: Machine) -> int:
    """Return the real samples to see: 400 epochs, but at most half an hour on two cores, or a day on a GPU."""
    pixels = resolution[0] * resolution[1]
    most = MAX_SAMPLES_ON_GPU if machine.device == "cuda" else MAX_PIXELS_WITHOUT_GPU // pixels
    return max(min(MAX_EPOCHS * count, most), MIN_SAMPLES)


class AdversarialImageRecipe(ImageRecipe, AdversarialRecipe):
    """Base of all recipes for images that play a duel."""

    augment: AugmentationKinds = ("geometry", "colour", "cutout")
    """Augmentations against overfitting on few images: none, or kinds separated by commas. Add flips if mirrored images
    are as plausible, turns if rotated ones are, inversion if negatives are, and hue if colours may change."""
    packing: PackSize = 1
    """Images that the discriminator scores together, so that it sees their diversity; above 1 there are no labels."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose as for all images, and no labels where images are packed.

        Raises:
            SparringError: packing and labels were both given.
        """
        chosen = super().choose(facts, machine)
        if self.packing > 1 and self.labels:
            if "labels" in self.model_fields_set:
                raise SparringError(
                    found=f"packing {self.packing} together with labels",
                    expected="packs without labels, since the images of a pack are of different classes",
                    remedy="leave one of the two out",
                )
            chosen["labels"] = (False, "the images of a pack are of different classes")
        return chosen

    def augmentation(self) -> "Augment | None":
        """Return the augmentation for ``Duel(augment=…)``, or None."""
        from sparring.layers.augment import Augment

        return Augment(self.augment) if self.augment else None
