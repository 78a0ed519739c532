"""A convolutional encoder and decoder for the likelihood game (Kingma & Welling 2014, section 3)."""

import itertools

import torch
from torch import Tensor, nn

from sparring.flow import Code
from sparring.layers.convolutions import convolution, grids, linear, rectify
from sparring.layers.labels import one_hot_planes
from sparring.modalities.images.networks.residual import Generator, channels_of


class Autoencoder(nn.Module):
    """Maps images to latents and back; the decoder is the generator of `images/r3gan`.

    Args:
        size: (height, width), each at least 8.
        channels: channels of an image.
        latent_size: length of the latent vector.
        width: channels of the fine grids; the two coarsest have 4 and 2 times as many.
        classes: number of classes, given to encoder and decoder; 0 for an unconditional model.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, latent_size: int = 32, width: int = 32, classes: int = 0
    ) -> None:
        super().__init__()
        self.classes = classes
        height, breadth = grids(size)[-1]
        counts = [channels + classes, *channels_of(width, len(grids(size)) - 1)[::-1]]  # fine to coarse
        self.steps = nn.ModuleList(
            convolution(before, after, kernel=4, stride=2) for before, after in itertools.pairwise(counts)
        )
        # The small gain starts the posterior near N(0, I): a mean near 0, a variance near 1.
        self.code = linear(counts[-1] * height * breadth, 2 * latent_size, gain=0.1)
        self.decoder = Generator(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """Map images (batch, channels, height, width) to mean and log variance, (batch, latent_size) each."""
        planes = one_hot_planes(condition, self.classes, sample)
        features = torch.cat([sample, planes], dim=1)  # (batch, channels + classes, height, width)
        for step in self.steps:
            features = rectify(step(features))  # (batch, channels of the next grid, height / 2, width / 2)
        return Code(*self.code(features.flatten(1)).chunk(2, dim=1))  # (batch, 2 · latent_size) → two halves

    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) to images (batch, channels, height, width)."""
        images: Tensor = self.decoder(latent, condition)
        return images
