"""How far apart two sets of features are: pure functions, float64 inside.

Features are (count, features), of any extractor; ``real`` is what is imitated, ``fake`` the imitation. A
metric is an extractor followed by one of these functions.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from sparring.errors import SparringError

Features: TypeAlias = Float[Tensor, "_ _"]

CHUNK = 1024
BLOCK = 16 * 1024 * 1024
"""Distances at a time: 128 MiB."""
NEIGHBOURS = 5
SMALLEST_PIVOT = 1e-6
"""Of a Cholesky factor, relative to its largest."""


class PRDC(NamedTuple):
    """Precision, recall, coverage in [0, 1] and density ≥ 0 (1 where both sets are alike); more is better."""

    precision: float
    recall: float
    density: float
    coverage: float


def frechet(real: Features, fake: Features) -> float:
    """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), covariances with ddof 1 (Heusel et al. 2017, eq. 6).

    At least 0, lower is better. With X and Y the centred features, divided by √(N−1) and √(M−1), Σ₁ = XᵀX, Σ₂ = YᵀY
    and tr(Σ₁Σ₂)^½ = ‖XYᵀ‖_*, the sum of singular values. That is exact for singular covariances too (fewer samples
    than features, constant features), where square roots of matrices fail, and it takes no square of a condition
    number. Where both covariances are well away from singular, tr(Σ₁Σ₂)^½ = Σ √λ(LᵀΣ₂L) with Σ₁ = LLᵀ gives the same
    in half the time.

    Raises:
        SparringError: fewer than two samples, values that are not finite, or different numbers of features.
    """
    check(real, fake, at_least=2)
    (real, centre), (fake, other) = _deviations(real), _deviations(fake)
    spreads = (centre - other).square().sum() + real.norm().square() + fake.norm().square()
    overlap = _overlap_by_roots(real, fake)
    if overlap is None:
        overlap = torch.linalg.svdvals(_triangle(real) @ _triangle(fake).T).sum()
    return max(float(spreads - 2 * overlap), 0.0)


def frechet_at_infinity(real: Features, fake: Features, *, generator: Generator, sizes: int = 6) -> float:
    """``frechet`` extrapolated to infinitely many samples: FD_N = FD_∞ + c/N (Chong & Forsyth 2020, section 3).

    The distance of finite samples is too large, by about c/N. Here it is taken of random subsets of a quarter of the
    samples up to all of them, equally spaced in 1/N, and the line through them read off at 1/N = 0. Lower is better;
    0 in the mean for equal distributions, so it may fall slightly below. The line is straight where there are several
    times more samples than features; with fewer, read it as a smaller floor, not as the truth.

    Args:
        generator: decides which samples are in which subset.
        sizes: how many subset sizes.

    Raises:
        SparringError: fewer than eight samples, values that are not finite, or different numbers of features.
    """
    real, fake = checked(real, fake, at_least=8)
    most = min(len(real), len(fake))
    inverse = torch.linspace(4 / most, 1 / most, sizes, dtype=torch.float64)
    counts = [round(1 / one) for one in inverse.tolist()]
    values = [frechet(_some(real, count, generator), _some(fake, count, generator)) for count in counts]
    line = torch.stack([torch.ones(sizes, dtype=torch.float64), 1 / torch.tensor(counts, dtype=torch.float64)], 1)
    return float(torch.linalg.lstsq(line, torch.tensor(values, dtype=torch.float64)[:, None]).solution[0])


def sliced_wasserstein(real: Features, fake: Features, *, generator: Generator, directions: int = 200) -> float:
    """(E W₂²)^½ over random directions, of the samples projected on them (Bonneel et al. 2015, section 2.2).

    At least 0, lower is better; exact in each direction, also where there are not equally many samples.

    Args:
        generator: draws the directions, uniform on the sphere.
        directions: how many.

    Raises:
        SparringError: an empty side, values that are not finite, or different numbers of features.
    """
    real, fake = checked(real, fake, at_least=1)
    drawn = torch.randn(real.shape[1], directions, generator=generator, dtype=torch.float64).to(real.device)
    drawn /= drawn.norm(dim=0)
    first, second = (real @ drawn).sort(0).values, (fake @ drawn).sort(0).values
    # The quantile functions are steps: between two marks, counted in units of 1/(nm), neither changes.
    n, m = len(first), len(second)
    marks = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    lengths = marks.diff(prepend=marks.new_zeros(1)).to(first) / (n * m)
    steps = first[(marks - 1) // m] - second[(marks - 1) // n]
    return float((lengths @ steps.square()).mean().sqrt())


def kernel(real: Features, fake: Features) -> float:
    """Unbiased squared maximum mean discrepancy, k(x, y) = (xᵀy/d + 1)³ (Bińkowski et al. 2018, eq. 4).

    Of all samples. Lower is better; the expectation is 0 for equal distributions, so single values may lie
    slightly below it.

    Raises:
        SparringError: fewer than two samples, values that are not finite, or different numbers of features.
    """
    real, fake = checked(real, fake, at_least=2)
    within = _mean_off_diagonal(real) + _mean_off_diagonal(fake)
    return (within - 2 * _kernel_sum(real, fake) / (len(real) * len(fake))).item()


def kernel_of_subsets(
    real: Features, fake: Features, *, generator: Generator, subsets: int = 100, size: int = 1000
) -> Float[Tensor, " subsets"]:
    """``kernel`` of random subsets without replacement: report their mean and standard deviation.

    Args:
        generator: decides which samples are in which subset.
        subsets: how many.
        size: samples of each side in a subset; all there are, if that is fewer.

    Raises:
        SparringError: as ``kernel``.
    """
    real, fake = checked(real, fake, at_least=2)
    size = min(size, len(real), len(fake))
    values = [kernel(_some(real, size, generator), _some(fake, size, generator)) for _ in range(subsets)]
    return torch.tensor(values, dtype=torch.float64)


def prdc(real: Features, fake: Features, k: int = NEIGHBOURS) -> PRDC:
    """All four from one pass over the distances; memory: the features of one side in float64, and some 500 MiB.

    The ball of a sample reaches to its k-th nearest neighbour in its own set and is open (strict <).
    Precision is the share of fakes in some real ball, recall the share of reals in some fake ball
    (Kynkäänniemi et al. 2019, eqs. 1-3); density is the mean number of real balls around a fake over k,
    coverage the share of real balls that hold a fake (Naeem et al. 2020, eqs. 3 and 4).

    Raises:
        SparringError: not more than ``k`` samples, values that are not finite, or different numbers of
            features.
    """
    check(real, fake, at_least=k + 1)
    real_radii, fake_radii = _radii(real, k), _radii(fake, k)
    fakes_inside, balls_hit = 0, 0
    nearest_fake = torch.full_like(real_radii, torch.inf)
    recalled = torch.zeros_like(real_radii, dtype=torch.bool)
    for rows, squared in squared_distances(fake, real):
        inside = squared < real_radii
        fakes_inside += int(inside.any(1).sum())
        balls_hit += int(inside.sum())
        recalled |= (squared < fake_radii[rows, None]).any(0)
        nearest_fake = torch.minimum(nearest_fake, squared.amin(0))
    return PRDC(
        precision=fakes_inside / len(fake),
        recall=recalled.double().mean().item(),
        density=balls_hit / (k * len(fake)),
        coverage=(nearest_fake < real_radii).double().mean().item(),
    )


def precision(real: Features, fake: Features, k: int = NEIGHBOURS) -> float:
    """The share of fakes that look real; see ``prdc``."""
    return prdc(real, fake, k).precision


def recall(real: Features, fake: Features, k: int = NEIGHBOURS) -> float:
    """The share of reals that could have been generated; see ``prdc``."""
    return prdc(real, fake, k).recall


def density(real: Features, fake: Features, k: int = NEIGHBOURS) -> float:
    """How thickly reals lie around the fakes; see ``prdc``."""
    return prdc(real, fake, k).density


def coverage(real: Features, fake: Features, k: int = NEIGHBOURS) -> float:
    """The share of reals with a fake nearby; see ``prdc``."""
    return prdc(real, fake, k).coverage


def density_of_each(real: Features, fake: Features, k: int = NEIGHBOURS) -> Float[Tensor, " fakes"]:
    """How many real balls each fake lies in, over k: the mean is ``density``; see ``prdc``.

    Raises:
        SparringError: as ``prdc``.
    """
    check(real, fake, at_least=k + 1)
    radii = _radii(real, k)
    return torch.cat([(squared < radii).sum(1) for _, squared in squared_distances(fake, real)]).double() / k


def covered(real: Features, fake: Features, k: int = NEIGHBOURS) -> Bool[Tensor, " reals"]:
    """Whether the ball of each real holds a fake: the mean is ``coverage``; see ``prdc``.

    Raises:
        SparringError: as ``prdc``, but one fake is enough.
    """
    check(real, real, at_least=k + 1)
    check(fake, real, at_least=1)
    return torch.cat([squared.amin(1) for _, squared in squared_distances(real, fake)]) < _radii(real, k)


def nearest(queries: Features, references: Features) -> tuple[Tensor, Tensor]:
    """For each query the Euclidean distance to its nearest reference, and the row of that, both (queries,).

    Raises:
        SparringError: an empty side, values that are not finite, or different numbers of features.
    """
    check(queries, references, at_least=1)
    found = [squared.min(1) for _, squared in squared_distances(queries, references)]
    return torch.cat([one.values for one in found]).sqrt(), torch.cat([one.indices for one in found])


def checked(real: Tensor, fake: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Both in float64, or one sentence on what is wrong with them."""
    check(real, fake, at_least)
    return real.detach().cpu().double(), fake.detach().cpu().double()


def check(real: Tensor, fake: Tensor, at_least: int) -> None:
    """One sentence on what is wrong with them, if there is anything."""
    for name, features in (("first", real), ("second", fake)):
        if features.dim() != 2:
            shape = tuple(features.shape)
            raise SparringError(
                found=f"features of shape {shape} in the {name} set",
                expected="(count, features)",
                remedy="flatten what the extractor gives",
            )
        if len(features) < at_least:
            raise SparringError(
                found=f"{len(features)} samples in the {name} set",
                expected=f"at least {at_least}",
                remedy="give more samples",
            )
        # A sum is much quicker than a look at every value; one that is not finite may still be of values that are.
        broken = 0 if features.sum().isfinite() else int((~features.isfinite()).any(1).sum())
        if broken:
            raise SparringError(
                found=f"values that are not finite in {broken} of {len(features)} samples of the {name} set",
                expected="finite features",
                remedy="look at these samples: a run that has diverged generates them",
            )
    if real.shape[1] != fake.shape[1]:
        raise SparringError(
            found=f"{real.shape[1]} features in the first set and {fake.shape[1]} in the second",
            expected="equally many",
            remedy="use one extractor for both",
        )


def _deviations(features: Tensor) -> tuple[Tensor, Tensor]:
    """A with AᵀA = Σ, (count, features), and the mean, both in float64."""
    features = features.detach().cpu()
    centre = features.mean(0, dtype=torch.float64)
    return (features - centre).div_((len(features) - 1) ** 0.5), centre


def _triangle(deviations: Tensor) -> Tensor:
    """R of at most as many rows as columns with RᵀR = AᵀA."""
    factor: Tensor = torch.linalg.qr(deviations, mode="r").R
    return factor


def _overlap_by_roots(real: Tensor, fake: Tensor) -> Tensor | None:
    """Σ √λ(LᵀΣ₂L); None where a covariance is near to singular, and the roots of rounding errors would add up."""
    if min(len(real), len(fake)) <= real.shape[1]:
        return None
    # NumPy multiplies a matrix by its own transpose in half the time; threads of one library do not wait for others'.
    first, second = (side.numpy().T @ side.numpy() for side in (real, fake))
    try:
        root, other = np.linalg.cholesky(first), np.linalg.cholesky(second)
    except np.linalg.LinAlgError:
        return None
    if any(not factor.diagonal().min() > SMALLEST_PIVOT * factor.diagonal().max() for factor in (root, other)):
        return None
    values = np.linalg.eigvalsh(root.T @ second @ root)
    return torch.from_numpy(values).clamp(min=0).sqrt().sum()


def _kernel_sum(first: Tensor, second: Tensor) -> Tensor:
    size = first.shape[1]
    parts = [(rows @ second.T / size + 1).pow(3).sum() for rows in torch.split(first, CHUNK)]
    return torch.stack(parts).sum()


def _mean_off_diagonal(features: Tensor) -> Tensor:
    count, size = features.shape
    diagonal = (features.square().sum(1) / size + 1).pow(3).sum()
    return (_kernel_sum(features, features) - diagonal) / (count * (count - 1))


def _some(features: Tensor, size: int, generator: Generator) -> Tensor:
    rows = torch.randperm(len(features), generator=generator)[:size]
    return features[rows.to(features.device)]


def _radii(features: Tensor, k: int) -> Tensor:
    """Squared distances to the k-th nearest other sample; the sample itself is the first of k + 1."""
    parts = [squared.kthvalue(k + 1, dim=1).values for _, squared in squared_distances(features, features)]
    return torch.cat(parts)


def squared_distances(rows: Tensor, columns: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Chunks of rows with their squared distances (chunk, columns). Copies are at 0, in spite of rounding."""
    rows, columns = rows.detach(), columns.detach()
    centre = columns.mean(0, dtype=torch.float64)
    columns = columns - centre
    lengths = columns.square().sum(1)
    size = max(BLOCK // len(columns), 1)
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size] - centre
        both = chunk.square().sum(1)[:, None] + lengths
        squared = torch.addmm(both, chunk, columns.T, alpha=-2)
        yield slice(start, start + len(chunk)), squared.masked_fill_(squared <= 1e-13 * both, 0.0)
