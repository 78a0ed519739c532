"""Augmentation of what a discriminator sees, differentiable any number of times with respect to the images.

From Karras et al. 2020, "Training generative adversarial networks with limited data" (ADA), appendix B, without its
image filters and noise, and without its low-pass filter: an image that is shrunk shows aliasing. A transformation is
chosen with a probability, or else the identity. While that is below 1, the distribution of augmented images tells that
of the plain ones, so that a generator does not learn to draw the former; in practice below 0.8 (section 2.2 there).
With a hundred images that does not hold: digits come out mirrored and upside down. So those that may change what an
image shows are apart from those that do not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import final

import torch
from torch import Tensor

from sparring.errors import SparringError, nearest
from sparring.flow import Sample
from sparring.randomness import RandomStream

HARMLESS = ("geometry", "colour", "cutout")
"""What leaves an image what it is, whatever it shows."""
KINDS = (*HARMLESS, "flips", "turns", "inversion", "hue")

# The strengths of ADA, appendix B. Factors are log-normal: these are the deviations of their logarithms.
SCALE = 0.2 * math.log(2)
CONTRAST = 0.5 * math.log(2)
SATURATION = 1.0 * math.log(2)
BRIGHTNESS = 0.2
SHIFT = 1 / 8
"""Of the side: the most for whole pixels, the standard deviation for any distance."""
TILT = 0.2
"""The most, in radians, that no digit and no face takes amiss; the paper has turns by any angle alone."""
CUTOUT = 1 / 2
"""Of the side."""


@final
@dataclass(frozen=True)
class Augment:
    """Transform each image by itself, by each single transformation with a probability.

    Args:
        kinds: which groups. ``"geometry"``: shift by whole pixels and by any distance, scale, stretch, tilt.
            ``"colour"``: brightness, contrast; with 3 channels saturation. ``"cutout"``: a rectangle of half the sides
            becomes 0. Where left and right mean the same, ``"flips"``; where up and down do as well, ``"turns"``: by
            quarters (of square images) and by any angle. Where dark and bright do, ``"inversion"`` of the luma, with 1
            or 3 channels; where colours do, ``"hue"``, with 3.

    Raises:
        SparringError: there is no such group.
    """

    kinds: Sequence[str] = HARMLESS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise SparringError(
                    found=f"the augmentation {kind!r}",
                    expected="some of " + ", ".join(KINDS),
                    remedy=f"correct it{nearest(kind, list(KINDS))}",
                )

    def __call__(self, images: Sample, probability: float, random: RandomStream) -> Sample:
        """Images of the same shape, type and device, not clamped; at probability 0 the very same.

        What happens to an image depends on its row of ``random`` alone: equal draws transform real and fake alike.

        Args:
            images: (batch, channels, height, width) in [-1, 1].
            probability: of each transformation, in [0, 1].
            draw: random numbers for the rows of ``images``.

        Raises:
            SparringError: not images, a probability outside [0, 1], or a draw for another number of images.
        """
        check(images, probability, random)
        if probability == 0:
            return images
        channels, size = images.shape[1], (images.shape[2], images.shape[3])
        # Matrices are made where the numbers are drawn. Only they are sent to the device, and nothing waits for it.
        chance = Chance(replace(random.substream("augment"), device=torch.device("cpu")), probability)
        with torch.autocast(images.device.type, enabled=False):
            if places := [make(chance, size) for kind, make in PLACES.items() if kind in self.kinds]:
                images = resample(images, reduce(torch.matmul, places))
            if colours := [make(chance, channels) for kind, make in COLOURS.items() if kind in self.kinds]:
                images = recolour(images, reduce(torch.matmul, colours))
            if "cutout" in self.kinds:
                images = cut(images, *holes(chance, size))
        return images


def check(images: Tensor, probability: float, random: RandomStream) -> None:
    """One sentence on what is wrong with them, if there is anything."""
    if images.dim() != 4:
        raise SparringError(
            found=f"samples of shape {tuple(images.shape)}",
            expected="images, (batch, channels, height, width)",
            remedy="augment images alone",
        )
    if not 0 <= probability <= 1:
        raise SparringError(found=f"probability {probability}", expected="one in [0, 1]", remedy="change it")
    rows = len(range(random.total)[random.rows])
    if rows != len(images):
        found = f"{len(images)} images and random numbers for {rows}"
        raise SparringError(found=found, expected="equally many", remedy="draw for these images")


@final
@dataclass(frozen=True)
class Chance:
    """Random strengths, each (rows, *shape) and 0 in the rows for which its transformation is not chosen."""

    random: RandomStream
    probability: float

    def chosen(self, stream: str) -> Tensor:
        """Which rows are transformed, (rows,)."""
        return self.random.uniform(f"{stream}/chosen") < self.probability

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Standard normal."""
        return self._keep(stream, self.random.normal(stream, *shape))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Uniform in [-1, 1)."""
        return self._keep(stream, 2 * self.random.uniform(stream, *shape) - 1)

    def integers(self, stream: str, high: int) -> Tensor:
        """Whole numbers, uniform in [0, high), in floating point."""
        return self._keep(stream, self.random.integers(stream, high).float())

    def _keep(self, stream: str, values: Tensor) -> Tensor:
        return torch.where(self.chosen(stream).reshape(-1, *[1] * (values.dim() - 1)), values, 0.0)


def geometry(chance: Chance, size: tuple[int, int]) -> Tensor:
    """Shift, scale, stretch along the sides, tilt: for ``resample``, (batch, 3, 3)."""
    # Every inverse is distributed as what it inverts.
    sides = torch.tensor(size[::-1])
    whole = (SHIFT * chance.uniform("whole-shift", 2) * sides).round()
    scale, stretch = ((SCALE * chance.normal(stream)).exp() for stream in ("scale", "stretch"))
    linear = rotation(TILT * chance.uniform("tilt")) @ scaling(scale * stretch, scale / stretch)
    return affine(linear, whole + SHIFT * chance.normal("shift", 2) * sides)


def flips(chance: Chance, size: tuple[int, int]) -> Tensor:
    """Left becomes right, half the time: for ``resample``, (batch, 3, 3)."""
    across = 1 - 2 * chance.integers("flip", 2)
    return centred(scaling(across, torch.ones_like(across)))


def turns(chance: Chance, size: tuple[int, int]) -> Tensor:
    """Turn by quarters, if sides are equal, and by any angle: for ``resample``, (batch, 3, 3)."""
    linear = rotation(math.pi * chance.uniform("turn"))
    if size[0] == size[1]:
        linear = linear @ rotation(math.pi / 2 * chance.integers("quarter-turn", 4)).round()
    return centred(linear)


PLACES = {"geometry": geometry, "flips": flips, "turns": turns}


def colour(chance: Chance, channels: int) -> Tensor:
    """Brightness, contrast, and saturation of 3 channels: for ``recolour``, (batch, c + 1, c + 1)."""
    brightness = BRIGHTNESS * chance.normal("brightness").unsqueeze(1).expand(-1, channels)
    linear = (CONTRAST * chance.normal("contrast")).exp()[:, None, None] * torch.eye(channels)
    if channels == 3:
        factors = (SATURATION * chance.normal("saturation")).exp()
        linear = chroma(torch.zeros_like(factors), factors) @ linear
    return affine(linear, brightness)


def inversion(chance: Chance, channels: int) -> Tensor:
    """Bright becomes dark, half the time, of 1 or 3 channels: for ``recolour``, (batch, c + 1, c + 1)."""
    inverted = chance.integers("inversion", 2)
    return centred(luma_flip(inverted if channels in (1, 3) else 0 * inverted, channels))


def hue(chance: Chance, channels: int) -> Tensor:
    """Any turn of 3 channels about the axis of greys: for ``recolour``, (batch, c + 1, c + 1)."""
    angles = math.pi * chance.uniform("hue")
    unturned = torch.eye(channels).expand(len(angles), -1, -1)
    return centred(chroma(angles, torch.ones_like(angles)) if channels == 3 else unturned)


COLOURS = {"colour": colour, "inversion": inversion, "hue": hue}


def holes(chance: Chance, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The rows, (batch, height), and the columns, (batch, width), of a rectangle around any point of the image."""
    centres = chance.random.uniform("cutout", 2, 1).unbind(1)
    distances = [((torch.arange(side) + 0.5) / side - place).abs() for side, place in zip(size, centres, strict=True)]
    chosen = chance.chosen("cutout").unsqueeze(1)
    return (distances[0] < CUTOUT / 2) & chosen, (distances[1] < CUTOUT / 2) & chosen


def affine(linear: Tensor, shift: Tensor) -> Tensor:
    """x ↦ linear (x + shift), from (batch, n, n) and (batch, n), as matrices (batch, n + 1, n + 1)."""
    upper = torch.cat([linear, linear @ shift.unsqueeze(2)], dim=2)
    last = torch.eye(upper.shape[2])[-1:].to(upper).expand(len(upper), -1, -1)
    return torch.cat([upper, last], dim=1)


def centred(linear: Tensor) -> Tensor:
    """x ↦ linear x, as ``affine``."""
    return affine(linear, linear.new_zeros(linear.shape[:2]))


def scaling(across: Tensor, down: Tensor) -> Tensor:
    """By factors, each (batch,): (batch, 2, 2)."""
    return torch.diag_embed(torch.stack([across, down], dim=1))


def rotation(angles: Tensor) -> Tensor:
    """By angles in radians, (batch,), from across to down: (batch, 2, 2)."""
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([cosines, -sines, sines, cosines], dim=1).reshape(-1, 2, 2)


def luma_flip(flips: Tensor, channels: int) -> Tensor:
    """Mirror the mean of the channels at 0 where ``flips``, (batch,), is 1: (batch, channels, channels)."""
    return torch.eye(channels) - 2 * flips[:, None, None] / channels


def chroma(angles: Tensor, factors: Tensor) -> Tensor:
    """Turn colours about the axis of greys, by Rodrigues' formula, and multiply their distance from it: (batch, 3, 3).

    Args:
        angles: in radians, (batch,).
        factors: (batch,); at 0 all is grey.
    """
    grey = torch.full((3, 3), 1 / 3)
    across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    cosines, sines = (factors * angles.cos())[:, None, None], (factors * angles.sin())[:, None, None]
    return grey + cosines * (torch.eye(3) - grey) + sines * across


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """The colour of the place that each pixel is sent to, bilinear; beyond the outermost pixels images are mirrored.

    Places are (across, down) from the centre, in pixels. A matrix that sends pixels to pixels is exact. By ``gather``,
    as ``grid_sample`` has no second derivative.

    Args:
        images: (batch, channels, height, width).
        matrices: (batch, 3, 3), on the CPU or with ``images``.
    """
    channels, height, width = images.shape[1:]
    across, down = (torch.arange(side, device=images.device) - (side - 1) / 2 for side in (width, height))
    rows = matrices[:, :2, :, None, None].to(images.device, non_blocking=True).unbind(1)
    x, y = (row[:, 0] * across + (row[:, 1] * down[:, None] + row[:, 2]) for row in rows)
    (left, rightness), (top, lowness) = before(x, width), before(y, height)
    beside, under = min(width - 1, 1), width * min(height - 1, 1)
    corner = (top * width + left).flatten(1)
    places = torch.stack([corner, corner + under, corner + beside, corner + under + beside], dim=1)
    found = images.flatten(2).gather(2, places.flatten(1).unsqueeze(1).expand(-1, channels, -1))
    lefts, rights = found.unflatten(2, (2, 2, height, width)).unbind(2)
    upper, lower = torch.lerp(lefts, rights, rightness[:, None, None].to(images.dtype)).unbind(2)
    return torch.lerp(upper, lower, lowness[:, None].to(images.dtype))


def before(places: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Of places from the centre of a line of pixels: the pixel before, never the last, and the distance, in [0, 1]."""
    last = side - 1
    mirrored = (last - ((places + last / 2).remainder(max(2 * last, 1)) - last).abs()).clamp(0, last)
    pixel = mirrored.floor().clamp(max=max(last - 1, 0))
    return pixel.long(), mirrored - pixel


def recolour(images: Tensor, matrices: Tensor) -> Tensor:
    """Send the colour of each pixel through the matrix of its image, (batch, channels + 1, channels + 1)."""
    upper = matrices[:, :-1].to(images.dtype).to(images.device, non_blocking=True)
    return torch.baddbmm(upper[:, :, -1:], upper[:, :, :-1], images.flatten(2)).reshape(images.shape)


def cut(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Make 0 what is in the rows, (batch, height), and in the columns, (batch, width), both bool."""
    rows, columns = (lines.to(images.device, non_blocking=True) for lines in (rows, columns))
    return images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0.0)
