"""Metrics of two sets of features, as a table: the functions of this room under the names of the scores."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from torch import Generator

from sparring.errors import SparringError
from sparring.metrics.distances import Features, frechet, frechet_at_infinity, kernel, prdc, sliced_wasserstein
from sparring.metrics.diversity import inception_score, vendi
from sparring.metrics.extractors.extractor import Classifying, Extractor
from sparring.metrics.two_samples import classifier_test, nearest_neighbour_test
from sparring.randomness import generator

MetricValues: TypeAlias = dict[str, float | SparringError]
"""Name → value, or the reason why there is none."""
Compute: TypeAlias = Callable[[Features, Features, Generator], tuple[float, ...]]


class Metric(NamedTuple):
    """Metrics that are computed together.

    Args:
        names: as in the scores; ``evaluation.glossary`` explains them.
        compute: (real, fake, generator) → a value for each name. Raises SparringError where there is none.
        default: belongs to the verdict that every evaluation gives; the others are further metrics.
    """

    names: tuple[str, ...]
    compute: Compute
    default: bool = False


METRICS = (
    Metric(("frechet",), lambda real, fake, _: (frechet(real, fake),), default=True),
    Metric(("frechet_at_infinity",), lambda real, fake, random: (frechet_at_infinity(real, fake, generator=random),)),
    Metric(("kernel",), lambda real, fake, _: (kernel(real, fake),)),
    Metric(("sliced_wasserstein",), lambda real, fake, random: (sliced_wasserstein(real, fake, generator=random),)),
    Metric(("precision", "recall", "density", "coverage"), lambda real, fake, _: prdc(real, fake), default=True),
    Metric(("vendi",), lambda real, fake, _: (vendi(fake),)),
    Metric(("classifier_test",), lambda real, fake, random: (classifier_test(real, fake, generator=random),)),
    Metric(("nearest_neighbour_test",), lambda real, fake, _: (nearest_neighbour_test(real, fake),)),
)
"""All metrics, in the order of the reports."""


def metrics_of(extractor: Extractor, *, further: bool = True) -> tuple[Metric, ...]:
    """Return the metrics that an extractor allows, or the default ones among them."""
    metrics: tuple[Metric, ...] = METRICS
    if isinstance(extractor, Classifying):
        probabilities = extractor.probabilities
        metrics += (Metric(("inception_score",), lambda real, fake, _: (inception_score(probabilities(fake)),)),)
    return tuple(metric for metric in metrics if further or metric.default)


def compute_metrics(real: Features, fake: Features, metrics: Sequence[Metric] = METRICS, seed: int = 0) -> MetricValues:
    """Compute metrics of ``fake`` against ``real``; one that fails leaves the others."""
    found: MetricValues = {}
    for metric in metrics:
        try:
            values: Sequence[float | SparringError] = metric.compute(real, fake, generator(seed, metric.names[0]))
        except SparringError as error:
            values = [error] * len(metric.names)
        found |= {name: rounded(value) for name, value in zip(metric.names, values, strict=True)}
    return found


def rounded(value: float | SparringError) -> float | SparringError:
    """Round to eight digits: those beyond depend on where in memory the features happen to lie."""
    return value if isinstance(value, SparringError) else float(f"{value:.8g}")


def attempted(names: str | Sequence[str], compute: Callable[[], float | Mapping[str, float]]) -> MetricValues:
    """Return values under their names, or the reason why there are none.

    Args:
        names: of the values.
        compute: returns the only value, or name → value. Raises SparringError where there is none.
    """
    names = (names,) if isinstance(names, str) else names
    try:
        found = compute()
    except SparringError as error:
        return dict.fromkeys(names, error)
    return {**found} if isinstance(found, Mapping) else dict.fromkeys(names, found)


def known(found: MetricValues) -> MetricValues:
    """Return values as ``rounded`` does, without those that are NaN."""
    return {
        name: rounded(value)
        for name, value in found.items()
        if isinstance(value, SparringError) or not math.isnan(value)
    }
