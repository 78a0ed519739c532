"""What is compared with what: generated and other real samples, each against the same real ones, and again with others.

A measure is computed once of as many samples as there are, which gives its value, and in repeats of fresh samples,
which give its interval.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias, final

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.metrics.cache import digest, kept_features
from sparring.metrics.distances import Features
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.measure import Repeat, SampleSet
from sparring.randomness import derive, generator
from sparring.samples import Sample, batch_size, concatenate, rows_within, shapes, take, tensors

MOST = 10_000
"""Samples on a side, and real ones that are drawn from."""
SMALLEST_HELD_OUT = 500
CHUNK, CHUNK_BYTES = 1000, 2**28
"""Samples that an extractor sees together: so many, but no more bytes."""
REPEATS = 8
MOST_REPEATED = 1000
"""Samples a side in a repeat at most."""
FEWEST_REPEATED = 50
"""Samples a side below which nothing is repeated."""


class Generated(NamedTuple):
    """Generated samples with their conditions and classes, and the true samples of these conditions where there are."""

    batch: Batch
    true: Sample | None = None


More: TypeAlias = Callable[[int, int], Generated]
"""(count, repeat) → so many other samples of the same generator."""


@final
class GeneratedSet:
    """Generated samples. What extractors see is computed once."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._features: dict[str, Features] = {}

    @cached_property
    def digest(self) -> str:
        return digest(*tensors(self._batch))

    def batch(self) -> Batch:
        return self._batch

    def taken(self, places: Tensor) -> Batch:
        """The samples at ``places``."""
        return take(self._batch, places)

    def features(self, extractor: Extractor) -> Features:
        if extractor.name not in self._features:
            size = rows_within(CHUNK_BYTES, shapes(self._batch.real), CHUNK)
            starts = range(0, batch_size(self._batch.real), size)
            parts = (take(self._batch.real, slice(start, start + size)) for start in starts)
            self._features[extractor.name] = _features(extractor, self.digest, parts)
        return self._features[extractor.name]


@final
class RealSet:
    """Real samples that are drawn from: at most ``most``, chosen by ``seed``. What extractors see is computed once."""

    def __init__(self, dataset: Dataset, seed: int, most: int) -> None:
        self._dataset = dataset
        self._rows = torch.randperm(len(dataset), generator=generator(seed, "pool"))[:most].numpy()
        self._features: dict[str, Features] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def digest(self) -> str:
        """Of the content of all samples."""
        return digest(*(part for some in self._parts() for part in tensors(self.taken(some))))

    def drawn(self, size: int, seed: int, *, passing: int = 0) -> "Subset":
        """``size`` of them without replacement, in random order, after ``passing`` others."""
        return Subset(self, torch.randperm(len(self), generator=generator(seed, "drawn"))[passing : passing + size])

    def taken(self, places: Tensor) -> Batch:
        """The samples at ``places``."""
        return concatenate([self._dataset.batch(self._rows[some.numpy()]) for some in torch.split(places, CHUNK)])

    def features(self, extractor: Extractor) -> Features:
        """Of all of them."""
        if extractor.name not in self._features:
            samples = (self.taken(part).real for part in self._parts())
            self._features[extractor.name] = _features(extractor, self.digest, samples)
        return self._features[extractor.name]

    def _parts(self) -> Sequence[Tensor]:
        return torch.split(torch.arange(len(self)), rows_within(CHUNK_BYTES, self._dataset.shapes, CHUNK))


@final
class Subset:
    """Some of a pool, or of the generated samples."""

    def __init__(self, whole: RealSet | GeneratedSet, places: Tensor) -> None:
        self._whole, self._places = whole, places

    @cached_property
    def digest(self) -> str:
        return f"{self._whole.digest} {digest(self._places)}"

    def batch(self) -> Batch:
        return self._whole.taken(self._places)

    def features(self, extractor: Extractor) -> Features:
        return self._whole.features(extractor)[self._places]


@final
class Repeats:
    """The comparison, then its repeats.

    Equally many samples stand on all sides, because every measure depends on their number: as many as the smallest
    side has, at most ``count``. Fewer than 500 held-out samples are too few for the floor: then one half of all real
    samples is compared with the other.

    Repeats draw other real samples and take generated ones from ``more``, at most 1,000 a side. Where there are no
    more, random halves of the generated ones take their place.

    Args:
        train: real samples that were trained on.
        held_out: real samples that were kept aside.
        fake: generated samples; a plain batch where nothing is known of what is true.
        seed: of everything that is drawn.
        count: samples on each side at most.
        more: gives other generated samples.
        repeats: how many; 0 for none.

    Attributes:
        size: samples on each side.
        rows: which of the generated samples stand in the first round.
        floor: in words, which real samples the floor is measured with.
        scale: deviations over the repeats times this are those at ``size`` samples.

    Raises:
        SparringError: samples of different shapes.
    """

    def __init__(
        self,
        train: Dataset,
        held_out: Dataset,
        fake: Generated | Batch,
        *,
        seed: int = 0,
        count: int = MOST,
        more: More | None = None,
        repeats: int = REPEATS,
    ) -> None:
        made = fake if isinstance(fake, Generated) else Generated(fake)
        _check_shapes(train, made.batch.real)
        self.seed, self._more = seed, more
        self._aside = RealSet(held_out, derive(seed, "held out"), MOST)
        self._halves = len(held_out) < SMALLEST_HELD_OUT
        if self._halves:
            self._pool = RealSet(train.followed_by(held_out), derive(seed, "train"), 2 * MOST)
            self.floor, most = "one half of the real samples against the other", len(self._pool) // 2
        else:
            self._pool = RealSet(train, derive(seed, "train"), MOST)
            self.floor, most = "held-out samples against training samples", min(len(self._pool), len(self._aside))
        self.size = min(most, batch_size(made.batch), count)
        self.rows = torch.randperm(batch_size(made.batch), generator=generator(seed, "fake"))[: self.size]
        self._fake = GeneratedSet(take(made.batch, self.rows))
        self._true = take(made.true, self.rows)
        self._repeats = repeats if self.size >= FEWEST_REPEATED else 0
        self._repeated = min(self.size if more is not None else self.size // 2, MOST_REPEATED)
        rest = self.size if more is not None else self.size - self._repeated
        self.scale = math.sqrt(self._repeated / max(rest, 1))

    def __len__(self) -> int:
        return 1 + self._repeats

    def __iter__(self) -> Iterator[Repeat]:
        yield self._round(self._fake, self._true, self.size, self.seed)
        for repeat in range(self._repeats):
            seed = derive(self.seed, "again", repeat)
            yield self._round(*self._again(repeat, seed), self._repeated, seed)

    def _again(self, repeat: int, seed: int) -> tuple[SampleSet, Sample | None]:
        if self._more is not None:
            batch, true = self._more(self._repeated, repeat)
            return GeneratedSet(batch), true
        rows = torch.randperm(self.size, generator=generator(seed, "subset"))[: self._repeated]
        return Subset(self._fake, rows), take(self._true, rows)

    def _round(self, fake: SampleSet, true: Sample | None, size: int, seed: int) -> Repeat:
        held_out = self._aside.drawn(size, seed)
        floor = self._pool.drawn(size, seed, passing=size) if self._halves else held_out
        return Repeat(self._pool.drawn(size, seed), fake, floor, held_out, seed, true)


def in_words(several: Sequence[tuple[int, ...]]) -> str:
    """Shapes for a sentence: "1 × 8 × 8", or "9 and 9 × 9" for a sample of two tensors."""
    return " and ".join(" × ".join(map(str, one)) or "one value" for one in several)


def _features(extractor: Extractor, samples_digest: str, parts: Iterable[Sample]) -> Features:
    if not extractor.lasting:
        return torch.cat([extractor(part) for part in parts])
    return kept_features(extractor.name, samples_digest, lambda: torch.cat([extractor(part) for part in parts]))


def _check_shapes(real: Dataset, fake: Sample) -> None:
    if real.shapes != shapes(fake):
        raise SparringError(
            found=f"generated samples of shape {in_words(shapes(fake))}",
            expected=f"{in_words(real.shapes)}, the shape of the real ones",
            remedy="prepare the data in the shape of the generated samples",
        )
