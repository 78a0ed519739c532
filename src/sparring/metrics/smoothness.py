"""How evenly samples change with the noise they are made from."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError

CHUNK = 256
LOWEST, HIGHEST = 0.01, 0.99
"""The quantiles between which values are kept."""
SMALLEST_SINE = 1e-8
TINY = 1e-30

Latent: TypeAlias = Float[Tensor, "count size"]


def perceptual_path_length(
    generate: Callable[[Tensor, slice], Tensor],
    extractor: Callable[[Tensor], Tensor],
    latent: tuple[Latent, Latent],
    positions: Float[Tensor, " count"],
    *,
    step: float = 1e-4,
    spherical: bool,
) -> float:
    """E d(G(z(t)), G(z(t + ε))) / ε² between pairs of noise (Karras et al. 2019, StyleGAN, section 4.1).

    At least 0, lower is smoother. d is the squared Euclidean distance of features, in float64; values below the 1st
    or above the 99th percentile are left out of the mean, as in the paper's code. What is generated goes to the
    extractor as it is, never rounded to 8 bits: over a step of 1e-4 most pixels would not move at all, the others by
    a whole level, and the value would be that of the rounding. Values of other extractors, steps or
    interpolations do not compare.

    Args:
        generate: noise (some, size), and which of the paths it is on → samples; must give the same for the same.
        extractor: samples → features (some, features).
        noise: the two ends of each path.
        positions: t of each path: uniform in [0, 1] for whole paths, zeros for their ends.
        step: ε.
        spherical: along great circles, for normal noise; else along straight lines. See ``interpolated``.

    Raises:
        SparringError: no pairs, ends or positions that do not match, a step that is not positive, or features that
            are not finite.
    """
    first, second = latent
    _check(first, second, positions, step)
    where = positions.to(first.device, torch.float64).reshape(-1, 1)

    def features(rows: slice, shift: float) -> Tensor:
        points = interpolated(first[rows], second[rows], where[rows] + shift, spherical=spherical)
        return extractor(generate(points, rows)).double().flatten(1)

    chunks = [slice(start, start + CHUNK) for start in range(0, len(first), CHUNK)]
    with torch.no_grad():
        squared = [(features(rows, step) - features(rows, 0.0)).square().sum(1) for rows in chunks]
    return _trimmed_mean(torch.cat(squared) / step**2)


def interpolated(first: Latent, second: Latent, position: float | Tensor, *, spherical: bool) -> Latent:
    """The point at ``position`` of the path from ``first`` to ``second``: the ends, exactly, at 0 and 1.

    Straight: (1 − t)·first + t·second. Spherical: the direction turns evenly along the great circle (Shoemake 1985)
    while the length changes linearly, so that normal noise keeps the length it is used to. StyleGAN's code, whose
    generator divides by the length, has the same directions at length 1.
    Opposite vectors have no shortest arc: between them the path is straight.

    Args:
        position: t, one number or (count, 1); may lie beyond [0, 1].
        spherical: which of the two.

    Returns:
        (count, size), of the type of ``first``; computed in float64.
    """
    start, end = first.double(), second.double()
    after = torch.as_tensor(position, dtype=torch.float64, device=first.device)
    before: Tensor = 1 - after
    if not spherical:
        return (before * start + after * end).to(first.dtype)
    start_length, end_length = _length(start), _length(end)
    angle = _angle(start / start_length, end / end_length)
    length = before * start_length + after * end_length
    start_share = _share(angle, before) * (length / start_length)
    end_share = _share(angle, after) * (length / end_length)
    between: Tensor = start_share * start + end_share * end
    return between.to(first.dtype)


def _length(vectors: Tensor) -> Float[Tensor, "count 1"]:
    length: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return length.clamp(min=TINY)


def _angle(first: Tensor, second: Tensor) -> Float[Tensor, "count 1"]:
    """Between unit vectors, in [0, π]: unlike the arc cosine, exact for small angles too."""
    angle: Tensor = 2 * torch.atan2(_length(first - second), _length(first + second))
    return angle


def _share(angle: Tensor, part: Tensor) -> Tensor:
    """sin(part·angle) / sin(angle), and its limit where the vectors are parallel."""
    sine = angle.sin()
    return torch.where(sine > SMALLEST_SINE, (part * angle).sin() / sine.clamp(min=SMALLEST_SINE), part)


def _trimmed_mean(values: Float[Tensor, " count"]) -> float:
    if not values.isfinite().all():
        raise SparringError(
            found="features that are not finite",
            expected="finite ones all along the paths",
            remedy="look at the samples: a run that has diverged generates such ones",
        )
    low, high = values.quantile(LOWEST, interpolation="lower"), values.quantile(HIGHEST, interpolation="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def _check(first: Tensor, second: Tensor, positions: Tensor, step: float) -> None:
    if first.dim() != 2 or first.shape != second.shape or positions.numel() != len(first) or len(first) == 0:
        raise SparringError(
            found=f"ends of shapes {tuple(first.shape)} and {tuple(second.shape)} and {positions.numel()} positions",
            expected="ends of one shape (count, size), and a position for each pair",
            remedy="draw equally many of each, at least one",
        )
    if not step > 0:
        raise SparringError(found=f"a step of {step}", expected="more than 0", remedy="1e-4 is usual")
