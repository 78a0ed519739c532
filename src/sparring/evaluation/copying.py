"""The search for copies: which generated and held-out samples are compared with the training samples, and how."""

import math
import time
from collections.abc import Callable, Iterator
from typing import final

import torch
from torch import Tensor

from sparring.data.cache import cache_key, read_cached, write_cached
from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError
from sparring.evaluation.budget import Budget
from sparring.evaluation.equality import Equality
from sparring.evaluation.memorisation import Memorisation, Near, cells_of, compare, judged
from sparring.evaluation.subject import Subject
from sparring.metrics.cache import VERSION, digest
from sparring.metrics.distances import nearest
from sparring.metrics.extractors.extractor import Extractor, Pixels
from sparring.modality import FindsNearest
from sparring.randomness import generator
from sparring.samples import Sample, batch_size, rows_within, take, tensors
from sparring.sampling import SAMPLES_PER_PASS

PART, PART_BYTES = 4096, 2**28
"""Training samples that are compared at once, and their bytes, whichever is less."""
COMPARED = 1000
"""Samples that are compared with the training samples, or that players give their opinion of."""
MIN_VALUES = 16
"""Values per sample below which all samples are close to one another and copies cannot be detected."""


def memorisation_of(samples: Sample, subject: Subject, split: Split, seed: int, budget: Budget) -> Memorisation | None:
    """Compare samples with the training samples, or return None where copies cannot be detected.

    Args:
        samples: the generated ones.
        subject: what generated them.
        split: the data.
        seed: of the samples that are drawn.
        budget: time that may be spent.
    """
    modality = subject.modality
    discrete = modality if isinstance(modality, FindsNearest) else None
    if discrete is None and sum(math.prod(shape) for shape in split.train.shapes) < MIN_VALUES:
        return None
    comparable = isinstance(samples, Tensor) and samples.is_floating_point()
    extractor = Pixels() if comparable else next(iter(modality.extractors(split, seed).values()))
    train = _Parts(split.train, extractor)

    # Draw from both sides, as many as there is time for: all are compared twice with all training samples.
    count = COMPARED
    if math.isfinite(budget.seconds):
        few, part = take(samples, slice(0, SAMPLES_PER_PASS)), split.train.subset(slice(0, train.size))
        if discrete is None:
            fixed = _seconds(lambda: next(iter(train)))
            features, others = extractor(few), next(iter(train))
            each = _seconds(lambda: nearest(features, others), again=True)
        else:
            fixed = _seconds(lambda: discrete.nearest(few[:1], part), again=True)
            each = max(0.0, _seconds(lambda: discrete.nearest(few, part)) - fixed)
        parts = len(split.train) / len(part)
        each *= 4 * parts / batch_size(few)
        count = budget.affordable(count, each, "samples compared with the training data", 2 * fixed * parts)
    rows = torch.randperm(batch_size(samples), generator=generator(seed, "compared"))[:count]
    aside = torch.randperm(len(split.held_out), generator=generator(seed, "compared aside"))[:count]
    fake, held_out = take(samples, rows), split.held_out.batch(aside.numpy()).real

    content = digest(*tensors((held_out, fake)))
    key = cache_key([VERSION, 4, split.facts.fingerprint, split.train.shapes, content, extractor.name, seed])
    cached = read_cached("memorisation", key)
    if cached is None:
        sides = extractor(held_out), extractor(fake)
        try:
            if discrete is None:
                result = compare(train, *sides, seed=seed)
            else:
                near = _near(discrete, torch.cat([fake, held_out]), split.train)
                known = _equality(discrete, fake, near, split)
                result = judged(near, cells_of(sides[1], sides[0], seed), known)
        except SparringError:
            return None
        cached = result.model_dump(mode="json")
        write_cached("memorisation", key, cached)
    found = Memorisation.model_validate(cached)
    pairs = tuple((int(rows[row]), real, distance) for row, real, distance in found.pairs)
    data = "" if subject.knows(split.facts) else split.facts.source
    return found.model_copy(update={"pairs": pairs, "data": data})


def _near(modality: FindsNearest, samples: Tensor, train: Dataset) -> Near:
    """Return the nearest training sample of each sample, and how near that one is to the others."""
    found = modality.nearest(samples, train)
    matched, which = found.rows.unique(return_inverse=True)
    spacing = modality.nearest(train.batch(matched.numpy()).real, train, matched).distances[which]
    return Near(found.distances, found.rows, spacing)


def _equality(modality: FindsNearest, samples: Tensor, near: Near, split: Split) -> Equality:
    """Return which generated samples are equal to others, and how near they are to held-out ones."""
    matched = split.train.batch(near.rows[: len(samples)].numpy()).real
    equal = (samples == matched).flatten(1).all(1)
    to_held_out = modality.nearest(samples, split.held_out).distances
    keys = _keys(samples)
    first = torch.tensor([keys.index(key) == number for number, key in enumerate(keys)])
    return Equality(equal, to_held_out, first, _different(split.train) / _different(split.held_out))


def _different(data: Dataset) -> int:
    """Return the number of different samples of a data set."""
    parts = (data.batch(slice(start, start + PART)).real for start in range(0, len(data), PART))
    return len({key for part in parts for key in _keys(part)})


def _keys(samples: Tensor) -> list[int]:
    """Return a number for each sample, equal for equal ones."""
    return [hash(row.tobytes()) for row in samples.cpu().numpy()]


def _seconds(work: Callable[[], object], *, again: bool = False) -> float:
    """Return how long something takes; ``again`` times it a second time, as first calls are slower."""
    if again:
        work()
    began = time.monotonic()
    work()
    return time.monotonic() - began


@final
class _Parts:
    """Features of a data set in parts, extracted anew in each iteration."""

    def __init__(self, data: Dataset, extractor: Extractor) -> None:
        self.data, self.extractor = data, extractor
        self.size = rows_within(PART_BYTES, data.shapes, PART)

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self.data), self.size):
            yield self.extractor(self.data.batch(slice(start, start + self.size)).real)
