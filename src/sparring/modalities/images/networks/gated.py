"""Gated convolutions for completion: one stage of Yu et al., "Free-form image inpainting with gated convolution", 2019.

Written from sections 3.1 and 3.2. Of the two stages of figure 3 this is one, without contextual attention; the output
is a leaky clamp in place of clipping, so that the gradient of a pixel never vanishes.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.layers.convolutions import leaky_clamp
from sparring.modalities.images.networks.completion import Completion

DILATIONS = (2, 4, 8)
"""Dilations of the coarsest grid, by which the centre of a hole sees its border."""
OUTPUT_LEAK = 0.02
"""Slope of the output outside [-1, 1]."""


class GatedConvolution(nn.Module):
    """φ(W_f ∗ x) ⊙ σ(W_g ∗ x): features, each multiplied by a gate in (0, 1) (Yu et al. 2019, eq. 3); φ is ELU.

    Args:
        inputs: channels before.
        outputs: channels after.
        kernel: odd side of the kernel.
        stride: 2 to halve the size.
        dilation: distance of the taps.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.features = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
        self.gates = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
        # With these gains the product has about the variance of the input: gates are near ½ at the start.
        for layer, gain in ((self.features, 2.5), (self.gates, 0.5)):
            assert layer.bias is not None
            nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs * kernel**2))
            nn.init.zeros_(layer.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to (batch, outputs, height / stride, width / stride)."""
        gated: Tensor = functional.elu(self.features(values)) * self.gates(values).sigmoid()
        return gated


class Painter(nn.Module):
    """Gated encoder and decoder with dilated convolutions between (Yu et al. 2019, figure 3, coarse network).

    Args:
        inputs: channels of image, mask and latent planes together.
        channels: channels of an image.
        width: channels of the finest grid; 2 and 4 times as many on the coarser ones.
    """

    def __init__(self, *, inputs: int, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            GatedConvolution(inputs, width, kernel=5),
            GatedConvolution(width, 2 * width, stride=2),
            GatedConvolution(2 * width, 2 * width),
            GatedConvolution(2 * width, 4 * width, stride=2),
        )
        self.between = nn.Sequential(
            *(GatedConvolution(4 * width, 4 * width, dilation=far) for far in (1, *DILATIONS, 1))
        )
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            GatedConvolution(4 * width, 2 * width),
            GatedConvolution(2 * width, 2 * width),
            nn.Upsample(scale_factor=2, mode="nearest"),
            GatedConvolution(2 * width, width),
        )
        self.draw = nn.Conv2d(width, channels, 3, padding=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to images (batch, channels, height, width)."""
        return leaky_clamp(self.draw(self.up(self.between(self.down(values)))), OUTPUT_LEAK)


def gated(*, channels: int, latent_size: int, width: int) -> Completion:
    """Return a network of gated convolutions that fills holes; sides are multiples of 4."""
    return Completion(Painter(inputs=channels + 1 + latent_size, channels=channels, width=width), multiple=4)
