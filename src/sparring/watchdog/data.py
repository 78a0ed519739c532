"""Faults of training data, found before the first step."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from sparring.data.dataset import Split
from sparring.events import FindingReported
from sparring.samples import floats, tensors

UNHEALTHY_DATA = "unhealthy data"
"""Name of these findings."""
MAX_CHECKED = 20_000
"""Samples that are checked, spread evenly over the data."""
MIN_SAMPLES = 200
"""Training samples below which copies of them are all that can be learned."""
MIN_DEVIATION = 1e-3
"""Standard deviation of all values, relative to the largest, below which values with a range are nearly the same."""
FLOAT32_DEVIATION = 1e-6
"""The same for a coordinate without a range, which is normalised: float32 tells no more than a few values apart."""
MAX_REPEATED = 0.2
"""Share of samples that may repeat another one."""
MAX_CLASS_SHARE = 0.9
"""Share of samples that one class may have where there are others."""


def check_data(split: Split, bounds: tuple[float, float] | None) -> list[FindingReported]:
    """Return a finding for each fault of the training data.

    Args:
        split: the data.
        bounds: expected range of all values, or None.
    """
    return [
        FindingReported(samples=0, step=0, finding=UNHEALTHY_DATA, explanation=fault, advice=advice, evidence=evidence)
        for fault, advice, evidence in _faults(split, bounds)
    ]


def _faults(split: Split, bounds: tuple[float, float] | None) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield explanation, advice and evidence of each fault."""
    chosen = np.linspace(0, len(split.train) - 1, min(MAX_CHECKED, len(split.train))).astype(np.int64)
    part, classes = split.train.subset(chosen), len(split.facts.classes)

    # Values far outside the expected range, or all alike: without a range, every coordinate has units of its own.
    tables = [one.flatten(1) for one in floats(part.batch(slice(None)).real)]
    values = torch.cat([torch.zeros(0), *(one.flatten() for one in tables)])
    if len(values):
        low, high, deviation = float(values.min()), float(values.max()), float(values.std())
        evidence = (f"values from {low:.3g} to {high:.3g}", f"standard deviation {deviation:.3g}")
        if bounds is not None and (low < 2 * bounds[0] or high > 2 * bounds[1]):
            yield f"values lie outside {list(bounds)}.", "Scale the values before training.", evidence
        elif all(map(_is_constant, tables)) if bounds is None else deviation < MIN_DEVIATION * max(-low, high):
            yield "all values are nearly the same.", "Check that these are the files you meant.", evidence

    # Copies.
    rows = zip(*tensors(part.samples), strict=True)
    distinct = len({blake2b(b"".join(value.tobytes() for value in row), digest_size=8).digest() for row in rows})
    share = 1 - distinct / len(part)
    if share > MAX_REPEATED:
        evidence = (f"{distinct:,} distinct samples of {len(part):,}", f"{share:.0%} repeat another one")
        yield "many samples are copies of others, and will be memorised.", "Remove the duplicates.", evidence

    # One class where there are others.
    if part.labels is not None and classes > 1:
        known = part.labels[part.labels >= 0]
        counts = np.bincount(known, minlength=classes)
        share = counts.max() / max(len(known), 1)
        if share > MAX_CLASS_SHARE:
            evidence = (
                f"{np.count_nonzero(counts)} of {classes} classes have samples",
                f"{share:.0%} are of one class",
            )
            yield "nearly all samples are of one class.", "Check the folders, or train without labels.", evidence

    # Few samples.
    if len(split.train) < MIN_SAMPLES:
        evidence = (f"{len(split.train)} training samples", f"{len(split.held_out)} held out")
        yield "there are so few samples that a model can only copy them.", "Add more data.", evidence


def _is_constant(table: Tensor) -> bool:
    """Return whether float32 hardly tells the values of any column of (samples, coordinates) apart."""
    exact = table.double()
    return bool((exact.std(dim=0) <= FLOAT32_DEVIATION * exact.abs().amax(dim=0)).all())
