"""Perceptual path length: how evenly samples change with their latents."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError

CHUNK = 256
"""Paths that are computed at once."""
QUANTILES = (0.01, 0.99)
"""Quantiles beyond which values are left out of the mean."""
MIN_SINE = 1e-8
MIN_LENGTH = 1e-30

Latent: TypeAlias = Float[Tensor, "count size"]


def perceptual_path_length(
    generate: Callable[[Tensor, slice], Tensor],
    extractor: Callable[[Tensor], Tensor],
    ends: tuple[Latent, Latent],
    positions: Float[Tensor, " count"],
    *,
    step: float = 1e-4,
    spherical: bool,
) -> float:
    """Return E d(G(z(t)), G(z(t + ε))) / ε² along paths between latents (Karras et al. 2019, section 4.1).

    At least 0, lower is smoother. d is the squared Euclidean distance of features, in float64; values beyond the 1st
    and 99th percentile are left out, as in the paper's code. Samples go to the extractor without rounding to 8 bits:
    over a step of 1e-4 most pixels would not move at all, and the others by a whole level. Values of other extractors,
    steps or interpolations do not compare.

    Args:
        generate: (latents, rows of the paths that they are on) → samples; deterministic.
        extractor: samples → features, (count, features).
        ends: the two ends of each path.
        positions: t of each path: uniform in [0, 1] for whole paths, zeros for their ends.
        step: ε.
        spherical: along great circles, for normal latents; else along straight lines. See ``interpolated``.

    Raises:
        SparringError: no paths, ends or positions that do not match, a step that is not positive, or features that
            are not finite.
    """
    first, second = ends
    _check(first, second, positions, step)
    where = positions.to(first.device, torch.float64).reshape(-1, 1)  # (count, 1)

    def features(rows: slice, shift: float) -> Tensor:
        points = interpolated(first[rows], second[rows], where[rows] + shift, spherical=spherical)
        return extractor(generate(points, rows)).double().flatten(1)

    chunks = [slice(start, start + CHUNK) for start in range(0, len(first), CHUNK)]
    with torch.no_grad():
        squared = [(features(rows, step) - features(rows, 0.0)).square().sum(1) for rows in chunks]
    return _trimmed_mean(torch.cat(squared) / step**2)


def interpolated(first: Latent, second: Latent, position: float | Tensor, *, spherical: bool) -> Latent:
    """Return the point at ``position`` of the path from ``first`` to ``second``: exactly the ends at 0 and 1.

    Straight: (1 − t)·first + t·second. Spherical: the direction moves evenly along the great circle (Shoemake 1985)
    while the length changes linearly, so that normal latents keep their typical length. StyleGAN's code, whose
    generator divides by the length, has the same directions at length 1. Between opposite vectors there is no shortest
    arc, and the path is straight.

    Args:
        first: where the path starts.
        second: where it ends.
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

    # Direction: (sin((1 − t)ω) u + sin(tω) v) / sin ω for unit vectors u, v at the angle ω (Shoemake 1985).
    start_length, end_length = _length(start), _length(end)
    angle = _angle(start / start_length, end / end_length)
    length = before * start_length + after * end_length
    start_weight = _weight(angle, before) * (length / start_length)
    end_weight = _weight(angle, after) * (length / end_length)
    between: Tensor = start_weight * start + end_weight * end
    return between.to(first.dtype)


def _length(vectors: Tensor) -> Float[Tensor, "count 1"]:
    length: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return length.clamp(min=MIN_LENGTH)


def _angle(first: Tensor, second: Tensor) -> Float[Tensor, "count 1"]:
    """Return the angle between unit vectors, in [0, π]: unlike the arc cosine, exact for small angles too."""
    angle: Tensor = 2 * torch.atan2(_length(first - second), _length(first + second))
    return angle


def _weight(angle: Tensor, part: Tensor) -> Tensor:
    """Return sin(part·angle) / sin(angle), and its limit where the vectors are parallel."""
    sine = angle.sin()
    return torch.where(sine > MIN_SINE, (part * angle).sin() / sine.clamp(min=MIN_SINE), part)


def _trimmed_mean(values: Float[Tensor, " count"]) -> float:
    if not values.isfinite().all():
        raise SparringError(
            found="features that are not finite",
            expected="finite ones all along the paths",
            remedy="inspect the samples: a diverged model generates such values",
        )
    lowest, highest = QUANTILES
    low, high = values.quantile(lowest, interpolation="lower"), values.quantile(highest, interpolation="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def _check(first: Tensor, second: Tensor, positions: Tensor, step: float) -> None:
    if first.dim() != 2 or first.shape != second.shape or positions.numel() != len(first) or len(first) == 0:
        raise SparringError(
            found=f"ends of shapes {tuple(first.shape)} and {tuple(second.shape)} and {positions.numel()} positions",
            expected="ends of one shape (count, size), and a position for each path",
            remedy="give equally many of each, at least one",
        )
    if not step > 0:
        raise SparringError(found=f"a step of {step}", expected="more than 0", remedy="1e-4 is usual")
