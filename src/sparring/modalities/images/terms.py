"""Terms that a generator minimises where its condition is computed from the sample."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from sparring.flow import Latent, Sample
from sparring.modalities.images.conditions import Holed
from sparring.objectives.terms import GeneratorPass, Term

Distance: TypeAlias = Literal["l1", "l2"]
"""Absolute or squared difference."""


def in_hole(distance: Distance) -> Term:
    """Return the mean difference from the true image in the hole, each image by the size of its own hole.

    Squared: Pathak et al. 2016, eq. 1.
    """

    def term(generated: GeneratorPass) -> Tensor:
        condition = _holed(generated)
        return masked_difference(generated.fake, generated.batch.real, condition.mask, distance).mean()

    return term


def outside(paint: Callable[[Latent, Holed], Tensor], distance: Distance) -> Term:
    """Return the mean difference from the true image around the hole, of what is painted there before it is composited.

    This costs a second forward pass: the composited image is exact around the hole.

    Args:
        paint: (latents, images with holes) → what the generator paints everywhere.
        distance: of what is painted from the true image.
    """

    def term(generated: GeneratorPass) -> Tensor:
        condition = _holed(generated)
        painted = paint(generated.latent, condition)
        return masked_difference(painted, generated.batch.real, 1 - condition.mask, distance).mean()

    return term


def diverse(limit: float) -> Term:
    """Return minus the difference of two fills over the difference of their latents, at most ``limit``.

    Yang et al. 2019 (DSGAN), eq. 2. The other latent is that of the next image. There is no gradient where fills differ
    by more than the limit, and unlike for the reciprocal (Mao et al. 2019) a bounded one where they are equal.

    Args:
        limit: largest ratio that is rewarded, τ of the equation.
    """

    def term(generated: GeneratorPass) -> Tensor:
        other = generated.latent.roll(1, 0)
        apart = masked_difference(generated.regenerate(other), generated.fake, _holed(generated).mask, "l1")
        ratio = apart / ((other - generated.latent).abs().mean(1) + 1e-5)
        return -ratio.clamp(max=limit).mean()

    return term


def paired_features(generated: GeneratorPass) -> Tensor:
    """Return the mean absolute difference of the critic's features from those of the true image, summed over layers.

    Wang et al. 2018 (pix2pixHD), eq. 3: a perceptual distance in features of the discriminator.
    """
    with torch.no_grad():
        real = generated.critic(generated.batch.real).features
    fake = generated.critic(generated.fake).features
    return torch.stack([l1_loss(z, x) for x, z in zip(real, fake, strict=True)]).sum()


def masked_difference(one: Sample, other: Sample, mask: Tensor, distance: Distance) -> Tensor:
    """Return the mean difference of images where a mask is 1, (batch,); 0 where it is 0 everywhere.

    Args:
        one: (batch, channels, height, width).
        other: likewise.
        mask: (batch, 1, height, width), 0 or 1.
        distance: absolute or squared difference.
    """
    difference = (one - other).abs() if distance == "l1" else (one - other).square()
    pixels = mask.sum((1, 2, 3)) * one.shape[1]
    total: Tensor = (difference * mask).sum((1, 2, 3)) / pixels.clamp(min=1)
    return total


def _holed(generated: GeneratorPass) -> Holed:
    condition = generated.batch.condition
    assert isinstance(condition, Holed)
    return condition
