"""Metrics of series, as the evaluation asks for them."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import final

import numpy as np

from sparring.data.dataset import Dataset, Split
from sparring.metrics.distances import frechet
from sparring.metrics.metric import MetricValues, attempted, known
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset, cached
from sparring.modalities.series.coding import Channel, Series, coding_of
from sparring.modalities.series.judging.closeness import (
    alternating,
    closer_to_train,
    closest_series,
    exact_copies,
    near_copies,
    overlap,
)
from sparring.modalities.series.judging.dynamics import (
    autocorrelation_error,
    cross_correlation_error,
    spectrum_error,
)
from sparring.modalities.series.judging.encoder import ContextFeatures, train_encoder
from sparring.modalities.series.judging.learning import Halves, boosted_test, discriminative, halves, predictive
from sparring.modalities.series.judging.marginals import channel_marginals, length_error, missing_error, tail_error
from sparring.modalities.series.judging.values import check
from sparring.randomness import derive
from sparring.samples import take

MAX_SERIES = 10_000
"""Real series of each kind that generated ones are compared with at most."""
STRETCH = 250
"""Series that are read together where there are more: windows of one long series stay neighbours."""
IDEAL = 0.5
"""``closer_to_train`` of a perfect generator."""


def measure(split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
    """Return the metrics of series: ``likeness``, and with ``further`` also closeness, learners and context features.

    Values of generated series stand beside those of held-out ones. Learners learn from training series and are tested
    on held-out ones, whose windows overlap no training window. The recurrent ones, which take seconds, are trained for
    the first comparison alone, without repeats, and so have no intervals.

    Args:
        split: the series.
        seed: of the series that are drawn from it.
        further: compute those that take seconds to a minute, too.
    """
    channels = coding_of(split.facts).channels
    aside = _Aside(split, seed)
    floors: dict[str, MetricValues] = {}

    def one_side(one: Repeat, side: Subset, *, is_floor: bool) -> MetricValues:
        real, series = one.real.batch().real, side.batch().real
        found = likeness(real, series, channels)
        if further:
            found |= attempted("context_frechet", lambda: _context_frechet(aside.encoder, one.real, side))
            found |= closeness(aside, aside.fresh if is_floor else series, channels, is_floor=is_floor)
            found |= learned(aside, None if is_floor else series, channels, one.seed, is_first=one.seed == seed)
        return known(found)

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        # Comparators are measured in the same repeat, whose floor is known by then.
        key = f"{one.real.digest} {one.floor.digest} {one.seed}"
        if key not in floors:
            floors[key] = one_side(one, one.floor, is_floor=True)
        return one_side(one, one.fake, is_floor=False), floors[key]

    return cached(f"series {split.facts.fingerprint} {seed} {further}", compute)


def likeness(real: Series, series: Series, channels: Sequence[Channel]) -> MetricValues:
    """Return ``marginals``, the errors of tails, autocorrelations, cross-correlations, spectra, gaps and lengths."""
    check(channels, real, series)
    shapes = channel_marginals(real, series, channels)
    return {
        "marginals": float(np.nanmean(shapes)) if not np.isnan(shapes).all() else math.nan,
        "tail_error": tail_error(real, series, channels),
        "autocorrelation_error": autocorrelation_error(real, series, channels),
        "cross_correlation_error": cross_correlation_error(real, series, channels),
        "spectrum_error": spectrum_error(real, series, channels),
        "missing_error": missing_error(real, series, channels),
        "length_error": length_error(real, series),
    }


def closeness(aside: "_Aside", series: Series, channels: Sequence[Channel], *, is_floor: bool) -> MetricValues:
    """Return ``exact_copies``, ``near_copies``, ``closest_series`` and ``closer_to_train``.

    Windows of one long series are nearest to those beside them, which real ones have and generated ones do not; then
    the floor of ``closer_to_train`` is ½, as it is for series that are independent of both sides.
    """
    others = aside.others

    def closer() -> float:
        return IDEAL if is_floor and aside.overlap else closer_to_train(aside.train, others, series, channels)

    return {
        **attempted("exact_copies", lambda: exact_copies(aside.everything, series, channels)),
        **attempted("near_copies", lambda: near_copies(aside.train, others, series, channels)),
        **attempted("closest_series", lambda: closest_series(aside.train, series, channels)),
        **attempted("closer_to_train", closer),
    }


def learned(
    aside: "_Aside", series: Series | None, channels: Sequence[Channel], seed: int, *, is_first: bool
) -> MetricValues:
    """Return ``boosted_test``, and in the first comparison ``discriminative`` and ``predictive``.

    Args:
        aside: real series.
        series: generated ones; None to put real ones in their place.
        channels: of the series.
        seed: of the learners.
        is_first: whether this is no repeat.
    """
    if series is None:
        sides = [halves(side, derive(seed, "halves")) for side in (aside.train, aside.held_out)]
        real, fake = (Halves(sides[0][at], sides[1][at]) for at in (0, 1))
        learn = aside.train
    else:
        real, learn = Halves(aside.train, aside.held_out), series
        order = np.random.default_rng(derive(seed, "halves")).permutation(len(series.values))
        tested = min(len(aside.held_out.values), len(order) // 2)
        fake = Halves(take(series, order[tested:]), take(series, order[:tested]))
    found = attempted("boosted_test", lambda: boosted_test(real, fake, channels, seed))
    if is_first:
        found |= attempted("discriminative", lambda: discriminative(real, fake, channels, seed))
        found |= attempted("predictive", lambda: predictive(learn, aside.held_out, channels, seed))
    return found


@final
class _Aside:
    """Real series that learners and closeness need, beside those of a repeat; each is read on first use.

    Attributes:
        everything: all training series; train: at most 10,000 of them.
        held_out: series that were not trained on, likewise.
        overlap: steps that neighbours of these have in common; 0 unless they are windows of one long series.
        fresh: half of them, which stands for generated series.
        others: the other half; all of them where windows overlap, whose floor is known.
        encoder: trained on the training series.
    """

    def __init__(self, split: Split, seed: int) -> None:
        self._split, self._seed = split, seed

    @cached_property
    def everything(self) -> Series:
        series: Series = self._split.train.batch(slice(None)).real
        return series

    @cached_property
    def train(self) -> Series:
        return _some(self._split.train, derive(self._seed, "training series"))

    @cached_property
    def held_out(self) -> Series:
        return _some(self._split.held_out, derive(self._seed, "held-out series"))

    @cached_property
    def overlap(self) -> int:
        return overlap(self.held_out)

    @cached_property
    def _sides(self) -> tuple[Series, Series]:
        return alternating(self.held_out, derive(self._seed, "fresh"))

    @property
    def others(self) -> Series:
        return self.held_out if self.overlap else self._sides[0]

    @property
    def fresh(self) -> Series:
        return self._sides[1]

    @cached_property
    def encoder(self) -> ContextFeatures:
        return train_encoder(self._split, self._seed)


def _context_frechet(encoder: ContextFeatures, real: Subset, side: Subset) -> float:
    return frechet(real.features(encoder), side.features(encoder))


def _some(data: Dataset, seed: int) -> Series:
    """Return all series in order, or of more than 10,000 some stretches of neighbours."""
    starts = np.arange(0, len(data), STRETCH)
    chosen = np.sort(np.random.default_rng(seed).permutation(starts)[: MAX_SERIES // STRETCH])
    rows = (chosen[:, None] + np.arange(STRETCH)).ravel()
    series: Series = data.batch(rows[rows < len(data)]).real
    return series
