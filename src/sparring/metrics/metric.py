"""What is measured of two sets of features, each a value: the functions of this room under the names of the scores."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from torch import Generator

from sparring.errors import SparringError
from sparring.metrics.distances import Features, frechet, frechet_at_infinity, kernel, prdc, sliced_wasserstein
from sparring.metrics.diversity import inception_score, vendi
from sparring.metrics.extractors.extractor import Classifying, Extractor
from sparring.metrics.two_samples import classifier_test, nearest_neighbour_test
from sparring.randomness import generator

Measured: TypeAlias = dict[str, float | SparringError]
"""Name → value, or why there is none."""
Compute: TypeAlias = Callable[[Features, Features, Generator], tuple[float, ...]]


class Metric(NamedTuple):
    """Measures that are computed together.

    Args:
        names: of the measures, as they stand in the scores; ``evaluation.glossary`` has their meaning.
        compute: (real, fake, generator) → a value for each name. Raises SparringError where there is none.
    """

    names: tuple[str, ...]
    compute: Compute


METRICS = (
    Metric(("frechet",), lambda real, fake, _: (frechet(real, fake),)),
    Metric(("frechet_at_infinity",), lambda real, fake, random: (frechet_at_infinity(real, fake, generator=random),)),
    Metric(("kernel",), lambda real, fake, _: (kernel(real, fake),)),
    Metric(("sliced_wasserstein",), lambda real, fake, random: (sliced_wasserstein(real, fake, generator=random),)),
    Metric(("precision", "recall", "density", "coverage"), lambda real, fake, _: prdc(real, fake)),
    Metric(("vendi",), lambda real, fake, _: (vendi(fake),)),
    Metric(("classifier_test",), lambda real, fake, random: (classifier_test(real, fake, generator=random),)),
    Metric(("nearest_neighbour_test",), lambda real, fake, _: (nearest_neighbour_test(real, fake).accuracy,)),
)
"""All of them; the order is that of the reports."""


def metrics_of(extractor: Extractor) -> tuple[Metric, ...]:
    """All of them, and what needs an extractor that tells classes."""
    if not isinstance(extractor, Classifying):
        return METRICS
    probabilities = extractor.probabilities
    return (*METRICS, Metric(("inception_score",), lambda real, fake, _: (inception_score(probabilities(fake)),)))


def measured(real: Features, fake: Features, metrics: Sequence[Metric] = METRICS, seed: int = 0) -> Measured:
    """Every measure of ``fake`` against ``real``."""
    found: Measured = {}
    for metric in metrics:
        try:
            values: Sequence[float | SparringError] = metric.compute(real, fake, generator(seed, metric.names[0]))
        except SparringError as error:
            values = [error] * len(metric.names)
        found |= {name: rounded(value) for name, value in zip(metric.names, values, strict=True)}
    return found


def rounded(one: float | SparringError) -> float | SparringError:
    """To eight digits: those beyond depend on where in memory the features happen to lie."""
    return one if isinstance(one, SparringError) else float(f"{one:.8g}")
