"""Metrics of pairs: generated samples against the true samples of their conditions, or against their inputs.

Every function raises SparringError for different shapes, and for no samples. With a mask, (count, 1, height, width) of
0 and 1, only places at which it is 1 count.
"""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from sparring.errors import SparringError

Samples: TypeAlias = Float[Tensor, "count ..."]
Mask: TypeAlias = Float[Tensor, "count 1 height width"] | None
SIGMA, RADIUS = 1.5, 5
"""Standard deviation and radius of SSIM's window in pixels (Wang et al. 2004, section III.B)."""
K1, K2 = 0.01, 0.03
"""SSIM's constants (the same section)."""
UNCHANGED = 2.5 / 255
"""Difference up to which a value counts as unchanged, as a share of the range: two steps of a byte, and rounding."""
MAX_PSNR_RATIO = 1e10
"""Ratio of signal to squared error at which PSNR is capped: 100 dB."""


def l1(fake: Samples, true: Samples, mask: Mask = None) -> float:
    """Return the mean absolute difference, in the units of the samples."""
    _check(fake, true)
    return float(mean_in((fake.double() - true.double()).abs(), mask).mean())


def mean_in(values: Samples, mask: Mask) -> Float[Tensor, " count"]:
    """Return the mean of the values of each sample; 0 for one whose mask is empty."""
    if mask is None:
        return values.flatten(1).mean(1)
    share = mask.to(values).expand_as(values)
    return (values * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp(min=1e-6)


def feature_distance(fake: Float[Tensor, "count features"], other: Float[Tensor, "count features"]) -> float:
    """Return the mean Euclidean distance between the features of samples and of their counterparts.

    It is 0 only for equal features and grows in proportion to the change of features in any one direction. The cosine
    of two feature vectors does not: it ignores their lengths, and depends on where the features have their origin.
    """
    _check(fake, other)
    return float((fake.double() - other.double()).norm(dim=1).mean())


def unchanged(
    fake: Float[Tensor, "count channels ..."], given: Float[Tensor, "count channels ..."], bounds: tuple[float, float]
) -> float:
    """Return the share of positions at which no channel differs by more than two steps of a byte, in [0, 1].

    Args:
        fake: generated samples.
        given: the samples that they were generated from.
        bounds: least and greatest value that a sample can have.
    """
    _check(fake, given)
    difference = (fake.double() - given.double()).abs() / (bounds[1] - bounds[0])
    return float((difference <= UNCHANGED).all(1).double().mean())


def psnr(fake: Samples, true: Samples, bounds: tuple[float, float], mask: Mask = None) -> float:
    """Return the peak signal-to-noise ratio 10 log₁₀(range² / squared error), the mean over samples, in dB.

    Higher is better; an exact sample counts as 100 dB.

    Args:
        fake: generated samples.
        true: true samples.
        bounds: least and greatest value that a sample can have.
        mask: where they are compared, by default everywhere.
    """
    _check(fake, true)
    error = mean_in((fake.double() - true.double()).square(), mask)
    signal = (bounds[1] - bounds[0]) ** 2
    return float((10 * torch.log10(signal / error.clamp(min=signal / MAX_PSNR_RATIO))).mean())


def ssim(
    fake: Float[Tensor, "count channels height width"],
    true: Float[Tensor, "count channels height width"],
    bounds: tuple[float, float],
    mask: Mask = None,
) -> float:
    """Return the structural similarity in [-1, 1], the mean over windows, channels and images; higher is better.

    Windows are Gaussian, 11 × 11 pixels or the largest odd size that fits, and lie within the image. With a mask each
    counts by the share of it that is masked.

    Args:
        fake: generated images.
        true: true images.
        bounds: least and greatest value that a pixel can have.
        mask: where they are compared, by default everywhere.
    """
    _check(fake, true)
    window = _window(min(RADIUS, (min(fake.shape[2:]) - 1) // 2))

    def local_mean(values: Tensor) -> Tensor:
        means: Tensor = conv2d(values.flatten(0, 1)[:, None], window).unflatten(0, values.shape[:2]).squeeze(2)
        return means

    # Means, variances and covariance of each window, (count, channels, down, across) (Wang et al. 2004, eqs. 14-16).
    x, y = fake.double(), true.double()
    mean_x, mean_y = local_mean(x), local_mean(y)
    variance_x, variance_y = local_mean(x * x) - mean_x**2, local_mean(y * y) - mean_y**2
    covariance = local_mean(x * y) - mean_x * mean_y

    # SSIM of each window (eq. 13), and the mean over all windows (eq. 17).
    extent = bounds[1] - bounds[0]
    c1, c2 = (K1 * extent) ** 2, (K2 * extent) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity = similar / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
    return float(mean_in(similarity, None if mask is None else local_mean(mask.double())).mean())


def _window(radius: int) -> Float[Tensor, "1 1 side side"]:
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    line = (-(offsets**2) / (2 * SIGMA**2)).exp()
    return (line[:, None] * line[None] / line.sum() ** 2)[None, None]


def _check(fake: Tensor, true: Tensor) -> None:
    if fake.shape != true.shape or len(fake) == 0:
        raise SparringError(
            found=f"samples of shape {tuple(fake.shape)} and true ones of shape {tuple(true.shape)}",
            expected="one shape, and as many of each",
            remedy="resize or select them so that they match",
        )
