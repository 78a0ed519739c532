"""Penalties on the discriminator: functions ``(critic, real, fake) -> (batch,)`` whose mean is minimised.

Norms are over all values of one sample. A discriminator of several critics is penalised by the sum over them. Each
formula carries the factor of its paper, so that the weight is the paper's γ or λ.

The gradient of D(x) = 3 x₁ + 4 x₂ has the norm 5 everywhere:

>>> from sparring.flow import Verdict
>>> from sparring.randomness import RandomStream
>>> def discriminator(sample, condition):
...     return Verdict(logits=[sample @ torch.tensor([3.0, 4.0])], features=[])
>>> critic = Critic(discriminator, None, RandomStream(seed=0, step=0, total=2, rows=slice(0, 2)))
>>> real, fake = differentiable(torch.zeros(2, 2)), differentiable(torch.ones(2, 2))
>>> r1(critic, real, fake).tolist()
[12.5, 12.5]
>>> gradient_penalty(critic, real, fake).tolist()
[16.0, 16.0]
>>> sparse(r2, 2)(critic, real, fake).tolist()
[25.0, 0.0]
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from sparring.controls import Control
from sparring.flow import Sample
from sparring.objectives.critic import Critic, per_sample
from sparring.samples import batch_size, map_floats, take, tensors

PerSample: TypeAlias = Float[Tensor, " batch"]
Penalty: TypeAlias = Callable[[Critic, Sample, Sample], PerSample]


def r1(critic: Critic, real: Sample, fake: Sample) -> PerSample:
    """½‖∇D(x)‖² at real samples (Mescheder et al. 2018, eq. 9)."""
    return squared_gradient(critic, real) / 2


def r2(critic: Critic, real: Sample, fake: Sample) -> PerSample:
    """½‖∇D(G(z))‖² at generated samples (Mescheder et al. 2018, eq. 10)."""
    return squared_gradient(critic, fake) / 2


def finite_r1(*, step: float = 0.01) -> Penalty:
    """Return R1 by finite differences, without a second backward pass (Lin et al. 2025, eq. 6)."""
    return lambda critic, real, fake: finite_squared_gradient(critic, real, "r1", step) / 2


def finite_r2(*, step: float = 0.01) -> Penalty:
    """Return R2 by finite differences, without a second backward pass (Lin et al. 2025, eq. 6)."""
    return lambda critic, real, fake: finite_squared_gradient(critic, fake, "r2", step) / 2


def sparse(penalty: Penalty, interval: int) -> Penalty:
    """Penalise every ``interval``-th sample of N, scaled by N / ⌈N / interval⌉, and the others not at all.

    The mean over the batch is unbiased, at a fraction of the cost.
    """

    def on_subset(critic: Critic, real: Sample, fake: Sample) -> PerSample:
        subset, rows = critic.subsample(interval)
        values = torch.zeros(batch_size(real), device=tensors(real)[0].device)
        if rows.start < batch_size(real):
            real_subset, fake_subset = (differentiable(take(side, rows)) for side in (real, fake))
            total = critic.random.total
            values[rows] = penalty(subset, real_subset, fake_subset) * (total / len(range(0, total, interval)))
        return values

    return penalty if interval == 1 else on_subset


def gradient_penalty(critic: Critic, real: Sample, fake: Sample) -> PerSample:
    """(‖∇D(x̂)‖ - 1)² at random points x̂ between a real and a generated sample (Gulrajani et al. 2017, eq. 3)."""
    between = _between(real, fake, critic.random.uniform("gradient-penalty"))
    return (_norm(squared_gradient(critic, between)) - 1).square()


def packed_gradient_penalty(size: int) -> Penalty:
    """Return the gradient penalty of a discriminator of packs: (‖∇D‖ - 1)² of each whole pack, at each of its rows.

    The points x̂ of a pack have one t (Xu et al. 2019, algorithm 1). It is exact where ``size`` divides the rows.

    Args:
        size: samples in a pack, as in ``layers.packing.packed``, by whose rows each pack is counted ``size`` times.
    """

    def penalty(critic: Critic, real: Sample, fake: Sample) -> PerSample:
        count = batch_size(real)
        pack = torch.arange(count, device=tensors(real)[0].device) // size  # The number of each row's pack.
        between = _between(real, fake, critic.random.uniform("gradient-penalty")[pack * size])
        rows = squared_gradient(critic, between) / size**2
        packs = rows.new_zeros(int(pack[-1]) + 1).index_add(0, pack, rows)
        return (_norm(packs) - 1).square()[pack]

    return gradient_penalty if size == 1 else penalty


def dragan(critic: Critic, real: Sample, fake: Sample) -> PerSample:
    """(‖∇D(x + δ)‖ - 1)² around real samples, δ = ½ std(x) u with u uniform (Kodali et al. 2017, algorithm 1)."""
    streams = _streams("dragan")

    def moved(part: Tensor) -> Tensor:
        spread = part.detach().std() / 2
        return part.detach() + spread * critic.random.uniform(next(streams), *part.shape[1:])

    around = differentiable(map_floats(moved, real))
    return (_norm(squared_gradient(critic, around)) - 1).square()


def lecam(real_level: Control, fake_level: Control) -> Penalty:
    """Return max(D(x) - α_F, 0)² + max(α_R - D(G(z)), 0)² with running means α (Tseng et al. 2021, eq. 4).

    The clamp at 0 is not in the paper's equation: a logit counts only where it lies on its own side of the other mean.

    Args:
        real_level: α_R, running mean of the logits of real samples.
        fake_level: α_F, running mean of the logits of generated samples.
    """

    def penalty(critic: Critic, real: Sample, fake: Sample) -> PerSample:
        above = [per_sample(relu(score - fake_level.value).square()) for score in critic(real).logits]
        below = [per_sample(relu(real_level.value - score).square()) for score in critic(fake).logits]
        return torch.stack([*above, *below]).sum(0)

    return penalty


def clip_weights(player: nn.Module, limit: float) -> None:
    """Clamp every weight to [-limit, limit] after an update (Arjovsky et al. 2017, algorithm 1).

    >>> player = nn.ParameterList([torch.tensor([-3.0, 0.5])])
    >>> clip_weights(player, 1.0)
    >>> player[0].tolist()
    [-1.0, 0.5]
    """
    with torch.no_grad():
        for weight in player.parameters():
            weight.clamp_(-limit, limit)


def squared_gradient(critic: Critic, sample: Sample) -> PerSample:
    """‖∇D(x)‖², itself differentiable; ``sample`` must require a gradient."""
    return torch.stack([slope.square().sum(1) for slope in critic.input_gradients(sample)]).sum(0)


def finite_squared_gradient(critic: Critic, sample: Sample, stream: str, step: float) -> PerSample:
    """(D(x + εn) - D(x))² / ε² with n standard normal: ‖∇D(x)‖² in expectation (Lin et al. 2025, eq. 6).

    In float32 whatever the networks run in: the difference is lost in the rounding of bfloat16.
    """
    streams = _streams(stream)
    start = map_floats(lambda part: part.detach(), sample)
    moved = map_floats(lambda part: part + step * critic.random.normal(next(streams), *part.shape[1:]), start)
    with torch.autocast(tensors(sample)[0].device.type, enabled=False):
        pairs = zip(critic.forward(moved, stream).logits, critic.forward(start, stream).logits, strict=True)
        return torch.stack([per_sample(there - here).square() for there, here in pairs]).sum(0) / step**2


def differentiable(sample: Sample) -> Sample:
    """Detach the sample and let its floating-point parts require a gradient."""
    return map_floats(lambda part: part.detach().requires_grad_(), sample)


def _between(real: Sample, fake: Sample, t: Tensor) -> Sample:
    """Return x̂ = t x + (1 - t) G(z), differentiable; t is uniform in [0, 1), (batch,)."""

    def mixed(a: Tensor, b: Tensor) -> Tensor:
        return torch.lerp(b.detach(), a.detach(), t.view(-1, *[1] * (a.dim() - 1)).to(a.dtype))

    return differentiable(map_floats(mixed, real, fake))


def _streams(name: str) -> Iterator[str]:
    """Name one random stream per part of a sample: "name", "name/1", "name/2", …"""
    return (f"{name}/{place}" if place else name for place in count())


def _norm(squared: PerSample) -> PerSample:
    # The square root has no derivative at zero, where a flat discriminator would otherwise turn every weight into NaN.
    return (squared + 1e-12).sqrt()
