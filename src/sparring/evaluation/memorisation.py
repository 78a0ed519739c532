"""Memorisation: distances to the nearest training sample, beside those of held-out real samples."""

import math
from collections.abc import Iterable
from typing import NamedTuple, final

import torch
from pydantic import BaseModel, ConfigDict, computed_field
from torch import Tensor

from sparring.errors import SparringError
from sparring.evaluation.scores import Score
from sparring.metrics.distances import Features, check, squared_distances
from sparring.randomness import derive

CLOSE_SHARE = 0.01
"""Share of held-out samples that count as close to the training data."""
COPY_RATIO = 1 / 3
"""Greatest distance of a copy, relative to that of close held-out samples."""
MAX_C_T = 3.0
"""Standard deviations of C_T beyond which samples are too close to the training data."""
MAX_CELLS, SAMPLES_PER_CELL, MIN_CELL_SAMPLES = 10, 50, 20
"""Cells of C_T; held-out samples for each; and samples of both kinds without which a cell is left out."""


@final
class Memorisation(BaseModel):
    """Comparison of generated samples with the training samples; distances are Euclidean in features."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    median: float
    """Median distance from a generated sample to the nearest training sample."""
    median_held_out: float
    """The same from held-out real samples, which cannot be copies."""
    closest: float
    """Distance below which the closest 1 % of held-out samples lie."""
    share: float
    """Share of generated samples closer than that; about 0.01 where they behave like held-out ones."""
    copies: int
    """Generated samples at most a third of that distance from a training sample."""
    expected_copies: float
    """Expected copies among as many held-out samples."""
    count: int
    """Generated samples."""
    count_held_out: int
    """Held-out samples."""
    c_t: float
    """See ``c_t``; below -3 generated samples are closer to training samples than held-out ones are."""
    authenticity: float
    """Share of generated samples that are farther from their nearest training sample than that is from its nearest
    other one (Alaa et al. 2022, section 3.3)."""
    authenticity_held_out: float
    """The same of held-out samples."""
    pairs: tuple[tuple[int, int, float], ...]
    """Generated row, training row and distance of the closest pairs, the closest first."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def copied(self) -> bool:
        """True if there are more copies than expected by chance, by over three standard deviations."""
        return self.copies > self.expected_copies + 3 * math.sqrt(self.expected_copies)

    @property
    def closer(self) -> bool:
        """True if more than the expected 1 % are close to the training data, by over four standard deviations."""
        deviation = math.sqrt(CLOSE_SHARE * (1 - CLOSE_SHARE) * (1 / self.count + 1 / self.count_held_out))
        return self.share > 2 * CLOSE_SHARE and self.share > CLOSE_SHARE + 4 * deviation

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> str:
        """The result in one or two sentences."""
        medians = f"median distance {self.median:.3g}, held-out {self.median_held_out:.3g}"
        if self.copied:
            are = (
                "is nearly a copy of a training sample" if self.copies == 1 else "are nearly copies of training samples"
            )
            return f"{self.copies} of {self.count} generated samples {are} ({medians}). See the closest pairs."
        if self.closer:
            close = f"{self.share:.1%} lie as close to the training data as the closest 1 % of held-out samples do"
            return f"No training sample was copied, but {close} ({medians}). See the closest pairs."
        if self.c_t < -MAX_C_T:
            close = f"as a whole the samples are closer to the training data than held-out ones (C_T {self.c_t:.1f})"
            return f"No training sample was copied, but {close}, as copies and blurry samples are ({medians})."
        return f"No training sample was copied ({medians})."

    def metrics(self) -> dict[str, Score]:
        """Return the scores; the floor is the value of held-out samples."""
        expected, floor = self.expected_copies, self.authenticity_held_out
        return {
            "copies": Score(value=self.copies, floor=expected, better="lower", significant=self.copied),
            "authenticity": Score(value=self.authenticity, floor=floor, better="nearer to the floor"),
            "c_t": Score(value=self.c_t, floor=0.0, better="nearer to the floor"),
        }


def compare(
    train: Iterable[Features], held_out: Features, fake: Features, *, pairs: int = 10, seed: int = 0
) -> Memorisation:
    """Compare distances of generated and of held-out samples to the training samples.

    Args:
        train: features of all training samples, in parts, so that they need not fit into memory; iterated twice.
        held_out: features of real samples that were not trained on.
        fake: features of generated samples.
        pairs: number of closest pairs to return.
        seed: of the cells in which distances are compared.

    Raises:
        SparringError: an empty side, values that are not finite, or different numbers of features.
    """
    if min(len(fake), len(held_out)) == 0:
        raise SparringError(
            found="no samples on one side", expected="generated and held-out samples", remedy="give more samples"
        )

    # Distance of each sample to the nearest training sample, and of that one to its own nearest neighbour.
    near = _nearest(torch.cat([fake, held_out]), train)
    matched, which = near.rows.unique(return_inverse=True)
    query = torch.zeros_like(matched).scatter_(0, which, torch.arange(len(which)))  # One for each matched row.
    spacing = _nearest(near.features[query], train, own=matched).distances[which]
    authentic = near.distances > spacing
    distances, others = near.distances[: len(fake)], near.distances[len(fake) :]

    closest = torch.quantile(others, CLOSE_SHARE)
    order: list[int] = distances.argsort(stable=True)[:pairs].tolist()
    return Memorisation(
        median=distances.median().item(),
        median_held_out=others.median().item(),
        closest=closest.item(),
        share=(distances < closest).double().mean().item(),
        copies=int((distances <= COPY_RATIO * closest).sum()),
        expected_copies=(others <= COPY_RATIO * closest).double().mean().item() * len(distances),
        count=len(distances),
        count_held_out=len(others),
        c_t=c_t(distances, others, *_cells(fake, held_out, seed)),
        authenticity=authentic[: len(fake)].double().mean().item(),
        authenticity_held_out=authentic[len(fake) :].double().mean().item(),
        pairs=tuple((row, int(near.rows[row]), distances[row].item()) for row in order),
    )


def rank_test(distances: Tensor, held_out: Tensor) -> float:
    """Return the z-score of Mann and Whitney's U (1947): far below 0 where ``distances`` are smaller.

    About standard normal for equal distributions; ties count half.

    Args:
        distances: from generated samples to their nearest training samples, (generated,).
        held_out: the same from held-out samples, (held out,).
    """
    from scipy.stats import mannwhitneyu

    wins = float(mannwhitneyu(distances.numpy(), held_out.numpy(), method="asymptotic").statistic)
    n, m = len(distances), len(held_out)
    return (wins - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def c_t(distances: Tensor, held_out: Tensor, cells: Tensor, held_out_cells: Tensor) -> float:
    """Return the mean rank test over cells, weighted by held-out samples (Meehan, Chaudhuri & Dasgupta 2020, eq. 3).

    Far below 0 where generated samples are closer to training samples than held-out ones. Cells with fewer than 20
    samples of either kind are left out; where all are, the test is of all samples together.

    Args:
        distances: from generated samples to their nearest training samples, (generated,).
        held_out: the same from held-out samples, (held out,).
        cells: number of the cell of each generated sample, (generated,).
        held_out_cells: the same of held-out samples, (held out,).
    """
    total, weight = 0.0, 0
    for cell in held_out_cells.unique().tolist():
        inside, others = distances[cells == cell], held_out[held_out_cells == cell]
        if min(len(inside), len(others)) >= MIN_CELL_SAMPLES:
            total += len(others) * rank_test(inside, others)
            weight += len(others)
    return total / weight if weight else rank_test(distances, held_out)


class _Nearest(NamedTuple):
    """Distance to the nearest training sample, its row, and its features."""

    distances: Tensor
    rows: Tensor
    features: Features


def _nearest(queries: Features, train: Iterable[Features], own: Tensor | None = None) -> _Nearest:
    """Return the nearest training sample of each query; ``own`` are the queries' own rows, which do not count."""
    # The nearest so far: distances and rows (queries,), features (queries, features).
    nearest = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    rows, features, passed = torch.zeros(len(queries), dtype=torch.int64), queries.clone(), 0
    for part in train:
        check(queries, part, at_least=1)
        for chunk, squared in squared_distances(queries, part):
            if own is not None:
                # A query that is a training sample itself would be its own nearest neighbour.
                column = own[chunk] - passed
                inside = (column >= 0) & (column < len(part))
                squared[inside.nonzero()[:, 0], column[inside]] = torch.inf

            # Update the queries for which this part holds a nearer sample than all earlier parts.
            least, column = squared.min(1)
            closer = least < nearest[chunk]
            nearest[chunk] = torch.minimum(least, nearest[chunk])
            rows[chunk] = torch.where(closer, column + passed, rows[chunk])
            features[chunk] = torch.where(closer[:, None], part[column], features[chunk])
        passed += len(part)
    return _Nearest(nearest.sqrt(), rows, features)


def _cells(fake: Features, held_out: Features, seed: int) -> tuple[Tensor, Tensor]:
    """Assign both sides to cells: k-means on the held-out samples, one cell for about 50 of them, at most ten."""
    from sklearn.cluster import KMeans

    count = min(MAX_CELLS, max(1, len(held_out) // SAMPLES_PER_CELL))
    cells = KMeans(count, n_init=3, random_state=derive(seed, "cells") % 2**32).fit(held_out.double().numpy())
    own, other = (torch.from_numpy(cells.predict(side.double().numpy())) for side in (fake, held_out))
    return own, other
