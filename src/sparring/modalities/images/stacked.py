"""Mode coverage on stacked digits: how many of the 1,000 combinations of three digits, one per channel, occur."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.special import xlogy

from sparring.errors import SparringError

MODES = 1000
"""Number of modes: the numbers 0 to 999 that three digits form."""
SUM_TOLERANCE = 1e-3
"""Largest difference between 1 and the sum of probabilities."""


class StackedModes(NamedTuple):
    """Number of modes that occur, of 1,000, and KL(generated ‖ real) over modes in nats, at least 0."""

    modes: int
    kl: float


def stacked_modes(digits: Int[Tensor, "count 3"], real: Float[Tensor, " 1000"] | None = None) -> StackedModes:
    """Count the modes of stacked digits (Metz et al. 2017, section 3.3; Lin et al. 2018, PacGAN, section 4.2).

    Both results depend on the number of samples (26,000 in PacGAN): for N samples of a perfect generator, with equally
    likely modes, the divergence is about 999/2N for large N, and 1000·e^(−N/1000) modes are missing.

    Args:
        digits: the digit, 0 to 9, in each channel of each sample; the mode is the number they form, 0 to 999.
        real: probability of each mode in the data; None for 1/1000 each. Where it is 0 for a mode that was generated,
            the divergence is infinite.

    Raises:
        SparringError: no samples, not three digits each, or ``real`` is not 1,000 probabilities.
    """
    if digits.dim() != 2 or digits.shape[1] != 3 or len(digits) == 0 or not ((digits >= 0) & (digits <= 9)).all():
        raise SparringError(
            found=f"digits of shape {tuple(digits.shape)}, or not all from 0 to 9",
            expected="three digits of each sample, (count, 3), of at least one sample",
            remedy="classify each channel with a classifier of ten digits; see digits_of",
        )
    expected = torch.full((MODES,), 1 / MODES, dtype=torch.float64) if real is None else _probabilities(real)
    modes = digits.cpu().long() @ torch.tensor([100, 10, 1])  # (count,), from 0 to 999
    counts = modes.bincount(minlength=MODES)
    shares = counts.double() / len(digits)
    occurring = counts > 0

    # KL(p ‖ q) = Σ p ln(p / q); modes that do not occur add 0.
    divergence = xlogy(shares[occurring], shares[occurring] / expected[occurring]).sum()
    return StackedModes(modes=int(occurring.sum()), kl=max(float(divergence), 0.0))


def digits_of(
    samples: Float[Tensor, "count 3 height width"], predict: Callable[[Tensor], Tensor]
) -> Int[Tensor, "count 3"]:
    """Return the digit in each channel of each sample.

    Args:
        samples: stacked digits in [-1, 1].
        predict: classifier of single digits, (count, 1, height, width) → 0 to 9, (count,).

    Raises:
        SparringError: not images of three channels.
    """
    if samples.dim() != 4 or samples.shape[1] != 3:
        raise SparringError(
            found=f"samples of shape {tuple(samples.shape)}",
            expected="images of three channels, (count, 3, height, width)",
            remedy="give stacked digits",
        )
    return torch.stack([predict(samples[:, channel : channel + 1]) for channel in range(3)], 1)


def _probabilities(real: Tensor) -> Tensor:
    """Return the probabilities on the CPU in float64, or refuse them."""
    shares = real.detach().cpu().double()
    if shares.shape != (MODES,) or not (shares >= 0).all() or not abs(float(shares.sum()) - 1) <= SUM_TOLERANCE:
        raise SparringError(
            found=f"values of shape {tuple(shares.shape)} that are not {MODES} probabilities",
            expected=f"({MODES},), finite and not negative, with the sum 1",
            remedy="divide the counts of the real modes by their sum",
        )
    return shares
