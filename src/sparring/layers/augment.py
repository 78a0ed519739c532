"""Augmentation of the images that a discriminator sees, differentiable any number of times with respect to them.

The transformations of adaptive discriminator augmentation (ADA; Karras et al. 2020, appendix B), without its
image-space filters and noise. There is no low-pass filter either, so images that are shrunk show aliasing.

Each transformation is applied with a probability, else the identity. As long as that is below 1, the distribution of
augmented images determines that of the plain ones, so the generator does not learn to draw augmented ones; in practice
below 0.8 (section 2.2 there). With a hundred images this does not hold: digits come out mirrored and upside down. The
default kinds are therefore only those which keep the meaning of any image.
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

DEFAULT_KINDS = ("geometry", "colour", "cutout")
"""Kinds that keep the meaning of an image, whatever it shows."""
KINDS = (*DEFAULT_KINDS, "flips", "turns", "inversion", "hue")
"""All kinds of transformations."""

# Strengths of ADA, appendix B. Factors are log-normal: these are the standard deviations of their logarithms.
SCALE = 0.2 * math.log(2)
CONTRAST = 0.5 * math.log(2)
SATURATION = 1.0 * math.log(2)
BRIGHTNESS = 0.2
"""Standard deviation of what is added to all channels."""
SHIFT = 1 / 8
"""Share of the side: the maximum for whole pixels, the standard deviation for any distance."""
TILT = 0.2
"""Maximum angle in radians, at which digits and faces still look upright; the paper rotates by any angle."""
CUTOUT = 1 / 2
"""Side of the rectangle as a share of the image's side."""


@final
@dataclass(frozen=True)
class Augment:
    """Transforms each image on its own, applying every single transformation with the same probability.

    Args:
        kinds: kinds of transformations. ``"geometry"``: shift by whole pixels and by any distance, scale, stretch,
            tilt. ``"colour"``: brightness, contrast; with 3 channels saturation. ``"cutout"``: a rectangle of half the
            sides becomes 0. ``"flips"``, for data of which mirrored images are as plausible. ``"turns"``, where rotated
            ones are: by quarters (of square images) and by any angle. ``"inversion"`` of the luma, where negatives are,
            with 1 or 3 channels. ``"hue"``, where colours may change, with 3 channels.

    Raises:
        SparringError: there is no such kind.
    """

    kinds: Sequence[str] = DEFAULT_KINDS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise SparringError(
                    found=f"the augmentation {kind!r}",
                    expected="some of " + ", ".join(KINDS),
                    remedy=f"correct it{nearest(kind, list(KINDS))}",
                )

    def __call__(self, images: Sample, probability: float, random: RandomStream) -> Sample:
        """Return images of the same shape, type and device, not clamped; at probability 0 the same tensor.

        The transformation of an image depends on its row of ``random`` alone: with equal random numbers, real and
        generated images are transformed alike.

        Args:
            images: (batch, channels, height, width) in [-1, 1].
            probability: of each transformation, in [0, 1].
            random: random numbers for the rows of ``images``.

        Raises:
            SparringError: not images, a probability outside [0, 1], or random numbers for another number of images.
        """
        require_images(images, probability, random)
        if probability == 0:
            return images
        channels, size = images.shape[1], (images.shape[2], images.shape[3])

        # Build matrices on the CPU, where random numbers are drawn; sending them to the device blocks nothing.
        cpu = replace(random.substream("augment"), device=torch.device("cpu"))
        strengths = Strengths(cpu, probability)

        # Apply all geometric transformations as one matrix, then all colour transformations as one, then the cutout.
        with torch.autocast(images.device.type, enabled=False):
            if geometric := [make(strengths, size) for kind, make in GEOMETRIC.items() if kind in self.kinds]:
                images = resample(images, reduce(torch.matmul, geometric))
            if chromatic := [make(strengths, channels) for kind, make in CHROMATIC.items() if kind in self.kinds]:
                images = recolour(images, reduce(torch.matmul, chromatic))
            if "cutout" in self.kinds:
                images = cut_out(images, *cutout_masks(strengths, size))
        return images


def require_images(images: Tensor, probability: float, random: RandomStream) -> None:
    """Refuse arguments of ``Augment`` that do not fit together.

    Raises:
        SparringError: see ``Augment.__call__``.
    """
    if images.dim() != 4:
        raise SparringError(
            found=f"samples of shape {tuple(images.shape)}",
            expected="images, (batch, channels, height, width)",
            remedy="augment images only",
        )
    if not 0 <= probability <= 1:
        raise SparringError(
            found=f"probability {probability}", expected="a probability from 0 to 1", remedy="give another probability"
        )

    # Slicing a range resolves the open ends that a slice may have.
    rows = len(range(random.total)[random.rows])
    if rows != len(images):
        raise SparringError(
            found=f"{len(images)} images and random numbers for {rows}",
            expected="the same number of both",
            remedy="draw random numbers for these images",
        )


@final
@dataclass(frozen=True)
class Strengths:
    """Random strengths of transformations, (rows, *shape) each, and 0 in rows that are not transformed."""

    random: RandomStream
    probability: float

    def applied(self, stream: str) -> Tensor:
        """Return which rows are transformed, (rows,) bool."""
        return self.random.uniform(f"{stream}/chosen") < self.probability

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Draw standard normal strengths."""
        return self._where_applied(stream, self.random.normal(stream, *shape))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Draw strengths uniform in [-1, 1)."""
        return self._where_applied(stream, 2 * self.random.uniform(stream, *shape) - 1)

    def integers(self, stream: str, high: int) -> Tensor:
        """Draw whole numbers uniform in [0, high), in floating point."""
        return self._where_applied(stream, self.random.integers(stream, high).float())

    def _where_applied(self, stream: str, values: Tensor) -> Tensor:
        return torch.where(self.applied(stream).reshape(-1, *[1] * (values.dim() - 1)), values, 0.0)


def geometry(strengths: Strengths, size: tuple[int, int]) -> Tensor:
    """Return matrices that shift, scale, stretch along the sides and tilt, for ``resample``: (batch, 3, 3)."""
    # The matrices map output to input pixels. Every inverse has the distribution of what it inverts, so this is ADA's.
    sides = torch.tensor(size[::-1])  # (width, height)
    whole = (SHIFT * strengths.uniform("whole-shift", 2) * sides).round()  # (batch, 2)
    scale, stretch = ((SCALE * strengths.normal(stream)).exp() for stream in ("scale", "stretch"))
    linear = rotation(TILT * strengths.uniform("tilt")) @ scaling(scale * stretch, scale / stretch)  # (batch, 2, 2)
    return affine(linear, whole + SHIFT * strengths.normal("shift", 2) * sides)


def flips(strengths: Strengths, size: tuple[int, int]) -> Tensor:
    """Return matrices that mirror left and right, half the time, for ``resample``: (batch, 3, 3)."""
    horizontal = 1 - 2 * strengths.integers("flip", 2)
    return centred(scaling(horizontal, torch.ones_like(horizontal)))


def turns(strengths: Strengths, size: tuple[int, int]) -> Tensor:
    """Return rotations by any angle and, if sides are equal, by quarters, for ``resample``: (batch, 3, 3)."""
    linear = rotation(math.pi * strengths.uniform("turn"))
    if size[0] == size[1]:
        # Rounded, quarter turns map pixels exactly to pixels.
        linear = linear @ rotation(math.pi / 2 * strengths.integers("quarter-turn", 4)).round()
    return centred(linear)


GEOMETRIC = {"geometry": geometry, "flips": flips, "turns": turns}
"""Kind → (strengths, (height, width)) → matrices for ``resample``."""


def colour(strengths: Strengths, channels: int) -> Tensor:
    """Return brightness, contrast, and saturation of 3 channels as matrices for ``recolour``: (batch, c + 1, c + 1)."""
    brightness = BRIGHTNESS * strengths.normal("brightness").unsqueeze(1).expand(-1, channels)  # (batch, channels)
    # Contrast scales all channels about 0, saturation the distance from grey: (batch, channels, channels).
    linear = (CONTRAST * strengths.normal("contrast")).exp()[:, None, None] * torch.eye(channels)
    if channels == 3:
        factors = (SATURATION * strengths.normal("saturation")).exp()
        linear = chroma(torch.zeros_like(factors), factors) @ linear
    return affine(linear, brightness)


def inversion(strengths: Strengths, channels: int) -> Tensor:
    """Return inversions, half the time, of the luma of 1 or 3 channels, for ``recolour``: (batch, c + 1, c + 1)."""
    inverted = strengths.integers("inversion", 2)
    return centred(luma_flip(inverted if channels in (1, 3) else 0 * inverted, channels))


def hue(strengths: Strengths, channels: int) -> Tensor:
    """Return matrices that rotate the hue of 3 channels by any angle, for ``recolour``: (batch, c + 1, c + 1)."""
    angles = math.pi * strengths.uniform("hue")
    identity = torch.eye(channels).expand(len(angles), -1, -1)
    return centred(chroma(angles, torch.ones_like(angles)) if channels == 3 else identity)


CHROMATIC = {"colour": colour, "inversion": inversion, "hue": hue}
"""Kind → (strengths, channels) → matrices for ``recolour``."""


def cutout_masks(strengths: Strengths, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return rows, (batch, height), and columns, (batch, width), of a rectangle around a random point, both bool."""
    centres = strengths.random.uniform("cutout", 2, 1).unbind(1)  # (batch, 1) each, as shares of the sides
    distances = [((torch.arange(side) + 0.5) / side - centre).abs() for side, centre in zip(size, centres, strict=True)]
    applied = strengths.applied("cutout").unsqueeze(1)  # (batch, 1)
    return (distances[0] < CUTOUT / 2) & applied, (distances[1] < CUTOUT / 2) & applied


def affine(linear: Tensor, shift: Tensor) -> Tensor:
    """Return x ↦ linear (x + shift), from (batch, n, n) and (batch, n), as matrices (batch, n + 1, n + 1)."""
    # [[A, A s], [0, 1]], for homogeneous coordinates (x, 1).
    upper = torch.cat([linear, linear @ shift.unsqueeze(2)], dim=2)
    last = torch.eye(upper.shape[2])[-1:].to(upper).expand(len(upper), -1, -1)
    return torch.cat([upper, last], dim=1)


def centred(linear: Tensor) -> Tensor:
    """Return x ↦ linear x in the form of ``affine``."""
    return affine(linear, linear.new_zeros(linear.shape[:2]))


def scaling(horizontal: Tensor, vertical: Tensor) -> Tensor:
    """Return matrices that scale by factors, (batch,) each: (batch, 2, 2)."""
    return torch.diag_embed(torch.stack([horizontal, vertical], dim=1))


def rotation(angles: Tensor) -> Tensor:
    """Return rotations by angles in radians, (batch,), from rightwards to downwards: (batch, 2, 2)."""
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([cosines, -sines, sines, cosines], dim=1).reshape(-1, 2, 2)


def luma_flip(flips: Tensor, channels: int) -> Tensor:
    """Return reflections of the channels' mean at 0 where ``flips``, (batch,), is 1: (batch, channels, channels)."""
    # Householder reflection I − 2uuᵀ with u = (1, …, 1) / √channels.
    return torch.eye(channels) - 2 * flips[:, None, None] / channels


def chroma(angles: Tensor, factors: Tensor) -> Tensor:
    """Return matrices that rotate colours about the grey axis and scale their distance from it: (batch, 3, 3).

    Rodrigues' formula, R = uuᵀ + cos θ (I - uuᵀ) + sin θ [u]ₓ with u = (1, 1, 1) / √3, and a factor on the last two.

    Args:
        angles: in radians, (batch,).
        factors: (batch,); 0 makes everything grey.
    """
    grey = torch.full((3, 3), 1 / 3)  # u uᵀ
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)  # [u]ₓ
    cosines, sines = (factors * angles.cos())[:, None, None], (factors * angles.sin())[:, None, None]
    return grey + cosines * (torch.eye(3) - grey) + sines * cross


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """Return for each pixel the bilinear colour at the position that its matrix maps it to.

    Images are mirrored beyond their outermost pixels. Positions are (rightwards, downwards) from the centre, in pixels,
    and a matrix that maps pixels to pixels is exact. Uses ``gather``, since ``grid_sample`` has no second derivative.

    Args:
        images: (batch, channels, height, width).
        matrices: (batch, 3, 3), on the CPU or on the device of ``images``.
    """
    # Map every pixel of the output to a position in the input: (batch, height, width) each.
    channels, height, width = images.shape[1:]
    across, down = (torch.arange(side, device=images.device) - (side - 1) / 2 for side in (width, height))
    rows = matrices[:, :2, :, None, None].to(images.device, non_blocking=True).unbind(1)
    x, y = (row[:, 0] * across + (row[:, 1] * down[:, None] + row[:, 2]) for row in rows)

    # Find the pixel at the upper left of each position, and gather it with its three neighbours.
    (left, x_fraction), (top, y_fraction) = pixel_before(x, width), pixel_before(y, height)
    right, below = min(width - 1, 1), width * min(height - 1, 1)
    corner = (top * width + left).flatten(1)  # (batch, height · width)
    # In the order upper left, lower left, upper right, lower right: (batch, 4, height · width).
    corners = torch.stack([corner, corner + below, corner + right, corner + below + right], dim=1)
    # (batch, channels, 4 · height · width)
    pixels = images.flatten(2).gather(2, corners.flatten(1).unsqueeze(1).expand(-1, channels, -1))

    # Interpolate horizontally, then vertically.
    lefts, rights = pixels.unflatten(2, (2, 2, height, width)).unbind(2)  # (batch, channels, 2, height, width) each
    upper, lower = torch.lerp(lefts, rights, x_fraction[:, None, None].to(images.dtype)).unbind(2)
    return torch.lerp(upper, lower, y_fraction[:, None].to(images.dtype))


def pixel_before(positions: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the pixel before each position on a line of pixels, never the last one, and the distance, in [0, 1].

    Positions count from the centre of the line, and are mirrored at its ends.
    """
    last = side - 1
    # A triangle wave of period 2 · last.
    mirrored = (last - ((positions + last / 2).remainder(max(2 * last, 1)) - last).abs()).clamp(0, last)
    pixel = mirrored.floor().clamp(max=max(last - 1, 0))
    return pixel.long(), mirrored - pixel


def recolour(images: Tensor, matrices: Tensor) -> Tensor:
    """Multiply the colour of each pixel by the matrix of its image, (batch, channels + 1, channels + 1)."""
    upper = matrices[:, :-1].to(images.dtype).to(images.device, non_blocking=True)  # (batch, channels, channels + 1)
    # A x + b for all pixels of an image at once: (batch, channels, height · width).
    return torch.baddbmm(upper[:, :, -1:], upper[:, :, :-1], images.flatten(2)).reshape(images.shape)


def cut_out(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Set to 0 the pixels in both the rows, (batch, height), and the columns, (batch, width), each bool."""
    rows, columns = (mask.to(images.device, non_blocking=True) for mask in (rows, columns))
    # (batch, 1, height, 1) and (batch, 1, 1, width) → (batch, 1, height, width)
    return images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0.0)
