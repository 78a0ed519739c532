"""Terms that a generator may minimise beside the adversarial loss: functions ``(generated) -> scalar``.

A generator that doubles its latents, a discriminator whose only feature is the sample, and real samples at 0:

>>> from sparring.flow import Verdict
>>> from sparring.randomness import RandomStream
>>> latent = torch.tensor([[0.0], [1.0]])
>>> critic = Critic(
...     lambda sample, condition: Verdict(logits=[sample[:, 0]], features=[sample]),
...     condition=None,
...     random=RandomStream(seed=0, step=0, total=2, rows=slice(0, 2)),
... )
>>> batch = Batch(real=torch.zeros(2, 1))
>>> generated = GeneratorPass(latent, 2 * latent, batch, critic, regenerate=lambda latent: 2 * latent)
>>> reconstruction(generated), feature_matching(generated), mode_seeking(generated)
(tensor(1.), tensor(1.), tensor(0.5000))
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from sparring.flow import Batch, Latent, Sample
from sparring.objectives.critic import Critic
from sparring.objectives.statistics import kernel_distance
from sparring.samples import floats


class GeneratorPass(NamedTuple):
    """One forward pass of the generator, and a function that makes another from other latents."""

    latent: Latent
    fake: Sample
    batch: Batch
    critic: Critic
    regenerate: Callable[[Latent], Sample]


Term: TypeAlias = Callable[[GeneratorPass], Tensor]
"""(generator pass) → scalar."""


def reconstruction(generated: GeneratorPass) -> Tensor:
    """Mean absolute difference from the real sample of the same row (Isola et al. 2017, eq. 3)."""
    return _distance(generated.fake, generated.batch.real)


def feature_matching(generated: GeneratorPass) -> Tensor:
    """Squared distance between the mean features of reals and fakes, summed over the critic's layers.

    Salimans et al. 2016, section 3.1.
    """
    with torch.no_grad():
        real = generated.critic(generated.batch.real).features
    fake = generated.critic(generated.fake).features
    gaps = [(x.mean(0) - z.mean(0)).square().mean() for x, z in zip(real, fake, strict=True)]
    return torch.stack(gaps).sum()


def moment_matching(generated: GeneratorPass) -> Tensor:
    """Squared maximum mean discrepancy of reals and fakes in the critic's first features (Zhang et al. 2017, eq. 6).

    Unlike a logit, it sees whether the samples of a batch differ as much as real ones.
    """
    with torch.no_grad():
        real = generated.critic(generated.batch.real).features[0]
    fake = generated.critic(generated.fake).features[0]
    return kernel_distance(real.flatten(1).float(), fake.flatten(1).float())


def mode_seeking(generated: GeneratorPass) -> Tensor:
    """Distance of latents over distance of samples: small where different latents give different samples.

    Mao et al. 2019, eq. 3, with the latents of the batch in reverse order as the other latents.
    """
    other = generated.latent.flip(0)
    apart = _distance(generated.regenerate(other), generated.fake)
    return l1_loss(other, generated.latent) / (apart + 1e-5)


def _distance(one: Sample, other: Sample) -> Tensor:
    """Mean absolute difference, the mean of the floating-point parts."""
    return torch.stack([l1_loss(*pair) for pair in zip(floats(one), floats(other), strict=True)]).mean()
