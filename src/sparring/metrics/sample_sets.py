"""Sets of samples that metrics compare, and metrics of samples themselves."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.flow import Batch
from sparring.metrics.cache import cached_features, cached_values, digest
from sparring.metrics.distances import Features
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.metric import MetricValues
from sparring.samples import Sample, concatenate, map_tensors, rows_within, tensors

CHUNK, CHUNK_BYTES = 1000, 2**28
"""Samples that an extractor gets at once, and their bytes, whichever is less."""


@final
class SampleSet:
    """Real or generated samples. Features are computed once per extractor, and shared by all subsets.

    Args:
        data: the samples.
        rows: those that belong to the set; None for all.
    """

    def __init__(self, data: Dataset, rows: NDArray[np.int64] | None = None) -> None:
        self._data = data
        self._rows = np.arange(len(data)) if rows is None else rows
        self._features: dict[str, Features] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of samples, conditions and labels."""
        return digest(*(part for chunk in self._chunks() for part in tensors(chunk)))

    def batch(self, positions: Tensor) -> Batch:
        """Return the samples at some positions, (positions,), within the set."""
        return concatenate([self._data.batch(self._rows[some.numpy()]) for some in torch.split(positions, CHUNK)])

    def features(self, extractor: Extractor) -> Features:
        """Return the features of all samples, (count, features)."""
        if extractor.name not in self._features:

            def extracted() -> Features:
                return torch.cat([extractor(chunk.real) for chunk in self._chunks()])

            caching = extractor.cacheable
            found = cached_features(extractor.name, self.digest, extracted) if caching else extracted()
            self._features[extractor.name] = found
        return self._features[extractor.name]

    def _chunks(self) -> Iterator[Batch]:
        size = rows_within(CHUNK_BYTES, self._data.shapes, CHUNK)
        return (self._data.batch(self._rows[start : start + size]) for start in range(0, len(self), size))


@final
class Subset:
    """Some samples of a set, in any order.

    Args:
        whole: the set.
        positions: within the set, (count,).
    """

    def __init__(self, whole: SampleSet, positions: Tensor) -> None:
        self._whole, self._positions = whole, positions

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the set and of the positions."""
        return f"{self._whole.digest} {digest(self._positions)}"

    def batch(self) -> Batch:
        """Return the samples with their conditions and labels."""
        return self._whole.batch(self._positions)

    def features(self, extractor: Extractor) -> Features:
        """Return the features of the samples, (count, features)."""
        return self._whole.features(extractor)[self._positions]


class Repeat(NamedTuple):
    """One comparison of generated and of other real samples with the same real samples; equally many of each.

    Args:
        real: training samples that the others are compared with.
        fake: generated samples.
        floor: other real samples.
        held_out: real samples that were not trained on; the same as ``floor`` where there are enough of them.
        seed: of what metrics draw at random.
        true: the samples that belong to the conditions of the generated ones, row by row, or None.
    """

    real: Subset
    fake: Subset
    floor: Subset
    held_out: Subset
    seed: int
    true: Sample | None = None


SampleMetrics: TypeAlias = Callable[[Repeat], tuple[MetricValues, MetricValues]]
"""Returns values of the generated samples, and the same of other real ones."""


def in_memory(batch: Batch) -> Dataset:
    """Return generated samples as a data set, which is read as it is."""
    arrays: Any = map_tensors(lambda part: part.detach().cpu().numpy(), batch)
    samples, conditions, labels = arrays
    return Dataset(samples, labels, conditions, read=lambda stored, random: stored)


def cached(name: str, compute: SampleMetrics, keep: Callable[[], bool] = lambda: True) -> SampleMetrics:
    """Return ``compute`` with a cache; ``name`` must say everything beside the samples that decides its values.

    ``keep`` says whether what was computed is complete, and so may be kept.
    """

    def from_cache(repeat: Repeat) -> tuple[MetricValues, MetricValues]:
        digests = [subset.digest for subset in (repeat.real, repeat.fake, repeat.floor, repeat.held_out)]
        fake, floor = cached_values([name, *digests, repeat.seed], lambda: compute(repeat), keep)
        return fake, floor

    return from_cache
