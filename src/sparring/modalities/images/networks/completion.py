"""The frame of all networks that fill holes: what they are given, and the composited image that they return."""

from typing import TypeAlias

import torch
from torch import Tensor, nn

Holes: TypeAlias = tuple[Tensor, Tensor]
"""Images with 0 in the hole, (batch, channels, height, width), and masks, (batch, 1, height, width), 1 in the hole."""


class Completion(nn.Module):
    """Fills the holes of images: outside the mask the result is the input, bit for bit.

    The latent is given to the network as planes that are constant in the hole and 0 elsewhere, so that a model draws
    several fills for one hole, and the same one in every tile of a large image.

    Args:
        network: (batch, channels + 1 + latent_size, height, width) → (batch, channels, height, width).
        multiple: number of which both sides of the images must be multiples.
    """

    scale = 1

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, latent: Tensor, condition: Holes) -> Tensor:
        """Map latents (batch, latent_size) and images with holes to images, (batch, channels, height, width)."""
        image, mask = condition
        return torch.where(mask > 0, self.paint(latent, condition), image)

    def paint(self, latent: Tensor, condition: Holes) -> Tensor:
        """Return what the network paints everywhere, also outside the mask."""
        image, mask = condition
        planes = latent[:, :, None, None] * mask  # (batch, latent_size, height, width)
        painted: Tensor = self.network(torch.cat([image, mask, planes], 1))
        return painted
