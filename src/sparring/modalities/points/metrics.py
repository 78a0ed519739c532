"""How generated points are judged: by their coordinates and, where the modes are known, by how they cover them."""

from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.evaluation.extractors import Extractor


@final
class Coordinates:
    """The points themselves, (count, size)."""

    name = "coordinates"

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return samples.flatten(1)


def extractors(split: Split, seed: int) -> Mapping[str, Extractor]:
    """The one extractor for points."""
    return {"coordinates": Coordinates()}


def measures(samples: Tensor, labels: Tensor | None, split: Split, seed: int) -> Mapping[str, float]:
    """``mode_coverage`` for data whose modes are known, nothing for other data."""
    details = split.facts.details
    if "modes" not in details:
        return {}
    return mode_coverage(samples, torch.tensor(details["modes"]), details["sigma"])


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
