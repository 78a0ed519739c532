"""A convolutional encoder and decoder for the likelihood game (Kingma & Welling 2014, with convolutions)."""

import itertools

import torch
from torch import Tensor, nn

from sparring.flow import Code
from sparring.layers.convolutions import convolution, grids, linear, rectify
from sparring.layers.labels import indicators
from sparring.modalities.images.networks.residual import Generator, channels_of


class Autoencoder(nn.Module):
    """Images to noise and back: the way back is the generator of `images/r3gan`.

    Args:
        size: (height, width), each at least 8.
        channels: of an image.
        latent_size: length of the latent vector.
        width: channels of the fine grids; the two coarsest have 4 and 2 times as many.
        classes: number of class labels, given to both directions; 0 for none.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, latent_size: int = 32, width: int = 32, classes: int = 0
    ) -> None:
        super().__init__()
        self.classes = classes
        height, breadth = grids(size)[-1]
        counts = [channels + classes, *channels_of(width, len(grids(size)) - 1)[::-1]]
        self.steps = nn.ModuleList(
            convolution(before, after, kernel=4, stride=2) for before, after in itertools.pairwise(counts)
        )
        # At the start the code says little about the image, and its variance is about one.
        self.code = linear(counts[-1] * height * breadth, 2 * latent_size, gain=0.1)
        self.decoder = Generator(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """(batch, channels, height, width) → mean and log variance, each (batch, latent_size)."""
        planes = indicators(condition, self.classes, sample)[:, :, None, None].expand(-1, -1, *sample.shape[2:])
        features = torch.cat([sample, planes], dim=1)
        for step in self.steps:
            features = rectify(step(features))
        return Code(*self.code(features.flatten(1)).chunk(2, dim=1))

    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, latent_size) → (batch, channels, height, width)."""
        images: Tensor = self.decoder(latent, condition)
        return images
