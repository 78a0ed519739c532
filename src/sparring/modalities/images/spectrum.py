"""What waves images are made of: upsampling by transposed convolutions leaves its mark in the shortest ones."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError

ROUNDING = (2 / 255) ** 2 / 12
"""Power at every frequency of the error that rounding to 8 bits makes."""
VALUES = 1024 * 1024
"""That are transformed at a time: 16 MiB of complex numbers."""

Images: TypeAlias = Float[Tensor, "count channels height width"]


def radial_spectrum(samples: Images) -> Float[Tensor, "count bins"]:
    """log₁₀ of the power at each spatial frequency, averaged over all directions (Durall et al. 2020, section 3).

    In decades, float64. |F|²/(height·width), so that white noise of standard deviation s lies at log₁₀ s² at any size,
    averaged over channels. Bin k has the frequencies of k waves along the shorter side, rounded to the nearest, for k
    from 0 to half of that side; the last one has all higher ones too, in the corners of the spectrum, where a
    checkerboard of single pixels lies. Before the logarithm the power of rounding to 8 bits, (2/255)²/12, is added:
    blank images are finite, and differences that no file could hold do not count.

    Args:
        samples: images in [-1, 1].

    Raises:
        SparringError: not images, no images, or values that are not finite.
    """
    _check(samples)
    radii = _radii(*samples.shape[2:]).flatten().to(samples.device)
    sizes = radii.bincount()
    some = max(1, VALUES // samples.shape[1:].numel())
    found = []
    for part in torch.split(samples.detach(), some):
        power = torch.fft.fft2(part.double(), norm="ortho").abs().square().mean(1).flatten(1)
        sums = power.new_zeros(len(part), len(sizes)).index_add_(1, radii, power)
        found.append((sums / sizes + ROUNDING).log10())
    return torch.cat(found)


def spectrum_distance(real: Images, fake: Images) -> float:
    """Root mean square difference of the mean ``radial_spectrum``, in decades; at least 0, lower is better.

    Over all bins but that of the mean brightness. One decade is 10 dB: a tenth or ten times of the power.

    Args:
        real: images in [-1, 1].
        fake: any number of the same shape.

    Raises:
        SparringError: images of different shapes, of less than two pixels a side, or as ``radial_spectrum``.
    """
    if real.shape[1:] != fake.shape[1:] or min(real.shape[2:], default=0) < 2:
        raise SparringError(
            found=f"images of shapes {tuple(real.shape[1:])} and {tuple(fake.shape[1:])}",
            expected="the same, at least 2 × 2",
            remedy="bring both to one size",
        )
    difference = radial_spectrum(real).mean(0) - radial_spectrum(fake).mean(0)
    return float(difference[1:].square().mean().sqrt())


def _radii(height: int, width: int) -> Tensor:
    """The bin of each frequency of a discrete Fourier transform, (height, width)."""
    down, across = (torch.fft.fftfreq(side, dtype=torch.float64) for side in (height, width))
    shorter = min(height, width)
    return (torch.hypot(down[:, None], across) * shorter).round().long().clamp(max=shorter // 2)


def _check(samples: Tensor) -> None:
    if samples.dim() != 4 or 0 in samples.shape:
        raise SparringError(
            found=f"samples of shape {tuple(samples.shape)}",
            expected="images (count, channels, height, width)",
            remedy="give at least one image",
        )
    if not samples.isfinite().all():
        raise SparringError(
            found="values that are not finite",
            expected="images in [-1, 1]",
            remedy="look at the samples: a run that has diverged generates such ones",
        )
