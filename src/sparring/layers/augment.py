"""Augmentation of what a discriminator sees, differentiable any number of times with respect to the images.

From Karras et al. 2020, "Training generative adversarial networks with limited data" (ADA), appendix B, without its
image filters and noise, and without its low-pass filter: an image that is shrunk shows aliasing. A transformation is
chosen with a probability, or else the identity. While that is below 1, the distribution of augmented images tells that
of the plain ones, so that a generator does not learn to draw the former; in practice below 0.8 (section 2.2 there).
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
from sparring.randomness import Draw

KINDS = ("blit", "geometry", "colour", "cutout")

# The strengths of ADA, appendix B. Factors are log-normal: these are the deviations of their logarithms.
SCALE = 0.2 * math.log(2)
CONTRAST = 0.5 * math.log(2)
SATURATION = 1.0 * math.log(2)
BRIGHTNESS = 0.2
SHIFT = 1 / 8
"""Of the side: the most for whole pixels, the standard deviation for any distance."""
CUTOUT = 1 / 2
"""Of the side."""


@final
@dataclass(frozen=True)
class Augment:
    """Transform each image by itself, by each single transformation with a probability.

    Args:
        kinds: which groups. ``"blit"``: flip, quarter turns (of square images), shift by whole pixels. ``"geometry"``:
            scale, turn, stretch, shift. ``"colour"``: brightness, contrast; with 1 or 3 channels inversion of the luma;
            with 3 hue and saturation. ``"cutout"``: a rectangle of half the sides becomes 0.

    Raises:
        SparringError: there is no such group.
    """

    kinds: Sequence[str] = KINDS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise SparringError(
                    found=f"the augmentation {kind!r}",
                    expected="some of " + ", ".join(KINDS),
                    remedy=f"correct it{nearest(kind, list(KINDS))}",
                )

    def __call__(self, images: Sample, probability: float, draw: Draw) -> Sample:
        """Images of the same shape, type and device, not clamped; at probability 0 the very same.

        What happens to an image depends on its row of ``draw`` alone: equal draws transform real and fake alike.

        Args:
            images: (batch, channels, height, width) in [-1, 1].
            probability: of each transformation, in [0, 1].
            draw: random numbers for the rows of ``images``.

        Raises:
            SparringError: not images, a probability outside [0, 1], or a draw for another number of images.
        """
        check(images, probability, draw)
        if probability == 0:
            return images
        size = images.shape[2], images.shape[3]
        # Matrices are made where the numbers are drawn. Only they are sent to the device, and nothing waits for it.
        chance = Chance(replace(draw.within("augment"), device=torch.device("cpu")), probability)
        with torch.autocast(images.device.type, enabled=False):
            matrices = [make(chance, size) for kind, make in PLACES.items() if kind in self.kinds]
            if matrices:
                images = resample(images, reduce(torch.matmul, matrices))
            if "colour" in self.kinds:
                images = recolour(images, colour(chance, images.shape[1]))
            if "cutout" in self.kinds:
                images = cut(images, *holes(chance, size))
        return images


def check(images: Tensor, probability: float, draw: Draw) -> None:
    """One sentence on what is wrong with them, if there is anything."""
    if images.dim() != 4:
        raise SparringError(
            found=f"samples of shape {tuple(images.shape)}",
            expected="images, (batch, channels, height, width)",
            remedy="augment images alone",
        )
    if not 0 <= probability <= 1:
        raise SparringError(found=f"probability {probability}", expected="one in [0, 1]", remedy="change it")
    rows = len(range(draw.total)[draw.rows])
    if rows != len(images):
        found = f"{len(images)} images and random numbers for {rows}"
        raise SparringError(found=found, expected="equally many", remedy="draw for these images")


@final
@dataclass(frozen=True)
class Chance:
    """Random strengths, each (rows, *shape) and 0 in the rows for which its transformation is not chosen."""

    draw: Draw
    probability: float

    def chosen(self, stream: str) -> Tensor:
        """Which rows are transformed, (rows,)."""
        return self.draw.uniform(f"{stream}/chosen") < self.probability

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Standard normal."""
        return self._keep(stream, self.draw.normal(stream, *shape))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Uniform in [-1, 1)."""
        return self._keep(stream, 2 * self.draw.uniform(stream, *shape) - 1)

    def integers(self, stream: str, high: int) -> Tensor:
        """Whole numbers, uniform in [0, high), in floating point."""
        return self._keep(stream, self.draw.integers(stream, high).float())

    def _keep(self, stream: str, values: Tensor) -> Tensor:
        return torch.where(self.chosen(stream).reshape(-1, *[1] * (values.dim() - 1)), values, 0.0)


def blit(chance: Chance, size: tuple[int, int]) -> Tensor:
    """Flip, turn by quarters, shift by whole pixels: for ``resample``, (batch, 3, 3)."""
    flip = 1 - 2 * chance.integers("flip", 2)
    linear = scaling(flip, torch.ones_like(flip))
    if size[0] == size[1]:
        linear = linear @ rotation(math.pi / 2 * chance.integers("quarter-turn", 4)).round()
    return affine(linear, (SHIFT * chance.uniform("whole-shift", 2) * torch.tensor(size[::-1])).round())


def geometry(chance: Chance, size: tuple[int, int]) -> Tensor:
    """Scale, turn, stretch, turn, shift: for ``resample``, (batch, 3, 3)."""
    # Every inverse is distributed as what it inverts. Neither turn happens with 1 - probability, as in section B.1.
    turns = replace(chance, probability=1 - math.sqrt(1 - chance.probability))
    scale, stretch = ((SCALE * chance.normal(stream)).exp() for stream in ("scale", "stretch"))
    first, second = (rotation(math.pi * turns.uniform(stream)) for stream in ("first-turn", "second-turn"))
    linear = first @ scaling(scale * stretch, scale / stretch) @ second
    return affine(linear, SHIFT * chance.normal("shift", 2) * torch.tensor(size[::-1]))


PLACES = {"blit": blit, "geometry": geometry}


def colour(chance: Chance, channels: int) -> Tensor:
    """Brightness, contrast, and what else so many channels have: for ``recolour``, (batch, c + 1, c + 1)."""
    brightness = BRIGHTNESS * chance.normal("brightness").unsqueeze(1).expand(-1, channels)
    linear = (CONTRAST * chance.normal("contrast")).exp()[:, None, None] * torch.eye(channels)
    if channels in (1, 3):
        linear = luma_flip(chance.integers("luma-flip", 2), channels) @ linear
    if channels == 3:
        factors = (SATURATION * chance.normal("saturation")).exp()
        linear = chroma(math.pi * chance.uniform("hue"), factors) @ linear
    return affine(linear, brightness)


def holes(chance: Chance, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The rows, (batch, height), and the columns, (batch, width), of a rectangle around any point of the image."""
    centres = chance.draw.uniform("cutout", 2, 1).unbind(1)
    distances = [((torch.arange(side) + 0.5) / side - place).abs() for side, place in zip(size, centres, strict=True)]
    chosen = chance.chosen("cutout").unsqueeze(1)
    return (distances[0] < CUTOUT / 2) & chosen, (distances[1] < CUTOUT / 2) & chosen


def affine(linear: Tensor, shift: Tensor) -> Tensor:
    """x ↦ linear (x + shift), from (batch, n, n) and (batch, n), as matrices (batch, n + 1, n + 1)."""
    upper = torch.cat([linear, linear @ shift.unsqueeze(2)], dim=2)
    last = torch.eye(upper.shape[2])[-1:].to(upper).expand(len(upper), -1, -1)
    return torch.cat([upper, last], dim=1)


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
