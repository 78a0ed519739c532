"""Adversarial losses: each is a value with two formulas, the discriminator's and the generator's.

Formulas take the logits of real and of generated samples, one tensor per head of the discriminator, (batch, …), higher
for what looks real; they sum over the heads.

>>> import torch
>>> real, fake = [torch.tensor([2.0, 0.0])], [torch.tensor([0.0, -2.0])]
>>> hinge.discriminator(real, fake)
tensor(1.)
>>> hinge.generator(real, fake)
tensor(1.)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

Logits: TypeAlias = list[Float[Tensor, "batch ..."]]
Formula: TypeAlias = Callable[[Logits, Logits], Float[Tensor, ""]]


@final
@dataclass(frozen=True)
class Loss:
    """Two functions of (logits of real samples, logits of generated samples).

    Args:
        discriminator: minimised by the discriminator.
        generator: minimised by the generator.
        paired: whether the generator's formula needs the logits of real samples. Where it does not, no forward pass is
            spent on them and it is handed zeros.
    """

    discriminator: Formula
    generator: Formula
    paired: bool = False


def weighted(loss: Loss, weight: float) -> Loss:
    """Return the loss with the generator's side multiplied by ``weight``, which balances it against further terms.

    >>> weighted(hinge, 0.5).generator([torch.zeros(2)], [torch.tensor([0.0, -2.0])])
    tensor(0.5000)
    """
    return loss if weight == 1 else replace(loss, generator=lambda real, fake: weight * loss.generator(real, fake))


def total(values: Iterable[Tensor]) -> Float[Tensor, ""]:
    """Sum the means over the batch, one for each head."""
    return torch.stack([value.mean() for value in values]).sum()


def _classify(real: Logits, fake: Logits) -> Float[Tensor, ""]:
    """Binary cross-entropy with labels 1 and 0."""
    return total(softplus(-logit) for logit in real) + total(softplus(logit) for logit in fake)


minimax = Loss(
    discriminator=_classify,
    generator=lambda real, fake: -total(softplus(logit) for logit in fake),
)
"""min over G, max over D of E log D(x) + E log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1)."""

non_saturating = Loss(
    discriminator=_classify,
    generator=lambda real, fake: total(softplus(-logit) for logit in fake),
)
"""L_D as in minimax, L_G = E softplus(-D(G(z))) (Goodfellow et al. 2014, section 3)."""

least_squares = Loss(
    discriminator=lambda real, fake: (
        (total((logit - 1).square() for logit in real) + total(logit.square() for logit in fake)) / 2
    ),
    generator=lambda real, fake: total((logit - 1).square() for logit in fake) / 2,
)
"""L_D = ½ E (D(x) - 1)² + ½ E D(G(z))², L_G = ½ E (D(G(z)) - 1)² (Mao et al. 2017, eq. 9)."""

hinge = Loss(
    discriminator=lambda real, fake: (
        total(relu(1 - logit) for logit in real) + total(relu(1 + logit) for logit in fake)
    ),
    generator=lambda real, fake: -total(fake),
)
"""L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))), L_G = -E D(G(z)).

Lim & Ye 2017; Miyato et al. 2018, eqs. 16 and 17.
"""

wasserstein = Loss(
    discriminator=lambda real, fake: total(fake) - total(real),
    generator=lambda real, fake: -total(fake),
)
"""L_D = E D(G(z)) - E D(x), L_G = -E D(G(z)) (Arjovsky et al. 2017, eq. 2); needs a Lipschitz penalty or clipping."""

# x, z: the logits of real and of generated samples at one head.
relativistic = Loss(
    discriminator=lambda real, fake: total(softplus(z - x) for x, z in zip(real, fake, strict=True)),
    generator=lambda real, fake: total(softplus(x - z) for x, z in zip(real, fake, strict=True)),
    paired=True,
)
"""L_D = E softplus(D(G(z)) - D(x)), L_G = E softplus(D(x) - D(G(z))), each fake against the real sample of its row.

Jolicoeur-Martineau 2020; Huang et al. 2024, eq. 2.
"""

LOSSES: dict[str, Loss] = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
    "hinge": hinge,
    "wasserstein": wasserstein,
    "relativistic": relativistic,
}
