"""Completion by search: fill holes with any model that generates images from nothing."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from sparring.arguments import whole_number
from sparring.data.conditions import refuse_options
from sparring.errors import SparringError
from sparring.flow import Latent
from sparring.model import Model
from sparring.randomness import RandomStream, require_seed
from sparring.samples import Sample
from sparring.training.devices import pick

WINDOW = 7
"""Side of the window in which known pixels count by the share of the hole in it (Yeh et al. 2017, section 3.3)."""
PRIOR_WEIGHT = 0.003
"""Weight of the prior loss (Yeh et al. 2017, section 4), here of the squared length of the latent."""
LEARNING_RATE = 0.03
"""Learning rate of Adam on the latents (the same, section 4)."""


def complete(
    model: Model,
    images: Tensor,
    masks: Tensor,
    *,
    steps: int = 1000,
    seed: int = 0,
    restarts: int = 4,
    condition: Sample | None = None,
    device: str = "cpu",
    **options: Any,
) -> Tensor:
    """Fill holes by the latents whose images are nearest around them (Yeh et al. 2017, semantic inpainting, eq. 5).

    The context loss is that of the paper. A published model has no discriminator, so the prior loss is the squared
    length of the latent; and the result is composited, without blending.

    Args:
        model: any model of images that takes no images, such as one of images/r3gan.
        images: (count, channels, height, width) in [-1, 1], in the size of the model.
        masks: (count, 1, height, width), or one for all; above 0 in the hole.
        steps: steps of Adam.
        seed: of the latents at the start; other seeds give other fills.
        restarts: latents that are tried for each image, of which the nearest is kept.
        condition: one row per image for a model with classes, as from ``model.conditions``; None for that of
            ``options``.
        device: device to compute on.
        **options: condition options of the model, such as ``label="cats"``.

    Returns:
        The images, filled; around the hole not one bit differs.

    Raises:
        SparringError: images or masks do not fit the model, one hole is all of its image, or an option does not fit.
    """
    steps, seed, restarts = whole_number("steps", steps), require_seed(seed), whole_number("restarts", restarts)
    mask = _checked_mask(model, images, masks)
    target = pick(device)
    count = len(images)

    # One row per image and restart: its pixels, the weights of these, and the latent to start from.
    if condition is None:
        condition = model.conditions(count, **options)
    else:
        refuse_options(options)
    given = None if condition is None else torch.as_tensor(condition).repeat_interleave(restarts, 0).to(target)
    real = images.repeat_interleave(restarts, 0).to(target)
    weights = importance(mask).repeat_interleave(restarts, 0).to(target)
    rows = count * restarts
    start = model.game.latent(RandomStream(seed, 0, rows, slice(0, rows), "complete/", target))
    bounded = bool(start.abs().max() <= 1)
    players = [model.game.players[name].to(target) for name in model.game.published]
    try:
        latent = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([latent], LEARNING_RATE)
        for _ in range(steps):
            optimiser.zero_grad()
            near = _context(model.game.generate(latent, given), real, weights)  # (rows,)
            (near + PRIOR_WEIGHT * latent.square().mean(1)).sum().backward()
            optimiser.step()
            if bounded:
                # Latents of a uniform prior lie in [-1, 1].
                with torch.no_grad():
                    latent.clamp_(-1, 1)
        return _nearest(model, latent.detach(), given, real, weights, restarts, images, mask)
    finally:
        for player in players:
            player.to("cpu")


def importance(mask: Tensor) -> Tensor:
    """Return weights of known pixels: the share of the hole in the window around each (Yeh et al. 2017, eq. 3).

    Args:
        mask: (count, 1, height, width), 1 in the hole.

    Returns:
        The same shape, 0 in the hole; where no pixel is near a hole, 1 for all known pixels. The mean over each image
        is 1, so that holes of all sizes count alike.
    """
    share = avg_pool2d(mask, WINDOW, stride=1, padding=WINDOW // 2) * (1 - mask)
    total = share.sum((1, 2, 3), keepdim=True)
    share = torch.where(total > 0, share, 1 - mask)
    return share / share.mean((1, 2, 3), keepdim=True)


@torch.no_grad()
def _nearest(
    model: Model,
    latent: Latent,
    condition: Tensor | None,
    real: Tensor,
    weights: Tensor,
    restarts: int,
    images: Tensor,
    mask: Tensor,
) -> Tensor:
    """Return the images filled from the nearest of the restarts of each."""
    fake = model.game.generate(latent, condition)
    best = _context(fake, real, weights).view(-1, restarts).argmin(1)  # (count,)
    chosen: Tensor = fake.unflatten(0, (-1, restarts))[torch.arange(len(best)), best].cpu().clamp(-1, 1)
    return torch.where(mask > 0, chosen, images)


def _context(fake: Tensor, real: Tensor, weights: Tensor) -> Tensor:
    """Return ‖W ⊙ (G(z) − y)‖₁ over the number of values, (rows,) (Yeh et al. 2017, eq. 4)."""
    near: Tensor = ((fake - real).abs() * weights).flatten(1).mean(1)
    return near


def _checked_mask(model: Model, images: Tensor, masks: Tensor) -> Tensor:
    """Return the masks as numbers, 1 in the hole, one for each image.

    Raises:
        SparringError: images or masks do not fit the model, or one hole is all of its image.
    """
    options = model.condition_spec.options if model.condition_spec is not None else {}
    if set(options) - {"label"} or len(model.view.shape) != 3:
        raise SparringError(
            found=f"a model of {model.name}",
            expected="one that generates images from nothing or from a class, whose latents can be searched",
            remedy="apply a model that fills holes by `sparring apply`, or train another recipe such as images/r3gan",
        )
    shape = model.view.shape
    if tuple(images.shape[1:]) != tuple(shape) or not len(images):
        raise SparringError(
            found=f"images of shape {tuple(images.shape)}",
            expected=f"(count, {', '.join(map(str, shape))}), as this model generates them",
            remedy="resize them, or read them by modality.read",
        )
    if masks.dim() != 4 or tuple(masks.shape[1:]) != (1, *shape[1:]) or len(masks) not in (1, len(images)):
        raise SparringError(
            found=f"masks of shape {tuple(masks.shape)}",
            expected=f"({len(images)}, 1, {shape[1]}, {shape[2]}), or one mask for all",
            remedy="resize them",
        )
    mask = (masks > 0).to(images.dtype).expand(len(images), -1, -1, -1)
    if bool((mask.mean((1, 2, 3)) == 1).any()):
        raise SparringError(
            found="a hole that is all of an image",
            expected="some of the image to fill it from",
            remedy="sample instead",
        )
    return mask
