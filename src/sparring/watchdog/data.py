"""What is wrong with data before anything is learned from it."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import torch

from sparring.data.dataset import Dataset, Split
from sparring.samples import floats, tensors
from sparring.watchdog.rules import Finding

NAME = "unhealthy data"
LOOKED_AT = 20_000
"""Samples that are looked at."""
FEW = 200
REPEATED = 0.2
"""The share of samples that repeat another one."""
ONE_CLASS = 0.9
"""The share of the largest class where there are others."""


def unhealthy(split: Split, bounds: tuple[float, float] | None) -> list[Finding]:
    """A finding for each fault of the training data.

    Args:
        split: the data.
        bounds: what all values should lie between, or None.
    """
    rows = np.linspace(0, len(split.train) - 1, min(LOOKED_AT, len(split.train))).astype(np.int64)
    some = split.train.subset(rows)
    faults = [*_values(some, bounds), *_copies(some), *_classes(some, len(split.facts.classes)), *_few(split)]
    return [Finding(NAME, 0, 0, says, advice, evidence) for says, advice, evidence in faults]


Fault = tuple[str, str, tuple[str, ...]]


def _values(some: Dataset, bounds: tuple[float, float] | None) -> Iterator[Fault]:
    values = torch.cat([part.flatten() for part in floats(some.batch(slice(None)).real)] or [torch.zeros(0)])
    if len(values) == 0:
        return
    low, high, spread = float(values.min()), float(values.max()), float(values.std())
    seen = (f"values from {low:.3g} to {high:.3g}", f"standard deviation {spread:.3g}")
    if bounds is not None and (low < 2 * bounds[0] or high > 2 * bounds[1]):
        yield f"values lie outside {list(bounds)}.", "Scale the values before training.", seen
    elif spread < 1e-3 * max(abs(low), abs(high), 1e-12):
        yield "all values are nearly the same.", "Look at the files: are they what you meant?", seen


def _copies(some: Dataset) -> Iterator[Fault]:
    rows = zip(*tensors(some.samples), strict=True)
    different = len({blake2b(b"".join(part.tobytes() for part in row), digest_size=8).digest() for row in rows})
    share = 1 - different / len(some)
    if share > REPEATED:
        seen = (f"{different:,} different samples of {len(some):,}", f"{share:.0%} repeat another one")
        yield "many samples are copies of others, and will be memorised.", "Remove the duplicates.", seen


def _classes(some: Dataset, classes: int) -> Iterator[Fault]:
    if some.labels is None or classes < 2:
        return
    known = some.labels[some.labels >= 0]
    counts = np.bincount(known, minlength=classes)
    share = counts.max() / max(len(known), 1)
    if share > ONE_CLASS:
        seen = (f"{np.count_nonzero(counts)} of {classes} classes have samples", f"{share:.0%} are of one class")
        yield "nearly all samples are of one class.", "Look at the folders, or train with --labels false.", seen


def _few(split: Split) -> Iterator[Fault]:
    if len(split.train) < FEW:
        seen = (f"{len(split.train)} samples to train on", f"{len(split.held_out)} held out")
        yield "there are so few samples that copies of them are what can be learned.", "Find more data.", seen
