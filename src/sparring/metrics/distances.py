"""Distances between two sets of features: pure functions that compute in float64.

Features are (count, features), of any extractor. A metric is an extractor followed by one of these functions. Every
function raises SparringError for other shapes, values that are not finite, different numbers of features and too few
samples: fewer than two on either side where it does not say otherwise.
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
"""Rows of a kernel matrix that are computed at once."""
BLOCK = 16 * 1024 * 1024
"""Distances that are computed at once: 128 MiB."""
NEIGHBOURS = 5
"""k of precision, recall, density and coverage."""
MIN_PIVOT = 1e-6
"""Smallest pivot of a Cholesky factor of a regular covariance, relative to the largest."""


class PRDC(NamedTuple):
    """Precision, recall and coverage in [0, 1], density ≥ 0 (1 for equal distributions); higher is better."""

    precision: float
    recall: float
    density: float
    coverage: float


def frechet(real: Features, fake: Features) -> float:
    """Return ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), covariances with ddof 1 (Heusel et al. 2017, eq. 6).

    At least 0, lower is better.

    >>> real = torch.tensor([[0.0], [2.0]])
    >>> frechet(real, real + 3.0)
    9.0
    """
    check(real, fake, at_least=2)
    (x, mean), (y, other_mean) = _deviations(real), _deviations(fake)

    # With centred features X and Y, Σ₁ = XᵀX and Σ₂ = YᵀY: tr Σ₁ = ‖X‖², and tr (Σ₁Σ₂)^½ = ‖XYᵀ‖_*, the sum of
    # singular values. That is exact for singular covariances too (fewer samples than features, constant features),
    # where square roots of matrices fail. Regular covariances give the same by eigenvalues in half the time.
    cross = _cross_by_eigenvalues(x, y)
    if cross is None:
        cross = torch.linalg.svdvals(_triangle(x) @ _triangle(y).T).sum()
    return max(float((mean - other_mean).square().sum() + x.norm().square() + y.norm().square() - 2 * cross), 0.0)


def frechet_at_infinity(real: Features, fake: Features, *, generator: Generator, sizes: int = 6) -> float:
    """Extrapolate ``frechet`` to infinitely many samples: FD_N = FD_∞ + c/N (Chong & Forsyth 2020, section 3).

    Lower is better; 0 in expectation for equal distributions, so single values may lie slightly below. The line is
    straight where there are several times more samples than features; with fewer the bias is only reduced.

    Args:
        real: at least eight samples.
        fake: at least eight samples.
        generator: draws the subsets.
        sizes: number of subset sizes.
    """
    real, fake = checked(real, fake, at_least=8)

    # Distances of random subsets, from a quarter of the samples to all, equally spaced in 1/N.
    most = min(len(real), len(fake))
    inverse = torch.linspace(4 / most, 1 / most, sizes, dtype=torch.float64)
    counts = [round(1 / one) for one in inverse.tolist()]
    values = [frechet(_some(real, count, generator), _some(fake, count, generator)) for count in counts]

    # The intercept of the line through them.
    line = torch.stack([torch.ones(sizes, dtype=torch.float64), 1 / torch.tensor(counts, dtype=torch.float64)], 1)
    return float(torch.linalg.lstsq(line, torch.tensor(values, dtype=torch.float64)[:, None]).solution[0])


def sliced_wasserstein(real: Features, fake: Features, *, generator: Generator, directions: int = 200) -> float:
    """Return (E W₂²)^½ over random projections onto a line (Bonneel et al. 2015, section 2.2).

    At least 0, lower is better; exact for each direction, also for different numbers of samples.

    Args:
        real: at least one sample.
        fake: at least one sample.
        generator: draws the directions, uniform on the sphere.
        directions: number of projections.
    """
    real, fake = checked(real, fake, at_least=1)
    drawn = torch.randn(real.shape[1], directions, generator=generator, dtype=torch.float64).to(real.device)
    drawn /= drawn.norm(dim=0)  # (features, directions)
    first, second = (real @ drawn).sort(0).values, (fake @ drawn).sort(0).values  # (count, directions) each

    # Quantile functions are steps. Between two of these marks, in units of 1/(nm), neither of the two changes.
    n, m = len(first), len(second)
    marks = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    lengths = marks.diff(prepend=marks.new_zeros(1)).to(first) / (n * m)
    steps = first[(marks - 1) // m] - second[(marks - 1) // n]  # (marks, directions)
    # W₂² = ∫ (F⁻¹(u) − G⁻¹(u))² du for each direction, then the mean over directions.
    return float((lengths @ steps.square()).mean().sqrt())


def kernel(real: Features, fake: Features) -> float:
    """Return the unbiased squared maximum mean discrepancy, k(x, y) = (xᵀy/d + 1)³ (Bińkowski et al. 2018, eq. 4).

    Lower is better; 0 in expectation for equal distributions, so single values may lie slightly below.

    >>> kernel(torch.ones(3, 1), -torch.ones(3, 1))
    16.0
    """
    real, fake = checked(real, fake, at_least=2)

    # E k(x, x′) + E k(y, y′) − 2 E k(x, y) (eq. 4), the first two over pairs of different samples.
    within = _mean_off_diagonal(real) + _mean_off_diagonal(fake)
    return (within - 2 * _kernel_sum(real, fake) / (len(real) * len(fake))).item()


def prdc(real: Features, fake: Features, k: int = NEIGHBOURS) -> PRDC:
    """Return precision, recall, density and coverage from one pass over the distances.

    The ball of a sample reaches to its k-th nearest neighbour in its own set and is open. Precision is the share of
    fakes in some real ball, recall the share of reals in some fake ball (Kynkäänniemi et al. 2019, eqs. 1-3); density
    is the mean number of real balls around a fake over k, coverage the share of real balls that hold a fake (Naeem et
    al. 2020, eqs. 3 and 4). Both sides need more than ``k`` samples. Memory: the features of one side in float64, and
    some 500 MiB.

    >>> prdc(torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([[0.5], [0.6]]), k=1)
    PRDC(precision=1.0, recall=0.0, density=2.0, coverage=0.5)
    """
    check(real, fake, at_least=k + 1)
    real_radii, fake_radii = _radii(real, k), _radii(fake, k)  # (reals,) and (fakes,), squared

    # One pass over chunks of fakes, since the matrix of all distances may not fit into memory.
    fakes_inside, balls_hit = 0, 0
    nearest_fake = torch.full_like(real_radii, torch.inf)
    recalled = torch.zeros_like(real_radii, dtype=torch.bool)
    for rows, squared in squared_distances(fake, real):
        # Precision counts fakes in at least one real ball, density all pairs of a fake and a ball around it.
        inside = squared < real_radii  # (chunk, reals)
        fakes_inside += int(inside.any(1).sum())
        balls_hit += int(inside.sum())
        # Recall counts reals in at least one fake ball, coverage real balls that reach the nearest fake.
        recalled |= (squared < fake_radii[rows, None]).any(0)
        nearest_fake = torch.minimum(nearest_fake, squared.amin(0))
    return PRDC(
        precision=fakes_inside / len(fake),
        recall=recalled.double().mean().item(),
        density=balls_hit / (k * len(fake)),
        coverage=(nearest_fake < real_radii).double().mean().item(),
    )


def density_of_each(real: Features, fake: Features, k: int = NEIGHBOURS) -> Float[Tensor, " fakes"]:
    """Return the number of real balls that each fake lies in, over k: the mean is the density of ``prdc``."""
    check(real, fake, at_least=k + 1)
    radii = _radii(real, k)
    return torch.cat([(squared < radii).sum(1) for _, squared in squared_distances(fake, real)]).double() / k


def covered(real: Features, fake: Features, k: int = NEIGHBOURS) -> Bool[Tensor, " reals"]:
    """Return whether the ball of each real holds a fake; one is enough. The mean is the coverage of ``prdc``."""
    check(real, real, at_least=k + 1)
    check(real, fake, at_least=1)
    return torch.cat([squared.amin(1) for _, squared in squared_distances(real, fake)]) < _radii(real, k)


def nearest(queries: Features, references: Features) -> tuple[Tensor, Tensor]:
    """Return the Euclidean distance from each query to its nearest reference, and the row of that, both (queries,).

    One sample on either side is enough.
    """
    check(queries, references, at_least=1)
    found = [squared.min(1) for _, squared in squared_distances(queries, references)]
    return torch.cat([one.values for one in found]).sqrt(), torch.cat([one.indices for one in found])


def checked(real: Tensor, fake: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    """Return both on the CPU in float64; raises as ``check``."""
    check(real, fake, at_least)
    return real.detach().cpu().double(), fake.detach().cpu().double()


def check(real: Tensor, fake: Tensor, at_least: int) -> None:
    """Refuse features that cannot be compared; messages call the first set real and the second one generated."""
    few = [f"{len(side)} {name}" for name, side in (("real", real), ("generated", fake)) if len(side) < at_least]
    for name, features in (("real", real), ("generated", fake)):
        if features.dim() != 2:
            shape = tuple(features.shape)
            raise SparringError(
                found=f"features of shape {shape} of the {name} samples",
                expected="(count, features)",
                remedy="flatten what the extractor returns",
            )
        if few:
            raise SparringError(
                found=f"{' and '.join(few)} sample{'' if few[-1].startswith('1 ') else 's'}",
                expected=f"at least {at_least}",
                remedy="give more samples",
            )
        # The sum is much faster than a test of every value, which follows only where the sum is not finite.
        broken = 0 if features.sum().isfinite() else int((~features.isfinite()).any(1).sum())
        if broken:
            raise SparringError(
                found=f"values that are not finite in {broken} of {len(features)} {name} samples",
                expected="finite features",
                remedy="inspect these samples: a diverged model generates them",
            )
    if real.shape[1] != fake.shape[1]:
        raise SparringError(
            found=f"{real.shape[1]} features of each real sample and {fake.shape[1]} of each generated one",
            expected="the same number in both",
            remedy="use one extractor for both",
        )


def _deviations(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return X with XᵀX = Σ, (count, features), and the mean μ, (features,), both in float64."""
    features = features.detach().cpu()
    mean = features.mean(0, dtype=torch.float64)
    return (features - mean).div_((len(features) - 1) ** 0.5), mean


def _triangle(deviations: Tensor) -> Tensor:
    """Return R with RᵀR = XᵀX and at most as many rows as columns."""
    factor: Tensor = torch.linalg.qr(deviations, mode="r").R
    return factor


def _cross_by_eigenvalues(x: Tensor, y: Tensor) -> Tensor | None:
    """Return Σ √λ(LᵀΣ₂L) with Σ₁ = LLᵀ, which is tr (Σ₁Σ₂)^½; None where a covariance is close to singular."""
    if min(len(x), len(y)) <= x.shape[1]:
        return None
    # NumPy multiplies a matrix by its own transpose in half the time; threads of one library do not wait for others'.
    first, second = (side.numpy().T @ side.numpy() for side in (x, y))  # Σ₁ and Σ₂, (features, features)
    try:
        root, other = np.linalg.cholesky(first), np.linalg.cholesky(second)
    except np.linalg.LinAlgError:
        return None
    # Close to singular, square roots of rounding errors would add up.
    if any(not factor.diagonal().min() > MIN_PIVOT * factor.diagonal().max() for factor in (root, other)):
        return None
    return torch.from_numpy(np.linalg.eigvalsh(root.T @ second @ root)).clamp(min=0).sqrt().sum()


def _kernel_sum(first: Tensor, second: Tensor) -> Tensor:
    size = first.shape[1]
    # Σ k(x, y) with k(x, y) = (xᵀy / d + 1)³, by parts of shape (chunk, count).
    parts = [(rows @ second.T / size + 1).pow(3).sum() for rows in torch.split(first, CHUNK)]
    return torch.stack(parts).sum()


def _mean_off_diagonal(features: Tensor) -> Tensor:
    count, size = features.shape
    # Pairs of a sample with itself would bias the mean.
    diagonal = (features.square().sum(1) / size + 1).pow(3).sum()
    return (_kernel_sum(features, features) - diagonal) / (count * (count - 1))


def _some(features: Tensor, size: int, generator: Generator) -> Tensor:
    rows = torch.randperm(len(features), generator=generator)[:size]
    return features[rows.to(features.device)]


def _radii(features: Tensor, k: int) -> Tensor:
    """Return squared distances to the k-th nearest other sample; the sample itself is the first of k + 1."""
    parts = [squared.kthvalue(k + 1, dim=1).values for _, squared in squared_distances(features, features)]
    return torch.cat(parts)


def squared_distances(rows: Tensor, columns: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield chunks of rows with their squared distances, (chunk, columns); those of copies are exactly 0."""
    rows, columns = rows.detach(), columns.detach()
    # ‖x − y‖² = ‖x‖² + ‖y‖² − 2xᵀy, about the centre of the columns: less is lost by cancellation.
    centre = columns.mean(0, dtype=torch.float64)
    columns = columns - centre
    lengths = columns.square().sum(1)
    size = max(BLOCK // len(columns), 1)
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size] - centre  # (chunk, features)
        both = chunk.square().sum(1)[:, None] + lengths  # ‖x‖² + ‖y‖², (chunk, columns)
        squared = torch.addmm(both, chunk, columns.T, alpha=-2)
        # Values this small are rounding errors: the distance between copies is 0.
        yield slice(start, start + len(chunk)), squared.masked_fill_(squared <= 1e-13 * both, 0.0)
