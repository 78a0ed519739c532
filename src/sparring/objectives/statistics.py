"""Statistics of a contest, for the log and the watchdog."""

import torch
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
