"""The weight γ of R1 and R2, found by the run itself.

Near the optimum a discriminator under R1 and R2 answers linearly: with p the data, q the samples and m their mean,
D = φ / 4γ where -∇·(m∇φ) = p - q, so that real samples lead by E D(x) - E D(G(z)) = ‖p - q‖² / 4γ in the norm dual to
that of ∇φ in m, which for near p and q is their squared Wasserstein distance (Peyre 2018, theorem 1). To hold the lead
is therefore to let γ fall as the squared distance between samples and data: the discriminator looks as finely as the
samples are wrong, and no finer. docs/en/explanation/gamma.md has the derivation and the measurements.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from sparring.dials import Dial, hold
from sparring.objectives.schedules import geometric

LEAD = "lead"
"""The note by which γ is steered."""
SET_POINT = 0.85
"""Where the lead is held: log 2 = 0.693 where nothing can be told apart, and about half of a gap in scores above it."""
RISE = 0.25
"""How much slower γ rises than it falls: at first the discriminator leads by far whatever γ is, and that passes."""
HIGHEST = 1e3
"""How far γ may rise above its start."""


def lead(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """E softplus(D(x) - D(G(z))), the mean over judges: how far the scores of reals, each (batch,), are ahead."""
    ahead = [softplus(ours - theirs).mean() for ours, theirs in zip(real, fake, strict=True)]
    return torch.stack(ahead).mean()


def automatic(
    start: float, rate: float, lowest: float, *, at: float = SET_POINT, player: str = "discriminator"
) -> Dial:
    """A strength for R1 and R2 of weight 1 that holds the lead of reals at its set point from the start.

    Args:
        start: γ at the start, in squared units of what the discriminator sees.
        rate: the share by which γ falls in a step; it rises at a quarter of that.
        lowest: γ at the least, as a share of ``start``; it may come there only at the end of the run, so that what is
            coarse is learned first.
        at: the set point.
        player: the discriminator that notes the lead.
    """
    floor = geometric(start, lowest * start)
    rule = hold(f"{player}: {LEAD}", at, rate, rise=RISE, floor=floor)
    return Dial(start, highest=HIGHEST * start, rule=rule)


def fixed(value: float = 1.0, rate: float = 0.01, player: str = "discriminator") -> Dial:
    """A factor on penalties that stays as it is until it is told to hold the lead, too; 0 for no penalties."""
    return Dial(value, highest=HIGHEST, rule=hold(f"{player}: {LEAD}", SET_POINT, rate), obeys=False)
