"""Penalties on the discriminator: functions ``(judge, real, fake) -> (batch,)``, of which the mean is minimised.

Norms are over all values of one sample. Where a discriminator has several judges, the penalty is the sum over them.
Each formula carries the factor of its paper, so that the weight is the paper's γ or λ.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from sparring.dials import Dial
from sparring.flow import Sample
from sparring.objectives.judge import Judge, at_least_float32

PerSample: TypeAlias = Float[Tensor, " batch"]
Penalty: TypeAlias = Callable[[Judge, Sample, Sample], PerSample]


def r1(judge: Judge, real: Sample, fake: Sample) -> PerSample:
    """½‖∇D(x)‖² at real samples (Mescheder et al. 2018, eq. 9)."""
    return squared_gradient(judge, real) / 2


def r2(judge: Judge, real: Sample, fake: Sample) -> PerSample:
    """½‖∇D(G(z))‖² at generated samples (Mescheder et al. 2018, eq. 10)."""
    return squared_gradient(judge, fake) / 2


def finite_r1(*, step: float = 0.01) -> Penalty:
    """R1 by finite differences, without a second backward pass."""
    return lambda judge, real, fake: finite_squared_gradient(judge, real, "r1", step) / 2


def finite_r2(*, step: float = 0.01) -> Penalty:
    """R2 by finite differences, without a second backward pass."""
    return lambda judge, real, fake: finite_squared_gradient(judge, fake, "r2", step) / 2


def sparse(penalty: Penalty, every: int) -> Penalty:
    """``penalty`` on every ``every``-th sample of the batch, as much stronger as they are fewer; on the others zero.

    The same in the mean, at a fraction of the cost. At least one sample of a batch is always among them.
    """

    def on_some(judge: Judge, real: Sample, fake: Sample) -> PerSample:
        few, rows = judge.every(every)
        values = torch.zeros(len(real), device=real.device)
        if rows.start < len(real):
            some_real, some_fake = (side.detach()[rows].requires_grad_() for side in (real, fake))
            total = judge.draw.total
            values[rows] = penalty(few, some_real, some_fake) * (total / len(range(0, total, every)))
        return values

    return penalty if every == 1 else on_some


def gradient_penalty(judge: Judge, real: Sample, fake: Sample) -> PerSample:
    """(‖∇D(x̂)‖ - 1)² at random places x̂ between a real and a generated sample (Gulrajani et al. 2017, eq. 3)."""
    place = judge.draw.uniform("gradient-penalty", *[1] * (real.dim() - 1)).to(real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), place).requires_grad_()
    return (_norm(squared_gradient(judge, between)) - 1).square()


def dragan(judge: Judge, real: Sample, fake: Sample) -> PerSample:
    """(‖∇D(x + δ)‖ - 1)² around real samples, δ = ½ std(x) u with u uniform (Kodali et al. 2017, algorithm 1)."""
    spread = real.detach().std() / 2
    around = (real.detach() + spread * judge.draw.uniform("dragan", *real.shape[1:])).requires_grad_()
    return (_norm(squared_gradient(judge, around)) - 1).square()


def lecam(real_level: Dial, fake_level: Dial) -> Penalty:
    """max(D(x) - α_F, 0)² + max(α_R - D(G(z)), 0)², both α running means of scores.

    Eq. 4 of Tseng et al. 2021, counted only where a score lies on its own side of the other mean.

    Args:
        real_level: α_R.
        fake_level: α_F.
    """

    def penalty(judge: Judge, real: Sample, fake: Sample) -> PerSample:
        above = [relu(score - fake_level.value).square() for score in judge(real).scores]
        below = [relu(real_level.value - score).square() for score in judge(fake).scores]
        return torch.stack([*above, *below]).sum(0)

    return penalty


def clip_weights(player: nn.Module, limit: float) -> None:
    """Put every weight back into [-limit, limit], after each update (Arjovsky et al. 2017, algorithm 1)."""
    with torch.no_grad():
        for weight in player.parameters():
            weight.clamp_(-limit, limit)


def squared_gradient(judge: Judge, sample: Sample) -> PerSample:
    """‖∇D(x)‖², itself differentiable; ``sample`` must require a gradient."""
    return torch.stack([at_least_float32(slope).flatten(1).square().sum(1) for slope in judge.slopes(sample)]).sum(0)


def finite_squared_gradient(judge: Judge, sample: Sample, stream: str, step: float) -> PerSample:
    """(D(x + εn) - D(x))² / ε² with n standard normal: ‖∇D(x)‖² in the mean (Lin et al. 2025, eq. 6).

    In float32 whatever the networks run in: the difference is lost in the rounding of bfloat16.
    """
    start = sample.detach()
    moved = start + step * judge.draw.normal(stream, *sample.shape[1:])
    with torch.autocast(sample.device.type, enabled=False):
        pairs = zip(judge.afresh(moved, stream).scores, judge.afresh(start, stream).scores, strict=True)
        return torch.stack([(there - here).square() for there, here in pairs]).sum(0) / step**2


def _norm(squared: PerSample) -> PerSample:
    # The square root has no derivative at zero, where a flat discriminator would otherwise turn every weight into NaN.
    return (squared + 1e-12).sqrt()
