"""The number of samples is bounded by their bytes."""

import numpy as np
import pytest

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.evaluation.quick import MAX_SAMPLE_BYTES, count_for


def split_of(*shape: int) -> Split:
    """Return a split of 5,000 samples on either side, which take no memory."""
    data = Dataset(np.broadcast_to(np.uint8(0), (5000, *shape)))
    return Split(data, data, Facts("nowhere", "images", 10_000, shape, fingerprint=""))


@pytest.mark.parametrize("shape", [(3, 256, 256), (1, 4, 8, 8), (3, 16, 256, 256)])
def test_all_samples_fit_into_the_bound_of_bytes(shape: tuple[int, ...]) -> None:
    count = count_for(split_of(*shape))
    assert count * 4 * np.prod(shape) <= MAX_SAMPLE_BYTES
    assert count == min(5000, MAX_SAMPLE_BYTES // int(4 * np.prod(shape)))
