"""The context encoder: Pathak et al., "Context encoders: feature learning by inpainting", 2016, section 3.1.

An encoder and a decoder of strided convolutions with batch norm, as in DCGAN. In place of the channel-wise fully
connected layer, which fixes the size of the image, the coarsest grid has two convolutions.
"""

import itertools

import torch
from torch import Tensor, nn

from sparring.modalities.images.networks.completion import Completion


class Painter(nn.Module):
    """Strided encoder and decoder (Pathak et al. 2016, figure 9).

    Args:
        inputs: channels of image, mask and latent planes together.
        channels: channels of an image.
        width: channels of the first layer; doubled up to 8 times as many.
        depth: layers that halve the size.
    """

    def __init__(self, *, inputs: int, channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2 ** min(level, 3) for level in range(depth)]  # fine to coarse
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([inputs, *widths]):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        for _ in range(2):
            layers += [nn.Conv2d(widths[-1], widths[-1], 3, 1, 1), nn.BatchNorm2d(widths[-1]), nn.LeakyReLU(0.2)]
        for before, after in itertools.pairwise([*widths[::-1], width]):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, 1, 1), nn.Tanh())
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to images (batch, channels, height, width)."""
        images: Tensor = self.layers(values)
        return images


def context(*, channels: int, latent_size: int, width: int, depth: int) -> Completion:
    """Return a context encoder that fills holes; sides are multiples of 2 to the ``depth``."""
    painter = Painter(inputs=channels + 1 + latent_size, channels=channels, width=width, depth=depth)
    return Completion(painter, multiple=2**depth)
