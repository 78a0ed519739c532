"""Power spectra of images: upsampling leaves artefacts at high frequencies, as gaps and as regular patterns."""

from collections.abc import Iterator
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError

ROUNDING_POWER = (2 / 255) ** 2 / 12
"""Power at every frequency of the error of rounding to 8 bits."""
CHUNK_VALUES = 1024 * 1024
"""Values that are transformed at a time: 16 MiB of complex numbers."""
MIN_WAVES = 3
"""Waves along a side from which on a frequency is searched for a peak; lower ones are the shapes in an image."""
PEAK_RADIUS, RING_RADIUS = 2, 4
"""Frequencies from a peak that may belong to it, and those up to which it is compared, in waves along each side."""

Images: TypeAlias = Float[Tensor, "count channels height width"]


def radial_spectrum(samples: Images) -> Float[Tensor, "count bins"]:
    """Return log₁₀ of the power at each spatial frequency, averaged over directions (Durall et al. 2020, section 3).

    In decades, float64. The power is |F|²/(height·width), averaged over channels, so that white noise of standard
    deviation s lies at log₁₀ s² at any size. Bin k holds the frequencies of k waves along the shorter side, rounded to
    the nearest, for k from 0 to half of that side. The last bin holds all higher ones too, those in the corners of the
    spectrum, where a checkerboard of single pixels lies. Before the logarithm the power of rounding to 8 bits,
    (2/255)²/12, is added: blank images stay finite, and differences that no file could hold do not count.

    Args:
        samples: images in [-1, 1].

    Raises:
        SparringError: not images, no images, or values that are not finite.
    """
    _check(samples)
    bins = _bins(*samples.shape[2:]).flatten().to(samples.device)  # (height · width,)
    sizes = bins.bincount()
    spectra = []
    for power in _powers(samples):
        sums = power.new_zeros(len(power), len(sizes)).index_add_(1, bins, power.flatten(1))  # (images, bins)
        spectra.append((sums / sizes + ROUNDING_POWER).log10())
    return torch.cat(spectra)


def spectrum_distance(real: Images, fake: Images) -> float:
    """Return the root mean square difference of mean radial spectra, in decades; at least 0, lower is better.

    Over all bins but that of the mean brightness. One decade is 10 dB: a tenth or ten times of the power.

    Args:
        real: images in [-1, 1].
        fake: any number of images of the same shape.

    Raises:
        SparringError: images of different shapes, of less than two pixels a side, or as for ``radial_spectrum``.
    """
    if real.shape[1:] != fake.shape[1:] or min(real.shape[2:], default=0) < 2:
        raise SparringError(
            found=f"images of shapes {tuple(real.shape[1:])} and {tuple(fake.shape[1:])}",
            expected="the same, at least 2 × 2",
            remedy="resize both to one size",
        )
    difference = radial_spectrum(real).mean(0) - radial_spectrum(fake).mean(0)  # (bins,)
    return float(difference[1:].square().mean().sqrt())


def narrow_peak(real: Images, fake: Images) -> tuple[float, float]:
    """Return the height of the narrowest peak of ``fake`` over the frequencies around it, and over ``real`` there.

    A regular pattern such as a grid or a checkerboard is one frequency, in any direction, at which generated images
    have more power than real ones, while they do not at the frequencies around it. In decades. Where no frequency has
    ``MIN_WAVES`` waves along a side, both are 0.

    Args:
        real: images in [-1, 1].
        fake: any number of images of the same shape.
    """
    # Fake to real at each frequency. Means of logarithms, so that the few images with a strong pattern do not count.
    fake_power, real_power = (_mean_log_power(samples) for samples in (fake, real))
    ratio = fake_power - real_power  # (height, width)

    # The median of the frequencies around each; the spectrum is periodic.
    steps = range(-RING_RADIUS, RING_RADIUS + 1)
    ring = [(down, across) for down in steps for across in steps if max(abs(down), abs(across)) > PEAK_RADIUS]
    height = ratio - torch.stack([ratio.roll(shift, (0, 1)) for shift in ring]).median(0).values

    # The highest of the frequencies that are fine detail.
    waves = [torch.fft.fftfreq(side, 1 / side, device=ratio.device).abs() for side in ratio.shape]
    fine = torch.maximum(waves[0][:, None], waves[1]) >= MIN_WAVES
    if not fine.any():
        return 0.0, 0.0
    place = height[fine].argmax()
    return float(height[fine][place]), float(ratio[fine][place])


def _mean_log_power(samples: Images) -> Tensor:
    """Return the mean over images of log₁₀ of the power of each, (height, width).

    Images fade to their mean by a Hann window: a difference between opposite edges would have power at all frequencies
    along that side.
    """
    down, across = (torch.hann_window(side, device=samples.device) for side in samples.shape[2:])
    faded = (samples - samples.mean((2, 3), keepdim=True)) * down[:, None] * across
    return torch.cat([(power + ROUNDING_POWER).log10() for power in _powers(faded)]).mean(0)


def _powers(samples: Images) -> Iterator[Tensor]:
    """Yield |F|²/(height·width) of some images after the other, averaged over channels: (images, height, width)."""
    for chunk in torch.split(samples.detach(), max(1, CHUNK_VALUES // samples.shape[1:].numel())):
        yield torch.fft.fft2(chunk.double(), norm="ortho").abs().square().mean(1)


def _bins(height: int, width: int) -> Tensor:
    """Return the bin of each frequency of a discrete Fourier transform, (height, width)."""
    vertical, horizontal = (torch.fft.fftfreq(side, dtype=torch.float64) for side in (height, width))
    shorter = min(height, width)
    # Cycles per pixel times the shorter side are waves along that side.
    return (torch.hypot(vertical[:, None], horizontal) * shorter).round().long().clamp(max=shorter // 2)


def _check(samples: Tensor) -> None:
    if samples.dim() != 4 or 0 in samples.shape:
        raise SparringError(
            found=f"samples of shape {tuple(samples.shape)}",
            expected="images (count, channels, height, width)",
            remedy="give at least one image",
        )
    require_finite(samples)


def require_finite(*images: Tensor) -> None:
    """Refuse values that are not finite.

    Raises:
        SparringError: there are some.
    """
    if not all(part.isfinite().all() for part in images):
        raise SparringError(
            found="values that are not finite",
            expected="images in [-1, 1]",
            remedy="check the samples: a run that has diverged generates such values",
        )
