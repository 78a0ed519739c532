"""Was the training data copied? Distances to the nearest training sample, beside those of held-out real samples."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.metrics.distances import Features, nearest, squared_distances
from sparring.randomness import derive

CLOSEST = 0.01
COPY = 1 / 3
"""A copy is at most a third as far from a training sample as the closest 1 % of held-out samples."""

TOO_FAR = 3.0
MOST_CELLS, HELD_OUT_IN_CELL, FEWEST_IN_CELL = 10, 50, 20


@final
@dataclass(frozen=True)
class Memorisation:
    """Distances are Euclidean, in the features compared by.

    Args:
        median: distance from a generated sample to the nearest training sample.
        median_held_out: the same from held-out real samples, which nobody can have copied.
        closest: the distance below which the closest 1 % of held-out samples lie.
        share: of generated samples closer than that, in [0, 1]; about 0.01 where they behave like held-out ones.
        copies: generated samples at most a third of that distance from a training sample.
        expected_copies: how many of as many held-out samples would be.
        count: generated samples.
        count_held_out: held-out samples.
        c_t: see ``c_t``; below -3, generated samples lie closer to training samples than held-out ones do.
        authenticity: the share of generated samples that are farther from their nearest training sample than that is
            from its nearest other one, in [0, 1] (Alaa et al. 2022, section 3.3).
        authenticity_held_out: the same of held-out samples.
        pairs: (generated row, training row, distance) of the closest pairs, the closest first.
    """

    median: float
    median_held_out: float
    closest: float
    share: float
    copies: int
    expected_copies: float
    count: int
    count_held_out: int
    c_t: float
    authenticity: float
    authenticity_held_out: float
    pairs: tuple[tuple[int, int, float], ...]

    @property
    def copied(self) -> bool:
        """Whether there are more copies than chance explains: over three standard deviations."""
        return self.copies > self.expected_copies + 3 * math.sqrt(self.expected_copies)

    @property
    def closer(self) -> bool:
        """Whether more than the expected 1 % lie as close as the closest held-out ones: over four deviations."""
        deviation = math.sqrt(CLOSEST * (1 - CLOSEST) * (1 / self.count + 1 / self.count_held_out))
        return self.share > 2 * CLOSEST and self.share > CLOSEST + 4 * deviation

    @property
    def verdict(self) -> str:
        """One or two sentences."""
        medians = f"median distance {self.median:.3g}, held-out {self.median_held_out:.3g}"
        if self.copied:
            number = f"{self.copies} of {self.count} generated samples are"
            if self.copies == 1:
                number = f"1 of {self.count} generated samples is"
            return f"{number} nearly a copy of a training sample ({medians}). Look at the closest pairs."
        if self.closer:
            found = f"{self.share:.1%} lie as close to the training data as the closest 1 % of held-out samples do"
            return f"No training sample was copied, but {found} ({medians}). Look at the closest pairs."
        if self.c_t < -TOO_FAR:
            found = f"as a whole they lie closer to the training data than held-out samples do (C_T {self.c_t:.1f})"
            return f"No training sample was copied, but {found}, as copies do and blurred samples, too ({medians})."
        return f"No training sample was copied ({medians})."

    def measures(self) -> dict[str, tuple[float, float]]:
        """Name → (value, the same of held-out samples)."""
        return {"authenticity": (self.authenticity, self.authenticity_held_out), "c_t": (self.c_t, 0.0)}

    def as_json(self) -> dict[str, Any]:
        """As JSON values, with the verdict."""
        return {**asdict(self), "copied": self.copied, "verdict": self.verdict}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Memorisation":
        """What ``as_json`` gave."""
        values = {name: content[name] for name in Memorisation.__dataclass_fields__}
        return Memorisation(**{**values, "pairs": tuple((a, b, c) for a, b, c in content["pairs"])})


def compare(
    train: Iterable[Features], held_out: Features, fake: Features, *, pairs: int = 10, seed: int = 0
) -> Memorisation:
    """Where generated samples lie relative to the training samples.

    Args:
        train: features of all training samples, in parts, so that they need not be in memory at once. Gone through
            twice.
        held_out: features of real samples that were not trained on.
        fake: features of generated samples.
        pairs: how many of the closest pairs to name.
        seed: of the cells in which distances are compared.

    Raises:
        SparringError: an empty side, values that are not finite, or different numbers of features.
    """
    if min(len(fake), len(held_out)) == 0:
        raise SparringError(
            found="no samples on one side", expected="generated and held-out samples", remedy="give more samples"
        )
    queries = torch.cat([fake, held_out])
    near = _nearest(queries, train)
    matched, which = near.rows.unique(return_inverse=True)
    authentic = near.distances > _spacing(matched, train)[which]
    distances, aside = near.distances[: len(fake)], near.distances[len(fake) :]
    closest = torch.quantile(aside, CLOSEST)
    order: list[int] = distances.argsort(stable=True)[:pairs].tolist()
    return Memorisation(
        median=distances.median().item(),
        median_held_out=aside.median().item(),
        closest=closest.item(),
        share=(distances < closest).double().mean().item(),
        copies=int((distances <= COPY * closest).sum()),
        expected_copies=(aside <= COPY * closest).double().mean().item() * len(distances),
        count=len(distances),
        count_held_out=len(aside),
        c_t=c_t(distances, aside, *_cells(fake, held_out, seed)),
        authenticity=authentic[: len(fake)].double().mean().item(),
        authenticity_held_out=authentic[len(fake) :].double().mean().item(),
        pairs=tuple((row, int(near.rows[row]), distances[row].item()) for row in order),
    )


def rank_test(distances: Tensor, held_out: Tensor) -> float:
    """How many deviations the distances lie above those of held-out samples, by their ranks (Mann & Whitney 1947).

    About standard normal where both are of one distribution; far below 0 where ``distances`` are smaller. Ties count
    half.

    Args:
        distances: from generated samples to their nearest training samples, (generated,).
        held_out: the same from held-out samples, (held out,).
    """
    ordered = held_out.sort().values
    below, up_to = (torch.searchsorted(ordered, distances.contiguous(), right=right) for right in (False, True))
    wins = (below + up_to).double().sum() / 2
    n, m = len(distances), len(held_out)
    return float((wins - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12))


def c_t(distances: Tensor, held_out: Tensor, cells: Tensor, held_out_cells: Tensor) -> float:
    """The rank test within each cell, in the mean over held-out samples (Meehan, Chaudhuri & Dasgupta 2020, eq. 3).

    Far below 0: generated samples lie closer to training samples than held-out ones do. Cells with fewer than 20
    samples of either kind are left out; where all are, the test is of all samples together.

    Args:
        distances: from generated samples to their nearest training samples, (generated,).
        held_out: the same from held-out samples, (held out,).
        cells: the number of the cell in which each generated sample lies, (generated,).
        held_out_cells: the same of held-out samples, (held out,).
    """
    total, weight = 0.0, 0
    for cell in held_out_cells.unique().tolist():
        here, aside = distances[cells == cell], held_out[held_out_cells == cell]
        if min(len(here), len(aside)) >= FEWEST_IN_CELL:
            total += len(aside) * rank_test(here, aside)
            weight += len(aside)
    return total / weight if weight else rank_test(distances, held_out)


class _Nearest(NamedTuple):
    distances: Tensor
    rows: Tensor


def _nearest(queries: Features, train: Iterable[Features]) -> _Nearest:
    distances = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    rows = torch.zeros(len(queries), dtype=torch.int64)
    passed = 0
    for part in train:
        near, where = nearest(queries, part)
        rows = torch.where(near < distances, where + passed, rows)
        distances = torch.minimum(near, distances)
        passed += len(part)
    return _Nearest(distances, rows)


def _spacing(rows: Tensor, train: Iterable[Features]) -> Tensor:
    """The distance from each of these training samples to its nearest other one."""
    chosen: list[Tensor] = []
    passed = 0
    for part in train:
        chosen.append(part[rows[(rows >= passed) & (rows < passed + len(part))] - passed])
        passed += len(part)
    samples, spacing, passed = torch.cat(chosen).double(), torch.full((len(rows),), torch.inf, dtype=torch.float64), 0
    for part in train:
        for chunk, squared in squared_distances(samples, part.double()):
            own = rows[chunk] - passed
            inside = (own >= 0) & (own < len(part))
            squared[inside.nonzero()[:, 0], own[inside]] = torch.inf
            spacing[chunk] = torch.minimum(spacing[chunk], squared.amin(1).sqrt())
        passed += len(part)
    return spacing


def _cells(fake: Features, held_out: Features, seed: int) -> tuple[Tensor, Tensor]:
    """In which cell each sample lies: k-means on the held-out samples, a cell for about fifty of them, at most ten."""
    from sklearn.cluster import KMeans

    count = min(MOST_CELLS, max(1, len(held_out) // HELD_OUT_IN_CELL))
    cells = KMeans(count, n_init=3, random_state=derive(seed, "cells") % 2**32).fit(held_out.double().numpy())
    mine, aside = (torch.from_numpy(cells.predict(side.double().numpy())) for side in (fake, held_out))
    return mine, aside
