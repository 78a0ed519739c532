"""The weight γ of R1 and R2, found during the run.

Near the optimum a discriminator under R1 and R2 answers linearly: with p the data, q the samples and m their mean,
D = φ / 4γ where -∇·(m∇φ) = p - q, so that the gap in logits is E D(x) - E D(G(z)) = ‖p - q‖² / 4γ in the norm dual to
that of ∇φ in m, which for near p and q is their squared Wasserstein distance (Peyre 2018, theorem 1). Holding the lead
therefore lets γ fall with the squared distance between samples and data: the discriminator resolves as finely as the
samples are wrong, and no finer. docs/en/explanation/gamma.md has the derivation and the measurements.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from sparring.controls import Control, hold, note
from sparring.objectives.schedules import geometric

LEAD = "lead"
"""The note that steers γ."""
SET_POINT = 0.85
"""Set point of the lead, by ``RISE_RATIO`` its 20 % quantile. log 2 = 0.693 means that the discriminator sees no
difference; the excess is about half of the gap in logits."""
RISE_RATIO = 0.25
"""Upward rate of γ as a share of its downward rate: early on the discriminator leads by far whatever γ is."""
MAX_FACTOR = 1e3
"""Upper bound of γ, relative to its start."""


def lead(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Return E softplus(D(x) - D(G(z))), averaged over heads: the lead of real samples, log 2 for equal logits.

    This is the generator's side of the relativistic loss, whatever loss is minimised.

    >>> lead(real=[torch.zeros(4)], fake=[torch.zeros(4)])
    tensor(0.6931)
    """
    ahead = [softplus(x - z).mean() for x, z in zip(real, fake, strict=True)]
    return torch.stack(ahead).mean()


def automatic(
    start: float, rate: float, lowest: float, *, at: float = SET_POINT, turn: str = "discriminator"
) -> Control:
    """Return a γ that holds the lead at its set point from the start; the weights of R1 and R2 are then 1.

    Args:
        start: γ at the start, in squared units of what the discriminator sees.
        rate: relative change of γ per step, downwards.
        lowest: lower bound of γ, as a share of ``start``, reached only at the end of the run, so that coarse structure
            is learned first.
        at: the set point.
        turn: the turn that notes the lead.

    Below the set point γ falls by 1 % per step, above it γ rises by a quarter of that:

    >>> from sparring.flow import Figures
    >>> gamma = automatic(start=1.0, rate=0.01, lowest=0.1)
    >>> gamma.update(Figures(notes={"discriminator": {"lead": 0.7}}, fraction=0.5))
    >>> round(gamma.value, 4)
    0.99
    >>> gamma.update(Figures(notes={"discriminator": {"lead": 0.9}}, fraction=0.5))
    >>> round(gamma.value, 4)
    0.9925
    """
    floor = geometric(start, lowest * start)
    rule = hold(note(turn, LEAD), at, rate, rise=RISE_RATIO, floor=floor)
    return Control(start, highest=MAX_FACTOR * start, rule=rule)


def fixed(value: float = 1.0, rate: float = 0.01, turn: str = "discriminator") -> Control:
    """Return a factor on penalties that stays constant until the watchdog lets it hold the lead; 0 for no penalties."""
    return Control(value, highest=MAX_FACTOR, rule=hold(note(turn, LEAD), SET_POINT, rate), enabled=False)
