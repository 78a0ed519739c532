"""Memorisation: distances to the nearest training sample, beside those of held-out real samples."""

import math
from collections.abc import Iterable
from typing import NamedTuple, final

import torch
from pydantic import BaseModel, ConfigDict, computed_field
from torch import Tensor

from sparring.errors import SparringError
from sparring.evaluation.equality import Equal, Equality, like_real_ones
from sparring.evaluation.scores import Score
from sparring.metrics.distances import Features, check, squared_distances
from sparring.randomness import derive
from sparring.text import number_of

MIN_HELD_OUT = 100
"""Held-out samples below which every verdict on memorisation is inconclusive."""
CLOSE_SHARE = 0.01
"""Share of held-out samples that count as close to the training data."""
COPY_RATIO = 1 / 3
"""Greatest distance of a copy, relative to that of close held-out samples."""
TAIL_SHARE, MIN_TAIL = 0.05, 10
"""Closest held-out samples from which the share of still closer ones is extrapolated: this share, or this many."""
MIN_DISTANCE = 1e-300
"""Distance that takes the place of 0 where logarithms are taken."""
BOUND_ERROR = 0.001
"""Probability that a bound of the extrapolation does not hold; there are two."""
MAX_COPIES_CHANCE, MAX_CLOSER_CHANCE = 0.002, 0.003
"""Probabilities of the two findings by chance. With the bounds and C_T, false alarms stay below 1 %."""
MAX_C_T = 3.0
"""Standard deviations of C_T beyond which samples are too close to the training data: 0.13 % by chance."""
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
    """Generated samples at most a third of that distance from a training sample; equal ones count."""
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
    copies_chance: float | None = None
    """See ``chance_of_copies``; null with too few held-out samples."""
    equal: Equal | None = None
    """Generated samples that are like real ones; null for samples that are not discrete. Those that are equal do not
    count in ``share``, ``c_t`` and ``authenticity``, as no held-out sample is equal to a training sample."""
    data: str = ""
    """Source of the samples that were compared, where they are not known to be the training samples; else empty."""
    pairs: tuple[tuple[int, int, float], ...]
    """Generated row, training row and distance of the closest pairs, the closest first."""

    @property
    def decidable(self) -> bool:
        """True if there are enough held-out samples to tell chance from memorisation."""
        return self.count_held_out >= MIN_HELD_OUT and self.copies_chance is not None

    @property
    def count_different(self) -> int:
        """Generated samples that are compared with held-out ones: those that are equal to no training sample."""
        return self.count - (0 if self.equal is None else self.equal.count) or self.count

    @computed_field  # type: ignore[prop-decorator]
    @property
    def copied(self) -> bool:
        """True if there are more and closer copies than chance explains."""
        if self.equal is not None:
            return self.equal.copied
        return self.decidable and self.copies_chance is not None and self.copies_chance <= MAX_COPIES_CHANCE

    @property
    def closer(self) -> bool:
        """True if more samples are close to the training data than chance explains."""
        if not self.decidable or self.share <= 2 * CLOSE_SHARE:
            return False
        close = round(self.share * self.count_different)
        return chance_of_close(close, self.count_different, self.count_held_out) <= MAX_CLOSER_CHANCE

    @property
    def closer_as_a_whole(self) -> bool:
        """True if C_T is lower than chance explains."""
        return self.decidable and self.c_t < -MAX_C_T

    @property
    def answer(self) -> str:
        """The result in one sentence."""
        one, several = ("a training sample", "training samples")
        if self.data:
            one, several = (f"a sample of {self.data}", f"samples of {self.data}")
        is_close = self.copied or self.closer or self.closer_as_a_whole
        if self.equal is not None and self.copies and (self.copied or not is_close or 2 * self.copies > self.count):
            return self.equal.sentence(self.count, one, several, known=not self.data)
        if not self.decidable:
            return (
                f"Not known whether {several} were copied: the check is inconclusive below {MIN_HELD_OUT} held-out "
                f"samples, and there are {self.count_held_out}."
            )
        if self.copied:
            are = f"is nearly a copy of {one}" if self.copies == 1 else f"are nearly copies of {several}"
            return f"{self.copies:,} of {self.count:,} generated samples {are}."
        if self.closer:
            close = (
                f"{100 * self.share:.1f} % of the samples are as close to {several} as the closest 1 % of held-out ones"
            )
            return f"{close}: more than chance explains."
        if self.closer_as_a_whole:
            alike = "blurry samples" if self.equal is None else "samples of frequent parts alone"
            return (
                f"Closer to {several} as a whole than held-out ones are (C_T {self.c_t:.1f}), as copies and {alike} "
                f"are."
            )
        if self.copies:
            few = (
                f"{number_of(self.copies, 'generated sample')} of {self.count:,} {'is' if self.copies == 1 else 'are'}"
            )
            return f"{few} as close to {several} as copies, no more than chance explains."
        return f"No {one.removeprefix('a ')} was copied."

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> str:
        """The result in two or three sentences."""
        medians = (
            f"Median distance to the nearest one: {self.median:.3g}, of held-out samples {self.median_held_out:.3g}."
        )
        looked = not self.decidable or self.copied or self.closer or self.copies > 0
        return f"{self.answer} {medians}{' See the closest pairs.' if looked else ''}"

    def metrics(self) -> dict[str, Score]:
        """Return the scores; the floor is the value of held-out samples."""
        expected, floor = self.expected_copies, self.authenticity_held_out

        # Authenticity is a share on both sides: the test of two proportions, at 95 %.
        counts = (self.count_different, self.count_held_out)
        pooled = (self.count_different * self.authenticity + self.count_held_out * floor) / sum(counts)
        deviation = math.sqrt(pooled * (1 - pooled) * sum(1 / count for count in counts))
        differs = {
            "copies": self.copied,
            "authenticity": abs(self.authenticity - floor) > 1.96 * deviation,
            "c_t": abs(self.c_t) > MAX_C_T,
        }
        known = {name: value if self.decidable else None for name, value in differs.items()}
        known["copies"] = True if self.copied else known["copies"]
        return {
            "copies": Score(value=self.copies, floor=expected, better="lower", significant=known["copies"]),
            "authenticity": Score(
                value=self.authenticity,
                floor=floor,
                better="nearer to the floor",
                significant=known["authenticity"],
            ),
            "c_t": Score(value=self.c_t, floor=0.0, better="nearer to the floor", significant=known["c_t"]),
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
    return judged(Near(near.distances, near.rows, spacing), cells_of(fake, held_out, seed), pairs=pairs)


class Near(NamedTuple):
    """Generated samples, followed by held-out ones, beside their nearest training samples, (count,) each.

    Args:
        distances: to the nearest training sample.
        rows: number of that one.
        spacing: distance from that one to the nearest other training sample.
    """

    distances: Tensor
    rows: Tensor
    spacing: Tensor


def judged(near: Near, cells: tuple[Tensor, Tensor], known: Equality | None = None, *, pairs: int = 10) -> Memorisation:
    """Judge distances of generated and of held-out samples to the training samples.

    Args:
        near: the distances.
        cells: numbers of the cells of the generated and of the held-out samples; see ``c_t``.
        known: what else is known of discrete samples.
        pairs: number of closest pairs to return.
    """
    size = len(cells[0])
    distances, others = near.distances[:size], near.distances[size:]
    authentic = near.distances > near.spacing
    closest = others.sort().values[_close_rank(len(others)) - 1]
    is_copy, chance, equal = distances <= COPY_RATIO * closest, None, None
    expected = (others <= COPY_RATIO * closest).double().mean().item() * size

    # No held-out sample is equal to a training sample: only generated samples that are none either are like them.
    compared = torch.ones(size, dtype=torch.bool)
    if known is not None:
        equal = like_real_ones(distances, known, float(COPY_RATIO * closest))
        is_copy, chance, expected = is_copy | known.equal, equal.chance, equal.held_out * equal.ratio
        compared = ~known.equal if not known.equal.all() else compared
    elif len(others) >= MIN_HELD_OUT:
        chance = chance_of_copies(distances[is_copy], size, others)
    order: list[int] = distances.argsort(stable=True)[:pairs].tolist()
    return Memorisation(
        median=distances.median().item(),
        median_held_out=others.median().item(),
        closest=closest.item(),
        share=(distances[compared] < closest).double().mean().item(),
        copies=int(is_copy.sum()),
        copies_chance=chance,
        expected_copies=expected,
        count=size,
        count_held_out=len(others),
        c_t=c_t(distances[compared], others, cells[0][compared], cells[1]),
        authenticity=authentic[:size][compared].double().mean().item(),
        authenticity_held_out=authentic[size:].double().mean().item(),
        equal=equal,
        pairs=tuple((row, int(near.rows[row]), distances[row].item()) for row in order),
    )


def chance_of_close(close: int, count: int, held_out: int) -> float:
    """Return the probability that ``close`` samples or more lie below the closest 1 % of held-out ones by chance.

    For equal distributions, the share of new samples below the k-th of m held-out distances has the distribution
    Beta(k, m - k + 1), whatever the distribution of distances, so their number is beta-binomial.

    Args:
        close: generated samples that are closer than the closest 1 % of held-out samples.
        count: generated samples.
        held_out: held-out samples, m.
    """
    from scipy.stats import betabinom

    k = _close_rank(held_out)
    return float(betabinom.sf(close - 1, count, k, held_out - k + 1))


def chance_of_copies(copies: Tensor, count: int, held_out: Tensor) -> float:
    """Return a bound on the probability that as many samples come as close to training samples by chance.

    Copies are closer than all held-out samples, so the share at their distance is extrapolated: towards 0, the
    distribution of distances to the nearest of many points is a power law, F(r) = F(R) (r / R)^D, D the dimension of
    the data. Over the held-out distances below R, the j-th of them, log(R / r) is exponential with rate D (Hill 1975),
    which gives a lower bound of D; F(R) is Beta-distributed, which gives an upper one. The number of samples at such
    distances is then binomial.

    Args:
        copies: distances of the copies among the generated samples, (copies,).
        count: generated samples.
        held_out: distances from held-out samples to their nearest training samples, (held out,), at least ten.
    """
    from scipy.stats import beta, binom, chi2

    if len(copies) == 0:
        return 1.0
    copies, held_out = (side.double().clamp(min=MIN_DISTANCE).sort().values for side in (copies, held_out))

    # The tail reaches beyond held-out samples that are as close themselves, such as duplicates within the data: these
    # make D about 0, so that F is not extrapolated.
    as_close = int((held_out <= copies[-1]).sum())
    size = min(max(MIN_TAIL, round(TAIL_SHARE * len(held_out)), as_close + MIN_TAIL), len(held_out))
    tail = held_out[:size]
    reach = float(tail[-1])

    # The upper bound of F(R) and the lower one of D.
    share = float(beta.ppf(1 - BOUND_ERROR, size, len(held_out) - size + 1))
    logarithms = float((reach / tail[:-1]).log().sum())
    dimension = float(chi2.ppf(BOUND_ERROR, 2 * (size - 1))) / (2 * max(logarithms, 1e-9))

    # The closest copy alone, and all of them at the distance of the farthest.
    ranks = {1, len(copies)}
    chances = [binom.sf(rank - 1, count, share * (float(copies[rank - 1]) / reach) ** dimension) for rank in ranks]
    return min(len(ranks) * float(min(chances)), 1.0)


def _close_rank(held_out: int) -> int:
    """Return the rank of the distance that the closest 1 % of held-out samples reach, from 1."""
    return max(1, round(CLOSE_SHARE * held_out))


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


def cells_of(fake: Features, held_out: Features, seed: int) -> tuple[Tensor, Tensor]:
    """Assign both sides to cells: k-means on the held-out samples, one cell for about 50 of them, at most ten."""
    from sklearn.cluster import KMeans

    count = min(MAX_CELLS, max(1, len(held_out) // SAMPLES_PER_CELL))
    cells = KMeans(count, n_init=3, random_state=derive(seed, "cells") % 2**32).fit(held_out.double().numpy())
    own, other = (torch.from_numpy(cells.predict(side.double().numpy())) for side in (fake, held_out))
    return own, other
