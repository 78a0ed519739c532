"""Evaluation protocol: real, generated and floor samples, and repeats for confidence intervals."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias, final

import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.metrics.distances import NEIGHBOURS
from sparring.metrics.sample_sets import Repeat, SampleSet, Subset, in_memory
from sparring.randomness import derive, generator
from sparring.runs.folder import versions
from sparring.samples import Sample, batch_size, shapes, take

Protocol: TypeAlias = Literal["floor", "standard"]
"""Equal numbers of samples beside a floor and intervals (``Repeats``); or all samples against all real ones."""
MAX_SAMPLES = 10_000
"""Samples on each side, and real samples that they are drawn from."""
MIN_HELD_OUT = 500
"""Held-out samples that suffice for a floor."""
REPEATS, MIN_REPEATS = 8, 4
"""Repeats, and those without which there are no intervals."""
MIN_REPEAT_SAMPLES, MAX_REPEAT_SAMPLES = 50, 1000
"""Samples on each side of a repeat; with fewer there are no repeats."""


class Generated(NamedTuple):
    """Generated samples with conditions and labels, and the true samples of these conditions where they are known."""

    batch: Batch
    true: Sample | None = None


FreshSamples: TypeAlias = Callable[[int, int], Generated]
"""(count, number of the repeat) → other samples of the same generator."""


@final
class Repeats:
    """A comparison of all samples, which gives the values of metrics, then its repeats, which give intervals.

    There are equally many samples on all sides, because every metric depends on their number: as many as the smallest
    side has, at most ``count``. Fewer than 500 held-out samples are too few for a floor: then one half of all real
    samples is compared with the other half, unless generated samples are answers to held-out inputs, whose true answers
    are the floor however few they are.

    Repeats draw other real samples and get fresh generated ones, at most 1,000 a side. Without ``fresh_samples``,
    random halves of the generated samples take their place.

    Args:
        train: real samples that were trained on.
        held_out: real samples that were not.
        fake: generated samples.
        seed: of everything that is drawn.
        count: samples on each side at most.
        fresh_samples: gives other generated samples.
        repeats: how many; 0 for none.

    Attributes:
        size: samples on each side.
        smallest: which side has the fewest samples and decides that number, "generated" or "real".
        rows: generated samples that belong to the first comparison, (size,).
        floor: which real samples the floor compares, in words.
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
        count: int = MAX_SAMPLES,
        fresh_samples: FreshSamples | None = None,
        repeats: int = REPEATS,
    ) -> None:
        generated = fake if isinstance(fake, Generated) else Generated(fake)
        require_shapes(train, generated.batch.real)
        self.seed, self._fresh_samples = seed, fresh_samples

        # Real samples: training against held-out ones, or one half of all against the other.
        self._held_out = _drawn_from(held_out, derive(seed, "held out"), MAX_SAMPLES)
        self._halves = len(held_out) < MIN_HELD_OUT and generated.true is None
        if self._halves:
            self._real = _drawn_from(train.followed_by(held_out), derive(seed, "train"), 2 * MAX_SAMPLES)
            self.floor, available = "one half of the real samples against the other", len(self._real) // 2
        else:
            self._real = _drawn_from(train, derive(seed, "train"), MAX_SAMPLES)
            self.floor = "held-out samples against training samples"
            available = min(len(self._real), len(self._held_out))

        # Generated samples, as many as there are on the smallest side.
        total = batch_size(generated.batch)
        self.size = min(available, total, count)
        self.smallest = "real" if available < min(total, count) else "generated"
        self.rows = torch.randperm(total, generator=generator(seed, "fake"))[: self.size]
        self._fake = SampleSet(in_memory(take(generated.batch, self.rows)))
        self._true = take(generated.true, self.rows)

        # Repeats, whose deviations shrink with √samples; random halves are a delete-half jackknife (Shao & Wu 1989).
        self._repeats = repeats if self.size >= MIN_REPEAT_SAMPLES else 0
        self._repeat_size = min(self.size if fresh_samples else self.size // 2, MAX_REPEAT_SAMPLES)
        self.scale = math.sqrt(self._repeat_size / max(self.size - (0 if fresh_samples else self._repeat_size), 1))

    def __len__(self) -> int:
        return 1 + self._repeats

    def described(self, data: str, repeats: int) -> str:
        """Return everything that decides the numbers in one line; ``data`` describes the real samples."""
        return (
            f"{data} · {self.size} samples a side · floor: {self.floor} · k = {NEIGHBOURS} · "
            f"{repeats} repeats for 95 % intervals · seed {self.seed} · sparring {versions()['sparring']}"
        )

    def __iter__(self) -> Iterator[Repeat]:
        everything = Subset(self._fake, torch.arange(self.size))
        yield self._repeat(everything, self._true, self.size, self.seed)
        for number in range(self._repeats):
            seed = derive(self.seed, "again", number)
            yield self._repeat(*self._generated(number, seed), self._repeat_size, seed)

    def _generated(self, number: int, seed: int) -> tuple[Subset, Sample | None]:
        if self._fresh_samples is not None:
            batch, true = self._fresh_samples(self._repeat_size, number)
            return Subset(SampleSet(in_memory(batch)), torch.arange(self._repeat_size)), true
        rows = torch.randperm(self.size, generator=generator(seed, "subset"))[: self._repeat_size]
        return Subset(self._fake, rows), take(self._true, rows)

    def _repeat(self, fake: Subset, true: Sample | None, size: int, seed: int) -> Repeat:
        order, other = (
            torch.randperm(len(side), generator=generator(seed, "drawn")) for side in (self._real, self._held_out)
        )
        real, held_out = Subset(self._real, order[:size]), Subset(self._held_out, other[:size])
        floor = Subset(self._real, order[size : 2 * size]) if self._halves else held_out
        return Repeat(real, fake, floor, held_out, seed, true)


def require_shapes(real: Dataset, fake: Sample) -> None:
    """Refuse generated samples of another shape than the real ones.

    Raises:
        SparringError: they have another shape.
    """
    if real.shapes != shapes(fake):
        raise SparringError(
            found=f"generated samples of shape {shapes_text(shapes(fake))}",
            expected=f"{shapes_text(real.shapes)}, the shape of the real ones",
            remedy="prepare the data in the shape of the generated samples",
        )


def shapes_text(several: Sequence[tuple[int, ...]]) -> str:
    """Format shapes: "1 × 8 × 8", or "9 and 9 × 9" for a sample of two tensors."""
    return " and ".join(" × ".join(map(str, shape)) or "one value" for shape in several)


def _drawn_from(data: Dataset, seed: int, most: int) -> SampleSet:
    return SampleSet(data, torch.randperm(len(data), generator=generator(seed, "pool"))[:most].numpy())
