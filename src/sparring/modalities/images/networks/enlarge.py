"""Residual networks that enlarge images: Lim et al. 2017 (EDSR), after Ledig et al. 2017 (SRResNet).

Written from Lim et al., "Enhanced deep residual networks for single image super-resolution", 2017, sections 3.1 and
3.2: residual blocks without batch norm, and enlargement by pixel shuffle. The network adds to the bicubic enlargement
of its input, and is initially nothing but this.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.layers.convolutions import convolution, leaky_clamp, rectify

OUTPUT_LEAK = 0.02
"""Slope of the output outside [-1, 1]."""


class Block(nn.Module):
    """Residual block without batch norm (Lim et al. 2017, figure 2c): initially the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels, gain=0.0)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        changed: Tensor = values + self.second(rectify(self.first(values)))
        return changed


class Enlarger(nn.Module):
    """Enlarges images: (batch, channels, height, width) → (batch, channels, scale · height, scale · width).

    Args:
        channels: channels of an image.
        width: channels of all layers.
        scale: factor of both sides, a power of two.
        blocks: residual blocks.
    """

    multiple = 1

    def __init__(self, *, channels: int, width: int, scale: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        self.start = convolution(channels, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        steps: list[nn.Module] = []
        for _ in range(scale.bit_length() - 1):
            # (batch, 4 · width, height, width) → (batch, width, 2 · height, 2 · width)
            steps += [convolution(width, 4 * width), nn.PixelShuffle(2), nn.LeakyReLU(0.2)]
        self.steps = nn.Sequential(*steps)
        self.draw = convolution(width, channels, gain=0.0)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Enlarge the images of ``condition``; the latent is not used."""
        details = self.draw(self.steps(self.blocks(self.start(condition))))
        return leaky_clamp(enlarged(condition, self.scale) + details, OUTPUT_LEAK)


def enlarged(images: Tensor, scale: int) -> Tensor:
    """Enlarge both sides by a whole factor, bicubically; values may leave [-1, 1] at edges."""
    return interpolate(images.float(), scale_factor=scale, mode="bicubic", align_corners=False)
