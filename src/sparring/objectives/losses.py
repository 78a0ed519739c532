"""Adversarial losses: each is a value with two formulas, what the discriminator and what the generator minimises.

Scores are logits, (batch,), higher for what looks real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

Scores: TypeAlias = Float[Tensor, " batch"]
Formula: TypeAlias = Callable[[Scores, Scores], Float[Tensor, ""]]


@final
@dataclass(frozen=True)
class Loss:
    """Two functions of (scores of reals, scores of fakes).

    Args:
        discriminator: what the discriminator minimises.
        generator: what the generator minimises.
        paired: whether the generator's formula compares with the scores of reals. Where it does not, no pass is spent
            on them and it is handed zeros.
    """

    discriminator: Formula
    generator: Formula
    paired: bool = False


def _classify(real: Scores, fake: Scores) -> Float[Tensor, ""]:
    return softplus(-real).mean() + softplus(fake).mean()


minimax = Loss(_classify, lambda real, fake: -softplus(fake).mean())
"""min over G, max over D of E log D(x) + E log(1 - D(G(z))) (Goodfellow et al. 2014, eq. 1)."""

non_saturating = Loss(_classify, lambda real, fake: softplus(-fake).mean())
"""The generator maximises log D(G(z)) instead (Goodfellow et al. 2014, section 3)."""

least_squares = Loss(
    lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
    lambda real, fake: (fake - 1).square().mean() / 2,
)
"""Labels 1 for real and 0 for fake, squared error (Mao et al. 2017, eq. 9)."""

hinge = Loss(
    lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(),
    lambda real, fake: -fake.mean(),
)
"""Margins of one (Lim & Ye 2017; Miyato et al. 2018, eqs. 16 and 17)."""

wasserstein = Loss(lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean())
"""The dual of the earth mover's distance (Arjovsky et al. 2017, eq. 2); needs a Lipschitz penalty or clipping."""

relativistic = Loss(
    lambda real, fake: softplus(fake - real).mean(),
    lambda real, fake: softplus(real - fake).mean(),
    paired=True,
)
"""Each fake against its real: softplus(D(G(z)) - D(x)) (Jolicoeur-Martineau 2020; Huang et al. 2024, eq. 2)."""

LOSSES: dict[str, Loss] = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
    "hinge": hinge,
    "wasserstein": wasserstein,
    "relativistic": relativistic,
}
