"""Metrics of points: from their coordinates and, where the modes are known, from the coverage of these."""

from collections.abc import Mapping, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import named_or_own
from sparring.metrics.metric import MetricValues
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.points.normalizer import ColumnNormalizer


@final
class Coordinates:
    """Extracts the normalised coordinates of points, (count, size)."""

    name = "coordinates"
    cacheable = False

    def __init__(self, normalizer: ColumnNormalizer) -> None:
        self.normalizer = normalizer

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        """Normalise each coordinate by its mean and standard deviation in the training data."""
        return self.normalizer.normalize(samples)


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors: ``coordinates``, the default, or the user's own ``file.py:function``.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    return named_or_own(names, Coordinates.name, lambda: Coordinates(ColumnNormalizer(split.facts)))


def measure(split: Split, seed: int) -> SampleMetrics:
    """Return a measure that applies ``measures`` to generated and to held-out points."""

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        return measures(one.fake.batch().real, split), measures(one.held_out.batch().real, split)

    return compute


def measures(samples: Tensor, split: Split) -> MetricValues:
    """Return ``mode_coverage`` for data whose modes are known, and nothing for other data."""
    details = split.facts.details
    if "modes" not in details:
        return {}
    return {**mode_coverage(samples, torch.tensor(details["modes"]), details["sigma"])}


def mode_coverage(
    samples: Float[Tensor, "count size"], modes: Float[Tensor, "modes size"], sigma: float
) -> dict[str, float]:
    """Measure how well samples cover a mixture of isotropic Gaussians (Lin et al. 2018, PacGAN, section 4.1).

    A sample is of high quality if it lies within 3 ``sigma`` of the nearest mode.

    Args:
        samples: generated points.
        modes: centres of the Gaussians.
        sigma: their standard deviation.

    Returns:
        ``modes``: number of modes with a high-quality sample; ``quality``: share of high-quality samples, in [0, 1]
        (0.989 for a perfect sampler in the plane); ``reverse_kl``: KL(high-quality samples over modes ‖ uniform) in
        nats, in [0, log modes], left out where there are no such samples. For n of them, a perfect sampler has about
        (modes − 1) / 2n.
    """
    finite = samples[samples.isfinite().all(1)].double()
    distance, mode = torch.cdist(finite, modes.double(), compute_mode="donot_use_mm_for_euclid_dist").min(1)
    counts = torch.bincount(mode[distance < 3 * sigma], minlength=len(modes))  # (modes,)
    total = int(counts.sum())
    found = {"modes": float((counts > 0).sum()), "quality": total / max(len(samples), 1)}
    if total:
        shares = counts[counts > 0].double() / total
        found["reverse_kl"] = max((shares * (shares * len(modes)).log()).sum().item(), 0.0)
    return found
