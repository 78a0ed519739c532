"""Statistics of a contest, for the log and the watchdog."""

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.flow import Sample
from sparring.objectives.critic import Critic, gradient, per_sample


def logit_statistics(critic: Critic, real: Sample, fake: Sample) -> dict[str, Tensor]:
    """Return what the logits, summed over critics, say of real and generated samples.

    Args:
        critic: the discriminator in one turn.
        real: real samples; their floating-point parts must require a gradient.
        fake: generated samples, likewise.

    Returns:
        ``real score`` and ``fake score``, the means; ``sure``, the mean sign of D(x) relative to the mean score of
        fakes, in [-1, 1] (Karras et al. 2020, eq. 1; relative to that mean because relativistic logits have no zero of
        their own); ``overlap``, the share of rows in which the fake scores higher, in [0, 1] and 1/2 for equal
        distributions; ``real slope`` and ``fake slope``, the mean of ‖∇D‖.
    """
    # (batch,) each: the mean over patches, the sum over critics.
    reals, fakes = (torch.stack([*map(per_sample, critic(sample).logits)]).sum(0) for sample in (real, fake))
    norms = [
        gradient(total, sample, retain_graph=True).norm(dim=1).mean()
        for total, sample in ((reals, real), (fakes, fake))
    ]
    with torch.no_grad():
        return {
            "real score": reals.mean(),
            "fake score": fakes.mean(),
            "sure": (reals - fakes.mean()).sign().mean(),
            "overlap": (fakes > reals).float().mean(),
            "real slope": norms[0],
            "fake slope": norms[1],
        }


def kernel_distance(real: Float[Tensor, "batch features"], fake: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
    """Return the squared maximum mean discrepancy with Gaussian kernels (Gretton et al. 2012, lemma 6).

    The widths are 1/4 to 4 times the median distance of real sequences.
    """
    both = torch.cat([real, fake])
    squares = torch.cdist(both, both).square()
    count = len(real)
    scale = squares[:count, :count].detach()[~torch.eye(count, dtype=torch.bool, device=real.device)].median()
    kernel = torch.stack([(-squares / (2 * factor * scale.clamp_min(1e-6))).exp() for factor in (0.25, 1.0, 4.0)]).sum(
        0
    )
    among = [kernel[:count, :count], kernel[count:, count:]]
    same = [(one.sum() - one.diagonal().sum()) / max(1, count * (count - 1)) for one in among]
    return same[0] + same[1] - 2 * kernel[:count, count:].mean()
