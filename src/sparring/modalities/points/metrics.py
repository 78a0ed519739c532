"""How generated points are judged: by their coordinates and, where the modes are known, by how they cover them."""

from collections.abc import Mapping, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.errors import SparringError
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import load_function
from sparring.metrics.metric import MetricValues
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.points.normalizer import ColumnNormalizer


@final
class Coordinates:
    """The points themselves, (count, size), each coordinate by its spread."""

    name = "coordinates"
    cacheable = False

    def __init__(self, normalizer: ColumnNormalizer) -> None:
        self.normalizer = normalizer

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return self.normalizer.normalize(samples)


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """``coordinates``, or the user's own ``file.py:function``."""
    found: dict[str, Extractor] = {}
    for name in names or ["coordinates"]:
        if name == "coordinates":
            found[name] = Coordinates(ColumnNormalizer(split.facts))
        elif ".py:" in name:
            found[name] = load_function(name)
        else:
            raise SparringError(
                found=f"the extractor {name!r}",
                expected="coordinates, or your own as file.py:function",
                remedy="give one of these",
            )
    return found


def measure(split: Split, seed: int) -> SampleMetrics:
    """``measures`` of generated and of held-out points."""

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        return measures(one.fake.batch().real, split), measures(one.held_out.batch().real, split)

    return compute


def measures(samples: Tensor, split: Split) -> MetricValues:
    """``mode_coverage`` for data whose modes are known, nothing for other data."""
    details = split.facts.details
    if "modes" not in details:
        return {}
    return {**mode_coverage(samples, torch.tensor(details["modes"]), details["sigma"])}


def mode_coverage(
    samples: Float[Tensor, "count size"], modes: Float[Tensor, "modes size"], sigma: float
) -> dict[str, float]:
    """How a mixture of round Gaussians is covered (Lin et al. 2018, PacGAN, section 4.1).

    A sample is good if it lies within 3 ``sigma`` of the nearest mode.

    Returns:
        ``modes``: how many have a good sample; ``quality``: the share of good samples, in [0, 1] (0.989 for a
        perfect sampler in the plane); ``reverse_kl``: KL(good samples over modes ‖ uniform) in nats, in [0,
        log modes], left out where no sample is good. A perfect sampler of n good samples has about (modes −
        1) / 2n.
    """
    finite = samples[samples.isfinite().all(1)].double()
    distance, mode = torch.cdist(finite, modes.double(), compute_mode="donot_use_mm_for_euclid_dist").min(1)
    hits = torch.bincount(mode[distance < 3 * sigma], minlength=len(modes))
    good = int(hits.sum())
    found = {"modes": float((hits > 0).sum()), "quality": good / max(len(samples), 1)}
    if good:
        shares = hits[hits > 0].double() / good
        found["reverse_kl"] = max((shares * (shares * len(modes)).log()).sum().item(), 0.0)
    return found
