"""Samples beside those that really belonged to their conditions: pairs, not distributions."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from sparring.errors import SparringError

SIGMA, REACH = 1.5, 5
"""Standard deviation of SSIM's window, and how far it reaches to each side (Wang et al. 2004, section III.B)."""
Samples: TypeAlias = Float[Tensor, "count ..."]
FIRST_CONSTANT, SECOND_CONSTANT = 0.01, 0.03
"""K₁ and K₂ there."""


def l1(fake: Samples, true: Samples) -> float:
    """Mean absolute difference, in the units of the samples.

    Raises:
        SparringError: other shapes, or none at all.
    """
    _check(fake, true)
    return float((fake.double() - true.double()).abs().mean())


def psnr(fake: Samples, true: Samples, bounds: tuple[float, float]) -> float:
    """Peak signal-to-noise ratio in dB, 10 log₁₀(range² / squared error), the mean over samples; more is better.

    A sample that is exactly right counts as 100 dB.

    Args:
        fake: generated samples.
        true: the right ones.
        bounds: least and greatest value that a sample can have.

    Raises:
        SparringError: other shapes, or none at all.
    """
    _check(fake, true)
    error = (fake.double() - true.double()).flatten(1).square().mean(1)
    signal = (bounds[1] - bounds[0]) ** 2
    return float((10 * torch.log10(signal / error.clamp(min=signal * 1e-10))).mean())


def ssim(
    fake: Float[Tensor, "count channels height width"],
    true: Float[Tensor, "count channels height width"],
    bounds: tuple[float, float],
) -> float:
    """Structural similarity in [-1, 1], the mean over windows, channels and images (Wang et al. 2004, eq. 13).

    Windows are Gaussian, of 11 × 11 pixels or of the largest odd size that fits, and lie within the image.

    Args:
        fake: generated images.
        true: the right ones.
        bounds: least and greatest value that a pixel can have.

    Raises:
        SparringError: other shapes, or none at all.
    """
    _check(fake, true)
    window = _window(min(REACH, (min(fake.shape[2:]) - 1) // 2))

    def blurred(values: Tensor) -> Tensor:
        return conv2d(values.flatten(0, 1)[:, None], window)

    x, y = fake.double(), true.double()
    mean_x, mean_y = blurred(x), blurred(y)
    variance_x, variance_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    extent = bounds[1] - bounds[0]
    c1, c2 = (FIRST_CONSTANT * extent) ** 2, (SECOND_CONSTANT * extent) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((similar / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))).mean())


def _window(reach: int) -> Float[Tensor, "1 1 side side"]:
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    line = (-(places**2) / (2 * SIGMA**2)).exp()
    return (line[:, None] * line[None] / line.sum() ** 2)[None, None]


def _check(fake: Tensor, true: Tensor) -> None:
    if fake.shape != true.shape or len(fake) == 0:
        raise SparringError(
            found=f"samples of shape {tuple(fake.shape)} and right ones of shape {tuple(true.shape)}",
            expected="as many of each, of one shape",
            remedy="bring them to one size",
        )
