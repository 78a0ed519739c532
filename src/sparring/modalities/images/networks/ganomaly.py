"""Networks of GANomaly (Akçay et al. 2018, section 3.2): the encoder mirrors the generator of DCGAN."""

import torch
from torch import Tensor, nn

from sparring.layers.labels import one_hot_planes
from sparring.modalities.images.networks.dcgan import Generator, doublings, halvings, initialise


class Encoder(nn.Module):
    """Maps images to codes: (batch, channels, height, width) → (batch, latent_size).

    The convolutions of the discriminator of DCGAN, and a linear map of the coarsest grid.

    Args:
        size: (height, width), multiples of 2 to the power of ``doublings(size)``.
        channels: channels of an image.
        latent_size: length of a code.
        width: channels of the first layer; doubled at every coarser grid.
        classes: number of classes, joined to the image as one-hot planes; 0 for an unconditional encoder.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, latent_size: int = 100, width: int = 64, classes: int = 0
    ) -> None:
        super().__init__()
        self.classes = classes
        count = doublings(size)
        self.layers = halvings(channels + classes, width, count)
        grid = (size[0] >> count, size[1] >> count)
        self.code = nn.Conv2d(width * 2 ** (count - 1), latent_size, grid, bias=False)
        initialise(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map images (batch, channels, height, width) and labels (batch,) to codes (batch, latent_size)."""
        planes = one_hot_planes(condition, self.classes, sample)  # (batch, classes, height, width)
        features = self.layers(torch.cat([sample, planes], dim=1))
        code: Tensor = self.code(features).flatten(1)  # (batch, latent_size, 1, 1) → (batch, latent_size)
        return code


class Autoencoder(nn.Module):
    """Maps images to codes and back: an ``Encoder``, and the generator of DCGAN.

    Args:
        size: (height, width), multiples of 2 to the power of ``doublings(size)``.
        channels: channels of an image.
        latent_size: length of a code.
        width: channels of the finest grid; doubled at every coarser one.
        classes: number of classes that both are conditioned on; 0 for none.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, latent_size: int = 100, width: int = 64, classes: int = 0
    ) -> None:
        super().__init__()
        self.encoder = Encoder(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes)
        self.decoder = Generator(size=size, channels=channels, latent_size=latent_size, width=width, classes=classes)

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map images (batch, channels, height, width) to codes (batch, latent_size)."""
        code: Tensor = self.encoder(sample, condition)
        return code

    def decode(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map codes (batch, latent_size) to images (batch, channels, height, width) in [-1, 1]."""
        images: Tensor = self.decoder(code, condition)
        return images
