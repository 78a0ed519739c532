"""What is measured of what: the sides of a comparison, and functions of them."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from sparring.flow import Batch
from sparring.metrics.cache import kept_measures
from sparring.metrics.distances import Features
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.metric import Measured
from sparring.samples import Sample


class SampleSet(Protocol):
    """Samples on one side of a comparison."""

    @property
    def digest(self) -> str:
        """Of their content."""
        ...

    def batch(self) -> Batch:
        """Themselves, with their labels."""
        ...

    def features(self, extractor: Extractor) -> Features:
        """What an extractor sees in them."""
        ...


class Repeat(NamedTuple):
    """One comparison.

    Args:
        real: training samples that the others are compared with.
        fake: generated samples, equally many.
        floor: other real samples, equally many.
        held_out: real samples that nothing was trained on; the same as ``floor`` where there are enough of them.
        seed: of what is drawn in measuring.
        true: what really belonged to the conditions of the generated samples, row by row, or None.
    """

    real: SampleSet
    fake: SampleSet
    floor: SampleSet
    held_out: SampleSet
    seed: int
    true: Sample | None = None


Measure: TypeAlias = Callable[[Repeat], tuple[Measured, Measured]]
"""What is said of generated samples, and the same of other real ones."""


def by_samples(name: str, compute: Measure) -> Measure:
    """Measures of samples themselves; ``name`` says all else that decides them. Nothing is computed twice."""

    def kept(one: Repeat) -> tuple[Measured, Measured]:
        sides = [side.digest for side in (one.real, one.fake, one.floor, one.held_out)]
        fake, floor = kept_measures([name, *sides, one.seed], lambda: compute(one))
        return fake, floor

    return kept
