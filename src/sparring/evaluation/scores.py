"""Scores: every metric beside its value for real samples, real against real, with confidence intervals.

That value is called ``floor`` in code and JSON, which keep the name for those who read them by program.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeAlias, final

from pydantic import BaseModel, ConfigDict

from sparring.errors import SparringError
from sparring.evaluation.glossary import INCONCLUSIVE, NO_DIFFERENCE, Better, metric_info, way
from sparring.evaluation.protocol import MIN_REPEATS, Repeats
from sparring.metrics.cache import cached_values, digest
from sparring.metrics.distances import density_of_each, nearest
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.metric import METRICS, Metric, MetricValues, compute_metrics
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset
from sparring.samples import Sample, different_rows

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called with (done, total) as work goes on."""


@final
class Score(BaseModel):
    """One metric."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    value: float | None
    """Generated against real samples; null where it cannot be computed."""
    floor: float | None = None
    """Other real samples against the same real ones: the value of a perfect generator."""
    better: Better
    """Which values are better."""
    plus_minus: float | None = None
    """Half the width of the 95 % interval around the value; null with too few samples."""
    floor_plus_minus: float | None = None
    """The same for the floor."""
    significant: bool | None = None
    """True if value and floor differ significantly; null where that cannot be tested."""
    remark: str = ""
    """Why there is no value or no floor."""
    deviations: tuple[float, ...] = ()
    """Deviations of the repeats from their mean, scaled to this number of samples. They are paired with those of
    another model that was evaluated with the same data, count and seed."""

    @property
    def verdict(self) -> str:
        """The value beside the real one: worse, better, different, or not to be told from it.

        The direction of the metric where there is no real value; empty without a value.
        """
        direction = f"{way(self.better)} is better"
        if self.value is None:
            return ""
        if self.significant is False:
            return NO_DIFFERENCE
        if self.floor is None:
            return direction
        if self.significant is None:
            return INCONCLUSIVE if self.plus_minus is None else direction
        if self.better == "nearer to the floor":
            return "different"
        return "better" if (self.value > self.floor) == (self.better == "higher") else "worse"


@final
class Scores(BaseModel):
    """All metrics in the features of one extractor."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    extractor: str
    """Name of the extractor, with the start of the SHA-256 of its weights where it has any."""
    count: int
    """Generated samples that were compared."""
    real_count: int
    """Real samples that they were compared with."""
    floor: str = ""
    """Which real samples the floor compares."""
    repeats: int = 0
    """Repeats that the intervals are computed from."""
    protocol: str
    """Everything that decides the numbers, in one line."""
    metrics: dict[str, Score]
    """Metric → score."""

    @staticmethod
    def of_repeats(extractor: str, repeats: Repeats, done: int, data: str, metrics: dict[str, Score]) -> "Scores":
        """Return the scores of a comparison with ``done`` repeats; ``data`` describes the real samples."""
        return Scores(
            extractor=extractor,
            count=repeats.size,
            real_count=repeats.size,
            floor=repeats.floor,
            repeats=done,
            protocol=f"{extractor} · {repeats.described(data, done)}",
            metrics=metrics,
        )

    @property
    def samples(self) -> str:
        """Numbers of samples in words."""
        if self.floor:
            return f"{self.count:,} generated samples beside {self.real_count:,} real ones"
        return f"{self.count:,} generated samples against {self.real_count:,} real ones"


def by_features(extractor: Extractor, metrics: Sequence[Metric] = METRICS) -> SampleMetrics:
    """Return metrics in the features of an extractor as metrics of samples, with a cache."""
    names = [name for metric in metrics for name in metric.names]

    def one_side(repeat: Repeat, side: Subset) -> MetricValues:
        features = cache(lambda: (repeat.real.features(extractor), side.features(extractor)))
        try:
            content = [repeat.real.digest, side.digest] if extractor.cacheable else [digest(*features())]
            key = [extractor.name, names, *content, repeat.seed]
            (found,) = cached_values(key, lambda: (compute_metrics(*features(), metrics, repeat.seed),))
        except SparringError as error:
            return dict.fromkeys(names, error)
        return found

    return lambda repeat: (one_side(repeat, repeat.fake), one_side(repeat, repeat.floor))


def extremes(
    repeat: Repeat, extractor: Extractor, most: int, inputs: Sample | None = None
) -> tuple[list[int], list[int]]:
    """Return rows of generated samples where real ones are densest, best first, and of those farthest out, worst last.

    Ordered by density, and samples of equal density by their distance from the nearest real one. Both are empty where
    the density cannot be computed.

    Args:
        repeat: what is compared.
        extractor: of the features.
        most: rows of each at most.
        inputs: what the samples were generated from, if anything: then only the best sample of each input counts,
            and either half has other inputs.
    """
    try:
        real, fake = repeat.real.features(extractor), repeat.fake.features(extractor)
        densities, distances = density_of_each(real, fake), nearest(fake, real)[0]
    except SparringError:
        return [], []
    near = distances.argsort(stable=True)
    order: list[int] = near[densities[near].argsort(descending=True, stable=True)].tolist()
    if inputs is not None:
        order = different_rows(inputs, order)
        most = min(most, max(1, len(order) // 2))
    return order[:most], order[-most:]


def scored(
    repeats: Repeats,
    metrics: Sequence[SampleMetrics],
    deadline: float = math.inf,
    on_progress: OnProgress | None = None,
) -> tuple[list[dict[str, Score]], int]:
    """Return the scores of each of ``metrics``, and the number of repeats that their intervals are computed from.

    Args:
        repeats: what is compared; the first comparison gives the values.
        metrics: computed in each comparison.
        deadline: no repeat begins that would not be finished by then, on the clock of ``time.monotonic``.
        on_progress: called with (done, total).
    """
    values: list[list[tuple[MetricValues, MetricValues]]] = [[] for _ in metrics]
    began, number = time.monotonic(), 0
    for number, repeat in enumerate(repeats):
        for place, compute in enumerate(metrics):
            values[place].append(compute(repeat))
            if on_progress:
                on_progress(number * len(metrics) + place + 1, len(repeats) * len(metrics))
        now = time.monotonic()
        # The first comparison takes longer than the repeats, so it is no estimate for them.
        if now + (now - began if number else 0) > deadline:
            break
        began = now
    done = number if number >= min(MIN_REPEATS, len(repeats) - 1) else 0
    return [_scores(first, again[:done], repeats.scale) for first, *again in values], done


def plain_scores(values: MetricValues) -> dict[str, Score]:
    """Return scores without floor and interval."""
    return {
        name: Score(value=None, better=metric_info(name).better, remark=str(value))
        if isinstance(value, SparringError)
        else Score(value=value, better=metric_info(name).better)
        for name, value in values.items()
    }


def half_width(deviations: Iterable[float]) -> float | None:
    """Return half the width of the 95 % interval by Student's t; None for fewer than two deviations."""
    from scipy.special import stdtrit

    values = list(deviations)
    if len(values) < 2:
        return None
    quantile = round(float(stdtrit(len(values) - 1, 0.975)), 3)  # 2.365 for eight repeats, as in printed tables.
    return float(f"{quantile * statistics.stdev(values):.4g}")


def _scores(
    first: tuple[MetricValues, MetricValues], again: Sequence[tuple[MetricValues, MetricValues]], scale: float
) -> dict[str, Score]:
    """Return a score for each metric: value and floor of the first comparison, intervals from the repeats."""
    scores = {}
    for name in dict.fromkeys([*first[0], *first[1]]):
        # A metric that could not be computed has the error in place of its value.
        sides = [side.get(name) for side in first]
        value, floor = (None if isinstance(side, SparringError) else side for side in sides)
        fakes, floors = (_deviations([repeat[side].get(name) for repeat in again], scale) for side in (0, 1))
        # Both sides of a repeat share their real samples: the deviation of the difference is smaller than either.
        around = half_width(a - b for a, b in zip(fakes, floors, strict=False))
        significant = None
        if value is not None and floor is not None and around is not None:
            significant = abs(value - floor) > around
        scores[name] = Score(
            value=value,
            floor=floor,
            better=metric_info(name).better,
            plus_minus=half_width(fakes),
            floor_plus_minus=half_width(floors),
            significant=significant,
            remark=_remark(*sides),
            deviations=tuple(fakes),
        )
    return scores


def _remark(value: float | SparringError | None, floor: float | SparringError | None) -> str:
    """Return why there is no value, else why there is no floor, in which real samples stand for generated ones."""
    if isinstance(value, SparringError):
        return str(value)
    return f"Of real samples in place of generated ones: {floor}" if isinstance(floor, SparringError) else ""


def _deviations(values: Sequence[float | SparringError | None], scale: float) -> list[float]:
    """Return scaled deviations from the mean; none where a value is missing."""
    numbers = [value for value in values if isinstance(value, float) and not math.isnan(value)]
    if len(numbers) < max(len(values), 2):
        return []
    mean = statistics.fmean(numbers)
    return [float(f"{scale * (value - mean):.6g}") for value in numbers]
